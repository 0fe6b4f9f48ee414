// overview.tsx - the answer in a sentence, then by day, by source and by domain.
import type { ComponentChildren } from 'preact';
import { type DomainItem as Domain, type Page, type ReportItem, type SourceItem as Source, type Summary, type Timeseries, useApi } from '../api';
import { CLASSES, mainFailure } from '../classes';
import { StackedBars } from '../components/chart';
import { ClassTag, Icon, outcome, Share, SourceLink, Spark, Stat, Swatch } from '../components/marks';
import { Failed, Onboarding, Skeleton } from '../components/states';
import { Table } from '../components/table';
import { Text } from '../components/text';
import { ago, count, day, percent, period, plural } from '../format';
import { changed, filter, href } from '../router';
import { type Scope, useScope } from '../scope';
import { around, bucketFor, type Window } from '../window';
import type { PageEntry } from '.';

// "▲ 0.4": by how many points the share that passed has changed.
function Trend({ now, before }: { now: Summary['totals']; before: Summary['previous'] }) {
  if (!before || before.messages === 0 || now.messages === 0) return null;
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

function Sentence({ summary, window }: { summary: Summary; window: Window }) {
  const { totals, sources } = summary;
  return (
    <p class="sentence">
      <a href={href('sources')}>{plural(totals.messages, 'message')}</a> reported in {window.words},{' '}
      <a href={href('sources', { result: 'pass' })}>{percent(totals.pass, totals.messages)} passed DMARC</a>
      <Trend now={totals} before={summary.previous} />.{' '}
      {sources.failing > 0 ? (
        <>
          <a href={href('sources', { result: 'fail' })}>{plural(sources.failing, 'source')}</a> {sources.failing === 1 ? 'needs' : 'need'} attention.
        </>
      ) : (
        'No source needs attention.'
      )}
    </p>
  );
}

function Figures({ summary }: { summary: Summary }) {
  const { totals, previous } = summary;
  const [, quarantined, rejected] = outcome(totals.by_disposition);
  return (
    <dl class="stats">
      <Stat label="Messages" note={previous && previous.messages > 0 ? `${count(previous.messages)} before` : undefined}>
        {count(totals.messages)}
      </Stat>
      <Stat label="DKIM aligned">{percent(totals.dkim_aligned, totals.messages)}</Stat>
      <Stat label="SPF aligned">{percent(totals.spf_aligned, totals.messages)}</Stat>
      <Stat label="Failed" note={percent(totals.messages - totals.pass, totals.messages)}>
        <a href={href('records', { result: 'fail' })}>{count(totals.messages - totals.pass)}</a>
      </Stat>
      <Stat label="Quarantined">{count(quarantined?.value ?? 0)}</Stat>
      <Stat label="Rejected">{count(rejected?.value ?? 0)}</Stat>
      <Stat label="Sources" note={`${count(summary.sources.new)} new`}>
        <a href={href('sources')}>{count(summary.sources.total)}</a>
      </Stat>
      <Stat label="Reports" note={`from ${plural(summary.reporters, 'reporter')}`}>
        <a href={href('reports')}>{count(summary.reports)}</a>
      </Stat>
    </dl>
  );
}

function Days({ scope, summary }: { scope: Scope; summary: Summary }) {
  const bucket = bucketFor(scope.window);
  const { data, problem, retry, busy } = useApi<Timeseries>('timeseries', { ...scope.params, by: 'class', bucket });
  const failing = scope.query.get('chart') === 'failed';
  const by = summary.totals.by_class;
  const shown = CLASSES.filter(({ name }) => (by[name] ?? 0) > 0 && !(failing && name === 'pass')).map(({ name }) => name as string);
  return (
    <section class="card" aria-busy={busy}>
      <div class="head">
        <h2>Messages by {bucket}</h2>
        <div class="switch" role="group" aria-label="What the chart shows">
          <button type="button" aria-pressed={!failing} onClick={() => filter({ chart: '' })}>
            All
          </button>
          <button type="button" aria-pressed={failing} onClick={() => filter({ chart: 'failed' })}>
            Failed only
          </button>
        </div>
      </div>
      <ul class="legend">
        {CLASSES.filter(({ name }) => shown.includes(name)).map((words) => (
          <li key={words.name} title={words.reason}>
            <Swatch name={words.name} /> {words.label} <b>{count(by[words.name] ?? 0)}</b>
          </li>
        ))}
        {data?.points.some((point) => !point.complete) && (
          <li>
            <Swatch name="arriving" /> reports still arriving
          </li>
        )}
      </ul>
      {problem ? (
        <Failed problem={problem} retry={retry} />
      ) : data ? (
        <StackedBars series={data} keys={shown} words={scope.window.words} />
      ) : (
        <Skeleton rows={5} label="Loading the chart" />
      )}
    </section>
  );
}

function Attention({ scope }: { scope: Scope }) {
  const { data, problem, retry, busy } = useApi<Page<Source>>('sources', { ...scope.params, sort: '-fail', limit: 8 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={6} label="Loading failing sources" />;
  const failing = data.items.filter((source) => source.messages > source.pass);
  if (failing.length === 0)
    return (
      <p class="calm">
        <Icon name="good" /> Every source passed for every message.
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
              {why && <ClassTag name={why.name} />}
            </span>
            <span class="amount">
              <b>{count(failed)}</b>
              {failed < source.messages ? ` of ${count(source.messages)}` : ''} failed
            </span>
            {why && <p>{why.reason}</p>}
          </li>
        );
      })}
    </ol>
  );
}

