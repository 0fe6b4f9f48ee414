// audit.tsx - who did what in the window, for those who may see it.
import { useList } from '../api/ask';
import type { AuditEntry } from '../api/types';
import { texts } from '../components/columns';
import { Filters } from '../components/filters';
import { Nothing } from '../components/nothing';
import { type Column, ListTable } from '../components/table';
import { Text } from '../components/text';
import { Told } from '../components/told';
import { moment } from '../format';
import { useScope } from '../scope';

const FIELDS = ['action', 'user'] as const;

// "excluded: true, reports: 12": what an entry has beside the rest.
const details = (detail: AuditEntry['detail']) =>
  Object.entries(detail ?? {})
    .flatMap(([name, value]) => (value === null ? [] : `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`))
    .join(', ');

const columns: Column<AuditEntry>[] = [
  { id: 'at', title: 'When', lead: true, cell: ({ at }) => <span class="time">{moment(at)}</span> },
  ...texts<AuditEntry>(['user_name'], { title: 'User', main: true }),
  { id: 'action', title: 'Action', main: true, cell: ({ action }) => <Text value={action.replaceAll('_', ' ')} /> },
  ...texts<AuditEntry>(['object'], { title: 'Of what' }),
  { id: 'detail', title: 'Detail', roomy: true, cell: ({ detail }) => <Text value={details(detail) || null} max={120} expand /> },
  { id: 'via', title: 'Via', cell: ({ via, token }) => [via, token].filter(Boolean).join(' ') },
  ...texts<AuditEntry>(['client'], { title: 'From' }),
];

export function Audit() {
  const scope = useScope();
  const { from, to } = scope.params;
  return (
    <>
      <h1 tabIndex={-1}>Audit log</h1>
      <Told topic="pages" term="audit" />
      <Filters names={FIELDS} />
      <section class="card flush">
        <ListTable
          label="Audit log"
          noun="entry"
          list={useList<AuditEntry>('audit', { from, to, ...scope.filtered(FIELDS), domain: undefined, subdomains: undefined, limit: 100 })}
          columns={columns}
          rowKey={(row) => JSON.stringify(row)}
          empty={<Nothing noun="entry" filters={FIELDS} />}
        />
      </section>
    </>
  );
}
