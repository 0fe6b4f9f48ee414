// marks.tsx - small signs that stand for a result; each says in words what its colour says.
import type { ComponentChildren } from 'preact';
import { type ClassWords, CLASSES, classWords, type Verdict } from '../classes';
import type { ByClass } from '../api';
import { count, percent } from '../format';
import { href } from '../router';
import { Ip } from './text';

const ICONS = {
  good: 'M3 8.5l3.2 3.2L13 5',
  bad: 'M4 4l8 8M12 4l-8 8',
  so: 'M3 8h10',
  info: 'M8 7v5M8 4v.5',
  copy: 'M6 6h7v7H6zM3 10V3h7',
} as const;

export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

// An aligned result: pass or not, as the reporter evaluated it.
export function Aligned({ value }: { value: string | null }) {
  const good = value === 'pass';
  return (
    <span class={`mark ${good ? 'good' : value === null ? 'so' : 'bad'}`}>
      <Icon name={good ? 'good' : value === null ? 'so' : 'bad'} />
      {value ?? 'absent'}
    </span>
  );
}

// To the records of an address; what has none has no list of its own.
export function SourceLink({ ip, result }: { ip: string | null; result?: string | undefined }) {
  if (ip === null) return <Ip value={null} />;
  return (
    <a href={href('records', { ip, result })}>
      <Ip value={ip} />
    </a>
  );
}

export function Swatch({ name }: { name: string }) {
  return (
    <svg class="swatch" width="12" height="12" aria-hidden="true">
      <rect width="12" height="12" rx="2.5" class={`fill-${name}`} />
      <rect width="12" height="12" rx="2.5" fill={`url(#tex-${name})`} />
    </svg>
  );
}

export function ClassTag({ name }: { name: string }) {
  const words = classWords(name);
  return (
    <span class="tag" title={words.reason}>
      <Swatch name={words.name} />
      {words.label}
    </span>
  );
}

const VERDICTS: Record<Verdict, ['good' | 'so' | 'bad', string]> = {
  passing: ['good', 'Passing'],
  mixed: ['so', 'Mixed'],
  failing: ['bad', 'Failing'],
};

export function VerdictMark({ value }: { value: Verdict }) {
  const [icon, label] = VERDICTS[value];
  return (
    <span class={`mark ${icon}`}>
      <Icon name={icon} />
      {label}
    </span>
  );
}

// A share as number, with a thin bar beneath that lets a column be read at a glance.
export function Share({ part, whole }: { part: number; whole: number }) {
  const width = whole > 0 ? (part / whole) * 100 : 0;
  return (
    <span class="share">
      {percent(part, whole)}
      <svg class="meter" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
        <rect class="meter-back" width="100" height="3" />
        <rect class="meter-part" width={width} height="3" />
      </svg>
    </span>
  );
}

// How it went over the window, in as many small bars as there are numbers.
export function Spark({ values, label }: { values: number[]; label: string }) {
  const top = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, index) => {
        const height = value > 0 ? Math.max(1, (value / top) * 20) : 0;
        return height > 0 && <rect key={index} x={index * step} y={20 - height} width={step * 0.8} height={height} />;
      })}
    </svg>
  );
}

export interface Slice {
  name: string;
  label: string;
  value: number;
}

// One bar shared by several parts; the words are in its label, and beside it where there is room.
export function Shares({ slices, label }: { slices: Slice[]; label: string }) {
  const whole = slices.reduce((sum, slice) => sum + slice.value, 0);
  let x = 0;
  const words = slices.filter((slice) => slice.value > 0).map((slice) => `${slice.label} ${count(slice.value)}`);
  return (
    <svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`${label}: ${words.join(', ') || 'none'}`}>
      <title>{words.join(' · ')}</title>
      {whole === 0 && <rect class="meter-back" width="100" height="10" />}
      {slices.map((slice) => {
        const width = whole > 0 ? (slice.value / whole) * 100 : 0;
        const at = x;
        x += width;
        return width > 0 && <rect key={slice.name} class={`fill-${slice.name}`} x={at} width={Math.max(width - 0.6, 0.6)} height="10" />;
      })}
    </svg>
  );
}

// What the receivers did: "none" means delivered, as does RFC 9990's "pass".
export function outcome(by: Record<string, number>): Slice[] {
  const rest = Object.entries(by).filter(([name]) => name !== 'quarantine' && name !== 'reject');
  return [
    { name: 'delivered', label: 'delivered', value: rest.reduce((sum, [, n]) => sum + n, 0) },
    { name: 'quarantine', label: 'quarantined', value: by['quarantine'] ?? 0 },
    { name: 'reject', label: 'rejected', value: by['reject'] ?? 0 },
  ];
}

export const classSlices = (by: ByClass): Slice[] =>
  CLASSES.map((words: ClassWords) => ({ name: words.name, label: words.label, value: by[words.name] ?? 0 }));

export function Stat({ label, children, note }: { label: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd>
        {children}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}
