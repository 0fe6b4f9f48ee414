// report.tsx - one report: its reporter, the policy, all records, and the mail that contained it.
import { apiUrl, useList } from '../api/ask';
import type { Rec, Report } from '../api/types';
import { One } from '../components/asked';
import { named } from '../components/columns';
import { Facts } from '../components/facts';
import { Switch } from '../components/filters';
import { Num, Stat } from '../components/marks';
import { PolicyWords } from '../components/policy';
import { AUTHENTIC, Notes, recordColumns } from '../components/record';
import { ListTable } from '../components/table';
import { Text } from '../components/text';
import { count, moment, percent, plural } from '../format';
import { changed, href, useLocation } from '../router';
import { DIALECTS } from './reporters';

const TAGS = ['domain', 'p', 'sp', 'np', 'adkim', 'aspf', 'testing', 'discovery_method', 'pct', 'fo'] as const;

// How often it was received again, with a link to these items.
const again = (report: Report, n: number, status: string) => n > 0 && <a href={href('intake', { report: report.id, status })}>{plural(n, 'time')}</a>;

function Head({ report }: { report: Report }) {
  const { report_metadata: meta, policy_published: policy } = report;
  return (
      <div class="two">
        <section class="card">
          <h2>Report</h2>
          <Facts
            rows={[
              ...named(meta, ['org_name', 'email', 'extra_contact_info', 'report_id']),
              ...named(meta.date_range, ['begin', 'end']),
              ...named(meta, ['generator']),
              ['Written as', DIALECTS[report.dialect] ?? report.dialect],
              ['Duplicates received', again(report, report.duplicates, 'duplicate')],
              ['Conflicting copies received', again(report, report.conflicts, 'conflict')],
              ['Errors, as the reporter says', meta.error],
              ['Notes of ruad', report.notes.length > 0 && <Notes notes={report.notes} />],
            ]}
          />
          {meta.org_name && <a href={href('reports', { reporter: meta.org_name })}>All reports of this reporter</a>}
        </section>
        <section class="card">
          <h2>Policy the reporter found</h2>
          <Facts rows={TAGS.map((tag) => [<code>{tag}</code>, policy[tag] === null ? null : String(policy[tag])])} />
          <p class="why">
            <PolicyWords tags={policy} />
          </p>
        </section>
      </div>
  );
}

function Delivery({ report }: { report: Report }) {
  const { mail } = report;
  return (
    <section class="card">
      <h2>Its mail</h2>
      <Facts
        rows={[
          ...named(report, ['received_at']),
          ...(mail ? named(mail, ['subject', 'header_from', 'envelope_from', 'recipients', 'message_id', 'name', 'source']) : []),
          ['Authentic', AUTHENTIC[report.authentic]],
          ['SHA-256', report.sha256],
        ]}
      />
    </section>
  );
}

const columns = recordColumns({ withReport: false });

function Records({ report }: { report: Report }) {
  const only = useLocation().query.get('result') === 'fail';
  const failed = report.record.filter((record) => !record.dmarc_pass).length;
  return (
    <section class="card flush">
      <div class="head">
        <h2>Records</h2>
        <Switch
          name="result"
          label="Which records"
          choices={[['', `All ${count(report.records_total)}`], ['fail', `Only failures ${report.next === null ? count(failed) : ''}`]]}
        />
      </div>
      <ListTable
        label="Records"
        noun="record"
        list={useList<Rec>(`reports/${report.id}/records`, { result: only ? 'fail' : '', limit: 500 })}
        columns={columns}
        rowKey={(record) => String(record.record_no)}
        sortable
        empty={<p class="calm">{only ? 'No record failed.' : 'The report contains no records.'}</p>}
      />
    </section>
  );
}

function Body({ report }: { report: Report }) {
  const path = `reports/${report.id}`;
  const failed = report.messages - report.pass;
  return (
    <>
      <p class="actions">
        <a href={apiUrl(`${path}/xml`, {})} download>
          XML
        </a>
        <a href={apiUrl(path, {})} download={`report-${report.id}.json`}>
          JSON
        </a>
        <button type="button" onClick={() => print()}>
          Print
        </button>
      </p>
      {report.exclusion && (
        <p class="notice warn">
          <strong>This report is excluded.</strong> It is in no number since {moment(report.exclusion.set_at)}, by <Text value={report.exclusion.set_by} max={40} absent="an unknown user" />
          {report.exclusion.reason && (
            <>
              : <Text value={report.exclusion.reason} max={200} expand />
            </>
          )}
        </p>
      )}
      {report.partial && (
        <p class="notice warn">
          <strong>This report is truncated.</strong> Its complete records are shown. A complete copy of the report will replace it.
        </p>
      )}
      <dl class={report.excluded ? 'stats struck' : 'stats'}>
        <Stat label="Messages">{count(report.messages)}</Stat>
        <Stat label="Passed" note={percent(report.pass, report.messages)}>
          {count(report.pass)}
        </Stat>
        <Stat label="Failed" note={percent(failed, report.messages)}>
          <Num n={failed} to={changed({ result: 'fail' })} />
        </Stat>
      </dl>
      <Head report={report} />
      <Records report={report} />
      <Delivery report={report} />
    </>
  );
}

export const ReportPage = () => (
  <One<Report>
    path="reports"
    back={['reports', 'Reports']}
    label="Report"
    name={({ policy_published: { domain }, report_metadata: { org_name } }) => (
      <>
        <Text value={domain} max={60} /> by <Text value={org_name} max={60} absent="nobody" />
      </>
    )}
  >
    {(report) => <Body report={report} />}
  </One>
);
