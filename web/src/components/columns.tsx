// columns.tsx - the columns that most tables are made of: the row's member of that name as text, as number, as time.
import { ago, count, moment } from '../format';
import type { Column } from './table';
import { Text } from './text';

type Names<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T] & string;
type More<T> = Partial<Column<T>>;

export const text = <T,>(id: Names<T, string | string[] | null>, title: string, more?: More<T>): Column<T> => {
  const value = (row: T) => {
    const one = row[id] as string | string[] | null;
    return Array.isArray(one) ? one.join(', ') || null : one;
  };
  return {
    id,
    title,
    roomy: true,
    sort: (row) => (value(row) ?? '').toLowerCase(),
    cell: (row) => <Text value={value(row)} max={80} expand absent="not said" />,
    ...more,
  };
};

export const number = <T,>(id: Names<T, number | null>, title: string, more?: More<T>): Column<T> => ({
  id,
  title,
  number: true,
  sort: (row) => (row[id] as number | null) ?? -1,
  cell: (row) => (row[id] === null ? '–' : count(row[id] as number)),
  ...more,
});

export const Ago = ({ at }: { at: string | null }) =>
  at && (
    <span class="time" title={moment(at)}>
      {ago(at)}
    </span>
  );

export const time = <T,>(id: Names<T, string | null>, title: string, more?: More<T>): Column<T> => ({
  id,
  title,
  sort: (row) => (row[id] as string | null) ?? '',
  cell: (row) => <Ago at={row[id] as string | null} />,
  ...more,
});
