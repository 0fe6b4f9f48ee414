// failure.tsx - one failure report: which message failed, how, and the headers it came with.
import type { Failure } from '../api';
import { One } from '../components/asked';
import { Facts } from '../components/facts';
import { Notes } from '../components/record';
import { Text } from '../components/text';
import { count, moment, visible } from '../format';
import type { PageEntry } from '.';
import { failureType, IpLink, Privacy } from './failures';

// Lines of a stranger's text, as they are.
export const Lines = ({ label, lines }: { label: string; lines: string[] }) => (
  <pre tabIndex={0} role="region" aria-label={label}>
    {lines.map((line) => visible(line.replaceAll('\t', '    '))).join('\n')}
  </pre>
);

const Body = ({ report }: { report: Failure }) => (
  <>
    <Privacy />
    <div class="two">
      <section class="card">
        <h2>Message</h2>
        <Facts
          rows={[
            ['Arrived', report.arrival_time ? moment(report.arrival_time) : report.arrival_date],
            ['Source IP', <IpLink ip={report.source_ip} />],
            ['Port', report.source_port],
            ['From', report.header_from],
            ['Envelope from', report.original_mail_from === '' ? '<>' : report.original_mail_from],
            ['Envelope to', report.original_rcpt_to],
            ['Subject', report.subject],
            ['Message-ID', report.message_id],
            ['Envelope ID', report.original_envelope_id],
            ['Reported URI', report.reported_uri],
          ]}
        />
      </section>
      <section class="card">
        <h2>What the reporter says</h2>
        <Facts
          rows={[
            ['Failed', failureType(report)],
            ['Outcome', report.delivery_result],
            ['Authentication', report.authentication_results],
            ['Alignment (RFC 7489: what was aligned, RFC 9991: what was not)', report.identity_alignment],
            ['DKIM domain', report.dkim_domain],
            ['DKIM identity', report.dkim_identity],
            ['DKIM selector', report.dkim_selector],
            ['DKIM key', report.dkim_selector_dns],
            ['SPF record', report.spf_dns],
            ['Reported domain', report.reported_domain],
            ['Messages', report.incidents !== null && count(report.incidents)],
            ['Reporter', report.reporting_mta],
            ['Software', report.user_agent],
            ['Received', moment(report.received_at)],
            ['Mail', report.mail?.subject],
            ['Mail from', report.mail?.header_from],
          ]}
        />
        <Notes notes={report.notes} />
      </section>
    </div>
    {([['Headers', report.original_headers], ['Body', report.original_body]] as const).map(
      ([label, value]) =>
        value !== null && (
          <section key={label} class="card">
            <h2>{label} of the message</h2>
            <Lines label={label} lines={value.split('\n')} />
          </section>
        ),
    )}
  </>
);

const FailurePage = () => (
  <One<Failure> path="failures" back={['failures', 'Failure reports']} label="Failure report" name={({ subject }) => <Text value={subject} max={80} absent="No subject" />}>
    {(report) => <Body report={report} />}
  </One>
);

export const failure: PageEntry = { path: 'failure', title: 'Failure report', nav: false, id: 'id', view: FailurePage };
