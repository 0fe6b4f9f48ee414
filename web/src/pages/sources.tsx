// sources.tsx - who sends as the domain, and how it fares: the main view. Grouped by sender, or by what the sender is known by.
import { useState } from 'preact/hooks';
import { useList, useMe } from '../api/ask';
import type { Group, SourceItem } from '../api/types';
import { basis } from '../basis';
import { keyWords, mainFailure } from '../classes';
import { numbers } from '../components/columns';
import { LabelMany, Pick } from '../components/labels';
import { Filters, Switch } from '../components/filters';
import { classSlices, ClassTag, IpLink, LabelTag, Num, outcome, Shares, SourceLink, Spark, Whose } from '../components/marks';
import { Nothing } from '../components/nothing';
import { Unnamed } from '../components/states';
import { type Column, ListTable, serverSort } from '../components/table';
import { counts, days } from '../components/tallies';
import { Text } from '../components/text';
import { count, percent } from '../format';
import { FILTERS, href, type Params, picked, useLocation } from '../router';
import { type Scope, useScope } from '../scope';

// '' is the API's group "source".
const GROUPS: [group: Group | '', label: string][] = [
  ['', 'Organisation'],
  ['rdns', 'rDNS domain'],
  ['asn', 'Network'],
  ['country', 'Country'],
  ['ip', 'IP'],
  ['auth_domain', 'Authenticated as'],
];

// The filter that leaves what an item of a group counts; key null: of which it is not known.
const behind = (group: Group | '', key: string | null): Params => (group === 'ip' && key === null ? { source: 'none' } : { [group || 'source']: key ?? 'none' });

function Name({ item, group }: { item: SourceItem; group: Group | '' }) {
  if (item.key === null) return <span class="faint">{group === 'auth_domain' ? 'nothing passed' : 'not known'}</span>;
  if (group === '') return <SourceLink source={item} />;
  if (group === 'ip') return <IpLink ip={item.key} />;
  const words = group === 'asn' ? `AS${item.key}` : item.key;
  return (
    <>
      <a href={href('sources', behind(group, item.key))}>
        <Text value={item.name ?? words} max={60} cut />
      </a>
      {item.name !== null && item.name !== words && <small><Text value={words} max={30} /></small>}
    </>
  );
}

function Domains({ item, to }: { item: SourceItem; to: string }) {
  const [first] = item.domains ?? [];
  const more = (item.domains_total ?? 0) - 1;
  if (first === undefined) return <span class="faint">–</span>;
  return (
    <span class="line">
      <a href={href('domain', { domain: '', name: first })}>
        <Text value={first} max={60} cut />
      </a>
      {more > 0 && (
        <small>
          <a href={to}>{count(more)} more</a>
        </small>
      )}
    </span>
  );
}

function Outcome({ item }: { item: SourceItem }) {
  const why = mainFailure(item.by_class);
  const [, ...stopped] = outcome(item.by_disposition);
  return (
    <>
      <Shares slices={classSlices(item.by_class)} label="Messages by class" />
      <span class="line">
        {why && <ClassTag name={why.name} />}
        <Text cut value={stopped.flatMap(({ value, label }) => (value > 0 ? `${count(value)} ${label}` : [])).join(', ') || undefined} absent="" />
      </span>
    </>
  );
}

// The key by which an item can be labelled.
const labelable = ({ key }: SourceItem, group: Group | ''): string | null => (key === null ? null : group === '' ? key : group === 'ip' ? `ip:${key}` : null);

interface Picking {
  picked: readonly string[];
  pick: (sources: string[]) => void;
}

