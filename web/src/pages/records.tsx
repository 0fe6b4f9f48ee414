// records.tsx - the explorer: one row a record, as the reports had it, by any filter.
import { useApi, useList } from '../api/ask';
import type { Rec, Summary } from '../api/types';
import { Filters } from '../components/filters';
import { classSlices, Legend } from '../components/marks';
import { Nothing } from '../components/nothing';
import { recordColumns } from '../components/record';
import { ListTable } from '../components/table';
import { plural } from '../format';
import { changed, FILTERS } from '../router';
import { useScope } from '../scope';

// What all records add up to, not only those that are loaded.
function Sum() {
  const { filtered, window } = useScope();
  const { data } = useApi<Summary>('summary', filtered(FILTERS));
  if (!data || data.totals.messages === 0) return null;
  return (
    <Legend slices={classSlices(data.totals.by_class)}>
      <li>
        <b>{plural(data.totals.messages, 'message')}</b> in {window.words}
      </li>
    </Legend>
  );
}

const columns = recordColumns({ withReport: true });

export function Records() {
  const { query, filtered } = useScope();
  const list = useList<Rec>('records', { ...filtered(FILTERS), limit: 100 });
  return (
    <>
      <Filters
        names={['result', 'class', 'ip', 'q']}
        more={['disposition', 'source', 'reporter', 'header_from', 'dkim', 'spf', 'override', 'label', 'auth_domain', 'rdns', 'asn', 'country', 'others']}
      />
      <section class="card flush">
        <Sum />
        <ListTable
          label="Records"
          noun="record"
          list={list}
          columns={columns}
          rowKey={(record) => `${record.report}.${record.record_no}`}
          sortable
          empty={
            <Nothing noun="record">{query.get('result') && <a href={changed({ result: undefined })}>Show all results</a>}</Nothing>
          }
        />
      </section>
    </>
  );
}
