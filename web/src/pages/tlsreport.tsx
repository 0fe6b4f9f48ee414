// tlsreport.tsx - one TLS report: how the sessions of a sender went, policy by policy.
import type { TlsReport } from '../api';
import { One } from '../components/asked';
import { number, text } from '../components/columns';
import { Facts } from '../components/facts';
import { Notes } from '../components/record';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { count, moment } from '../format';
import type { PageEntry } from '.';
import { Lines } from './failure';
import { typeWords } from './tls';

type Policy = TlsReport['policy'][number];

const columns: Column<Policy['failure_details'][number]>[] = [
  text('result_type', 'Failure', { lead: true }),
  number('failed_session_count', 'Sessions'),
  text('receiving_mx_hostname', 'MX'),
  text('receiving_ip', 'MX address'),
  text('receiving_mx_helo', 'HELO'),
  text('sending_mta_ip', 'Sent from'),
  text('failure_reason_code', 'Reason'),
  text('additional_information', 'More'),
];

const said = (n: number | null) => (n === null ? 'not said' : count(n));

const PolicyCard = ({ policy }: { policy: Policy }) => (
  <section class="card">
    <h2>
      <Text value={policy.policy_domain} max={60} absent="No domain" />
    </h2>
    <Facts
      rows={[
        ['Policy', typeWords(policy.policy_type)],
        ['Sessions successful', said(policy.successful)],
        ['Sessions failed', said(policy.failed)],
        ['MX hosts', policy.mx_host],
        ['As found', policy.policy_string && policy.policy_string.length > 0 && <Lines label="The policy as found" lines={policy.policy_string} />],
      ]}
    />
    {policy.failure_details.length > 0 && (
      <Table label={`Failures of policy ${policy.policy_no}`} rows={policy.failure_details} rowKey={(one) => String(policy.failure_details.indexOf(one))} columns={columns} />
    )}
  </section>
);

const TlsReportPage = () => (
  <One<TlsReport> path="tls/reports" back={['tls', 'TLS']} label="TLS report" name={(report) => <>TLS report by <Text value={report.organization_name} max={60} absent="unnamed" /></>}>
    {(report) => (
      <>
        <section class="card">
          <h2>Report</h2>
          <Facts
            rows={[
              ['Sessions successful', count(report.successful)],
              ['Sessions failed', count(report.failed)],
              ['Contact', report.contact_info],
              ['Report ID', report.report_id],
              ['Begins', moment(report.start_datetime)],
              ['Ends', moment(report.end_datetime)],
              ['Received', moment(report.received_at)],
            ]}
          />
          <Notes notes={report.notes} />
        </section>
        {report.policy.map((policy) => (
          <PolicyCard key={policy.policy_no} policy={policy} />
        ))}
      </>
    )}
  </One>
);

export const tlsreport: PageEntry = { path: 'tlsreport', title: 'TLS report', nav: false, id: 'id', view: TlsReportPage };