// picking: for those who may label.
function columns({ query, window }: Scope, [group, title]: (typeof GROUPS)[number], picking: Picking | false): Column<SourceItem>[] {
  const set = picked(query, FILTERS);
  const list = (item: SourceItem, params: Params = {}, page = 'records') => href(page, { ...set, ...behind(group, item.key), ...params });
  const share = (part: number, item: SourceItem, params: Params) => {
    const words = percent(part, item.messages);
    return part > 0 ? <a href={list(item, params)}>{words}</a> : words;
  };
  const own = (item: SourceItem) => (group === '' && item.key !== null ? href('source', { key: item.key }) : list(item, {}, 'sources'));
  return [
    {
      id: 'name',
      title: group ? title : 'Source',
      lead: true,
      roomy: true,
      sort: (item) => (item.name ?? item.key ?? '').toLowerCase(),
      cell: (item) => (
        <>
          <span class="line">
            {picking && labelable(item, group) && <Pick {...picking} source={labelable(item, group)!} name={item.name ?? keyWords(item.key) ?? ''} />}
            <Name item={item} group={group} />
            {group === 'ip' && item.source && item.source !== `ip:${item.key}` && (
              <small class="line">
                of <a href={href('source', { key: item.source })}><Text value={keyWords(item.source)} max={60} cut /></a>
              </small>
            )}
            {group !== '' && <LabelTag value={item.label} />}
            {group !== '' && !item.label && <Whose source={item} />}
            {group !== '' && item.new && <span class="new">new</span>}
          </span>
          {item.name_basis && <small class="block"><Text value={basis(item)} cut /></small>}
        </>
      ),
    },
    ...counts<SourceItem>(list, true),
    { id: 'fail', title: 'Fails', number: true, sort: 'server', cell: (item) => <Num n={item.messages - item.pass} to={list(item, { result: 'fail' })} /> },
    { id: 'class', title: 'By class', sort: (item) => mainFailure(item.by_class)?.label ?? '', cell: (item) => <Outcome item={item} /> },
    ...numbers<SourceItem>(['dkim_aligned'], { title: 'DKIM', sort: (item) => item.dkim_aligned / (item.messages || 1), cell: (item) => share(item.dkim_aligned, item, { dkim: 'pass' }) }),
    ...numbers<SourceItem>(['spf_aligned'], { title: 'SPF', sort: (item) => item.spf_aligned / (item.messages || 1), cell: (item) => <>{share(item.spf_aligned, item, { spf: 'pass' })}{item.in_spf === false && <small class="block">not in SPF</small>}</> }),
    { id: 'domains', title: 'Domains', sort: (item) => item.domains?.[0] ?? '', cell: (item) => <Domains item={item} to={own(item)} /> },
    ...numbers<SourceItem>(['ips_total'], { title: 'IPs', cell: (item) => <Num n={item.ips_total ?? 0} to={list(item, { group: 'ip' }, 'sources')} /> }),
    ...days<SourceItem>(['first_seen', 'last_seen']),
    { id: 'spark', title: 'Over time', cell: (item) => item.spark && <Spark values={item.spark} label={`Messages over ${window.words}`} /> },
  ];
}

// The sources that pass the filters of the address, in one of these groups.
export function SourceTable({ by }: { by: string }) {
  const scope = useScope();
  const group = GROUPS.find(([name]) => name === by) ?? GROUPS[0]!;
  const [picked, pick] = useState<string[]>([]);
  const edits = useMe()?.roles.includes('editor') ?? false;
  const shown = columns(scope, group, edits && { picked, pick });
  return (
    <section class="card flush">
      <ListTable
        label="Sources"
        noun="source"
        list={useList<SourceItem>('sources', { ...scope.filtered(FILTERS), group: group[0], sort: serverSort(shown, scope.query), limit: 100 })}
        columns={shown}
        rowKey={(item) => item.key ?? ''}
        sortable
        empty={<Nothing noun="source" />}
      />
      {edits && <LabelMany picked={picked} pick={pick} />}
    </section>
  );
}

export function Sources() {
  const by = useLocation().query.get('group') ?? '';
  return (
    <>
      <p class="crumb">
        <a href={href('labels')}>Who labelled what</a>
      </p>
      <Unnamed />
      <div class="filters">
        <Switch name="group" label="Group by" choices={GROUPS} />
      </div>
      <Filters names={['result', 'class', 'label', 'q']} more={['ip', 'country', 'asn', 'rdns', 'reporter', 'auth_domain', 'header_from', 'disposition', 'override', 'dkim', 'spf', 'source', 'others']} />
      <SourceTable by={by} />
    </>
  );
}
