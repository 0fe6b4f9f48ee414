// todo.tsx - what to do next: the points of "advice", the most harmful first, and what needs nothing to be done.
import { useApi } from '../api/ask';
import type { Advice, Point } from '../api/types';
import { count, day, percent } from '../format';
import { href } from '../router';
import type { Scope } from '../scope';
import { useText } from '../texts';
import { Asked } from './asked';
import { Icon } from './marks';
import { SetupWords } from './setup';
import { Said } from './told';
import { Text } from './text';

// Numbers and times as people read them.
function blanks(values: Partial<Point>) {
  const said: Record<string, string> = {};
  for (const [key, value] of Object.entries(values))
    if (value !== null && typeof value !== 'object') said[key] = typeof value === 'number' ? count(value) : /since|until/.test(key) ? day(String(value)) : String(value);
  return said;
}

// Where it is done.
const place = ({ code, source, domain }: Point) =>
  code === 'silent_reporter' ? href('intake') : source ? href('source', { key: source }) : href('domain', { domain: '', subdomains: '', name: domain ?? '' });

function One({ point }: { point: Point }) {
  const { lang, text } = useText();
  const { code, source, domain, fix, name, action } = point;
  const said = blanks(point);
  return (
    <li>
      <span class="who">
        <Icon name={point.mood} />
        <a href={place(point)}>
          <Text value={source ? name : (domain ?? name)} max={60} />
        </a>
      </span>
      {source && point.of !== null && (
        <a class="amount" href={href('records', { source, result: 'fail' })}>
          <b>{count(point.messages ?? 0)}</b> failed
        </a>
      )}
      <p class="say" lang={point.text ? undefined : lang}>
        <Text value={point.text ?? text('todo', code, said)} max={400} expand />
      </p>
      <p lang={lang}>
        {point.of !== null && text('todo', 'evidence', said)}{' '}
        {fix ? <Text value={fix} max={200} expand /> : action && text('actions', action, said)}
      </p>
      {point.setup && <SetupWords setup={point.setup} />}
    </li>
  );
}

const Points = ({ points }: { points: readonly Point[] }) => (
  <ol class="attention">
    {points.map((point) => (
      <One key={`${point.code} ${point.source} ${point.domain} ${point.name} ${point.text}`} point={point} />
    ))}
  </ol>
);

function List({ advice: { items, more, total, strangers, forwarders, reports_until: until } }: { advice: Advice }) {
  const rest = total - items.length - more.length;
  return (
    <>
      {items.length > 0 ? (
        <Points points={items} />
      ) : (
        <p class="calm">
          <Icon name="good" /> <Said topic="todo" term="nothing" blanks={{ until: until ? day(until) : '–' }} />
        </p>
      )}
      {more.length > 0 && (
        <details class="more">
          <summary><Said topic="todo" term="more" blanks={{ more: count(total - items.length) }} /></summary>
          <Points points={more} />
          {rest > 0 && <p class="foot"><Said topic="todo" term="rest" blanks={{ rest: count(rest) }} /></p>}
        </details>
      )}
      {strangers.senders > 0 && <p class="foot"><Said topic="todo" term="strangers" blanks={blanks({ ...strangers, stopped: percent(strangers.rejected + strangers.quarantined, strangers.messages) } as Partial<Point>)} /></p>}
      {forwarders.senders > 0 && <p class="foot"><Said topic="todo" term="forwarders" blanks={blanks(forwarders as Partial<Point>)} /></p>}
    </>
  );
}

export function Todo({ scope }: { scope: Scope }) {
  return (
    <section class="card">
      <h2>What to do</h2>
      <Asked answer={useApi<Advice>('advice', scope.params)} label="what to do">
        {(advice) => <List advice={advice} />}
      </Asked>
    </section>
  );
}
