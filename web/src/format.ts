// format.ts - numbers, shares and times as people read them; text from reports made safe to show.

const integer = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n: number): string => integer.format(n);
export const short = (n: number): string => (n < 10_000 ? integer.format(n) : compact.format(n));
export const plural = (n: number, one: string, many = one + 's'): string => `${count(n)} ${n === 1 ? one : many}`;

// A share in percent that says 100 only when it is all, and 0 only when it is none.
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '–';
  if (part === whole) return '100%';
  if (part === 0) return '0%';
  const tenths = Math.min(999, Math.max(1, Math.round((part / whole) * 1000)));
  return `${(tenths / 10).toFixed(1)}%`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// "20 Nov", and with the year where it is not the present one (or asked for).
export function day(time: string, year = false): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return year || date.getUTCFullYear() !== new Date().getUTCFullYear() ? `${text} ${date.getUTCFullYear()}` : text;
}

export function moment(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return `${date.toISOString().slice(0, 10)} ${date.toISOString().slice(11, 16)} UTC`;
}

export function ago(time: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(time)) / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${count(Math.round(minutes / 1440))} days ago`;
}

// The days a report covers: its end is usually the last second of a day.
export function period(begin: string, end: string): string {
  const first = day(begin);
  const last = day(new Date(Date.parse(end) - 1000).toISOString());
  return first === last || Date.parse(end) <= Date.parse(begin) ? first : `${first} – ${last}`;
}

// Characters that move, hide or reorder the text beside them, or that have no width: controls, formats (bidi marks, joiners), line
// separators, and those for which fonts draw nothing. The same list as in server/common/visible.c and sql/api/words.sql.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\u{e0000}-\u{e0fff}]/gu;

const escaped = (character: string): string => {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
};

export const visible = (text: string): string => text.replace(INVISIBLE, escaped);

export function clipped(text: string, length: number): string {
  const points = [...text.slice(0, 4 * length)];
  return points.length > length ? points.slice(0, length - 1).join('') + '…' : text;
}

export const size = (bytes: number): string =>
  bytes < 10_000 ? `${count(bytes)} B` : bytes < 10_000_000 ? `${count(Math.round(bytes / 1000))} kB` : `${count(Math.round(bytes / 1e6))} MB`;
