// reporters.tsx - who reports: how regularly, how late, in which form, and what is odd about it.
import { useList } from '../api/ask';
import type { ReporterItem } from '../api/types';
import { numbers, texts, times } from '../components/columns';
import { Filters } from '../components/filters';
import { Heat, Num, Share } from '../components/marks';
import { Nothing } from '../components/nothing';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { Said } from '../components/told';
import { count, day, plural } from '../format';
import { href } from '../router';
import { useScope } from '../scope';
import { addDays, type Window } from '../window';

const NAMES = ['q'] as const;
const ARRIVING = 2 * 86_400_000; // so long a day's reports may yet come
export const DIALECTS: Record<string, string> = { rfc9990: 'RFC 9990', rfc7489: 'RFC 7489', draft: 'a draft before RFC 7489' };

// How long after a period's end its report comes.
export function late(seconds: number): string {
  const hours = Math.round(seconds / 3600);
  return hours < 1 ? (seconds < 0 ? 'before its end' : 'within the hour') : hours < 36 ? `${hours} h later` : `${Math.round(hours / 24)} days later`;
}

function Coverage({ item: { coverage, days }, window }: { item: ReporterItem; window: Window }) {
  const span = Math.max(1, Math.round(window.days / Math.max(1, coverage.length)));
  const gaps = coverage.flatMap((n, index) => (n > 0 ? [] : [addDays(window.from, index * span)])).filter((at) => Date.parse(at) < Date.now() - ARRIVING);
  return (
    <>
      <Heat values={coverage} noun="report" />
      <small>
        {count(days)} of {plural(window.days, 'day')}
        {gaps.length > 0 && gaps.length <= 4 && `, none on ${gaps.map((at) => day(at)).join(', ')}`}
      </small>
    </>
  );
}

const columns = (window: Window): Column<ReporterItem>[] => [
  ...texts<ReporterItem>(['org_name'], {
    title: 'Reporter',
    lead: true,
    cell: (item) => (
      <>
        <Text value={item.org_name} max={40} expand absent="unnamed" />
        <small class="block">
          <Text value={item.emails.join(', ')} max={60} expand />
        </small>
      </>
    ),
  }),
  ...numbers<ReporterItem>(['reports'], { cell: (item) => <Num n={item.reports} to={href('reports', { reporter: item.org_name ?? '' })} /> }),
  ...numbers<ReporterItem>(['messages'], { cell: (item) => <Num n={item.messages} to={href('records', { reporter: item.org_name ?? '' })} /> }),
  {
    id: 'pass',
    title: 'Passed',
    number: true,
    sort: ({ pass, messages }) => pass / (messages || 1),
    cell: (item) => <Share part={item.pass} whole={item.messages} />,
  },
  { id: 'coverage', title: 'Days with reports', sort: ({ days }) => days, cell: (item) => <Coverage item={item} window={window} /> },
  {
    id: 'lateness',
    title: 'After the period',
    sort: ({ lateness }) => lateness ?? Infinity,
    cell: ({ lateness }) => (lateness === null ? '–' : late(lateness)),
  },
  ...texts<ReporterItem>(['dialects'], { title: 'Written as', roomy: false, cell: ({ dialects }) => dialects.map((dialect) => DIALECTS[dialect] ?? dialect).join(', ') }),
  {
    id: 'notes',
    title: 'Oddities',
    sort: (item) => item.notes_total,
    cell: ({ notes, notes_total: all }) =>
      all > 0 ? (
        <details class="notes">
          <summary>{plural(all, 'note')}</summary>
          <ul>
            {notes.map(({ code, n }) => (
              <li key={code}>
                <b>{code}</b> <Said topic="notes" term={code} /> <span class="faint">{count(n)}</span>
              </li>
            ))}
          </ul>
        </details>
      ) : (
        'none'
      ),
  },
  ...times<ReporterItem>(['last_report_at'], { title: 'Last report' }),
];

export function Reporters() {
  const { filtered, window } = useScope();
  return (
    <>
      <Filters names={NAMES} />
      <section class="card flush">
        <ListTable
          label="Reporters"
          noun="reporter"
          list={useList<ReporterItem>('reporters', { ...filtered(NAMES), limit: 100 })}
          columns={columns(window)}
          rowKey={(item) => item.org_name ?? ''}
          sortable
          empty={<Nothing noun="reporter" filters={NAMES} />}
        />
      </section>
    </>
  );
}
