// policy.tsx - a policy as reporters saw it: its tags as in DNS, and in words.
import type { PolicyTags as Tags } from '../api/types';
import { Text } from './text';

const DEFAULTS: Record<string, string> = { testing: 'n', adkim: 'r', aspf: 'r', pct: '100', fo: '0' };
const NAMES = ['p', 'sp', 'np', 'testing', 'adkim', 'aspf', 'pct', 'fo'] as const;

// "p=reject sp=none t=y": without what says no more than the default.
export const tagsOf = (tags: Tags): string =>
  NAMES.filter((name) => tags[name] != null && String(tags[name]) !== DEFAULTS[name] && !(name === 'sp' && tags.sp === tags.p))
    .map((name) => `${name === 'testing' ? 't' : name}=${tags[name]}`)
    .join(' ');

export function PolicyTags({ tags }: { tags: Tags | null }) {
  if (!tags?.p) return <span class="faint">unknown</span>;
  return (
    <code class="policy">
      <Text value={tagsOf(tags)} max={70} />
    </code>
  );
}

const ASKS: Record<string, string> = { none: 'do nothing about', quarantine: 'quarantine', reject: 'refuse' };

export function PolicyWords({ tags: { p, sp, testing, pct } }: { tags: Tags }) {
  const asks = (value: string) => ASKS[value] ?? '(unclear)';
  return (
    <>
      {p && `Receivers are asked to ${asks(p)} mail that fails`}
      {sp && sp !== p && `, to ${asks(sp)} that of subdomains`}
      {testing === 'y' && '; on trial (t=y), so those that know the tag do one step less'}
      {pct !== null && pct < 100 && `; older ones with ${pct}% of it (pct)`}.
    </>
  );
}
