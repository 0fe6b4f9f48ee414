// reports.tsx - the reports that came in, newest first.
import { type ReportItem, useList } from '../api';
import { Filters } from '../components/filters';
import { Share } from '../components/marks';
import { Empty } from '../components/states';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { count, moment, period } from '../format';
import { href } from '../router';
import { useScope } from '../scope';
import type { PageEntry } from '.';

const columns: Column<ReportItem>[] = [
  {
    id: 'org_name',
    title: 'Reporter',
    lead: true,
    sort: (report) => (report.org_name ?? '').toLowerCase(),
    cell: (report) => (
      <>
        <a href={href('report', { id: report.id })}>
          <Text value={report.org_name} max={40} absent="unnamed" />
        </a>
        <small class="block">
          <Text value={report.report_id} max={44} absent="no id" />
        </small>
      </>
    ),
  },
  { id: 'domain', title: 'Domain', sort: (report) => report.domain, cell: (report) => <Text value={report.domain} max={60} /> },
  { id: 'begin', title: 'Period', sort: (report) => report.begin, cell: (report) => <span class="time">{period(report.begin, report.end)}</span> },
  { id: 'messages', title: 'Messages', number: true, sort: (report) => report.messages, cell: (report) => count(report.messages) },
  {
    id: 'pass',
    title: 'Passed',
    number: true,
    sort: (report) => (report.messages > 0 ? report.pass / report.messages : -1),
    cell: (report) => <Share part={report.pass} whole={report.messages} />,
  },
  {
    id: 'failed',
    title: 'Failed',
    number: true,
    sort: (report) => report.messages - report.pass,
    cell: (report) => count(report.messages - report.pass),
  },
  { id: 'records', title: 'Records', number: true, sort: (report) => report.records, cell: (report) => count(report.records) },
  { id: 'received_at', title: 'Received', sort: (report) => report.received_at, cell: (report) => <span class="time">{moment(report.received_at)}</span> },
];

function Reports() {
  const { params, query, window } = useScope();
  const list = useList<ReportItem>('reports', {
    ...params,
    ip: query.get('ip') || undefined,
    reporter: query.get('reporter') || undefined,
    limit: 100,
  });
  return (
    <>
      <h1 tabIndex={-1}>Reports</h1>
      <p class="lead">What receivers sent about your domains.</p>
      <Filters names={['reporter', 'ip']} />
      <section class="card flush">
        <ListTable
          label="Reports"
          noun="report"
          list={list}
          columns={columns}
          rowKey={(report) => report.id}
          sortable
          empty={<Empty filters={['reporter', 'ip', 'domain']}>No report matches in {window.words}.</Empty>}
        />
      </section>
    </>
  );
}

export const reports: PageEntry = { path: 'reports', title: 'Reports', nav: true, view: Reports };
