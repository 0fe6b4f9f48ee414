// report.tsx - one report: who says it, of which policy, and every record in it.
import { type Note, type Rec, type Report, useApi } from '../api';
import { Stat } from '../components/marks';
import { Notes, recordColumns } from '../components/record';
import { Empty, Failed, Skeleton } from '../components/states';
import { Table } from '../components/table';
import { Text } from '../components/text';
import { count, moment, percent } from '../format';
import { filter, href, useLocation } from '../router';
import type { PageEntry } from '.';

const DIALECTS: Record<string, string> = {
  rfc9990: 'RFC 9990',
  rfc7489: 'RFC 7489',
  draft: 'a draft before RFC 7489',
};

function Metadata({ report }: { report: Report }) {
  const rows: [string, preact.ComponentChildren][] = [
    ['Reporter', <Text value={report.org_name} max={120} expand absent="unnamed" />],
    ['Mail address', <Text value={report.email} max={120} expand />],
    ['Contact', <Text value={report.extra_contact_info} max={120} expand />],
    ['Report ID', <Text value={report.report_id} max={120} expand absent="none" />],
    ['Begins', moment(report.begin)],
    ['Ends', moment(report.end)],
    ['Received', moment(report.received_at)],
    ['Written as', DIALECTS[report.dialect] ?? <Text value={report.dialect} />],
    ['Generator', <Text value={report.generator} max={120} expand />],
  ];
  return (
    <section class="card">
      <h2>Report</h2>
      <dl class="facts">
        {rows.map(([label, value]) => (
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

const SHOWN = 200; // rows put into the page at a time: a report may have 100,000

function Records({ records }: { records: Rec[] }) {
  const { query } = useLocation();
  const only = query.get('result') === 'fail';
  const failures = records.filter((record) => record.class !== 'pass');
  const rows = only ? failures : records;
  const pieces = Math.max(1, Number(query.get('show')) || 1);
  const shown = rows.slice(0, SHOWN * pieces);
  return (
    <section class="card flush">
      <div class="head">
        <h2>Records</h2>
        <div class="switch" role="group" aria-label="Which records">
          <button type="button" aria-pressed={!only} onClick={() => filter({ result: '', show: '' })}>
            All {count(records.length)}
          </button>
          <button type="button" aria-pressed={only} onClick={() => filter({ result: 'fail', show: '' })}>
            Only failures {count(failures.length)}
          </button>
        </div>
      </div>
      <p class="lead">
        <b>Aligned</b> is the receiver’s verdict for the domain in From, and what DMARC counts. <b>Raw</b> is what it measured, for whatever domain.
      </p>
      {shown.length === 0 ? (
        <Empty filters={[]}>{only ? 'No record failed.' : 'The report holds no record.'}</Empty>
      ) : (
        <Table label="Records" rows={shown} rowKey={(record) => record.id} columns={recordColumns({ withReport: false })} sortable />
      )}
      {shown.length < rows.length && (
        <p class="foot">
          <span role="status">
            {count(shown.length)} of {count(rows.length)} records
          </span>
          <button type="button" onClick={() => filter({ show: pieces + 1 })}>
            Show more
          </button>
        </p>
      )}
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
        <Stat label="Records">{count(report.records)}</Stat>
      </dl>
      <div class="two">
        <Metadata report={report} />
        <Policy report={report} />
      </div>
      <Remarks errors={report.error ?? []} notes={report.notes ?? []} />
      <Records records={report.record} />
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
            <Text value={data.policy_published.domain} max={60} /> <span class="faint">by</span> <Text value={data.org_name} max={60} absent="unnamed" />
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

export const report: PageEntry = { path: 'report', title: 'Report', nav: false, view: ReportPage };
