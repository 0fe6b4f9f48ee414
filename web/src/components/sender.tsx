// sender.tsx - all there is about one source, or one address of it: who it is, how its mail fares, what to do about it.
import type { ComponentChildren } from 'preact';
import { useAdvice } from '../advice';
import { type List, useApi, useList } from '../api/ask';
import type { DomainItem, FailureItem, Identifier, Source, SourceIp, SourceReporter } from '../api/types';
import { basis } from '../basis';
import { isOurs, keyWords, useVerdict, WHOSE } from '../classes';
import { clipped, moment, visible } from '../format';
import { href, type Params } from '../router';
import { type Scope, useScope } from '../scope';
import { Asked } from './asked';
import { named, texts } from './columns';
import { Days } from './days';
import { InSpf } from './dns';
import { type Fact, Facts } from './facts';
import { failureColumns } from './failures';
import { Figures } from './figures';
import { Labelling, labelWords } from './label';
import { Aligned, IpLink, Num, useReason } from './marks';
import { Nothing } from './nothing';
import { Dkim, Spf } from './record';
import { SetupWords } from './setup';
import { type Column, ListTable } from './table';
import { counts, days } from './tallies';
import { Text } from './text';
import { Told } from './told';

interface Props {
  source: Source;
  scope: Scope;
  path: string; // of the source in the API
}

// The source as a filter of lists.
const self = ({ key }: Source): Params => ({ source: key ?? 'none' });
const records = (source: Source, params: Params = {}) => href('records', { ...self(source), ...params });

// The days on which somebody labelled it, for the chart.
const labelled = ({ label_log: log }: Source) =>
  log.flatMap(({ label, set_by: by, set_at: at }) => (at ? [{ t: at.slice(0, 10), text: clipped(visible(`Label: ${labelWords(label)}, by ${by ?? '–'}`), 80) }] : []));

function Who({ source }: Props) {
  const { address, source: above } = source;
  return (
    <section class="card">
      <h2>Who it is</h2>
      <Facts
        rows={[
          ['Name', basis(source) && `${basis(source)} (a hint, not proof)`],
          ['Part of', above !== null && above !== source.key && <a href={href('source', { key: above })}><Text value={keyWords(above)} max={60} /></a>],
          ...(address
            ? [
                ['Reverse DNS', address.rdns] as Fact,
                ['Network', address.asn !== null && <><a href={href('sources', { asn: address.asn })}>AS{address.asn}</a> <Text value={address.as_name} absent="" /></>] as Fact,
                ['Country', address.country && <a href={href('sources', { country: address.country })}>{address.country}</a>] as Fact,
                ['Looked up', address.looked_up_at ? moment(address.looked_up_at) : 'not yet'] as Fact,
              ]
            : []),
          ['Exceptions that receivers made', source.overrides.length > 0 && source.overrides.map(({ type, messages }) => <div key={type}><Text value={type} max={40} /> <Num n={messages} to={records(source, { override: type })} /></div>)],
          ...named(source, ['first_seen', 'last_seen', 'key']),
        ]}
      />
    </section>
  );
}

function Whose({ source, path }: Props) {
  const reason = useReason(source);
  const { mood, text, lang } = useAdvice(source, useVerdict()(source));
  return (
    <section class="card">
      <h2>Whose it is, and what to do</h2>
      {source.messages > 0 && (
        <div class={`notice ${mood}`}>
          {source.whose && (
            <p lang={lang}>
              <b>{WHOSE[source.whose]}.</b> {reason}
            </p>
          )}
          <p lang={lang}>{text}</p>
          {source.setup && source.pass < source.messages && <SetupWords setup={source.setup} />}
        </div>
      )}
      <Labelling source={source} path={path} />
    </section>
  );
}

function Part<T>({ title, noun, list, columns, rowKey, slim = false, children }: { title: string; noun: string; list: List<T>; columns: Column<T>[]; rowKey: (row: T) => string; slim?: boolean; children?: ComponentChildren }) {
  return (
    <section class="card flush">
      <h2>{title}</h2>
      {children}
      <ListTable label={title} noun={noun} list={list} columns={columns} rowKey={rowKey} slim={slim} empty={<p class="calm">None in this window.</p>} />
    </section>
  );
}

function Identifiers({ source, scope, path }: Props) {
  const list = useList<Identifier>(`${path}/identifiers`, { ...scope.params, limit: 50 });
  const aligned = (yes: boolean) => (yes ? 'pass' : 'fail');
  const columns: Column<Identifier>[] = [
    ...texts<Identifier>(['header_from'], { title: 'From', lead: true }),
    ...texts<Identifier>(['envelope_from'], {
      title: 'Envelope',
      cell: ({ header_from: from, envelope_from: envelope }) => (envelope && envelope === from ? <span class="faint">the same</span> : <Text value={envelope} max={60} />),
    }),
    { id: 'dkim', title: 'DKIM', roomy: true, cell: ({ dkim }) => <Dkim results={dkim} /> },
    { id: 'spf', title: 'SPF', roomy: true, cell: ({ spf }) => <Spf results={spf} /> },
    { id: 'dkim_aligned', title: 'DKIM aligned', cell: (row) => <Aligned value={aligned(row.dkim_aligned)} /> },
    { id: 'spf_aligned', title: 'SPF aligned', cell: (row) => <Aligned value={aligned(row.spf_aligned)} /> },
    ...counts<Identifier>((row, params) => records(source, { header_from: row.header_from ?? '', dkim: aligned(row.dkim_aligned), spf: aligned(row.spf_aligned), ...params })),
    ...days<Identifier>(['last_seen']),
  ];
  return (
    <Part title="Identifiers" noun="combination" list={list} columns={columns} rowKey={JSON.stringify}>
      <Told term="identifiers" />
    </Part>
  );
}

