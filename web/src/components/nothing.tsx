// nothing.tsx - an empty list, when no report has ever come and when none matches.
import type { ComponentChildren } from 'preact';
import { useApi } from '../api/ask';
import type { Intake } from '../api/types';
import { FILTERS } from '../router';
import { useScope } from '../scope';
import { Onboarding } from './onboarding';
import { Empty, Skeleton } from './states';

// noun: "record". children: what else may be the reason.
export function Nothing({ noun, filters = FILTERS, children }: { noun: string; filters?: readonly string[]; children?: ComponentChildren }) {
  const { window, domain } = useScope();
  const { data, problem } = useApi<Intake>('intake', {}, true);
  if (!data && !problem) return <Skeleton />;
  if (data && data.last_report_at === null) return <Onboarding domain={domain ?? null} />;
  return (
    <Empty filters={[...filters, 'domain']}>
      No {noun} matches in {window.words}. {children}
    </Empty>
  );
}
