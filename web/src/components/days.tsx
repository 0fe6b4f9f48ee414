// days.tsx - messages by class and day (or week, month) as a card with a chart.
import { csvUrl, useApi } from '../api/ask';
import type { Summary, Timeseries } from '../api/types';
import { href, type Params } from '../router';
import type { Scope } from '../scope';
import { bucketFor, stretch } from '../window';
import { Asked } from './asked';
import { type Marks, StackedBars } from './chart';
import { Switch } from './filters';
import { classSlices, Legend, Swatch } from './marks';

// marks: days on which something happened. filters: of which mail, of the scope.
export function Days({ scope, summary, marks, filters = {} }: { scope: Scope; summary: Pick<Summary, 'totals'>; marks?: Marks; filters?: Params }) {
  const bucket = bucketFor(scope.window);
  const params = { ...scope.params, ...filters, by: 'class', bucket };
  const answer = useApi<Timeseries>('timeseries', params);
  const failing = scope.query.get('chart') === 'failed';
  const slices = classSlices(summary.totals.by_class).filter(({ name, value }) => value > 0 && !(failing && name === 'pass'));
  return (
    <section class="card">
      <div class="head">
        <h2>Messages by {bucket}</h2>
        <Switch name="chart" label="What the chart shows" choices={[['', 'All'], ['failed', 'Failed only']]} />
      </div>
      <Legend slices={slices} to={(name) => href('records', { ...filters, class: name })}>
        {answer.data?.points.some((point) => !point.complete) && (
          <li>
            <Swatch name="arriving" /> reports still arriving
          </li>
        )}
      </Legend>
      <Asked answer={answer} label="the chart">
        {(series) => (
          <StackedBars
            series={series}
            keys={slices.map(({ name }) => name)}
            words={scope.window.words}
            link={(from, to) => href('records', { ...filters, ...stretch(from, to) })}
            marks={marks}
            csv={csvUrl('timeseries', params)}
          />
        )}
      </Asked>
    </section>
  );
}
