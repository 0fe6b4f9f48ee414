// dns.tsx - the DNS records of a domain compared with its reports. The server looked them up; the page causes no look-up.
import { useApi } from '../api/ask';
import type { DomainDns } from '../api/types';
import { day, moment, plural } from '../format';
import { href } from '../router';
import type { Scope } from '../scope';
import { Asked } from './asked';
import { numbers, texts, times, titled } from './columns';
import { IpLink, Mark, Num } from './marks';
import { Copyable } from './states';
import { type Column, Table } from './table';
import { Text } from './text';

const MARKS = { error: 'bad', warning: 'so', info: 'info' } as const;

const Severity = ({ value }: { value: keyof typeof MARKS }) => <Mark kind={MARKS[value]}>{value}</Mark>;

// Whether the SPF record covers a sender; that it does not is wrong only if the sender is the domain's own.
export const InSpf = ({ value, own }: { value: boolean | null; own: boolean }) =>
  value === null ? (
    <>–</>
  ) : (
    <Mark kind={value ? 'good' : own ? 'bad' : 'so'}>{value ? 'in SPF' : 'not in SPF'}</Mark>
  );

type Sender = DomainDns['senders'][number];
type Selector = DomainDns['selectors'][number];
type Version = DomainDns['history'][number];

const senderColumns: Column<Sender>[] = [
  ...texts<Sender>(['source_ip'], { lead: true, cell: (row) => <IpLink ip={row.source_ip} /> }),
  ...texts<Sender>(['rdns'], { title: 'Reverse DNS' }),
  { id: 'own', title: 'Yours', cell: ({ own }) => (own ? 'yes' : '') },
  { id: 'in_spf', title: 'SPF today', sort: ({ in_spf }) => Number(in_spf), cell: ({ in_spf, own }) => <InSpf value={in_spf} own={own} /> },
  ...numbers<Sender>(['messages'], { main: true, cell: ({ source_ip: ip, messages }) => <Num n={messages} to={href('records', { ip })} /> }),
  ...numbers<Sender>(['spf_aligned'], { title: 'SPF aligned' }),
  ...times<Sender>(['last_seen']),
];

const selectorColumns: Column<Selector>[] = [
  ...texts<Selector>(['selector'], { lead: true }),
  ...texts<Selector>(['domain']),
  { id: 'status', title: 'Key in DNS', main: true, cell: ({ status }) => (status === 'ok' ? 'ok' : <strong>{status}</strong>) },
  ...numbers<Selector>(['messages']),
  ...times<Selector>(['last_seen']),
];

const KINDS = { dmarc: 'DMARC', spf: 'SPF', dkim: 'DKIM', mx: 'MX', tlsrpt: 'TLS-RPT' } as const;

const versionColumns: Column<Version>[] = [
  { id: 'kind', title: 'Record', lead: true, cell: ({ kind, is_change: changed }) => <span class="line">{KINDS[kind]}{changed && <span class="new">changed</span>}</span> },
  ...texts<Version>(['name'], { title: 'Name' }),
  ...texts<Version>(['value'], { title: 'Version', main: true }),
  ...['since', 'until'].map((id): Column<Version> => ({
    id,
    title: titled(id),
    main: true,
    cell: (row) => {
      const at = row[id as 'since' | 'until'];
      return at === null ? 'now' : <span class="time" title={moment(at)}>{day(at)}</span>;
    },
  })),
];

// The versions of records that checks found: what changed, and when that was noticed.
const Versions = ({ history }: { history: Version[] }) =>
  history.length > 0 ? (
    <>
      <h3>Versions of its records</h3>
      <Table label="Versions of records" columns={versionColumns} rows={history} rowKey={({ kind, name, since }) => `${kind} ${name} ${since}`} />
    </>
  ) : null;

// Whether the zone is signed, as far as the server's resolver can say; checks of older versions did not ask.
function dnssec(check: NonNullable<DomainDns['check']>) {
  const { signed, validated } = check.dnssec ?? { signed: null, validated: null };
  if (signed === null) return '';
  if (!signed) return ' Its zone is not signed (DNSSEC).';
  return validated ? ' Its zone is signed and validated (DNSSEC).' : ' Its zone is signed (DNSSEC), which this server’s resolver did not validate.';
}

type Finding = DomainDns['findings'][number];

// Findings of one kind together, if they are more than a few: one to be read, the others folded away.
function alike(findings: Finding[]): [Finding, ...Finding[]][] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  const many = (code: string) => findings.filter((one) => one.code === code).length > 3;
  for (const finding of findings) {
    const key = many(finding.code) ? finding.code : `${finding.place} ${finding.text}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()];
}

function One({ finding, others }: { finding: Finding; others: Finding[] }) {
  return (
    <li>
      <Severity value={finding.severity} /> <Text value={finding.text} max={300} expand />
      <small class="block">
        <Text value={finding.place} max={120} absent="" />
      </small>
      {finding.fix && <Copyable text={finding.fix} />}
      {others.length > 0 && (
        <details>
          <summary>{plural(others.length, 'finding')} more of this kind</summary>
          <ul class="plain findings">
            {others.map((one) => (
              <One key={one.place + one.text} finding={one} others={[]} />
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function Found({ dns: { checked_at: at, check, solicited, findings, senders, selectors, unused, history } }: { dns: DomainDns }) {
  if (!check) return <p class="lead">Not looked up yet: ruad-enrich does it once a day.</p>;
  const { ranges, lookups } = check.spf ?? { ranges: [], lookups: 0 };
  return (
    <>
      <p class="lead">
        Looked up {moment(at!)}: SPF has {plural(ranges.length, 'range')} by {plural(lookups, 'look-up')} of 10.{dnssec(check)}
        {solicited === false && ' Unsolicited: its DMARC record names no mailbox of this server.'}
      </p>
      {findings.length === 0 && <p>Nothing is wrong.</p>}
      <ul class="plain findings">
        {alike(findings).map(([first, ...others]) => (
          <One key={first.place + first.text} finding={first} others={others} />
        ))}
      </ul>
      <h3>Who sends with it in From</h3>
      <Table label="Senders" first={10} columns={senderColumns} rows={senders} rowKey={(row) => row.source_ip} />
      <h3>DKIM selectors</h3>
      {selectors.length > 0 ? (
        <Table label="DKIM selectors" columns={selectorColumns} rows={selectors} rowKey={(row) => `${row.selector} ${row.domain}`} />
      ) : (
        <p>No report in this window names one.</p>
      )}
      {unused.length > 0 && (
        <p>
          Keys that nothing was signed with: <Text value={unused.map(({ selector, domain }) => `${selector}._domainkey.${domain}`).join(', ')} max={300} expand />
        </p>
      )}
      <Versions history={history} />
    </>
  );
}

export function DnsToday({ name, scope: { params } }: { name: string; scope: Scope }) {
  const answer = useApi<DomainDns>(`domains/${encodeURIComponent(name)}/dns`, { from: params.from, to: params.to });
  return (
    <section class="card" id="dns">
      <h2>DNS today</h2>
      <Asked answer={answer} label="the DNS">
        {(dns) => <Found dns={dns} />}
      </Asked>
    </section>
  );
}
