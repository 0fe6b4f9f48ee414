// overview.tsx - the answer in a sentence, what to do, then by day, by source and by domain.
import { csvUrl, useApi } from '../api/ask';
import type { DomainItem, Page, ReporterItem, ReportItem, SourceItem, Summary } from '../api/types';
import { Asked, Card } from '../components/asked';
import { numbers, times } from '../components/columns';
import { Days } from '../components/days';
import { Figures } from '../components/figures';
import { Heat, Num, Share, SourceLink } from '../components/marks';
import { Onboarding } from '../components/onboarding';
import { Stale, Unnamed } from '../components/states';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { Todo } from '../components/todo';
import { ago, day, percent, plural } from '../format';
import { changed, href } from '../router';
import { type Scope, useScope } from '../scope';
import { addDays, around, type Window } from '../window';
import { domainColumns } from './domains';

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
  return (
    <p class="sentence">
      <a href={href('sources')}>{plural(totals.messages, 'message')}</a> reported in {scope.window.words},{' '}
      <a href={href('records', { result: 'pass' })}>{percent(totals.pass, totals.messages)} passed DMARC</a>
      <Trend now={totals} before={summary.previous} />.
    </p>
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

// The last day that a reporter's reports speak of: that of the last step with a report.
const lastDay = (coverage: number[], { from, days }: Window) => addDays(from, coverage.findLastIndex(Boolean) * Math.ceil(days / coverage.length));

// Who reported, how regularly, and of which day last.
const Reporters = ({ items, window }: Page<ReporterItem> & { window: Window }) => (
  <ul class="strip">
    {items.map((one) => (
      <li key={one.org_name ?? ''}>
        <a href={href('reports', { reporter: one.org_name ?? '' })}>
          <Text value={one.org_name} max={40} absent="unnamed" />
        </a>
        <Heat values={one.coverage} noun="report" />
        <small>until {day(lastDay(one.coverage, window))}</small>
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
  return (
    <>
      <Sentence summary={summary} scope={scope} />
      <Stale last={summary.last_report_at} to={summary.window.to} />
      <Todo scope={scope} />
      <Unnamed />
      <Figures summary={summary} />
      <Days scope={scope} summary={summary} />
      <div class="two">
        <section class="card">
          <h2>New in this window</h2>
          <NewSources scope={scope} summary={summary} />
        </section>
        <Card label="Reporters" answer={useApi<Page<ReporterItem>>('reporters', { ...scope.params, limit: 8 })}>
          {(page) => (
            <>
              <Reporters {...page} window={scope.window} />
              <p class="foot">
                <a href={href('reporters')}>All {plural(summary.reporters, 'reporter')}</a>
              </p>
            </>
          )}
        </Card>
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

export function Overview() {
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
