// figures.tsx - the totals of a summary as figures, each a link to the mail behind it.
import type { Summary } from '../api/types';
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
  return (
    <dl class="stats">
      <Stat label="Messages" note={previous ? previous.messages > 0 && `${count(previous.messages)} before` : <Standing tally={totals} />}>
        <Num n={totals.messages} to={to()} />
      </Stat>
      <Stat label="DKIM aligned" note={`${count(totals.dkim_only)} only by DKIM`}>
        <a href={to({ dkim: 'pass' })}>{percent(totals.dkim_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="SPF aligned" note={`${count(totals.spf_only)} only by SPF`}>
        <a href={to({ spf: 'pass' })}>{percent(totals.spf_aligned, totals.messages)}</a>
      </Stat>
      <Stat label="Failed" note={percent(failed, totals.messages)}>
        <Num n={failed} to={to({ result: 'fail' })} />
      </Stat>
      {[quarantined, rejected].map(({ name, label, value }) => (
        <Stat key={name} label={titled(label)}>
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
