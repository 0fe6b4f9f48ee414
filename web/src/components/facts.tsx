// facts.tsx - names and what they stand for, one below the other; what is absent is left out.
import type { ComponentChildren } from 'preact';
import { Text } from './text';

export type Fact = [label: ComponentChildren, value: ComponentChildren | string[]];

// A text of the report, or several, never endless.
const shown = (value: Fact[1]) =>
  typeof value === 'string' ? (
    <Text value={value} max={160} expand />
  ) : Array.isArray(value) && typeof value[0] === 'string' ? (
    <ul class="raws">
      {value.map((one, index) => (
        <li key={index}>{shown(one as string)}</li>
      ))}
    </ul>
  ) : (
    (value as ComponentChildren)
  );

export function Facts({ rows }: { rows: Fact[] }) {
  return (
    <dl class="facts">
      {rows.map(([label, value], index) =>
        value === null || value === undefined || value === false || (Array.isArray(value) && value.length === 0) ? null : (
          <div key={index}>
            <dt>{label}</dt>
            <dd>{shown(value)}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
