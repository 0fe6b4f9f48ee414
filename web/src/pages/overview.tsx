// overview.tsx - the answer in a sentence, then by day, by source and by domain.
import { csvUrl, type DomainItem, type Page, type ReporterItem, type ReportItem, type SourceItem, type Summary, type Timeseries, useApi, useMeta } from '../api';
import { mainFailure } from '../classes';
import { type Marks, StackedBars } from '../components/chart';
import { Switch } from '../components/filters';
import { classSlices, ClassTag, Heat, Icon, Legend, Num, outcome, Share, SourceLink, Stat, Swatch } from '../components/marks';
import { Failed, Onboarding, Skeleton, Stale, Unnamed } from '../components/states';
import { Table } from '../components/table';
import { Text } from '../components/text';
import { ago, count, day, percent, plural } from '../format';
import { changed, href } from '../router';
import { type Scope, useScope } from '../scope';
import { around, bucketFor, stretch } from '../window';
import type { PageEntry } from '.';
import { domainColumns } from './domains';

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

export function Figures({ summary }: { summary: Summary }) {
  const { totals, previous } = summary;
  const [, quarantined, rejected] = outcome(totals.by_disposition);
  const failed = totals.messages - totals.pass;
  return (
    <dl class="stats">
      <Stat label="Messages" note={previous.messages > 0 && `${count(previous.messages)} before`}>
        <Num n={totals.messages} to={href('records')} />
      </Stat>
      <Stat label="DKIM aligned" note={`${count(totals.dkim_only)} by it alone`}>
        <a href={href('records', { dkim: 'pass' })}>{percent(totals.dkim_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="SPF aligned" note={`${count(totals.spf_only)} by it alone`}>
        <a href={href('records', { spf: 'pass' })}>{percent(totals.spf_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="Failed" note={percent(failed, totals.messages)}>
        <Num n={failed} to={href('records', { result: 'fail' })} />
      </Stat>
      <Stat label="Quarantined">
        <Num n={quarantined.value} to={href('records', { disposition: 'quarantine' })} />
      </Stat>
      <Stat label="Rejected">
        <Num n={rejected.value} to={href('records', { disposition: 'reject' })} />
      </Stat>
      <Stat label="Sources" note={`${count(summary.sources.new)} new`}>
        <Num n={summary.sources.total} to={href('sources')} />
      </Stat>
      <Stat label="Reports" note={`from ${plural(summary.reporters, 'reporter')}`}>
        <Num n={summary.reports} to={href('reports')} />
      </Stat>
    </dl>
  );
}

// marks: days on which something happened.
export function Days({ scope, summary, marks }: { scope: Scope; summary: Summary; marks?: Marks }) {
  const bucket = bucketFor(scope.window);
  const params = { ...scope.params, by: 'class', bucket };
  const { data, problem, retry, busy } = useApi<Timeseries>('timeseries', params);
  const failing = scope.query.get('chart') === 'failed';
  const slices = classSlices(summary.totals.by_class).filter(({ name, value }) => value > 0 && !(failing && name === 'pass'));
  return (
    <section class="card" aria-busy={busy}>
      <div class="head">
        <h2>Messages by {bucket}</h2>
        <Switch name="chart" label="What the chart shows" choices={[['', 'All'], ['failed', 'Failed only']]} />
      </div>
      <Legend slices={slices} to={(name) => href('records', { class: name })}>
        {data?.points.some((point) => !point.complete) && (
          <li>
            <Swatch name="arriving" /> reports still arriving
          </li>
        )}
      </Legend>
      {problem ? (
        <Failed problem={problem} retry={retry} />
      ) : data ? (
        <StackedBars
          series={data}
          keys={slices.map(({ name }) => name)}
          words={scope.window.words}
          link={(from, to) => href('records', stretch(from, to))}
          marks={marks}
          csv={csvUrl('timeseries', params)}
        />
      ) : (
        <Skeleton rows={5} label="Loading the chart" />
      )}
    </section>
  );
}

function Attention({ scope }: { scope: Scope }) {
  const { data, problem, retry, busy } = useApi<Page<SourceItem>>('sources', { ...scope.params, label: WATCHED, sort: '-fail', limit: 8 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={6} label="Loading failing sources" />;
  const failing = data.items.filter((source) => source.messages > source.pass);
  if (failing.length === 0)
    return (
      <p class="calm">
        <Icon name="good" /> Nothing of yours failed.
      </p>
    );
  return (
    <ol class="attention" aria-busy={busy}>
      {failing.map((source) => {
        const why = mainFailure(source.by_class);
        const failed = source.messages - source.pass;
        return (
          <li key={source.key ?? ''}>
            <span class="who">
              <SourceLink source={source} />
            </span>
            <span class="amount">
              <a href={href('records', { source: source.key ?? 'none', result: 'fail' })}>
                <b>{count(failed)}</b>
                {failed < source.messages ? ` of ${count(source.messages)}` : ''} failed
              </a>
            </span>
            {why && (
              <p>
                <ClassTag name={why.name} /> {why.reason}
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function NewSources({ scope, summary }: { scope: Scope; summary: Summary }) {
  const known = summary.sources.new > 0 && !(summary.sources.new === summary.sources.total && summary.previous.messages === 0);
  const { data, problem, retry } = useApi<Page<SourceItem>>(known ? 'sources' : undefined, { ...scope.params, limit: 200 });
  if (summary.sources.new === 0) return <p class="calm">No source was seen for the first time.</p>;
  if (!known) return <p class="calm">Reports begin in this window, so every source is new to it.</p>;
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={6} label="Loading new sources" />;
  return (
    <Table
      label="Sources first seen in this window"
      slim
      rows={data.items.filter((source) => source.new).slice(0, 6)}
      rowKey={(source) => source.key ?? ''}
      foot={summary.sources.new > 6 && <span>{plural(summary.sources.new, 'new source')} in all, the largest shown</span>}
      columns={[
        { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={{ ...source, new: null }} /> },
        { id: 'first_seen', title: 'First seen', cell: (source) => source.first_seen && <span class="time">{day(source.first_seen)}</span> },
        { id: 'messages', title: 'Messages', number: true, cell: (source) => <Num n={source.messages} to={href('records', { source: source.key ?? 'none' })} /> },
        { id: 'pass', title: 'Passed', number: true, cell: (source) => <Share part={source.pass} whole={source.messages} /> },
      ]}
    />
  );
}

// Who reported, how regularly, and when last.
function Reporters({ scope }: { scope: Scope }) {
  const { data, problem, retry } = useApi<Page<ReporterItem>>('reporters', { ...scope.params, limit: 8 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={4} label="Loading reporters" />;
  return (
    <ul class="strip">
      {data.items.map((one) => (
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
}

const COLUMNS = ['name', 'policy', 'messages', 'pass_rate', 'spark', 'sources', 'blockers', 'last_report_at'];

function Domains({ scope }: { scope: Scope }) {
  const params = { ...scope.params, limit: 100 };
  const { data, problem, retry, busy } = useApi<Page<DomainItem>>('domains', params);
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={3} label="Loading domains" />;
  return (
    <Table
      label="Domains"
      busy={busy}
      rows={data.items.filter(({ kind }) => kind === 'policy')}
      rowKey={(domain) => domain.name}
      csv={csvUrl('domains', params)}
      foot={<a href={href('domains')}>All domains and their subdomains</a>}
      columns={domainColumns([], scope).filter(({ id }) => COLUMNS.includes(id))}
    />
  );
}

// Nothing in this window: is there anything at all, and where?
function Nothing({ scope }: { scope: Scope }) {
  const { data, problem, retry } = useApi<Page<ReportItem>>('reports', { ...scope.params, from: '1990-01-01', to: '2100-01-01', limit: 1 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton label="Looking for older reports" />;
  const newest = data.items[0];
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
}

function Body({ scope, summary }: { scope: Scope; summary: Summary }) {
  return (
    <>
      <Sentence summary={summary} scope={scope} />
      <Unnamed />
      <Stale last={summary.last_report_at} to={summary.window.to} />
      <Figures summary={summary} />
      <Days scope={scope} summary={summary} />
      <div class="two">
        <section class="card">
          <h2>Needs attention</h2>
          <Attention scope={scope} />
          <p class="foot">
            <a href={href('sources', { result: 'fail', sort: '-fail' })}>All failing sources</a>
          </p>
        </section>
        <div>
          <section class="card">
            <h2>New in this window</h2>
            <NewSources scope={scope} summary={summary} />
          </section>
          <section class="card">
            <h2>Reporters</h2>
            <Reporters scope={scope} />
            <p class="foot">
              <a href={href('reporters')}>All {plural(summary.reporters, 'reporter')}</a>
            </p>
          </section>
        </div>
      </div>
      <section class="card">
        <h2>Domains</h2>
        <Domains scope={scope} />
      </section>
    </>
  );
}

function Overview() {
  const scope = useScope();
  const { data, problem, retry, busy } = useApi<Summary>('summary', scope.params);
  return (
    <>
      <h1 tabIndex={-1}>{scope.domain ? <Text value={scope.domain} max={60} /> : 'All domains'}</h1>
      {problem ? (
        <Failed problem={problem} retry={retry} />
      ) : !data ? (
        <Skeleton rows={10} label="Loading the overview" />
      ) : data.totals.messages === 0 && data.reports === 0 ? (
        !busy && <Nothing scope={scope} />
      ) : (
        <Body scope={scope} summary={data} />
      )}
    </>
  );
}

export const overview: PageEntry = { path: '', title: 'Overview', nav: true, view: Overview };
