// window.ts - the selected window of time: whole days in UTC, `to` not included (as in the API).

export interface Window {
  name: string; // '7d', …, or 'custom'
  from: string; // first day, YYYY-MM-DD
  to: string; // the day after the last
  days: number;
  words: string; // "the last 30 days"
}

export const WINDOWS: readonly (readonly [name: string, days: number, label: string, words: string])[] = [
  ['7d', 7, '7 days', 'the last 7 days'],
  ['30d', 30, '30 days', 'the last 30 days'],
  ['90d', 90, '90 days', 'the last 90 days'],
  ['1y', 365, '1 year', 'the last 365 days'],
];
const DEFAULT = '30d';
const DAY = 86_400_000;

const iso = (time: number) => new Date(time).toISOString().slice(0, 10);
export const addDays = (day: string, n: number): string => iso(Date.parse(day) + n * DAY);

const isDay = (text: string | null): text is string =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

// The parameters of the window that say nothing: then the default is shown.
export const wrongIn = (query: URLSearchParams): string[] => {
  const [name, from, to] = [query.get('window'), query.get('from'), query.get('to')];
  const wrong = [name && !WINDOWS.some(([known]) => known === name) && 'window', from && !isDay(from) && 'from', to && !isDay(to) && 'to', isDay(from) && isDay(to) && from >= to && 'to'];
  return wrong.filter((one) => typeof one === 'string' && one !== '') as string[];
};

export function windowOf(query: URLSearchParams): Window {
  const tomorrow = iso(Date.now() + DAY);
  const [first, last] = [query.get('from'), query.get('to')];
  // one without the other, as in the API: until tomorrow, and 30 days
  const to = isDay(last) ? last : isDay(first) ? (first > tomorrow ? first : tomorrow) : null;
  const from = isDay(first) ? first : to && addDays(to, -30);
  if (from && to && from < to) {
    const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY);
    return { name: 'custom', from, to, days, words: days === 1 ? from : `${from} to ${addDays(to, -1)}` };
  }
  const known = WINDOWS.find(([name]) => name === query.get('window')) ?? WINDOWS.find(([name]) => name === DEFAULT)!;
  return { name: known[0], from: addDays(tomorrow, -known[1]), to: tomorrow, days: known[1], words: known[3] };
}

// How finely a chart of the window divides it: some 30 to 120 bars.
export const bucketFor = ({ days }: Window) => (days > 800 ? 'month' : days > 120 ? 'week' : 'day');

// Parameters that choose a named window (the default needs none) or a stretch of days.
export const named = (name: string) => ({ window: name === DEFAULT ? '' : name, from: '', to: '' });
export const stretch = (from: string, to: string) => ({ window: '', from, to });

// The named window's length in days that ends with the given day.
export const around = (day: string, days = 30) => stretch(addDays(day, 1 - days), addDays(day, 1));

// The day after the last of a bucket that begins on the given day.
export function after(day: string, bucket: 'day' | 'week' | 'month'): string {
  return bucket === 'month' ? addDays(day, 31).slice(0, 8) + '01' : addDays(day, bucket === 'week' ? 7 : 1);
}
