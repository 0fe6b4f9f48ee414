// table.tsx - one kind of table: sortable by its headings, and a list of cards where it has no room.
//
// Nothing is hidden in a card: every cell carries its heading as data-label. The ARIA roles are written out since browsers
// drop those of a <table> that is laid out as blocks.
import type { ComponentChildren } from 'preact';
import type { List } from '../api';
import { plural } from '../format';
import { filter, useLocation } from '../router';
import { Failed, Skeleton } from './states';

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  number?: boolean; // set to the right, in tabular figures
  lead?: boolean; // the heading of the card
  roomy?: boolean; // names of domains and the like: not squeezed below a readable width
  sort?: (row: T) => number | string; // sortable by this
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  busy?: boolean;
  sortable?: boolean; // by the URL's parameter "sort"
  slim?: boolean; // few short columns: stays a table on a phone
}

function sorted<T>(rows: T[], column: Column<T> | undefined, down: boolean): T[] {
  const by = column?.sort;
  if (!by) return rows;
  const order = (a: T, b: T) => {
    const x = by(a);
    const y = by(b);
    return x < y ? -1 : x > y ? 1 : 0;
  };
  return [...rows].sort((a, b) => (down ? order(b, a) : order(a, b)));
}

function Heading<T>({ column, sort, sortable }: { column: Column<T>; sort: string; sortable: boolean }) {
  const down = sort === '-' + column.id;
  const up = sort === column.id;
  if (!sortable || !column.sort)
    return (
      <th role="columnheader" scope="col" class={column.number ? 'number' : undefined}>
        {column.title}
      </th>
    );
  return (
    <th
      role="columnheader"
      scope="col"
      aria-sort={down ? 'descending' : up ? 'ascending' : 'none'}
      class={column.number ? 'number sorts' : 'sorts'}
    >
      <button type="button" onClick={() => filter({ sort: down ? column.id : '-' + column.id })}>
        {column.title}
        <span class="arrow" aria-hidden="true">
          {down ? '↓' : up ? '↑' : '↕'}
        </span>
      </button>
    </th>
  );
}

export function Table<T>({ label, columns, rows, rowKey, busy = false, sortable = false, slim = false }: Props<T>) {
  const { query } = useLocation();
  const sort = (sortable && query.get('sort')) || '';
  const by = columns.find((column) => column.sort && (sort === column.id || sort === '-' + column.id));
  return (
    <div class={slim ? 'scroll slim' : columns.length > 8 ? 'scroll dense' : 'scroll'}>
      <table role="table" aria-label={label} aria-busy={busy}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} sortable={sortable} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {sorted(rows, by, sort.startsWith('-')).map((row) => (
            <tr role="row" key={rowKey(row)}>
              {columns.map((column) => (
                <td
                  role="cell"
                  key={column.id}
                  data-label={column.title}
                  class={[column.number && 'number', column.lead && 'lead', column.roomy && 'roomy'].filter(Boolean).join(' ') || undefined}
                >
                  <div>{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface ListProps<T> extends Omit<Props<T>, 'rows' | 'busy'> {
  list: List<T>;
  noun: string; // "source"
  empty: ComponentChildren;
}

// A table of a list that is loaded piece by piece, in all its states.
export function ListTable<T>({ list, noun, empty, ...table }: ListProps<T>) {
  const { items, total, busy, problem, more, retry } = list;
  const { query } = useLocation();
  if (problem && !items) return <Failed problem={problem} retry={retry} />;
  if (!items) return <Skeleton rows={8} label={`Loading ${noun}s`} />;
  if (items.length === 0 && !busy) return <>{empty}</>;
  const sort = table.sortable && query.get('sort');
  const known = total !== undefined && total > items.length ? ` of ${total.toLocaleString('en-US')}` : '';
  return (
    <>
      <Table {...table} rows={items} busy={busy} />
      {problem && <Failed problem={problem} retry={retry} />}
      <p class="foot">
        <span role="status">
          {plural(items.length, noun)}
          {known || (more ? ' so far' : '')}
          {more && sort ? ', sorted among those loaded' : ''}
        </span>
        {more && (
          <button type="button" onClick={more} disabled={busy}>
            {busy ? 'Loading…' : 'Load more'}
          </button>
        )}
      </p>
    </>
  );
}
