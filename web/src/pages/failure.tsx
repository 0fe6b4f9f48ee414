// failure.tsx - one failure report: which message failed, how, and the headers it came with.
import type { Failure } from '../api/types';
import { One } from '../components/asked';
import { named } from '../components/columns';
import { Facts } from '../components/facts';
import { Notes } from '../components/record';
import { Text } from '../components/text';
import { Told } from '../components/told';
import { visible } from '../format';
import { IpLink } from '../components/marks';

// Lines of a stranger's text, as they are.
export const Lines = ({ label, lines }: { label: string; lines: string[] }) => (
  <pre tabIndex={0} role="region" aria-label={label}>
    {lines.map((line) => visible(line.replaceAll('\t', '    '))).join('\n')}
  </pre>
);

const Body = ({ report }: { report: Failure }) => (
  <>
    <Told topic="pages" term="failures" />
    <div class="two">
      <section class="card">
        <h2>Message</h2>
        <Facts
          rows={[
            ...named(report, ['header_from', 'original_mail_from', 'original_rcpt_to', 'subject', 'message_id', 'arrival_date', 'original_envelope_id', 'reported_uri']),
            ['Source IP', <IpLink ip={report.source_ip} />],
            ...named(report, ['source_port']),
          ]}
        />
      </section>
      <section class="card">
        <h2>What the reporter says</h2>
        <Facts
          rows={[
            ...named(report, ['auth_failure', 'feedback_type', 'delivery_result', 'authentication_results']),
            ['Identity alignment (RFC 7489: of what was aligned, RFC 9991: of what was not)', report.identity_alignment],
            ...named(report, ['dkim_domain', 'dkim_identity', 'dkim_selector', 'dkim_selector_dns', 'spf_dns', 'reported_domain', 'incidents', 'reporting_mta', 'user_agent', 'received_at']),
          ]}
        />
        <Notes notes={report.notes} explained />
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

export const FailurePage = () => (
  <One<Failure> path="failures" back={['failures', 'Failure reports']} label="Failure report" name={({ subject }) => <Text value={subject} max={80} absent="No subject" />}>
    {(report) => <Body report={report} />}
  </One>
);
