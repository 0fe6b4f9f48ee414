// chart.tsx - numbers by day (or week, month) and kind, as stacked bars: messages by class, sessions by result, received items by status.
//
// For the eye an SVG with a tooltip; for everyone else a sentence and a table with the same numbers, whose dates are links.
// Colours come from the style sheet, so themes and forced colours need no redrawing; textures tell classes apart without them.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Timeseries } from '../api/types';
import { classWords } from '../classes';
import { count, day, percent, plural, short } from '../format';
import { after } from '../window';
import { Legend } from './marks';
import { Table } from './table';

const HEIGHT = 190;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 10;

type Point = Timeseries['points'][number];

// Textures over the colours, and what has them.
const TEXTURES: [d: string, size: number, names: string][] = [
  ['M1 1.5h1.2M4 4.5h1.2', 6, 'fail_overridden duplicate'],
  ['M-1 1l2-2M0 6l6-6M5 7l2-2', 6, 'fail_altered failed'],
  ['M0 2h5', 5, 'fail_unaligned quarantine quarantined'],
  ['M2 0v5', 5, 'unknown reject conflict'],
  ['M0 4.5h1.4', 5, 'dkim_only'],
  ['M3 0v6M0 3h6', 6, 'spf_only'],
  ['M-1 1l2-2M0 7l7-7M6 8l2-2', 7, 'arriving'],
];

// Once in the document.
export const Textures = () => (
  <svg class="defs" aria-hidden="true" width="0" height="0">
    {TEXTURES.flatMap(([d, size, names]) =>
      names.split(' ').map((name) => (
        <pattern key={name} id={`tex-${name}`} width={size} height={size} patternUnits="userSpaceOnUse">
          <path d={d} class={name === 'arriving' ? name : 'texture'} />
        </pattern>
      )),
    )}
  </svg>
);

function useWidth(initial: number) {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(240, Math.floor(entry.contentRect.width))));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width] as const;
}

// A round number at or above max, and how many lines divide it.
function scale(max: number): [top: number, lines: number] {
  if (max <= 4) return [Math.max(1, max), Math.max(1, max)];
  const unit = 10 ** Math.floor(Math.log10(max));
  for (const [factor, lines] of [[1, 4], [1.5, 3], [2, 4], [3, 3], [4, 4], [5, 5], [6, 3], [8, 4], [10, 5]] as const)
    if (max <= factor * unit) return [factor * unit, (factor * unit) % lines === 0 ? lines : 2];
  return [max, 1];
}

const sum = (point: Point, keys: string[]) => keys.reduce((total, key) => total + (point.v[key] ?? 0), 0);

export type Marks = { t: string; text: string }[];

interface Props {
  series: Pick<Timeseries, 'points' | 'bucket'>;
  keys: string[]; // which of the series' keys, from the bottom up
  words: string; // the window, in words
  noun?: string; // what is counted
  label?: (key: string) => string;
  link?: (from: string, to: string) => string; // to the list behind a bar
  marks?: Marks | undefined; // days on which something happened
  csv?: string | undefined;
}

const classLabel = (key: string) => classWords(key).label;

function summary({ series, keys, words, noun = 'message', label = classLabel, marks = [] }: Props): string {
  const total = series.points.reduce((all, point) => all + sum(point, keys), 0);
  if (total === 0) return `No ${noun}s in ${words}.`;
  const peak = series.points.reduce((best, point) => (sum(point, keys) > sum(best, keys) ? point : best));
  const parts = keys
    .map((key) => [key, series.points.reduce((all, point) => all + (point.v[key] ?? 0), 0)] as const)
    .filter(([, n]) => n > 0)
    .map(([key, n]) => `${label(key).toLowerCase()} ${percent(n, total)}`);
  const happened = marks.map(({ t, text }) => ` ${day(t)}: ${text}.`).join('');
  return `${plural(total, noun)} in ${words}: ${parts.join(', ')}. The most on ${day(peak.t)} with ${count(sum(peak, keys))}.${happened}`;
}

