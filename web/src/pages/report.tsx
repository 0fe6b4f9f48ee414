// report.tsx - one report: who says it, of which policy, and every record in it.
import type { ComponentChildren } from 'preact';
import { type Note, type Rec, type Report, type ReportRecord, useApi, useList } from '../api';
import { Stat } from '../components/marks';
import { Notes, recordColumns } from '../components/record';
import { Empty, Failed, Skeleton } from '../components/states';
import { ListTable, Table } from '../components/table';
import { Text } from '../components/text';
import { count, moment, percent, plural } from '../format';
import { filter, href, useLocation } from '../router';
import type { PageEntry } from '.';

const DIALECTS: Record<string, string> = {
  rfc9990: 'RFC 9990',
  rfc7489: 'RFC 7489',
  draft: 'a draft before RFC 7489',
};

function Metadata({ report }: { report: Report }) {
  const meta = report.report_metadata;
  const rows: [string, ComponentChildren][] = [
    ['Reporter', <Text value={meta.org_name} max={120} expand absent="unnamed" />],
    ['Mail address', <Text value={meta.email} max={120} expand />],
    ['Contact', <Text value={meta.extra_contact_info} max={120} expand />],
    ['Report ID', <Text value={meta.report_id} max={120} expand absent="none" />],
    ['Begins', moment(meta.date_range.begin)],
    ['Ends', moment(meta.date_range.end)],
    ['Received', moment(report.received_at)],
    ['Written as', DIALECTS[report.dialect] ?? <Text value={report.dialect} />],
    ['Generator', meta.generator !== null && <Text value={meta.generator} max={120} expand />],
    ['Subject', report.mail && <Text value={report.mail.subject} max={120} expand absent="none" />],
    ['Came again', report.duplicates > 0 && plural(report.duplicates, 'time')],
    ['Contradicted', report.conflicts > 0 && `${plural(report.conflicts, 'time')}, by a report of the same name with other content`],
  ];
  return (
    <section class="card">
      <h2>Report</h2>
      <dl class="facts">
        {rows
          .filter(([, value]) => value)
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

const MODES: Record<string, string> = { r: 'relaxed', s: 'strict' };

function Policy({ report }: { report: Report }) {
  const policy = report.policy_published;
  const rows: [string, string, string | number | null | undefined][] = [
    ['Domain', 'domain', policy.domain],
    ['Policy', 'p', policy.p],
    ['For subdomains', 'sp', policy.sp],
    ['For names that do not exist', 'np', policy.np],
    ['DKIM alignment', 'adkim', policy.adkim],
    ['SPF alignment', 'aspf', policy.aspf],
    ['Testing', 'testing', policy.testing],
    ['Discovery', 'discovery_method', policy.discovery_method],
    ['Percentage (no longer in use)', 'pct', policy.pct],
    ['Failure reports', 'fo', policy.fo],
  ];
  return (
    <section class="card">
      <h2>Policy the reporter found</h2>
      <dl class="facts">
        {rows
          .filter(([, name, value]) => value !== null && value !== undefined || ['p', 'sp', 'adkim', 'aspf'].includes(name))
          .map(([label, name, value]) => (
            <div key={name}>
              <dt>
                {label} <code>{name}</code>
              </dt>
              <dd>
                <Text value={value === null || value === undefined ? null : String(value)} max={80} expand absent="not in the report" />
                {typeof value === 'string' && (name === 'adkim' || name === 'aspf') && MODES[value] && ` (${MODES[value]})`}
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function Remarks({ errors, notes }: { errors: string[]; notes: Note[] }) {
  if (errors.length === 0 && notes.length === 0) return null;
  return (
    <section class="card">
      <h2>Remarks</h2>
      {errors.length > 0 && (
        <>
          <p>The reporter says of its own report:</p>
          <ul class="errors">
            {errors.map((error, index) => (
              <li key={index}>
                <Text value={error} max={200} expand />
              </li>
            ))}
          </ul>
        </>
      )}
      {notes.length > 0 && (
        <>
          <p>What ruad noticed while reading it:</p>
          <Notes notes={notes} />
        </>
      )}
    </section>
  );
}

// A report's record as a list has it.
function listed(record: ReportRecord, report: Report): Rec {
  const { row, identifiers, ...found } = record;
  return {
    ...found,
    ...identifiers,
    ...row.policy_evaluated,
    source_ip: row.source_ip,
    source: null,
    source_name: null,
    label: null,
    rdns: null,
    count: row.count,
    report: report.id,
    domain: report.policy_published.domain,
    org_name: report.report_metadata.org_name,
    begin: report.report_metadata.date_range.begin,
  };
}

const columns = recordColumns({ withReport: false });
const key = (record: Rec) => String(record.record_no);

// All records are here: both views at once.
function Whole({ report, only }: { report: Report; only: boolean }) {
  const rows = report.record.filter((record) => !only || !record.dmarc_pass).map((record) => listed(record, report));
  if (rows.length === 0) return <Empty filters={[]}>{only ? 'No record failed.' : 'The report holds no record.'}</Empty>;
  return <Table label="Records" rows={rows} rowKey={key} columns={columns} sortable />;
}

// A long report: its records come piece by piece.
function Pieces({ report, only }: { report: Report; only: boolean }) {
  const list = useList<Rec>('records', { report: report.id, result: only ? 'fail' : undefined, limit: 500 });
  return (
    <ListTable
      label="Records"
      noun="record"
      list={list}
      columns={columns}
      rowKey={key}
      sortable
      empty={<Empty filters={[]}>No record failed.</Empty>}
    />
  );
}

function Records({ report }: { report: Report }) {
  const { query } = useLocation();
  const only = query.get('result') === 'fail';
  const whole = report.next === null;
  const failures = whole ? count(report.record.filter((record) => !record.dmarc_pass).length) : '';
  return (
    <section class="card flush">
      <div class="head">
        <h2>Records</h2>
        <div class="switch" role="group" aria-label="Which records">
          <button type="button" aria-pressed={!only} onClick={() => filter({ result: '' })}>
            All {count(report.records_total)}
          </button>
          <button type="button" aria-pressed={only} onClick={() => filter({ result: 'fail' })}>
            Only failures {failures}
          </button>
        </div>
      </div>
      <p class="lead">
        <b>Aligned</b> is the receiver’s verdict for the domain in From, and what DMARC counts. <b>Raw</b> is what it measured, for whatever domain.
      </p>
      {whole ? <Whole report={report} only={only} /> : <Pieces report={report} only={only} />}
    </section>
  );
}

function Body({ report }: { report: Report }) {
  const failed = report.messages - report.pass;
  return (
    <>
      <dl class="stats">
        <Stat label="Messages">{count(report.messages)}</Stat>
        <Stat label="Passed">{percent(report.pass, report.messages)}</Stat>
        <Stat label="Failed" note={percent(failed, report.messages)}>
          {count(failed)}
        </Stat>
        <Stat label="Records">{count(report.records_total)}</Stat>
      </dl>
      <div class="two">
        <Metadata report={report} />
        <Policy report={report} />
      </div>
      <Remarks errors={report.report_metadata.error} notes={report.notes} />
      <Records report={report} />
    </>
  );
}

function ReportPage() {
  const { query } = useLocation();
  const id = query.get('id');
  const { data, problem, retry } = useApi<Report>(id ? `reports/${encodeURIComponent(id)}` : undefined);
  return (
    <>
      <p class="crumb">
        <a href={href('reports')}>Reports</a>
      </p>
      <h1 tabIndex={-1}>
        {data ? (
          <>
            <Text value={data.policy_published.domain} max={60} /> <span class="faint">by</span> <Text value={data.report_metadata.org_name} max={60} absent="unnamed" />
          </>
        ) : (
          'Report'
        )}
      </h1>
      {!id ? (
        <Empty filters={[]}>No report is named in the address.</Empty>
      ) : problem ? (
        <Failed problem={problem} retry={retry} />
      ) : !data ? (
        <Skeleton rows={10} label="Loading the report" />
      ) : (
        <Body report={data} />
      )}
    </>
  );
}

export const report: PageEntry = { path: 'report', title: 'Report', nav: false, id: 'id', view: ReportPage };
