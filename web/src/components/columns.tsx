// columns.tsx - the columns and facts that most tables are made of: members of the API's objects, headed by their own names.
import { ago, count, day, moment } from '../format';
import type { Fact } from './facts';
import type { Column } from './table';
import { Text } from './text';

type Names<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T] & string;
type More<T> = Partial<Column<T>>;

// "receiving_mx_hostname" is "Receiving MX hostname".
export const titled = (name: string): string =>
  name
    .replaceAll('_', ' ')
    .replace(/\b(dkim|dns|id|ip|mta|mx|spf|tls|uri)(s?)\b/g, (_, one: string, s: string) => one.toUpperCase() + s)
    .replace(/^./, (first) => first.toUpperCase());

const column = <T, V>(id: string, show: (value: V) => Column<T>['cell'] extends (row: T) => infer R ? R : never, sort: (value: V) => string | number, more: More<T>): Column<T> => {
  const value = (row: T) => row[id as keyof T] as V;
  return { id, title: titled(id), sort: (row) => sort(value(row)), cell: (row) => show(value(row)), ...more };
};

export const texts = <T,>(ids: Names<T, string | string[] | null>[], more: More<T> = {}): Column<T>[] =>
  ids.map((id) => {
    const line = (value: string | string[] | null) => (Array.isArray(value) ? value.join(', ') || null : value);
    return column<T, string | string[] | null>(id, (value) => <Text value={line(value)} max={80} expand />, (value) => (line(value) ?? '').toLowerCase(), { roomy: true, ...more });
  });

export const numbers = <T,>(ids: Names<T, number | null>[], more: More<T> = {}): Column<T>[] =>
  ids.map((id) => column<T, number | null>(id, (value) => (value === null ? '–' : count(value)), (value) => value ?? -1, { number: true, ...more }));

export const Ago = ({ at }: { at: string | null }) =>
  at && (
    <span class="time" title={moment(at)}>
      {ago(at)}
    </span>
  );

// What is known by the day of a report only is shown as such.
export const times = <T,>(ids: Names<T, string | null>[], more: More<T> = {}): Column<T>[] =>
  ids.map((id) => column<T, string | null>(id, (value) => (value && id.endsWith('_seen') ? day(value) : <Ago at={value} />), (value) => value ?? '', more));

const TIME = /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/;

export const named = <T,>(of: T, ids: Names<T, string | string[] | number | null>[]): Fact[] =>
  ids.map((id) => {
    const value = of[id] as string | string[] | number | null;
    return [titled(id), typeof value === 'string' && TIME.test(value) ? moment(value) : typeof value === 'number' ? count(value) : value === '' ? '<>' : value];
  });
