// overview.tsx - the answer in a sentence, then by day, by source and by domain.
import { csvUrl, useApi, useMeta } from '../api/ask';
import type { DomainItem, Page, ReporterItem, ReportItem, SourceItem, Summary } from '../api/types';
import { mainFailure } from '../classes';
import { Asked, Card } from '../components/asked';
import { numbers, times } from '../components/columns';
import { Days } from '../components/days';
import { useWarnings, Warnings } from '../components/dns';
import { Figures } from '../components/figures';
import { ClassTag, Heat, Icon, Num, Share, SourceLink } from '../components/marks';
import { Onboarding } from '../components/onboarding';
import { Stale, Unnamed } from '../components/states';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { Said } from '../components/told';
import { ago, count, day, percent, plural } from '../format';
import { changed, href } from '../router';
import { type Scope, useScope } from '../scope';
import { around } from '../window';
import { domainColumns } from './domains';
import type { PageEntry } from './entry';

const WATCHED = ['mine', 'none']; // labels of sources whose failures are a question: not of forwarders, nor of what is not mine

// "▲ 0.4": by how many points the share that passed has changed.
function Trend({ now, before }: { now: Summary['totals']; before: Summary['previous'] }) {
  if (before.messages === 0 || now.messages === 0) return null;
  const points = (now.pass / now.messages - before.pass / before.messages) * 100;
  const text = Math.abs(points).toFixed(1);
  if (text === '0.0') return <span class="trend"> (as before)</span>;
  return (
    <span class={`trend ${points > 0 ? 'good' : 'bad'}`}>
      {' ('}
      <span aria-hidden="true">{points > 0 ? '▲' : '▼'}</span>
      <span class="hidden">{points > 0 ? 'up' : 'down'}</span> {text} points)
    </span>
  );
}

function Sentence({ summary, scope }: { summary: Summary; scope: Scope }) {
  const { totals } = summary;
  const labels = useMeta()?.features.labels;
  const watched = useApi<Summary>(labels ? 'summary' : undefined, { ...scope.params, label: WATCHED }).data;
  const { failing } = (watched ?? summary).sources;
  const to = href('sources', { result: 'fail', sort: '-fail', label: labels ? WATCHED : undefined });
  return (
    <p class="sentence">
      <a href={href('sources')}>{plural(totals.messages, 'message')}</a> reported in {scope.window.words},{' '}
      <a href={href('records', { result: 'pass' })}>{percent(totals.pass, totals.messages)} passed DMARC</a>
      <Trend now={totals} before={summary.previous} />.{' '}
      {failing > 0 ? (
        <>
          <a href={to}>{plural(failing, 'source')}</a> {failing === 1 ? 'needs' : 'need'} attention.
        </>
      ) : (
        'No source needs attention.'
      )}
    </p>
  );
}

const failed = ({ messages, pass }: SourceItem) => messages - pass;

