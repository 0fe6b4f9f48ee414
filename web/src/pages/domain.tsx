// domain.tsx - one domain: how it fares, what enforcing a policy would affect, and the policy as reporters saw it.
import { csvUrl, type Domain, type DomainItem, type Impact, type SourceItem, type Sources, type Timeseries, useApi } from '../api';
import { Asked, Card } from '../components/asked';
import { StackedBars } from '../components/chart';
import { Ago, number } from '../components/columns';
import { Facts } from '../components/facts';
import { Switch } from '../components/filters';
import { ClassTag, classSlices, Icon, Legend, Num, Share, Shares, SourceLink, Stat } from '../components/marks';
import { PolicyTags, PolicyWords, tagsOf } from '../components/policy';
import { Copyable, Stale } from '../components/states';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { ago, count, day, moment, percent, plural } from '../format';
import { changed, href, type Params } from '../router';
import { type Scope, useScope } from '../scope';
import { addDays, bucketFor, named, stretch } from '../window';
import type { PageEntry } from '.';
import { domainColumns } from './domains';

interface Props {
  domain: Domain;
  scope: Scope;
}

// To a list behind a number of this domain.
const behind = (page: string, name: string, params: Params = {}) => href(page, { domain: name, subdomains: '', ...params });

function Head({ domain, scope }: Props) {
  const { name, policy, messages, pass } = domain;
  return (
    <>
      <p class="sentence">
        <PolicyTags tags={policy} /> {policy && <PolicyWords tags={policy} />}
      </p>
      {domain.parent && (
        <p class="lead">
          Below{' '}
          <a href={href('domain', { name: domain.parent })}>
            <Text value={domain.parent} max={60} />
          </a>
        </p>
      )}
      <Stale last={domain.last_report_at} to={scope.window.to} />
      <dl class="stats">
        <Stat label="Messages">
          <Num n={messages} to={behind('records', name)} />
        </Stat>
        <Stat label="Passed" note={percent(pass, messages)}>
          <Num n={pass} to={behind('records', name, { result: 'pass' })} />
        </Stat>
        <Stat label="Failed" note={percent(messages - pass, messages)}>
          <Num n={messages - pass} to={behind('records', name, { result: 'fail' })} />
        </Stat>
        <Stat label="DKIM aligned">{percent(domain.dkim_aligned, messages)}</Stat>
        <Stat label="SPF aligned">{percent(domain.spf_aligned, messages)}</Stat>
        <Stat label="Sources">
          <Num n={domain.sources} to={behind('sources', name)} />
        </Stat>
        <Stat label="Reporters">
          <Num n={domain.reporters} to={behind('reporters', name)} />
        </Stat>
        <Stat label="Last report" note={domain.first_report_at && `first ${day(domain.first_report_at, true)}`}>
          <Ago at={domain.last_report_at} />
        </Stat>
      </dl>
    </>
  );
}

function Days({ domain, scope }: Props) {
  const { from, to, words } = scope.window;
  const params = { domain: domain.name, from, to, by: 'class', bucket: bucketFor(scope.window) };
  const slices = classSlices(domain.by_class);
  return (
    <Card label={`Messages by ${params.bucket}`} answer={useApi<Timeseries>('timeseries', params)}>
      {(series) => (
        <>
          <Legend slices={slices} />
          <StackedBars
            series={series}
            keys={slices.filter(({ value }) => value > 0).map(({ name }) => name)}
            words={words}
            link={(first, end) => behind('records', domain.name, stretch(first, end))}
            marks={domain.policy_history.slice(0, -1).map((one) => ({ t: one.from, text: `policy ${tagsOf(one.policy)}` }))}
            csv={csvUrl('timeseries', params)}
          />
        </>
      )}
    </Card>
  );
}

