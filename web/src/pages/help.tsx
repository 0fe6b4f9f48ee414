// help.tsx - what the words mean, what the numbers cannot say, and the SQL behind each of them, in the language chosen.
import type { ComponentChildren } from 'preact';
import { useMeta } from '../api/ask';
import type { Term, Topic } from '../api/types';
import { CLASSES, THRESHOLDS } from '../classes';
import { Asked } from '../components/asked';
import { type Fact, Facts } from '../components/facts';
import { Swatch, VerdictMark } from '../components/marks';
import { Copyable } from '../components/states';
import { Said, Told } from '../components/told';
import { href } from '../router';
import { useScope } from '../scope';
import { useHelp } from '../texts';

// title: its term in the topic "ui".
function Words({ title, rows, children }: { title: string; rows: Fact[]; children?: ComponentChildren }) {
  return (
    <section class="card words">
      <h2>
        <Said topic="ui" term={title} />
      </h2>
      {children}
      <Facts rows={rows} />
    </section>
  );
}

const plain = (terms: Term[]): Fact[] => terms.map(({ term, text }) => [term, <>{text}</>]);

export function Help() {
  const { params } = useScope();
  const meta = useMeta();
  const thresholds = meta?.thresholds ?? THRESHOLDS;
  const said = (topic: Topic, term: string) => <Said topic={topic} term={term} blanks={thresholds} />;
  return (
    <Asked answer={useHelp(params, false)} label="help">
      {(data) => (
        <div lang={data.lang}>
          <div class="two">
            <Words title="words" rows={plain(data.words)} />
            <div>
              <Words
                title="classes"
                rows={CLASSES.map(({ name, label }) => [
                  <a href={href('records', { class: name })}>
                    <Swatch name={name} /> {label}
                  </a>,
                  <>
                    {said('reasons', name)} <span class="faint">{said('classes', name)}</span>
                  </>,
                ])}
              >
                <Told term="classes" />
              </Words>
              <Words title="standing" rows={(['passing', 'mixed', 'failing'] as const).map((value) => [<VerdictMark value={value} />, said('ui', value)])} />
            </div>
            <Words title="labels" rows={plain(data.labels)} />
            <Words title="overrides" rows={data.overrides.map(({ term, text }) => [<a href={href('records', { override: term })}>{term}</a>, <>{text}</>])} />
            <Words title="tabs" rows={plain(data.tabs)}>
              <Told term="tabs" />
            </Words>
            <Words title="caveats" rows={plain(data.caveats)} />
          </div>
          <section class="card">
            <h2>{said('ui', 'queries')}</h2>
            <Told topic="ui" term="auditor" />
            <Copyable text={data.psql} />
            <dl class="queries">
              {data.queries.map(({ number, sql }) => (
                <div key={number}>
                  <dt>{said('numbers', number)}</dt>
                  <dd>
                    <Copyable text={sql + ';'} />
                  </dd>
                </div>
              ))}
            </dl>
            <p>
              {said('ui', 'http')} <a href="./openapi.json">openapi.json</a>
            </p>
          </section>
          <Words title="notes" rows={plain(data.notes)}>
            <Told term="notes" />
          </Words>
          <section class="card">
            <h2>{said('ui', 'about')}</h2>
            <p>
              <Said topic="ui" term="version" blanks={{ version: meta?.version, schema: meta?.schema_version }} /> <a href="./licences.txt">licences.txt</a>
            </p>
          </section>
        </div>
      )}
    </Asked>
  );
}
