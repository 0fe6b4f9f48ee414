// table.tsx - one kind of table: sortable by its headings, available as CSV, and a list of cards on narrow screens.
//
// A card shows its heading and two columns at once, the others behind a button. The ARIA roles are written out since browsers
// drop those of a <table> that is laid out as blocks.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { List } from '../api/ask';
import { count, plural } from '../format';
import { filter, useLocation } from '../router';
import { Failed, Skeleton } from './states';

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  number?: boolean; // set to the right, in tabular figures
  lead?: boolean; // the heading of the card
  main?: boolean; // seen at once in a card; unless any says so, the first two besides the lead
  roomy?: boolean; // names of domains and the like: not squeezed below a readable width
  sort?: ((row: T) => number | string) | 'server'; // sortable by this, or by the API's parameter "sort", where the id is its name
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  struck?: (row: T) => boolean; // this row is struck through: it does not count
  busy?: boolean;
  sortable?: boolean; // by the URL's parameter "sort"
  slim?: boolean; // few short columns: stays a table on a phone
  first?: number; // so many rows are seen at once, all others after a click; the CSV has them in any case
  foot?: ComponentChildren; // words beneath, beside the link to the CSV
  csv?: string | undefined; // the API's URL for the same as CSV; unless there is one, the table as it stands
}

const chosen = <T,>(columns: Column<T>[], sort: string) => columns.find(({ id, sort: by }) => by && (sort === id || sort === '-' + id));

// What the API is to sort by, if the URL chose such a column.
export function serverSort<T>(columns: Column<T>[], query: URLSearchParams): string | undefined {
  const sort = query.get('sort') ?? '';
  return chosen(columns, sort)?.sort === 'server' ? sort : undefined;
}

function sorted<T>(rows: T[], column: Column<T> | undefined, down: boolean): T[] {
  const by = column?.sort;
  if (typeof by !== 'function') return rows;
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

function Row<T>({ row, columns, folds, struck, hidden }: { row: T; columns: Column<T>[]; folds: boolean; struck: boolean; hidden: boolean }) {
  const [open, setOpen] = useState(false);
  const marked = columns.some((column) => column.main);
  let others = 0;
  return (
    <tr role="row" hidden={hidden} class={[open && 'open', struck && 'struck'].filter(Boolean).join(' ') || undefined}>
      {columns.map((column) => {
        const rest = folds && !column.lead && !(marked ? column.main : others++ < 2);
        return (
          <td
            role="cell"
            key={column.id}
            data-label={column.title}
            class={[column.number && 'number', column.lead && 'lead', column.roomy && 'roomy', rest && 'rest'].filter(Boolean).join(' ') || undefined}
          >
            <div>{column.cell(row)}</div>
            {column.lead && folds && (
              <button type="button" class="quiet fold" aria-expanded={open} onClick={() => setOpen(!open)}>
                {open ? 'less' : 'more'}
              </button>
            )}
          </td>
        );
      })}
    </tr>
  );
}

// The table as it stands, as CSV (RFC 4180) in which no cell is a formula.
function csvOf(table: HTMLTableElement): Blob {
  const cell = ({ textContent }: Element) => `"${(textContent ?? '').replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const lines = [...table.rows].map((row) => [...row.cells].map((one) => cell(one.querySelector('div, button') ?? one)).join(','));
  return new Blob([lines.join('\r\n').replaceAll(/[↓↑↕]"/g, '"') + '\r\n'], { type: 'text/csv' });
}

export function Table<T>({ label, columns, rows, rowKey, struck, busy = false, sortable = false, slim = false, first = Infinity, foot, csv }: Props<T>) {
  const { query } = useLocation();
  const table = useRef<HTMLTableElement>(null);
  const [all, setAll] = useState(false);
  const seen = all || rows.length <= first * 1.5 ? rows.length : first; // few rows more are no reason for a click
  const sort = (sortable && query.get('sort')) || '';
  const save = (event: MouseEvent & { currentTarget: HTMLAnchorElement }) => {
    if (csv || !table.current) return;
    const url = (event.currentTarget.href = URL.createObjectURL(csvOf(table.current)));
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  return (
    <>
      <div class={slim ? 'scroll slim' : columns.length > 8 ? 'scroll dense' : 'scroll'}>
        <table role="table" aria-label={label} aria-busy={busy} ref={table}>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => (
                <Heading key={column.id} column={column} sort={sort} sortable={sortable} />
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {sorted(rows, chosen(columns, sort), sort.startsWith('-')).map((row, index) => (
              <Row
                key={rowKey(row)}
                row={row}
                columns={columns}
                folds={!slim && columns.length > 4}
                struck={struck?.(row) ?? false}
                hidden={index >= seen}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div class="foot">
        {foot}
        {seen < rows.length && (
          <button type="button" onClick={() => setAll(true)} aria-label={`All ${rows.length} rows of ${label}`}>
            All {count(rows.length)}
          </button>
        )}
        {rows.length > 0 && (
          <a class="csv" href={csv ?? '#'} download={`${label.toLowerCase().replaceAll(' ', '-')}.csv`} onClick={save} aria-label={`${label} as CSV`}>
            CSV
          </a>
        )}
      </div>
    </>
  );
}

interface ListProps<T> extends Omit<Props<T>, 'rows' | 'busy' | 'csv' | 'foot'> {
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
  const here = table.sortable && typeof chosen(table.columns, query.get('sort') ?? '')?.sort === 'function';
  const known = total !== undefined && total > items.length ? ` of ${total.toLocaleString('en-US')}` : '';
  return (
    <>
      <Table
        {...table}
        rows={items}
        busy={busy}
        csv={list.csv}
        foot={
          <>
            <span role="status">
              {plural(items.length, noun)}
              {known || (more ? ' so far' : '')}
              {more && here ? ', sorted among those loaded' : ''}
            </span>
            {more && (
              <button type="button" onClick={more} disabled={busy}>
                {busy ? 'Loading…' : 'Load more'}
              </button>
            )}
          </>
        }
      />
      {problem && <Failed problem={problem} retry={retry} />}
    </>
  );
}
