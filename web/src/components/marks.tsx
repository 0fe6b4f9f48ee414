// marks.tsx - small signs that stand for a result; each says in words what its colour says.
import type { ComponentChildren } from 'preact';
import type { ByClass, ByDisposition, Label, SourceItem, Tally } from '../api/types';
import { CLASSES, classWords, keyWords, LABELS, useVerdict, type Verdict, WHOSE } from '../classes';
import { count, percent, plural } from '../format';
import { href, type Params } from '../router';
import { useText } from '../texts';
import { Ip, Text } from './text';

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

// A word with its sign: colour alone says nothing.
export const Mark = ({ kind, children }: { kind: keyof typeof ICONS; children: ComponentChildren }) => (
  <span class={`mark ${kind}`}>
    <Icon name={kind} />
    {children}
  </span>
);

// An aligned result: pass or not, as the reporter evaluated it.
export function Aligned({ value }: { value: string | null }) {
  return <Mark kind={value === 'pass' ? 'good' : value === null ? 'so' : 'bad'}>{value ?? 'absent'}</Mark>;
}

// An address that leads to what is known of it.
export const IpLink = ({ ip }: { ip: string | null }) =>
  ip ? (
    <a href={href('ip', { ip })}>
      <Ip value={ip} />
    </a>
  ) : (
    <Ip value={null} />
  );

// A number that leads to the list behind it.
export function Num({ n, to }: { n: number; to: string }) {
  return n > 0 ? <a href={to}>{count(n)}</a> : <>0</>;
}

type Sorted = Pick<SourceItem, 'whose' | 'whose_reason' | 'whose_facts'>;

// Why a source is taken for what it is, in a sentence.
export function useReason({ whose_reason: reason, whose_facts: facts }: Partial<Sorted>): string {
  const { text } = useText();
  const said = Object.entries(facts ?? {}).map(([key, value]) => [key, typeof value === 'number' ? count(value) : (value ?? '')]);
  return reason ? text('whose', reason, Object.fromEntries(said)) : '';
}

// Whose a source is, by its reports.
export function Whose({ source }: { source: Partial<Sorted> }) {
  const reason = useReason(source);
  return source.whose ? <small class="whose" title={reason}>{WHOSE[source.whose]}</small> : null;
}

// A source by its name, with what is known of it; what has none has no page of its own.
export function SourceLink({ source, params }: { source: { key: string | null; name: string | null; label?: Label; new?: boolean | null } & Partial<Sorted>; params?: Params }) {
  const words = source.name ?? keyWords(source.key);
  if (source.key === null || words === null) return <Ip value={null} />;
  return (
    <span class="line">
      <a href={href('source', { key: source.key, ...params })}>
        {source.name === null && source.key.startsWith('ip:') ? <Ip value={words} /> : <Text value={words} max={60} cut />}
      </a>
      <LabelTag value={source.label} />
      {source.new && <span class="new">new</span>}
      {!source.label && <Whose source={source} />}
    </span>
  );
}

export const LabelTag = ({ value }: { value: Label | undefined }) => (value ? <span class={`label ${value}`}>{LABELS[value]}</span> : null);

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
  const { text } = useText();
  return (
    <span class="tag" title={text('reasons', words.name)}>
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
  return <Mark kind={icon}>{label}</Mark>;
}

// How a source stands, by the thresholds of this server.
export function Standing({ tally }: { tally: Pick<Tally, 'messages' | 'pass'> }) {
  return <VerdictMark value={useVerdict()(tally)} />;
}

// A share as number, with a thin bar beneath that lets a column be read at a glance.
export function Share({ part, whole }: { part: number; whole: number }) {
  const width = whole > 0 ? (part / whole) * 100 : 0;
  return (
    <span class="share">
      {percent(part, whole)}
      <svg class="meter" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
        <rect class="meter-back" width="100" height="3" />
        <rect class="fill-pass" width={width} height="3" />
      </svg>
    </span>
  );
}