function Addresses({ source, scope, path }: Props) {
  const columns: Column<SourceIp>[] = [
    ...texts<SourceIp>(['source_ip'], { lead: true, cell: (row) => <IpLink ip={row.source_ip} /> }),
    ...texts<SourceIp>(['rdns'], { title: 'Reverse DNS' }),
    ...texts<SourceIp>(['as_name'], { title: 'Network' }),
    ...texts<SourceIp>(['country']),
    { id: 'in_spf', title: 'SPF today', cell: (row) => <InSpf value={row.in_spf} own={isOurs(source.whose)} /> },
    ...counts<SourceIp>((row, params) => href('records', { ip: row.source_ip, ...params })),
    ...days<SourceIp>(['first_seen', 'last_seen']),
  ];
  return <Part title="Addresses" noun="IP" list={useList<SourceIp>(`${path}/ips`, { ...scope.params, limit: 50 })} columns={columns} rowKey={(row) => row.source_ip} />;
}

function Reporters({ source, scope, path }: Props) {
  const columns: Column<SourceReporter>[] = [
    ...texts<SourceReporter>(['org_name'], { title: 'Reporter', lead: true }),
    ...counts<SourceReporter>((row, params) => records(source, { reporter: row.org_name ?? '', ...params })),
  ];
  return (
    <Part title="Reporters" noun="reporter" slim list={useList<SourceReporter>(`${path}/reporters`, { ...scope.params, limit: 50 })} columns={columns} rowKey={(row) => row.org_name ?? ''} />
  );
}

function Domains({ source, scope }: Props) {
  const of = ({ kind, name }: DomainItem): Params => (kind === 'from' ? { header_from: name } : { domain: name });
  const columns: Column<DomainItem>[] = [
    ...texts<DomainItem>(['name'], {
      title: 'Domain',
      lead: true,
      cell: (row) => (
        <a class={row.kind === 'from' ? 'below' : undefined} href={row.kind === 'from' ? records(source, of(row)) : href('domain', { domain: '', name: row.name })}>
          <Text value={row.name} max={60} />
        </a>
      ),
    }),
    ...counts<DomainItem>((row, params) => records(source, { ...of(row), ...params })),
  ];
  return (
    <Part title="Domains" noun="domain" slim list={useList<DomainItem>('domains', { ...scope.params, ...self(source), limit: 50 })} columns={columns} rowKey={(row) => `${row.kind} ${row.name}`} />
  );
}

// Failure reports of an address, when there are any.
function Failures({ ip, scope }: { ip: string; scope: Scope }) {
  const list = useList<FailureItem>('failures', { ...scope.params, ip, limit: 50 });
  return list.items?.length ? <Part title="Failure reports" noun="failure report" list={list} columns={failureColumns} rowKey={({ id }) => id} /> : null;
}

function Body(props: Props & { ip: string | undefined }) {
  const { source, ip, scope } = props;
  const some = source.messages > 0;
  return (
    <>
      {some && <Figures summary={{ totals: source }} filters={self(source)} />}
      <div class="two">
        <Who {...props} />
        <Whose {...props} />
      </div>
      {some ? (
        <>
          <Days scope={scope} summary={{ totals: source }} filters={self(source)} marks={labelled(source)} />
          <Identifiers {...props} />
          {!ip && <Addresses {...props} />}
          <div class="two">
            <Domains {...props} />
            <Reporters {...props} />
          </div>
        </>
      ) : (
        <Nothing noun="message of it" filters={[]} />
      )}
      {ip && <Failures ip={ip} scope={scope} />}
    </>
  );
}

// sender: key of a source; ip: the address, when it is one. heading: what it is called before more is known.
export function Sender({ sender, ip, heading }: { sender: string; ip?: string; heading: ComponentChildren }) {
  const scope = useScope();
  const path = `sources/${encodeURIComponent(sender)}`;
  const answer = useApi<Source>(path, scope.params);
  const name = !ip && answer.data?.name;
  return (
    <>
      <p class="crumb">
        <a href={href('sources', { group: ip && 'ip' })}>Sources</a>
      </p>
      <h1 tabIndex={-1}>{name ? <Text value={name} max={80} /> : heading}</h1>
      {answer.problem?.status === 404 ? (
        <p class="notice">No report mentions it.</p>
      ) : (
        <Asked answer={answer} label="the source">
          {(source) => <Body source={source} scope={scope} path={path} ip={ip} />}
        </Asked>
      )}
    </>
  );
}
