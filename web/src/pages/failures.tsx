// failures.tsx - failure reports: single messages that failed, which few receivers report.
import { useList } from '../api/ask';
import type { FailureItem } from '../api/types';
import { Feature } from '../components/asked';
import { failureColumns } from '../components/failures';
import { Filters, Switch } from '../components/filters';
import { Copyable, Empty } from '../components/states';
import { ListTable } from '../components/table';
import { Said, Told } from '../components/told';
import { useScope } from '../scope';

const NAMES = ['ip'] as const;

// No such report has ever come.
const Never = () => (
  <section class="card onboarding">
    <h2>
      <Said topic="ui" term="no failure report" />
    </h2>
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
          columns={failureColumns}
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

export const Failures = () => (
  <Feature name="failures" label="failure reports" never={<Never />}>
    <Reports />
  </Feature>
);
