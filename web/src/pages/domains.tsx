// domains.tsx - each domain that reports are about, the From subdomains seen under its policy below it.
import { useList } from '../api/ask';
import type { DomainItem, Others } from '../api/types';
import { Ago } from '../components/columns';
import { Filters } from '../components/filters';
import { alignment, Mark, Num, Share, Shares, Spark } from '../components/marks';
import { Nothing } from '../components/nothing';
import { PolicyTags } from '../components/policy';
import { type Column, ListTable, serverSort } from '../components/table';
import { Text } from '../components/text';
import { count, percent, plural } from '../format';
import { changed, href, type Params } from '../router';
import { type Scope, useScope } from '../scope';

const NAMES = ['q'] as const;
const MORE = ['others'] as const;

// To a list of the domain's mail; that of a From subdomain is filed under its policy domain.
const behind = (page: string, item: DomainItem, params: Params = {}) =>
  href(page, {
    domain: item.kind === 'from' ? (item.parent ?? '') : item.name,
    subdomains: '',
    header_from: item.kind === 'from' ? item.name : '',
    ...params,
  });

// The number of findings that block enforcement, if there is enough evidence to tell. A From subdomain has none of its own.
function Blockers({ item }: { item: DomainItem }) {
  if (item.blockers === null) return <>–</>;
  if (!item.sufficient) return <span class="faint">not enough data</span>;
  return (
    <a href={href('domain', { domain: '', subdomains: '', name: item.name })}>
      {item.blockers > 0 ? plural(item.blockers, 'blocker') : <Mark kind="good">no blockers</Mark>}
    </a>
  );
}

/*
 * The columns of domains. Sorted by one, a From subdomain stays below its policy domain: the key of a row is that of its
 * domain, then its own.
 */
export function domainColumns(items: DomainItem[], { window, query }: Scope): Column<DomainItem>[] {
  const first = query.get('sort')?.startsWith('-') ? '\uffff' : '';
  const word = (value: string | number) => (typeof value === 'number' ? value.toFixed(6).padStart(24, '0') : value.toLowerCase());
  const by = (value: (item: DomainItem) => string | number) => (item: DomainItem) => {
    const above = item.kind === 'from' ? items.find(({ kind, name }) => kind === 'policy' && name === item.parent) : undefined;
    const top = above ?? item;
    return [word(value(top)), top.name, above ? word(value(item)) : first].join('\0');
  };
  const rate = (part: (item: DomainItem) => number) => by((item) => (item.messages > 0 ? part(item) / item.messages : 0));
  return [
    {
      id: 'name',
      title: 'Domain',
      lead: true,
      roomy: true,
      sort: by(({ name }) => name),
      cell: (item) => (
        <a class={item.kind === 'from' ? 'below' : undefined} href={item.kind === 'from' ? behind('records', item) : href('domain', { domain: '', subdomains: '', name: item.name })}>
          <Text value={item.name} max={60} />
        </a>
      ),
    },
    {
      id: 'policy',
      title: 'Policy',
      cell: (item) => (
        <>
          <PolicyTags tags={item.policy} />
          {item.solicited === false && <small class="block">unsolicited</small>}
          {item.policy && item.policy.effective !== item.policy.p && (
            <small class="block">
              in effect <Text value={item.policy.effective} max={20} />
            </small>
          )}
        </>
      ),
    },
    { id: 'messages', title: 'Messages', number: true, main: true, sort: 'server', cell: (item) => <Num n={item.messages} to={behind('records', item)} /> },
    {
      id: 'pass_rate',
      title: 'Passed',
      number: true,
      main: true,
      sort: rate(({ pass }) => pass),
      cell: (item) => (
        <a href={behind('records', item, { result: 'pass' })}>
          <Share part={item.pass} whole={item.messages} />
        </a>
      ),
    },
    { id: 'shares', title: 'How', cell: (item) => <Shares slices={alignment(item)} label="How mail passed or failed" /> },
    { id: 'dkim', title: 'DKIM', number: true, sort: rate(({ dkim_aligned }) => dkim_aligned), cell: (item) => percent(item.dkim_aligned, item.messages) },
    { id: 'spf', title: 'SPF', number: true, sort: rate(({ spf_aligned }) => spf_aligned), cell: (item) => percent(item.spf_aligned, item.messages) },
    { id: 'sources', title: 'Sources', number: true, sort: by(({ sources }) => sources), cell: (item) => <Num n={item.sources} to={behind('sources', item)} /> },
    { id: 'blockers', title: 'Enforcement', sort: by(({ blockers }) => blockers ?? -1), cell: (item) => <Blockers item={item} /> },
    {
      id: 'last_report_at',
      title: 'Last report',
      sort: by(({ last_report_at }) => last_report_at ?? ''),
      cell: ({ last_report_at: at }) => <Ago at={at} />,
    },
    { id: 'spark', title: 'Over time', cell: (item) => item.spark && <Spark values={item.spark} label={`Messages over ${window.words}`} /> },
  ];
}

// Anyone may send reports on any domain.
function Apart({ others: { domains: n, messages } }: { others: Others }) {
  return (
    <p class="foot">
      <span>Reports on {n === 1 ? "another's domain" : `${count(n)} domains of others`}, with {plural(messages, 'message')}, do not count.</span>
      <a href={changed({ others: 'only' })}>Show {n === 1 ? 'it' : 'them'}</a>
    </p>
  );
}

export function Domains() {
  const scope = useScope();
  const sort = serverSort([{ id: 'messages', title: '', sort: 'server', cell: () => null }], scope.query);
  const list = useList<DomainItem>('domains', { ...scope.filtered([...NAMES, ...MORE]), sort, limit: 200 });
  return (
    <>
      <Filters names={NAMES} more={MORE} />
      <section class="card flush">
        <ListTable
          label="Domains"
          noun="domain"
          list={list}
          columns={domainColumns(list.items ?? [], scope)}
          rowKey={({ kind, name }) => `${kind} ${name}`}
          sortable
          empty={<Nothing noun="domain" filters={[...NAMES, ...MORE]} />}
        />
      </section>
      {list.others && scope.query.get('others') === null && <Apart others={list.others} />}
    </>
  );
}