function NewSources({ scope, summary }: { scope: Scope; summary: Summary }) {
  const { data, problem, retry } = useApi<Page<Source>>('sources', { ...scope.params, limit: 200 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={6} label="Loading new sources" />;
  const items = data.items.filter((source) => source.new).slice(0, 8);
  if (items.length === 0) return <p class="calm">No source was seen for the first time.</p>;
  if (summary.sources.new === summary.sources.total && !summary.previous?.messages)
    return <p class="calm">Reports begin in this window, so every source is new to it.</p>;
  return (
    <Table
      label="Sources first seen in this window"
      slim
      rows={items}
      rowKey={(source) => source.key ?? ''}
      columns={[
        {
          id: 'source',
          title: 'Source',
          lead: true,
          cell: (source) => <SourceLink source={source} />,
        },
        { id: 'first_seen', title: 'First seen', cell: (source) => source.first_seen && day(source.first_seen) },
        { id: 'messages', title: 'Messages', number: true, cell: (source) => count(source.messages) },
        { id: 'pass', title: 'Passed', number: true, cell: (source) => <Share part={source.pass} whole={source.messages} /> },
      ]}
    />
  );
}

function policyWords(domain: Domain): ComponentChildren {
  const policy = domain.policy;
  if (!policy?.p) return <span class="faint">unknown</span>;
  return (
    <code class="policy">
      p={clipPolicy(policy.p)}
      {policy.sp && policy.sp !== policy.p ? ` sp=${clipPolicy(policy.sp)}` : ''}
      {policy.testing === 'y' ? ' t=y' : ''}
    </code>
  );
}

const clipPolicy = (text: string) => text.slice(0, 20);

function Domains({ scope }: { scope: Scope }) {
  const { data, problem, retry, busy } = useApi<Page<Domain>>('domains', { ...scope.params, limit: 100 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={3} label="Loading domains" />;
  return (
    <Table
      label="Domains"
      busy={busy}
      rows={data.items}
      rowKey={(domain) => domain.name}
      columns={[
        {
          id: 'name',
          title: 'Domain',
          lead: true,
          cell: (domain) => (
            <a href={changed({ domain: domain.name })}>
              <Text value={domain.name} max={60} />
            </a>
          ),
        },
        { id: 'policy', title: 'Policy', cell: policyWords },
        {
          id: 'messages',
          title: 'Messages',
          number: true,
          cell: (domain) => <a href={href('sources', { domain: domain.name })}>{count(domain.messages)}</a>,
        },
        { id: 'pass', title: 'Passed', number: true, cell: (domain) => <Share part={domain.pass} whole={domain.messages} /> },
        {
          id: 'spark',
          title: 'Over time',
          cell: (domain) => domain.spark && <Spark values={domain.spark} label={`Messages over ${scope.window.words}`} />,
        },
        { id: 'dkim', title: 'DKIM aligned', number: true, cell: (domain) => percent(domain.dkim_aligned, domain.messages) },
        { id: 'spf', title: 'SPF aligned', number: true, cell: (domain) => percent(domain.spf_aligned, domain.messages) },
        { id: 'sources', title: 'Sources', number: true, cell: (domain) => count(domain.sources) },
      ]}
    />
  );
}

function Latest({ scope }: { scope: Scope }) {
  const { data, problem, retry } = useApi<Page<ReportItem>>('reports', { ...scope.params, limit: 6 });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={6} label="Loading reports" />;
  return (
    <Table
      label="Latest reports"
      slim
      rows={data.items}
      rowKey={(report) => report.id}
      columns={[
        {
          id: 'org',
          title: 'Reporter',
          lead: true,
          cell: (report) => (
            <>
              <a href={href('report', { id: report.id })}>
                <Text value={report.org_name} max={40} absent="unnamed" />
              </a>
              <small class="block">
                <Text value={report.domain} max={40} />
              </small>
            </>
          ),
        },
        { id: 'period', title: 'Period', cell: (report) => <span class="time">{period(report.begin, report.end)}</span> },
        { id: 'messages', title: 'Messages', number: true, cell: (report) => count(report.messages) },
        { id: 'pass', title: 'Passed', number: true, cell: (report) => percent(report.pass, report.messages) },
      ]}
    />
  );
}

// Nothing in this window: is there anything at all, and where?
function Nothing({ scope }: { scope: Scope }) {
  const { data, problem, retry } = useApi<Page<ReportItem>>('reports', { domain: scope.domain, from: '1990-01-01', to: '2100-01-01', limit: 1 });
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

function Stale({ summary }: { summary: Summary }) {
  const last = summary.last_report_at;
  if (last === null || Date.now() - Date.parse(last) < 72 * 3600_000) return null;
  const ended = Date.parse(summary.window.to) < Date.now() - 3 * 86_400_000;
  return ended ? null : (
    <div class="notice warn">
      <p>
        <strong>The last report came in {ago(last)}.</strong> Receivers report daily, so mail may not reach ruad. <a href={href('intake')}>See intake</a>
      </p>
    </div>
  );
}

function Body({ scope, summary }: { scope: Scope; summary: Summary }) {
  return (
    <>
      <Sentence summary={summary} window={scope.window} />
      <Stale summary={summary} />
      <Figures summary={summary} />
      <Days scope={scope} summary={summary} />
      <div class="two">
        <section class="card">
          <h2>Needs attention</h2>
          <Attention scope={scope} />
          <p class="foot">
            <a href={href('sources', { result: 'fail' })}>All failing sources</a>
          </p>
        </section>
        <div>
          <section class="card">
            <h2>New in this window</h2>
            <NewSources scope={scope} summary={summary} />
          </section>
          <section class="card">
            <h2>Latest reports</h2>
            <Latest scope={scope} />
            <p class="foot">
              <a href={href('reports')}>All reports</a>
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
