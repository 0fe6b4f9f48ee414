// intake.tsx - the mail that was received in the window, and the status of each item in it, above all of unreadable ones.
import { useApi, useList } from '../api/ask';
import type { Intake, IntakeItem, IntakeStatus, Kind } from '../api/types';
import { KINDS } from '../classes';
import { Asked } from '../components/asked';
import { StackedBars } from '../components/chart';
import { Filters, Switch } from '../components/filters';
import { Icon, Legend, Num, Stat } from '../components/marks';
import { Onboarding } from '../components/onboarding';
import { Stale } from '../components/states';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { Upload } from '../components/upload';
import { ago, count, moment, size } from '../format';
import { changed, href, picked } from '../router';
import { useScope } from '../scope';

const STATUSES: Record<IntakeStatus, [label: string, words: string]> = {
  stored: ['Stored', 'a new report'],
  duplicate: ['Duplicate', 'the same report is already stored'],
  conflict: ['Conflict', 'a different report with the same key is already stored; kept as received'],
  quarantined: ['Unreadable', 'kept as received, with the reason'],
};
const NAMES = Object.keys(STATUSES) as IntakeStatus[];

const FIELDS = ['kind', 'code'] as const;
const PAGE: Record<string, string> = { aggregate: 'report', tls: 'tlsreport' }; // that shows what was found, unless it is a failure report

const columns: Column<IntakeItem>[] = [
  { id: 'received_at', title: 'Received', lead: true, cell: (item) => <span class="time">{moment(item.received_at)}</span> },
  {
    id: 'status',
    title: 'Outcome',
    main: true,
    cell: (item) => (
      <>
        <span class="time">{item.status ? STATUSES[item.status][0] : 'Nothing found'}</span>
        {item.code && (
          <small class="block">
            <a href={changed({ code: item.code, status: item.status ?? undefined })}>
              <Text value={item.code} max={40} />
            </a>
          </small>
        )}
      </>
    ),
  },
  { id: 'kind', title: 'Kind', cell: (item) => (item.kind ? KINDS[item.kind] : <span class="faint">–</span>) },
  {
    id: 'reason',
    title: 'Reason',
    roomy: true,
    main: true,
    cell: (item) => (
      <>
        <Text value={item.reason} max={160} expand absent={item.status ? STATUSES[item.status][1] : 'no report in it'} />
        {item.place && (
          <small class="block">
            <Text value={item.place} max={80} expand />
          </small>
        )}
        {item.report && item.kind && (
          <small class="block">
            <a href={href(PAGE[item.kind] ?? 'failure', { id: item.report })}>{item.status === 'stored' ? 'the report' : 'the report that is stored'}</a>
          </small>
        )}
      </>
    ),
  },
  {
    id: 'mail',
    title: 'Mail',
    roomy: true,
    cell: (item) => (
      <>
        <Text value={item.subject ?? item.name} max={60} absent="no subject" />
        <small class="block">
          from <Text value={item.header_from ?? item.envelope_from} max={60} absent="nobody" />
        </small>
      </>
    ),
  },
  { id: 'size', title: 'Size', number: true, cell: (item) => size(item.size) },
];

const byNumber = (name: string, counts: Record<string, number>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([value, n]) => [name, value, n] as const);

function Counters({ data }: { data: Intake }) {
  const of = (status: IntakeStatus) => <Num n={data.counts[status]} to={changed({ status, code: undefined, kind: undefined })} />;
  return (
    <dl class="stats">
      <Stat label="Mails received">{count(data.mails)}</Stat>
      <Stat label="Reports stored">{of('stored')}</Stat>
      <Stat label="Duplicates">{of('duplicate')}</Stat>
      <Stat label="Conflicts">{of('conflict')}</Stat>
      <Stat label="Unreadable">{of('quarantined')}</Stat>
      <Stat label="Last mail" note={data.last_mail_at && moment(data.last_mail_at)}>
        {data.last_mail_at ? ago(data.last_mail_at) : 'none yet'}
      </Stat>
    </dl>
  );
}

function Days({ data, words }: { data: Intake; words: string }) {
  const slices = NAMES.map((name) => ({ name, label: STATUSES[name][0], value: data.counts[name] }));
  const points = data.by_day.map(({ t, ...v }) => ({ t, complete: true, v }));
  return (
    <section class="card">
      <h2>Received by day</h2>
      <Legend slices={slices} />
      <StackedBars
        series={{ bucket: 'day', points }}
        keys={slices.filter(({ value }) => value > 0).map(({ name }) => name)}
        words={words}
        noun="item"
        label={(name) => STATUSES[name as IntakeStatus][0]}
      />
      <dl class="counts">
        {[...byNumber('kind', data.by_kind), ...byNumber('code', data.by_code)].map(([name, value, n]) => (
          <div key={name + value}>
            <dt>{name === 'kind' ? (KINDS[value as Kind] ?? value) : <code>{value}</code>}</dt>
            <dd>
              <Num n={n} to={changed({ kind: '', code: '', status: NAMES, [name]: value })} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Things() {
  const { params, query } = useScope();
  const status = query.getAll('status');
  const report = query.get('report'); // then at all dates
  const list = useList<IntakeItem>('intake/events', { ...(report ? { report } : { from: params.from, to: params.to }), ...picked(query, ['status', ...FIELDS]), limit: 100 });
  return (
    <section class="card flush">
      <div class="head">
        <h2>What was found in it</h2>
        <Switch
          name="status"
          label="Outcome"
          present={status.length > 1 ? 'all' : (status[0] ?? '')}
          choices={[['', 'Not stored'], ...NAMES.map((name) => [name, STATUSES[name][0]] as const)]}
        />
      </div>
      <Filters names={FIELDS} />
      {report && (
        <p class="lead">
          Of one report. <a href={changed({ report: undefined })}>Show all</a>
        </p>
      )}
      <ListTable
        label="Mail"
        noun="item"
        list={list}
        columns={columns}
        rowKey={(item) => `${item.mail}.${item.item_no ?? 0}`}
        empty={
          <p class="calm">
            <Icon name="good" /> None in this window.
          </p>
        }
      />
    </section>
  );
}

export function IntakePage() {
  const { params, domain, window } = useScope();
  const answer = useApi<Intake>('intake', { from: params.from, to: params.to });
  return (
    <>
      <Asked answer={answer} label="intake">
        {(data) => (
          <>
            <Stale last={data.last_report_at} to={data.window.to} />
            <Counters data={data} />
            <Upload />
            {data.last_mail_at === null ? (
              <Onboarding domain={domain ?? null} />
            ) : (
              <>
                <Days data={data} words={window.words} />
                <Things />
              </>
            )}
          </>
        )}
      </Asked>
    </>
  );
}
