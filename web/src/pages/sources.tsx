// sources.tsx - who sends as the domain, and how it fares: the main view.
import { type SourceItem as Source, useList } from '../api';
import { mainFailure, verdict } from '../classes';
import { Filters } from '../components/filters';
import { ClassTag, classSlices, outcome, Share, Shares, SourceLink, Spark, VerdictMark } from '../components/marks';
import { Empty } from '../components/states';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { count, day, percent } from '../format';
import { useScope } from '../scope';
import type { PageEntry } from '.';

const share = (part: number, source: Source) => (source.messages > 0 ? part / source.messages : -1);

function columns(result: string | undefined): Column<Source>[] {
  return [
    {
      id: 'source_ip',
      title: 'Source IP',
      lead: true,
      sort: (source) => source.key ?? '',
      cell: (source) => (
        <>
          <SourceLink source={source} params={{ result }} />
          <small class="block">
            <Text value={source.domains?.[0]} max={36} absent="" />
            {(source.domains_total ?? 0) > 1 && ` + ${count(source.domains_total! - 1)} more`}
          </small>
        </>
      ),
    },
    {
      id: 'messages',
      title: 'Messages',
      number: true,
      sort: (source) => source.messages,
      cell: (source) => count(source.messages),
    },
    {
      id: 'pass',
      title: 'Passed',
      number: true,
      sort: (source) => share(source.pass, source),
      cell: (source) => <Share part={source.pass} whole={source.messages} />,
    },
    {
      id: 'dkim',
      title: 'DKIM aligned',
      number: true,
      sort: (source) => share(source.dkim_aligned, source),
      cell: (source) => percent(source.dkim_aligned, source.messages),
    },
    {
      id: 'spf',
      title: 'SPF aligned',
      number: true,
      sort: (source) => share(source.spf_aligned, source),
      cell: (source) => percent(source.spf_aligned, source.messages),
    },
    {
      id: 'spark',
      title: 'Over time',
      cell: (source) => source.spark && <Spark values={source.spark} label={`Messages over time of ${source.key ?? 'no address'}`} />,
    },
    {
      id: 'outcome',
      title: 'Outcome',
      sort: (source) => source.by_disposition.reject * 1e6 + source.by_disposition.quarantine,
      cell: (source) => {
        const slices = outcome(source.by_disposition).filter((slice) => slice.value > 0);
        return (
          <>
            <Shares slices={slices} label="Outcome" />
            <small class="block">{slices.map((slice) => `${count(slice.value)} ${slice.label}`).join(', ')}</small>
          </>
        );
      },
    },
    {
      id: 'class',
      title: 'Standing',
      sort: (source) => share(source.messages - source.pass, source),
      cell: (source) => {
        const why = mainFailure(source.by_class);
        return (
          <span class="standing">
            <VerdictMark value={verdict(source)} />
            {why && (
              <>
                <ClassTag name={why.name} />
                <span class="hidden">: {classSlices(source.by_class).filter((slice) => slice.value > 0).map((slice) => `${slice.label} ${count(slice.value)}`).join(', ')}</span>
              </>
            )}
          </span>
        );
      },
    },
    {
      id: 'seen',
      title: 'First – last seen',
      sort: (source) => source.last_seen ?? '',
      cell: (source) => (
        <span class="seen">
          {source.first_seen && day(source.first_seen)} – {source.last_seen && day(source.last_seen)}
        </span>
      ),
    },
  ];
}

function Sources() {
  const { params, query, window } = useScope();
  const result = query.get('result') || undefined;
  const list = useList<Source>('sources', {
    ...params,
    result,
    ip: query.get('ip') || undefined,
    reporter: query.get('reporter') || undefined,
    limit: 100,
  });
  return (
    <>
      <h1 tabIndex={-1}>Sources</h1>
      <p class="lead">Every address that sent as your domain, as the receivers saw it.</p>
      <Filters names={['result', 'ip', 'reporter']} />
      <section class="card flush">
        <ListTable
          label="Sources"
          noun="source"
          list={list}
          columns={columns(result)}
          rowKey={(source) => source.key ?? ''}
          sortable
          empty={<Empty filters={['result', 'ip', 'reporter', 'domain']}>No source matches in {window.words}.</Empty>}
        />
      </section>
    </>
  );
}

export const sources: PageEntry = { path: 'sources', title: 'Sources', nav: true, view: Sources };
