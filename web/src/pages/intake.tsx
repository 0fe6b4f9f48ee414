// intake.tsx - what arrived in the window and what became of it, above all what could not be read.
import { type Intake, type IntakeItem, type IntakeStatus, useApi, useList } from '../api';
import { Icon, Stat } from '../components/marks';
import { Failed, Onboarding, Skeleton } from '../components/states';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { ago, count, moment } from '../format';
import { filter, href } from '../router';
import { useScope } from '../scope';
import type { PageEntry } from '.';

const STATUSES: Record<IntakeStatus, [label: string, words: string]> = {
  stored: ['Stored', 'a new report'],
  duplicate: ['Duplicate', 'known already, byte for byte'],
  conflict: ['Conflict', 'a known report with other content; kept as it came'],
  quarantined: ['Unreadable', 'kept as it came, with the reason'],
};

function size(bytes: number): string {
  return bytes < 10_000 ? `${count(bytes)} B` : bytes < 10_000_000 ? `${count(Math.round(bytes / 1000))} kB` : `${count(Math.round(bytes / 1e6))} MB`;
}

const columns: Column<IntakeItem>[] = [
  { id: 'received_at', title: 'Received', lead: true, cell: (item) => <span class="time">{moment(item.received_at)}</span> },
  {
    id: 'status',
    title: 'Outcome',
    cell: (item) => (
      <span title={(item.status ? STATUSES[item.status][1] : 'no report in it')}>
        {(item.status ? STATUSES[item.status][0] : 'Nothing found')}
        {item.code && (
          <small class="block">
            <Text value={item.code} max={40} />
          </small>
        )}
      </span>
    ),
  },
  {
    id: 'reason',
    title: 'Reason',
    roomy: true,
    cell: (item) => (
      <>
        <Text value={item.reason} max={160} expand absent={item.status ? STATUSES[item.status][1] : 'no report in it'} />
        {item.place && (
          <small class="block">
            <Text value={item.place} max={80} expand />
          </small>
        )}
        {item.report && (
          <small class="block">
            <a href={href('report', { id: item.report })}>{item.status === 'stored' ? 'the report' : 'the report that is stored'}</a>
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

function Counters({ data }: { data: Intake }) {
  const codes = Object.entries(data.by_code).sort(([, a], [, b]) => b - a);
  return (
    <>
      <dl class="stats">
        <Stat label="Mails taken">{count(data.mails)}</Stat>
        <Stat label="Reports stored">{count(data.counts.stored)}</Stat>
        <Stat label="Duplicates">{count(data.counts.duplicate)}</Stat>
        <Stat label="Conflicts">{count(data.counts.conflict)}</Stat>
        <Stat label="Could not be read">{count(data.counts.quarantined)}</Stat>
        <Stat label="Last mail" note={data.last_mail_at ? moment(data.last_mail_at) : undefined}>
          {data.last_mail_at ? ago(data.last_mail_at) : 'none yet'}
        </Stat>
      </dl>
      {codes.length > 0 && (
        <ul class="legend codes">
          {codes.map(([code, n]) => (
            <li key={code}>
              <Text value={code} max={40} /> <b>{count(n)}</b>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Things() {
  const { params, query } = useScope();
  const status = query.get('status') || undefined;
  const list = useList<IntakeItem>('intake/events', { from: params.from, to: params.to, status, limit: 100 });
  const choices: [string, string][] = [['', 'Not stored'], ...Object.entries(STATUSES).map(([name, [label]]): [string, string] => [name, label])];
  return (
    <section class="card flush">
      <div class="head">
        <h2>{status ? STATUSES[status as IntakeStatus]?.[0] : 'What was not stored'}</h2>
        <div class="switch" role="group" aria-label="Outcome">
          {choices.map(([value, label]) => (
            <button key={value} type="button" aria-pressed={(status ?? '') === value} onClick={() => filter({ status: value })}>
              {label}
            </button>
          ))}
        </div>
      </div>
      <ListTable
        label="Mail"
        noun="item"
        list={list}
        columns={columns}
        rowKey={(item) => `${item.mail}.${item.item_no ?? 0}`}
        empty={
          <p class="calm">
            <Icon name="good" /> {status ? 'None in this window.' : 'Everything that came in this window could be read and was new or known.'}
          </p>
        }
      />
    </section>
  );
}

function IntakePage() {
  const { params, domain, window } = useScope();
  const { data, problem, retry, busy } = useApi<Intake>('intake', { from: params.from, to: params.to });
  return (
    <>
      <h1 tabIndex={-1}>Intake</h1>
      <p class="lead">
        All mail that was taken in {window.words}, of every domain. Mail that could not be read is kept, with the reason.
      </p>
      {problem ? (
        <Failed problem={problem} retry={retry} />
      ) : !data ? (
        <Skeleton rows={6} label="Loading intake" />
      ) : (
        <div aria-busy={busy}>
          <Counters data={data} />
          {data.last_mail_at === null ? <Onboarding domain={domain ?? null} /> : <Things />}
        </div>
      )}
    </>
  );
}

export const intake: PageEntry = { path: 'intake', title: 'Intake', nav: true, view: IntakePage };
