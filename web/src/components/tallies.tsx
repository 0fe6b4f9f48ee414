// tallies.tsx - the columns that every list of sums has: messages, how many of them passed, and on which days they were seen.
import { day } from '../format';
import type { Params } from '../router';
import { Num, Share } from './marks';
import type { Column } from './table';

interface Sum {
  messages: number;
  pass: number;
}

// to: the address of the list behind a number, with these filters more. server: the API sorts by messages.
export const counts = <T extends Sum>(to: (row: T, params?: Params) => string, server = false): Column<T>[] => [
  { id: 'messages', title: 'Messages', number: true, main: true, sort: server ? 'server' : (row) => row.messages, cell: (row) => <Num n={row.messages} to={to(row)} /> },
  {
    id: 'pass_rate',
    title: 'Passed',
    number: true,
    main: true,
    sort: (row) => row.pass / (row.messages || 1),
    cell: (row) => (
      <a href={to(row, { result: row.pass > 0 ? 'pass' : 'fail' })}>
        <Share part={row.pass} whole={row.messages} />
      </a>
    ),
  },
];

interface Seen {
  first_seen?: string | null;
  last_seen: string | null;
}

export const days = <T extends Seen>(names: (keyof Seen)[]): Column<T>[] =>
  names.map((name) => ({
    id: name,
    title: name === 'first_seen' ? 'First seen' : 'Last seen',
    sort: (row) => row[name] ?? '',
    cell: (row) => <span class="time">{day(row[name] ?? '–')}</span>,
  }));
