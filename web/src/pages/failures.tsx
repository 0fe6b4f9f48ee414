// failures.tsx - failure reports: single messages that failed, as few receivers tell of them.
import { type FailureItem, useList } from '../api';
import { Feature } from '../components/asked';
import { texts } from '../components/columns';
import { Filters, Switch } from '../components/filters';
import { IpLink } from '../components/marks';
import { Copyable, Empty } from '../components/states';
import { type Column, ListTable } from '../components/table';
import { Told } from '../components/told';
import { Text } from '../components/text';
import { moment } from '../format';
import { href } from '../router';
import { useScope } from '../scope';
import type { PageEntry } from '.';

const NAMES = ['ip'] as const;

export const columns: Column<FailureItem>[] = [
  {
    id: 'begin',
    title: 'Arrived',
    lead: true,
    sort: ({ begin }) => begin,
    cell: ({ id, begin }) => (
      <a class="time" href={href('failure', { id })}>
        {moment(begin)}
      </a>
    ),
  },
  ...texts<FailureItem>(['auth_failure'], { roomy: false, cell: (item) => <Text value={item.auth_failure ?? item.feedback_type} max={24} /> }),
  ...texts<FailureItem>(['source_ip'], { roomy: false, cell: (item) => <IpLink ip={item.source_ip} /> }),
  ...texts<FailureItem>(['header_from'], {
    cell: (item) => (
      <>
        <Text value={item.header_from} max={60} />
        <small class="block">
          mail from <Text value={item.original_mail_from} max={60} />
        </small>
      </>
    ),
  }),
  ...texts<FailureItem>(['subject'], { main: true }),
  ...texts<FailureItem>(['reporting_mta'], { main: true, cell: ({ reporting_mta: name }) => <Text value={name?.replace(/^dns; */, '')} max={60} /> }),
  ...texts<FailureItem>(['delivery_result'], { roomy: false }),
];

// No such report has ever come.
const Never = () => (
  <section class="card onboarding">
    <h2>No failure report has ever come in</h2>
    <Told term="first failure report" />
    <Copyable text={'_dmarc.example.com. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@example.com; ruf=mailto:dmarc-full@example.com; fo=1"'} />
  </section>
);

function Reports() {
  const { filtered, query, window } = useScope();
  return (
    <>
      <Filters names={NAMES} />
      <section class="card flush">
        <Switch name="kind" label="Kind" choices={[['', 'All'], ['failure', 'DMARC failures'], ['feedback', 'Other feedback']]} />
        <ListTable
          label="Failure reports"
          noun="failure report"
          list={useList<FailureItem>('failures', { ...filtered(NAMES), kind: query.get('kind') ?? '', limit: 100 })}
          columns={columns}
          rowKey={({ id }) => id}
          sortable
          empty={
            <Empty filters={['kind', 'ip', 'domain']} counted={false}>
              No failure report matches in {window.words}.
            </Empty>
          }
        />
      </section>
    </>
  );
}

const Failures = () => (
  <Feature name="failures" label="failure reports" never={<Never />}>
    <Reports />
  </Feature>
);

export const failures: PageEntry = { path: 'failures', title: 'Failures', nav: true, feature: 'failures', view: Failures };
