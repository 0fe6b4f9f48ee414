// reports.tsx - the received reports, newest first.
import { useList } from '../api/ask';
import type { ReportItem } from '../api/types';
import { numbers, texts } from '../components/columns';
import { Filters } from '../components/filters';
import { Num, Share } from '../components/marks';
import { Nothing } from '../components/nothing';
import { ReportStatus } from '../components/record';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { moment, period, plural } from '../format';
import { FILTERS, href, type Params } from '../router';
import { useScope } from '../scope';

const one = (report: ReportItem, params: Params = {}) => href('report', { id: report.id, ...params });

const columns: Column<ReportItem>[] = [
  ...texts<ReportItem>(['org_name'], {
    title: 'Reporter',
    lead: true,
    cell: (report) => (
      <>
        <a href={one(report)}>
          <Text value={report.org_name} max={40} absent="unnamed" />
        </a>
        <small class="block">
          <Text value={report.report_id} max={44} absent="no id" />
        </small>
      </>
    ),
  }),
  ...texts<ReportItem>(['domain'], {
    cell: ({ domain }) => (
      <a href={href('domain', { domain: '', name: domain })}>
        <Text value={domain} max={60} />
      </a>
    ),
  }),
  { id: 'begin', title: 'Period', sort: ({ begin }) => begin, cell: ({ begin, end }) => <span class="time">{period(begin, end)}</span> },
  ...numbers<ReportItem>(['messages'], { main: true, cell: (report) => <Num n={report.messages} to={one(report)} /> }),
  {
    id: 'pass',
    title: 'Passed',
    number: true,
    main: true,
    sort: ({ pass, messages }) => pass / (messages || 1),
    cell: (report) => <Share part={report.pass} whole={report.messages} />,
  },
  ...numbers<ReportItem>(['fail'], { title: 'Failed', cell: (report) => <Num n={report.fail} to={one(report, { result: 'fail' })} /> }),
  ...numbers<ReportItem>(['records']),
  { id: 'received_at', title: 'Received', sort: (report) => report.received_at, cell: (report) => <span class="time">{moment(report.received_at)}</span> },
  {
    id: 'status',
    title: 'Status',
    cell: (report) => (
      <>
        <ReportStatus report={report} />
        {report.solicited === false && <small class="block">unsolicited</small>}
        {report.notes_total > 0 && <small class="block">{plural(report.notes_total, 'note')}</small>}
      </>
    ),
  },
];

export function Reports() {
  const { filtered, query } = useScope();
  // An id is looked for at all dates, unless a window was chosen.
  const always = query.get('report_id') && !['window', 'from'].some((name) => query.has(name)) ? { from: '', to: '' } : {};
  return (
    <>
      <Filters names={['reporter', 'report_id', 'ip']} more={['result', 'class', 'source', 'header_from', 'disposition', 'override', 'label', 'q', 'others']} />
      <section class="card flush">
        <ListTable
          label="Reports"
          noun="report"
          list={useList<ReportItem>('reports', { ...filtered([...FILTERS, 'report_id']), ...always, limit: 100 })}
          columns={columns}
          rowKey={({ id }) => id}
          struck={({ excluded }) => excluded}
          sortable
          empty={<Nothing noun="report" filters={[...FILTERS, 'report_id']} />}
        />
      </section>
    </>
  );
}
