// tlsreport.tsx - one TLS report: how the sessions of a sender went, policy by policy.
import type { TlsReport } from '../api/types';
import { One } from '../components/asked';
import { named, numbers, texts } from '../components/columns';
import { Facts } from '../components/facts';
import { Notes } from '../components/record';
import { type Column, Table } from '../components/table';
import { Text } from '../components/text';
import { Lines } from './failure';

type Policy = TlsReport['policy'][number];

type Detail = Policy['failure_details'][number];
const columns: Column<Detail>[] = [
  ...texts<Detail>(['result_type'], { lead: true }),
  ...numbers<Detail>(['failed_session_count']),
  ...texts<Detail>(['receiving_mx_hostname', 'receiving_ip', 'receiving_mx_helo', 'sending_mta_ip', 'failure_reason_code', 'additional_information']),
];

const PolicyCard = ({ policy }: { policy: Policy }) => (
  <section class="card">
    <h2>
      <Text value={policy.policy_domain} max={60} absent="No domain" />
    </h2>
    <Facts
      rows={[
        ...named(policy, ['policy_type', 'successful', 'failed', 'mx_host']),
        ['Policy string', policy.policy_string && policy.policy_string.length > 0 && <Lines label="Policy string" lines={policy.policy_string} />],
      ]}
    />
    {policy.failure_details.length > 0 && (
      <Table label={`Failures of policy ${policy.policy_no}`} rows={policy.failure_details} rowKey={(one) => String(policy.failure_details.indexOf(one))} columns={columns} />
    )}
  </section>
);

const Body = ({ report }: { report: TlsReport }) => (
  <>
    <section class="card">
      <h2>Report</h2>
      <Facts rows={named(report, ['organization_name', 'contact_info', 'report_id', 'start_datetime', 'end_datetime', 'received_at', 'successful', 'failed'])} />
      <Notes notes={report.notes} explained />
    </section>
    {report.policy.map((policy) => (
      <PolicyCard key={policy.policy_no} policy={policy} />
    ))}
  </>
);

export const TlsReportPage = () => (
  <One<TlsReport> path="tls/reports" back={['tls', 'TLS']} label="TLS report" name={(report) => <>TLS report by <Text value={report.organization_name} max={60} absent="unnamed" /></>}>
    {(report) => <Body report={report} />}
  </One>
);