const NOTES: Record<Impact['notes'][number], string> = {
  mailing_lists:
    'Some of it was let through or changed on the way, as mail over lists and forwarders is. p=reject is not the goal for every domain: RFC 9989 (section 7.4) advises against it where people write to mailing lists.',
  spf_only: 'Some mail passes by SPF alone and fails once it is forwarded. With p=reject, RFC 9989 (section 7.4) wants mail signed with DKIM.',
  testing: 't=y: receivers that know the tag act one step below the policy.',
  pct: 'pct: older receivers apply the policy to that share only, newer ones ignore the tag.',
  subdomains_unprotected: 'Subdomains have a weaker policy than the domain.',
  np_unprotected: 'Subdomains that do not exist have a weaker policy than the domain; no mail is lost by np=reject.',
};

// The answer; below the floor of evidence there is none, whatever the numbers.
function Verdict({ impact: { affected, evidence, blockers, policy, domain, sources_total: sources } }: { impact: Impact }) {
  const [mark, words] = !evidence.sufficient
    ? (['so', 'Not enough data to tell'] as const)
    : blockers.length > 0
      ? (['bad', plural(blockers.length, 'blocker')] as const)
      : (['good', 'Nothing known stands against it'] as const);
  return (
    <>
      <p class="sentence small">
        <span class={`mark ${mark}`}>
          <Icon name={mark} />
          {words}.
        </span>{' '}
        <code>p={policy}</code> would affect{' '}
        <a href={behind('records', domain, { result: 'fail', disposition: ['none', 'pass', 'unknown', ...(policy === 'reject' ? ['quarantine'] : [])] })}>
          {plural(affected.messages, 'message')}
        </a>
        {affected.share !== null && ` (${percent(affected.share, 1)})`} of {plural(sources, 'source')}.
      </p>
      <p class="lead">
        By the reports of {count(evidence.days)} of {plural(evidence.window_days, 'day')}, from{' '}
        <a href={behind('reporters', domain)}>{plural(evidence.reporters, 'reporter')}</a>, on {plural(evidence.messages, 'message')}
        {evidence.last_report_at && `; the newest came ${ago(evidence.last_report_at)}`}.
        {!evidence.sufficient && ` It takes ${plural(evidence.days_needed, 'day')} and ${plural(evidence.reporters_needed, 'reporter')} at least.`}
      </p>
    </>
  );
}

const affectedColumns = (domain: string): Column<Impact['sources'][number]>[] => [
  { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={source} params={{ domain }} /> },
  { id: 'class', title: 'Class', cell: (source) => <ClassTag name={source.class} /> },
  number('messages', 'Messages', { cell: ({ key, messages }) => <Num n={messages} to={behind('records', domain, { source: key, result: 'fail' })} /> }),
  { id: 'last_seen', title: 'Last seen', cell: ({ last_seen: at }) => day(at) },
];

const STEPS: Record<Domain['next_record']['step'], string> = {
  quarantine_test: 'Try p=quarantine. Receivers that know t=y (RFC 9989) still do nothing to mail that fails; older ones ignore t=y and quarantine it.',
  quarantine: 'End the trial of p=quarantine: t=y goes.',
  reject_test: 'Try p=reject. Receivers that know t=y (RFC 9989) only quarantine mail that fails; older ones ignore t=y and refuse it.',
  reject: 'End the trial of p=reject: t=y goes.',
  keep: 'None: the record can stay as it is.',
};

