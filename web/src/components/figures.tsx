// figures.tsx - the totals of a summary as figures, each a link to the mail behind it.
import type { ComponentChildren } from 'preact';
import type { Summary, Tally } from '../api/types';
import { count, percent, plural } from '../format';
import { href, type Params } from '../router';
import { titled } from './columns';
import { Num, outcome, Standing, Stat } from './marks';

// filters: of which mail, of the scope. A summary of one source has no more than totals.
export function Figures({ summary, filters = {} }: { summary: Pick<Summary, 'totals'> & Partial<Summary>; filters?: Params }) {
  const { totals, previous, sources, reporters = 0, reports = 0 } = summary;
  const [, quarantined, rejected] = outcome(totals.by_disposition);
  const failed = totals.messages - totals.pass;
  const to = (params: Params = {}) => href('records', { ...filters, ...params });
  // what it was in the window before, which is as long, under what else there is to say
  const before = (words: ComponentChildren, value: (tally: Tally) => string | number) => (
    <>
      {words}
      {previous && previous.messages > 0 && <span class="before">{typeof value(previous) === 'number' ? count(value(previous) as number) : value(previous)} before</span>}
    </>
  );
  return (
    <dl class="stats">
      <Stat label="Messages" note={previous ? before('', (then) => then.messages) : <Standing tally={totals} />}>
        <Num n={totals.messages} to={to()} />
      </Stat>
      <Stat label="DKIM aligned" note={before(`${count(totals.dkim_only)} only by DKIM`, (then) => percent(then.dkim_aligned, then.messages))}>
        <a href={to({ dkim: 'pass' })}>{percent(totals.dkim_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="SPF aligned" note={before(`${count(totals.spf_only)} only by SPF`, (then) => percent(then.spf_aligned, then.messages))}>
        <a href={to({ spf: 'pass' })}>{percent(totals.spf_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="Failed" note={before(percent(failed, totals.messages), (then) => then.messages - then.pass)}>
        <Num n={failed} to={to({ result: 'fail' })} />
      </Stat>
      {[quarantined, rejected].map(({ name, label, value }, index) => (
        <Stat key={name} label={titled(label)} note={before('', ({ by_disposition: by }) => outcome(by)[index + 1]!.value)}>
          <Num n={value} to={to({ disposition: name })} />
        </Stat>
      ))}
      {sources && (
        <>
          <Stat label="Sources" note={`${count(sources.new)} new`}>
            <Num n={sources.total} to={href('sources')} />
          </Stat>
          <Stat label="Reports" note={`from ${plural(reporters, 'reporter')}`}>
            <Num n={reports} to={href('reports')} />
          </Stat>
        </>
      )}
    </dl>
  );
}
