// domain.tsx - one domain: how it fares, what enforcing a policy would affect, and the policy as reporters saw it.
import { useEffect } from 'preact/hooks';
import { useApi } from '../api/ask';
import type { Domain, Impact, SourceItem, Sources, Summary } from '../api/types';
import { isOurs } from '../classes';
import { Asked, Card } from '../components/asked';
import { numbers, times } from '../components/columns';
import { Days } from '../components/days';
import { DnsToday, InSpf } from '../components/dns';
import { Facts } from '../components/facts';
import { Figures } from '../components/figures';
import { Switch } from '../components/filters';
import { ClassTag, classSlices, Legend, Mark, Num, Share, Shares, SourceLink } from '../components/marks';
import { PolicyTags, PolicyWords, tagsOf } from '../components/policy';
import { Copyable, Stale, Unnamed } from '../components/states';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { Hint, Said } from '../components/told';
import { ago, clipped, count, day, moment, percent, plural, visible } from '../format';
import { filter, href } from '../router';
import { type Scope, useScope } from '../scope';
import { addDays, stretch } from '../window';
import { domainColumns } from './domains';

interface Props {
  domain: Domain;
  scope: Scope;
}

// The answer; below the floor of evidence there is none, whatever the numbers.
function Verdict({ impact: { affected, evidence, blockers, policy, sources_total: sources } }: { impact: Impact }) {
  const [mark, words] = !evidence.sufficient
    ? (['so', 'Not enough data to tell'] as const)
    : blockers.length > 0
      ? (['bad', plural(blockers.length, 'blocker')] as const)
      : (['good', 'No blockers are known'] as const);
  return (
    <>
      <p class="sentence small">
        <Mark kind={mark}>{words}.</Mark>{' '}
        <code>p={policy}</code> would affect{' '}
        <a href={href('records', { result: 'fail', disposition: ['none', 'pass', 'unknown', ...(policy === 'reject' ? ['quarantine'] : [])] })}>
          {plural(affected.messages, 'message')}
        </a>
        {affected.share !== null && ` (${percent(affected.share, 1)})`} of {plural(sources, 'source')}.
      </p>
      <p class="lead">
        By the reports of {count(evidence.days)} of {plural(evidence.window_days, 'day')}, from{' '}
        <a href={href('reporters')}>{plural(evidence.reporters, 'reporter')}</a>, on {plural(evidence.messages, 'message')}
        {evidence.last_report_at && `; the newest came ${ago(evidence.last_report_at)}`}.
      </p>
    </>
  );
}

type Affected = Impact['sources'][number];
const affectedColumns: Column<Affected>[] = [
  { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={source} /> },
  { id: 'class', title: 'Class', cell: (source) => <ClassTag name={source.class} /> },
  ...numbers<Affected>(['messages'], { cell: ({ key, messages }) => <Num n={messages} to={href('records', { source: key, result: 'fail' })} /> }),
  ...times<Affected>(['last_seen']),
];

function Found({ impact, record }: { impact: Impact; record: Domain['next_record'] }) {
  const { affected, sources, blockers, notes, scope } = impact;
  const slices = classSlices(affected.by_class);
  const step = impact.parked ? (scope[0]?.value === 'reject' ? 'parked_kept' : 'parked') : !impact.evidence.sufficient ? 'wait' : blockers.length > 0 ? 'blocked' : record.step;
  return (
    <>
      <Verdict impact={impact} />
      {blockers.length > 0 && (
        <ul class="errors">
          {blockers.map(({ code, text, source }) => {
            const words = <Text value={text} max={300} />;
            return <li key={code + source}>{source ? <a href={href('source', { key: source })}>{words}</a> : words}</li>;
          })}
        </ul>
      )}
      {affected.messages > 0 && (
        <>
          <h3>What would be affected</h3>
          <Shares slices={slices} label="Affected" />
          <Legend slices={slices} />
          <Table label="Sources affected" first={10} rows={sources} rowKey={({ key }) => key} columns={affectedColumns} />
        </>
      )}
      {notes.map((note) => (
        <Hint key={note} topic="impact" term={note} />
      ))}
      <h3>Next step</h3>
      <p><Said topic="steps" term={step} /></p>
      {!/blocked|parked/.test(step) && <Copyable text={`${record.name}. TXT "${record.value}"`} />}
      <h3>Which tag governs what</h3>
      <Facts
        rows={scope.map(({ tag, value, effective, text }) => [
          <code>
            {tag}
            {value !== null && <>=<Text value={value} max={20} /></>}
          </code>,
          <>
            <b>
              <Text value={effective} max={20} />
            </b>
            <small class="block">{text}</small>
          </>,
        ])}
      />
    </>
  );
}

function Enforcement({ domain, scope }: Props) {
  const { from, to } = scope.window;
  const policy = scope.query.get('policy') ?? (/^(quarantine|reject)$/.test(domain.policy?.effective ?? '') ? 'reject' : 'quarantine');
  const answer = useApi<Impact>(`domains/${encodeURIComponent(domain.name)}/impact`, { from, to, policy });
  return (
    <section class="card" id="impact">
      <div class="head">
        <h2>Enforcement impact of p={policy.slice(0, 20)}</h2>
        <Switch name="policy" label="Policy" present={policy} choices={[['quarantine', 'quarantine'], ['reject', 'reject']]} />
      </div>
      <Asked answer={answer} label="enforcement impact">
        {(impact) => <Found impact={impact} record={domain.next_record} />}
      </Asked>
    </section>
  );
}

type Seen = Domain['policy_history'][number];