function Found({ impact, record }: { impact: Impact; record: Domain['next_record'] }) {
  const { affected, sources, blockers, notes, scope, domain } = impact;
  const slices = classSlices(affected.by_class);
  return (
    <>
      <Verdict impact={impact} />
      {blockers.length > 0 && (
        <ul class="errors">
          {blockers.map(({ code, text, source, name, messages }) => (
            <li key={code + source}>
              <Text value={text} max={300} /> {source && <SourceLink source={{ key: source, name }} params={{ domain }} />}{' '}
              {messages !== null && plural(messages, 'message')}
            </li>
          ))}
        </ul>
      )}
      {affected.messages > 0 && (
        <>
          <h3>What would be affected</h3>
          <Shares slices={slices} label="Affected" />
          <Legend slices={slices} />
          <Table label="Sources affected" rows={sources} rowKey={({ key }) => key} columns={affectedColumns(domain)} />
        </>
      )}
      {notes.map((note) => (
        <p key={note} class="hint">
          <Icon name="info" /> {NOTES[note]}
        </p>
      ))}
      <h3>Next step</h3>
      <p>
        {!impact.evidence.sufficient && 'Wait until there is enough data. Then: '}
        {STEPS[record.step]}
      </p>
      <Copyable text={`${record.name}. TXT "${record.value}"`} />
      <h3>Which tag governs what</h3>
      <Facts
        rows={scope.map(({ tag, value, effective, text }) => [
          <code>{value === null ? tag : `${tag}=${value}`}</code>,
          <>
            {text} <b>{effective}</b>
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
function History({ domain: { name, policy_history: seen } }: Props) {
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
          number<Seen>('reports', 'Reports', { cell: ({ from, to, reports }) => <Num n={reports} to={behind('reports', name, stretch(from, addDays(to, 1)))} /> }),
          number<Seen>('reporters', 'Reporters'),
        ]}
      />
      {seen.some((one, index) => seen.slice(index + 1).some(({ to }) => to > one.from)) && (
        <p class="hint">
          <Icon name="info" /> Different policies at the same time: a change was on its way through DNS or, if it lasts, name servers disagree.
        </p>
      )}
    </section>
  );
}

const sourceColumns = (domain: string): Column<SourceItem>[] => [
  { id: 'source', title: 'Source', lead: true, cell: (source) => <SourceLink source={source} params={{ domain }} /> },
  number('messages', 'Messages', { cell: ({ key, messages }) => <Num n={messages} to={behind('records', domain, { source: key ?? 'none' })} /> }),
  number('pass', 'Passed', { cell: ({ pass, messages }) => <Share part={pass} whole={messages} /> }),
  { id: 'last_seen', title: 'Last seen', cell: ({ last_seen: at }) => at && day(at) },
];

function Body(props: Props) {
  const { domain, scope } = props;
  const { from, to, words } = scope.window;
  const sources = useApi<Sources>('sources', { domain: domain.name, from, to, limit: 8 });
  if (domain.messages === 0)
    return (
      <p class="notice">
        No message was reported in {words}. {domain.last_report_at && `The last report came ${moment(domain.last_report_at)}.`}
        <a href={changed(named('1y'))}>Look at a year</a>
      </p>
    );
  return (
    <>
      <Head {...props} />
      <Days {...props} />
      <Enforcement {...props} />
      <History {...props} />
      <Card label="Sources" answer={sources}>
        {({ items, total }) => (
          <>
            <Table label="Largest sources" rows={items} rowKey={({ key }) => key ?? ''} columns={sourceColumns(domain.name)} />
            <a href={behind('sources', domain.name)}>All {plural(total, 'source')}</a>
          </>
        )}
      </Card>
      {domain.subdomains.length > 0 && (
        <section class="card">
          <h2>Subdomains in From</h2>
          <Table<DomainItem> label="Subdomains" rows={domain.subdomains} rowKey={({ kind, name }) => kind + name} columns={domainColumns([], scope)} />
        </section>
      )}
    </>
  );
}

function DomainPage() {
  const scope = useScope();
  const name = scope.query.get('name');
  const { from, to } = scope.window;
  const answer = useApi<Domain>(name ? `domains/${encodeURIComponent(name)}` : undefined, { from, to });
  return (
    <>
      <p class="crumb">
        <a href={href('domains')}>Domains</a>
      </p>
      <h1 tabIndex={-1}>{name ? <Text value={name} max={80} expand /> : 'Domain'}</h1>
      <p class="printed">
        By the reports of {from} to {addDays(to, -1)} (UTC). Printed from ruad, {moment(new Date().toISOString())}.
      </p>
      {name ? (
        <Asked answer={answer} label="the domain">
          {(domain) => <Body domain={domain} scope={scope} />}
        </Asked>
      ) : (
        <p class="notice">The address names no domain.</p>
      )}
    </>
  );
}

export const domain: PageEntry = { path: 'domain', title: 'Domain', nav: false, id: 'name', view: DomainPage };
