// help.tsx - what the words mean, what the numbers cannot say, and the SQL behind each of them: as the API tells it.
import type { ComponentChildren } from 'preact';
import { useApi, useMeta } from '../api/ask';
import type { Help as Answer, Term } from '../api/types';
import { CLASSES, THRESHOLDS } from '../classes';
import { Asked } from '../components/asked';
import { type Fact, Facts } from '../components/facts';
import { Swatch, VerdictMark } from '../components/marks';
import { Copyable } from '../components/states';
import { Told } from '../components/told';
import { href } from '../router';
import { useScope } from '../scope';
import type { PageEntry } from './entry';

function Words({ title, rows, children }: { title: string; rows: Fact[]; children?: ComponentChildren }) {
  return (
    <section class="card words">
      <h2>{title}</h2>
      {children}
      <Facts rows={rows} />
    </section>
  );
}

const plain = (terms: Term[]): Fact[] => terms.map(({ term, text }) => [term, <>{text}</>]);

function Help() {
  const { params, domain, window } = useScope();
  const meta = useMeta();
  const { passing, failing } = meta?.thresholds ?? THRESHOLDS;
  return (
    <>
      <Asked answer={useApi<Answer>('help', params)} label="help">
        {(data) => (
          <>
            <div class="two">
              <Words title="Words" rows={plain(data.words)} />
              <div>
                <Words
                  title="The six classes"
                  rows={CLASSES.map(({ name, label, reason }) => [
                    <a href={href('records', { class: name })}>
                      <Swatch name={name} /> {label}
                    </a>,
                    <>
                      {reason} <span class="faint">{data.classes.find(({ term }) => term === name)?.text}</span>
                    </>,
                  ])}
                >
                  <Told term="classes" />
                </Words>
                <Words
                  title="How a source stands"
                  rows={[
                    [<VerdictMark value="passing" />, <>{passing}% of its messages or more passed.</>],
                    [<VerdictMark value="mixed" />, <>In between. Does the window begin before a fix? Choose a shorter one.</>],
                    [<VerdictMark value="failing" />, <>{failing}% or less passed.</>],
                  ]}
                />
              </div>
              <Words title="Whose a source is" rows={plain(data.labels)} />
              <Words
                title="Why a receiver made an exception"
                rows={data.overrides.map(({ term, text }) => [<a href={href('records', { override: term })}>{term}</a>, <>{text}</>])}
              />
              <Words title="Coming from another tool" rows={plain(data.tabs)}>
                <Told term="tabs" />
              </Words>
              <Words title="What reports cannot say" rows={plain(data.caveats)} />
            </div>
            <section class="card">
              <h2>Where each number comes from</h2>
              <p class="lead">
                By SQL, for {domain ?? 'all domains'} and {window.words}; <code>\d+ dmarc.*</code> explains every column.
              </p>
              <Copyable text={data.psql} />
              <dl class="queries">
                {data.queries.map(({ number, sql }) => (
                  <div key={number}>
                    <dt>{number}</dt>
                    <dd>
                      <Copyable text={sql + ';'} />
                    </dd>
                  </div>
                ))}
              </dl>
              <p>
                By HTTP: <code>api/v1/</code>, as JSON and CSV, described by <a href="./openapi.json">openapi.json</a>.
              </p>
            </section>
            <Words title="Notes on reports" rows={plain(data.notes)}>
              <Told term="notes" />
            </Words>
          </>
        )}
      </Asked>
      <section class="card">
        <h2>About</h2>
        <p>
          ruad {meta?.version}, schema {meta?.schema_version}. This page contains Preact, © Jason Miller. Both are under the MIT licence: <a href="./licences.txt">licences.txt</a>
        </p>
      </section>
    </>
  );
}

export const help: PageEntry = { path: 'help', title: 'Help', nav: true, view: Help };