// What fails most, each with the reason.
function Attention({ items }: Page<SourceItem>) {
  const failing = items.filter(failed);
  if (failing.length === 0)
    return (
      <p class="calm">
        <Icon name="good" /> Nothing of yours failed.
      </p>
    );
  return (
    <ol class="attention">
      {failing.map((source) => {
        const why = mainFailure(source.by_class);
        return (
          <li key={source.key ?? ''}>
            <span class="who">
              <SourceLink source={source} />
            </span>
            <a class="amount" href={href('records', { source: source.key ?? 'none', result: 'fail' })}>
              <b>{count(failed(source))}</b>
              {source.pass > 0 && ` of ${count(source.messages)}`} failed
            </a>
            {why && (
              <p>
                <ClassTag name={why.name} />: <Said topic="reasons" term={why.name} />
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}

const newColumns: Column<SourceItem>[] = [
  { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={{ ...source, new: null }} /> },
  ...times<SourceItem>(['first_seen']),
  ...numbers<SourceItem>(['messages'], { cell: ({ key, messages }) => <Num n={messages} to={href('records', { source: key ?? 'none' })} /> }),
  ...numbers<SourceItem>(['pass'], { title: 'Passed', cell: ({ pass, messages }) => <Share part={pass} whole={messages} /> }),
];

function NewSources({ scope, summary: { sources, previous } }: { scope: Scope; summary: Summary }) {
  const all = sources.new === sources.total && previous.messages === 0;
  const answer = useApi<Page<SourceItem>>(sources.new > 0 && !all ? 'sources' : undefined, { ...scope.params, limit: 200 });
  if (sources.new === 0) return <p class="calm">No source was seen for the first time.</p>;
  if (all) return <p class="calm">Reports begin in this window, so every source is new to it.</p>;
  return (
    <Asked answer={answer} label="new sources">
      {({ items }) => (
        <Table
          label="New sources"
          slim
          rows={items.filter((source) => source.new).slice(0, 6)}
          rowKey={(source) => source.key ?? ''}
          foot={sources.new > 6 && <span>The largest of {plural(sources.new, 'new source')}</span>}
          columns={newColumns}
        />
      )}
    </Asked>
  );
}

// Who reported, how regularly, and when last.
const Reporters = ({ items }: Page<ReporterItem>) => (
  <ul class="strip">
    {items.map((one) => (
      <li key={one.org_name ?? ''}>
        <a href={href('reports', { reporter: one.org_name ?? '' })}>
          <Text value={one.org_name} max={40} absent="unnamed" />
        </a>
        <Heat values={one.coverage} noun="report" />
        <small>{ago(one.last_report_at)}</small>
      </li>
    ))}
  </ul>
);

const COLUMNS = ['name', 'policy', 'messages', 'pass_rate', 'spark', 'sources', 'blockers', 'last_report_at'];

// Nothing in this window: is there anything at all, and where?
function Nothing({ scope }: { scope: Scope }) {
  const answer = useApi<Page<ReportItem>>('reports', { ...scope.params, from: '1990-01-01', to: '2100-01-01', limit: 1 });
  return (
    <Asked answer={answer} label="older reports">
      {({ items: [newest] }) => {
        if (!newest) return <Onboarding domain={scope.domain ?? null} />;
        const last = new Date(Date.parse(newest.end) - 1000).toISOString().slice(0, 10);
        return (
          <div class="notice">
            <p>
              <strong>No report covers {scope.window.words}.</strong> The newest one is of {day(last, true)}, {ago(newest.end)}.
            </p>
            <p>
              <a href={changed(around(last))}>Show the 30 days up to it</a>
            </p>
          </div>
        );
      }}
    </Asked>
  );
}

function Body({ scope, summary }: { scope: Scope; summary: Summary }) {
  const params = { ...scope.params, limit: 100 };
  const warnings = useWarnings(scope.params);
  return (
    <>
      <Sentence summary={summary} scope={scope} />
      <Unnamed />
      <Stale last={summary.last_report_at} to={summary.window.to} />
      <Figures summary={summary} />
      <Days scope={scope} summary={summary} />
      <div class="two">
        <Card label="Needs attention" answer={useApi<Page<SourceItem>>('sources', { ...scope.params, label: WATCHED, sort: '-fail', limit: 8 })}>
          {(page) => (
            <>
              <Warnings items={warnings ?? []} />
              <Attention {...page} />
              <p class="foot">
                <a href={href('sources', { result: 'fail', sort: '-fail' })}>All failing sources</a>
              </p>
            </>
          )}
        </Card>
        <div>
          <section class="card">
            <h2>New in this window</h2>
            <NewSources scope={scope} summary={summary} />
          </section>
          <Card label="Reporters" answer={useApi<Page<ReporterItem>>('reporters', { ...scope.params, limit: 8 })}>
            {(page) => (
              <>
                <Reporters {...page} />
                <p class="foot">
                  <a href={href('reporters')}>All {plural(summary.reporters, 'reporter')}</a>
                </p>
              </>
            )}
          </Card>
        </div>
      </div>
      <Card label="Domains" answer={useApi<Page<DomainItem>>('domains', params)}>
        {({ items }) => (
          <Table
            label="Domains"
            rows={items.filter(({ kind }) => kind === 'policy')}
            rowKey={({ name }) => name}
            csv={csvUrl('domains', params)}
            foot={<a href={href('domains')}>All domains and their subdomains</a>}
            columns={domainColumns([], scope).filter(({ id }) => COLUMNS.includes(id))}
          />
        )}
      </Card>
    </>
  );
}

function Overview() {
  const scope = useScope();
  const answer = useApi<Summary>('summary', scope.params);
  return (
    <>
      <h1 tabIndex={-1}>{scope.domain ? <Text value={scope.domain} max={60} /> : 'All domains'}</h1>
      <Asked answer={answer} label="the overview">
        {(summary) => (summary.totals.messages > 0 || summary.reports > 0 ? <Body scope={scope} summary={summary} /> : !answer.busy && <Nothing scope={scope} />)}
      </Asked>
    </>
  );
}

export const overview: PageEntry = { path: '', title: 'Overview', nav: true, view: Overview };