export function StackedBars(props: Props) {
  const { series, keys, noun = 'message', label = classLabel, link, marks = [], csv } = props;
  const { points, bucket } = series;
  const [ref, width] = useWidth(960);
  const [at, setAt] = useState<number>();
  const plot = { width: width - LEFT - 4, height: HEIGHT - TOP - BOTTOM };
  const step = plot.width / Math.max(1, points.length);
  const bar = Math.max(1, Math.min(step - Math.min(4, step * 0.25), 36));
  const [top, lines] = scale(Math.max(...points.map((point) => sum(point, keys)), 0));
  const y = (n: number) => TOP + plot.height * (1 - n / top);
  const x = (index: number) => LEFT + index * step + (step - bar) / 2;
  const every = Math.max(1, Math.ceil(64 / step));
  const arriving = points.findIndex((point) => !point.complete);
  const hover = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor((event.clientX - box.left - LEFT) / step);
    setAt(index >= 0 && index < points.length ? index : undefined);
  };
  const text = summary(props);
  const chosen = at === undefined ? undefined : points[at];
  const tipRight = at !== undefined && x(at) > width / 2;

  return (
    <figure class="chart">
      <div class="plot" ref={ref}>
        <svg
          role="img"
          aria-label={text}
          width={width}
          height={HEIGHT}
          onPointerMove={hover}
          onPointerLeave={() => setAt(undefined)}
        >
          {Array.from({ length: lines + 1 }, (_, line) => {
            const value = (top / lines) * line;
            return (
              <g key={line}>
                <line class={line ? 'grid' : 'axis'} x1={LEFT} x2={width - 4} y1={y(value)} y2={y(value)} />
                <text class="tick" x={LEFT - 8} y={y(value) + 4} text-anchor="end">
                  {short(value)}
                </text>
              </g>
            );
          })}
          {arriving >= 0 && (
            <rect x={LEFT + arriving * step} width={(points.length - arriving) * step} y={TOP} height={plot.height} fill="url(#tex-arriving)" />
          )}
          {at !== undefined && <rect class="cursor" x={LEFT + at * step} width={step} y={TOP} height={plot.height} />}
          {points.map((point, index) => {
            let below = 0;
            return keys.map((key) => {
              const value = point.v[key] ?? 0;
              if (value <= 0) return null;
              const from = y(below);
              below += value;
              const height = Math.max(from - y(below), 1.5);
              const gap = height > 4 ? 1 : 0;
              const box = { x: x(index), y: from - height, width: bar, height: height - gap };
              return (
                <g key={point.t + key}>
                  <rect class={`fill-${key}`} {...box} />
                  <rect fill={`url(#tex-${key})`} {...box} />
                </g>
              );
            });
          })}
          {marks.map(({ t, text }) => {
            const index = points.findIndex((point) => t < after(point.t, bucket));
            return (
              index >= 0 &&
              t >= points[0]!.t && (
                <g key={t} class="happened">
                  <title>{text}</title>
                  <path d={`M${LEFT + index * step} ${TOP}v${plot.height}`} />
                  <path class="flag" d={`M${LEFT + index * step} ${TOP}l7 4l-7 4z`} />
                </g>
              )
            );
          })}
          {points.map((point, index) =>
            (points.length - 1 - index) % every === 0 && LEFT + (index + 0.5) * step > LEFT + 16 ? (
              <text key={point.t} class="tick" x={Math.min(LEFT + (index + 0.5) * step, width - 20)} y={HEIGHT - 4} text-anchor="middle">
                {day(point.t).replace(/ \d{4}$/, '')}
              </text>
            ) : null,
          )}
        </svg>
        {chosen && at !== undefined && (
          <div
            class="tip"
            aria-hidden="true"
            style={tipRight ? { right: `${width - x(at) + 8}px` } : { left: `${x(at) + bar + 8}px` }}
          >
            <strong>
              {bucket === 'day' ? '' : `${bucket} from `}
              {day(chosen.t)}: {count(sum(chosen, keys))}
            </strong>
            <Legend slices={[...keys].reverse().map((name) => ({ name, label: label(name), value: chosen.v[name] ?? 0 }))} />
            {!chosen.complete && <small>reports still arriving</small>}
          </div>
        )}
      </div>
      <figcaption>
        <details>
          <summary>As a table</summary>
          <p>{text}</p>
          <Table
            csv={csv}
            label={`${noun}s by ${bucket}`}
            rows={[...points].reverse()}
            rowKey={(point) => point.t}
            columns={[
              {
                id: 't',
                title: bucket === 'day' ? 'Day' : `${bucket} from`,
                lead: true,
                cell: (point) => (
                  <>
                    {link ? <a href={link(point.t, after(point.t, bucket))}>{point.t}</a> : point.t}
                    {!point.complete && <small> still arriving</small>}
                  </>
                ),
              },
              { id: 'all', title: 'All', number: true, cell: (point) => count(sum(point, keys)) },
              ...keys.map((key) => ({
                id: key,
                title: label(key),
                number: true,
                cell: (point: Point) => count(point.v[key] ?? 0),
              })),
            ]}
          />
        </details>
      </figcaption>
    </figure>
  );
}
