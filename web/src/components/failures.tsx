// failures.tsx - the columns of a list of failure reports.
import type { FailureItem } from '../api/types';
import { moment } from '../format';
import { href } from '../router';
import { texts } from './columns';
import { IpLink } from './marks';
import type { Column } from './table';
import { Text } from './text';

export const failureColumns: Column<FailureItem>[] = [
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