// How it went over the window, in as many small bars as there are numbers; label: "Messages over the last 30 days".
export function Spark({ values, label }: { values: number[]; label: string }) {
  const top = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  const words = `${label}: ${count(values.reduce((sum, value) => sum + value, 0))} in all, at most ${count(Math.max(0, ...values))} in one of ${plural(values.length, 'step')}`;
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      {values.map((value, index) => {
        const height = value > 0 ? Math.max(1, (value / top) * 20) : 0;
        return height > 0 && <rect key={index} x={index * step} y={20 - height} width={step * 0.8} height={height} />;
      })}
    </svg>
  );
}

// One box a step, the darker the more; an empty step is a line, so that gaps show without colour. noun: "report".
export function Heat({ values, noun }: { values: number[]; noun: string }) {
  const top = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  const words = `${plural(values.filter((value) => value > 0).length, 'step')} of ${count(values.length)} with a ${noun}, at most ${count(top)} in one`;
  return (
    <svg class="heat" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      {values.map((value, index) =>
        value > 0 ? (
          <rect key={index} class={`heat-${Math.ceil((value / top) * 4)}`} x={index * step} y={2} width={step * 0.86} height={16} />
        ) : (
          <rect key={index} class="gap" x={index * step} y={16} width={step * 0.86} height={2} />
        ),
      )}
    </svg>
  );
}

interface Slice {
  name: string;
  label: string;
  value: number;
}

// One bar shared by several parts, with their textures; the words are in its label, and beside it where there is room.
export function Shares({ slices, label }: { slices: Slice[]; label: string }) {
  const whole = slices.reduce((sum, slice) => sum + slice.value, 0);
  let x = 0;
  const words = slices.filter((slice) => slice.value > 0).map((slice) => `${slice.label} ${count(slice.value)}`);
  return (
    <svg class="shares" role="img" aria-label={`${label}: ${words.join(', ') || 'none'}`}>
      <title>{words.join(' · ')}</title>
      {whole === 0 && <rect class="meter-back" width="100%" height="100%" />}
      {slices.map(({ name, value }) => {
        if (value <= 0) return null;
        const width = (value / whole) * 100;
        const box = { x: `${x}%`, width: `${Math.max(width - 0.5, 0.5)}%`, height: '100%' };
        x += width;
        return (
          <g key={name}>
            <rect class={`fill-${name}`} {...box} />
            <rect fill={`url(#tex-${name})`} {...box} />
          </g>
        );
      })}
    </svg>
  );
}

// How mail passed (by both, or by one alone) and how it failed.
export const alignment = (tally: Tally): Slice[] => [
  { name: 'pass', label: 'passed by both', value: tally.pass - tally.dkim_only - tally.spf_only },
  { name: 'dkim_only', label: 'DKIM only', value: tally.dkim_only },
  { name: 'spf_only', label: 'SPF only', value: tally.spf_only },
  ...classSlices(tally.by_class).slice(1),
];

// What the receivers did: "none" means delivered, as does RFC 9990's "pass".
export const outcome = (by: ByDisposition): [Slice, Slice, Slice] => [
  { name: 'delivered', label: 'delivered', value: by.none + by.pass + by.unknown },
  { name: 'quarantine', label: 'quarantined', value: by.quarantine },
  { name: 'reject', label: 'rejected', value: by.reject },
];

export const classSlices = (by: ByClass): Slice[] =>
  CLASSES.map(({ name, label }) => ({ name, label, value: by[name] }));

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

// Slices in words and numbers, each with its swatch; those that are zero are left out. to: the list behind one.
export function Legend({ slices, to, children }: { slices: Slice[]; to?: (name: string) => string; children?: ComponentChildren }) {
  return (
    <ul class="legend">
      {slices.map(({ name, label, value }) =>
        value > 0 ? (
          <li key={name}>
            <Swatch name={name} /> {label} <b>{to ? <Num n={value} to={to(name)} /> : count(value)}</b>
          </li>
        ) : null,
      )}
      {children}
    </ul>
  );
}