// Each policy with the stretch of time that reports showed it; those that overlap were seen side by side.
function History({ domain: { policy_history: seen } }: Props) {
  const first = Math.min(...seen.map(({ from }) => Date.parse(from)));
  const span = Math.max(...seen.map(({ to }) => Date.parse(to))) - first || 1;
  const at = (time: string) => ((Date.parse(time) - first) / span) * 97;
  return (
    <section class="card">
      <h2>Policy as reporters saw it</h2>
      <Table
        label="Policy over time"
        rows={seen}
        rowKey={({ from, policy }) => from + tagsOf(policy)}
        columns={[
          { id: 'policy', title: 'Policy', lead: true, cell: ({ policy }) => <PolicyTags tags={policy} /> },
          { id: 'seen', title: 'Seen', main: true, cell: ({ from, to }) => (from === to ? day(from) : `${day(from)} – ${day(to)}`) },
          {
            id: 'when',
            title: 'When',
            main: true,
            cell: ({ from, to }) => (
              <svg class="shares" aria-hidden="true">
                <rect class="meter-back" width="100%" height="100%" />
                <rect class="fill-unknown" x={`${at(from)}%`} width={`${at(to) - at(from) + 3}%`} height="100%" />
              </svg>
            ),
          },
          ...numbers<Seen>(['reports'], { cell: ({ from, to, reports }) => <Num n={reports} to={href('reports', stretch(from, addDays(to, 1)))} /> }),
          ...numbers<Seen>(['reporters']),
        ]}
      />
      {seen.some((one, index) => seen.slice(index + 1).some(({ to }) => to > one.from)) && (
        <Hint term="policies" />
      )}
    </section>
  );
}

const sourceColumns: Column<SourceItem>[] = [
  { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={source} /> },
  ...numbers<SourceItem>(['messages'], { cell: ({ key, messages }) => <Num n={messages} to={href('records', { source: key ?? 'none' })} /> }),
  ...numbers<SourceItem>(['pass'], { title: 'Passed', cell: ({ pass, messages }) => <Share part={pass} whole={messages} /> }),
  { id: 'in_spf', title: 'SPF today', cell: ({ in_spf, whose }) => <InSpf value={in_spf} own={isOurs(whose)} /> },
  ...times<SourceItem>(['last_seen']),
];

function Body(props: Props) {
  const { domain, scope } = props;
  const summary = useApi<Summary>('summary', scope.params);
  const sources = useApi<Sources>('sources', { ...scope.params, limit: 8 });
  if (domain.kind === 'from')
    return (
      <p class="notice">
        <a href={href('records', { domain: domain.parent ?? '', header_from: domain.name })}>{plural(domain.messages, 'message')}</a> with it in From; the
        policy is that of the domain above.
      </p>
    );
  if (domain.messages === 0) return <p class="notice">No message was reported in {scope.window.words}: choose a longer window.</p>;
  return (
    <>
      <p class="sentence">
        <PolicyTags tags={domain.policy} /> {domain.policy && <PolicyWords tags={domain.policy} />}
      </p>
      <Stale last={domain.last_report_at} to={scope.window.to} />
      <Asked answer={summary} label="numbers">
        {(data) => (
          <>
            <Figures summary={data} />
            <Days scope={scope} summary={data} marks={domain.policy_history.slice(0, -1).map(({ from, policy }) => ({ t: from, text: clipped(visible(tagsOf(policy)), 80) }))} />
          </>
        )}
      </Asked>
      <Enforcement {...props} />
      <History {...props} />
      <DnsToday name={domain.name} scope={scope} />
      <Card label="Sources" answer={sources}>
        {({ items, total }) => (
          <>
            <Unnamed />
            <Table
              label="Largest sources"
              rows={items}
              rowKey={({ key }) => key ?? ''}
              columns={sourceColumns}
              foot={<a href={href('sources')}>All {plural(total, 'source')}</a>}
            />
          </>
        )}
      </Card>
      {domain.subdomains.length > 0 && (
        <section class="card">
          <h2>Subdomains in From</h2>
          <Table label="Subdomains" rows={domain.subdomains} rowKey={({ kind, name }) => kind + name} columns={domainColumns([], scope)} />
        </section>
      )}
    </>
  );
}

export function DomainPage() {
  const scope = useScope();
  const { window, query } = scope;
  const name = query.get('name');
  const { from, to } = window;
  const answer = useApi<Domain>(name ? `domains/${encodeURIComponent(name)}` : undefined, { from, to });
  const own = answer.data?.kind === 'policy' && answer.data.name;
  // The lists behind its numbers are those of this domain, whatever the address had chosen.
  useEffect(() => {
    if (own && own !== scope.domain) filter({ domain: own, subdomains: '' });
  }, [own]);
  return (
    <>
      <p class="crumb">
        <a href={href('domains', { domain: '' })}>Domains</a>
      </p>
      <h1 tabIndex={-1}>{name ? <Text value={name} max={80} expand /> : 'Domain'}</h1>
      <p class="printed">
        By the reports of {from} to {addDays(to, -1)} (UTC). Printed from ruad, {moment(new Date().toISOString())}.
      </p>
      {name ? (
        <Asked answer={answer} label="the domain">
          {(domain) => (
            <>
              {domain.parent && (
                <p class="lead">
                  Below{' '}
                  <a href={href('domain', { domain: '', name: domain.parent })}>
                    <Text value={domain.parent} max={60} />
                  </a>
                </p>
              )}
              <Body domain={domain} scope={scope} />
            </>
          )}
        </Asked>
      ) : (
        <p class="notice">The address names no domain.</p>
      )}
    </>
  );
}
