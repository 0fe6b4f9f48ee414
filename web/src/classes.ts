// classes.ts - the six classes of a record, the labels and the standing of a source, in words.
import { useMeta } from './api/ask';
import type { ByClass, ClassName, Kind, Label, Meta, Tally } from './api/types';

interface ClassWords {
  name: ClassName;
  label: string;
}

// In the order they are stacked and listed: what passed first, then from the harmless to what wants a look.
export const CLASSES: readonly ClassWords[] = [
  { name: 'pass', label: 'Passed' },
  { name: 'fail_overridden', label: 'Let through' },
  { name: 'fail_altered', label: 'Signature broken' },
  { name: 'fail_unaligned', label: 'Not aligned' },
  { name: 'fail_unauthenticated', label: 'Unproven' },
  { name: 'unknown', label: 'Unclear' },
];

export const classWords = (name: string): ClassWords =>
  CLASSES.find((words) => words.name === name) ?? { ...CLASSES[CLASSES.length - 1]!, label: name };

// The class that explains most of a source's failures; undefined when nothing failed.
export function mainFailure(by: ByClass): ClassWords | undefined {
  let best: ClassWords | undefined;
  for (const words of CLASSES)
    if (words.name !== 'pass' && by[words.name] > (best ? by[best.name] : 0)) best = words;
  return best;
}

export type Verdict = 'passing' | 'mixed' | 'failing';
export const THRESHOLDS = { passing: 95, failing: 50 }; // percent, until "meta" has told

// A source's standing by the share of its messages that passed.
function verdict({ messages, pass }: Pick<Tally, 'messages' | 'pass'>, at: Pick<Meta['thresholds'], 'passing' | 'failing'> = THRESHOLDS): Verdict {
  const share = messages > 0 ? (pass / messages) * 100 : 100;
  return share >= at.passing ? 'passing' : share > at.failing ? 'mixed' : 'failing';
}

export function useVerdict(): (tally: Pick<Tally, 'messages' | 'pass'>) => Verdict {
  const meta = useMeta();
  return (tally) => verdict(tally, meta?.thresholds);
}

export const LABELS: Record<Exclude<Label, null> | 'none', string> = { mine: 'Mine', forwarder: 'Forwarder', not_mine: 'Not mine', none: 'Unreviewed' };

export const WHOSE = { own: 'Yours', service: 'A service of yours', forwarder: 'Forwarder or list', stranger: 'Stranger', unsure: 'Not sure' };

// Whether the mail of such a source must pass.
export const isOurs = (whose: string | null | undefined) => whose === 'own' || whose === 'service';

export const KINDS: Record<Kind, string> = { aggregate: 'Aggregate report', failure: 'Failure report', feedback: 'Feedback report', tls: 'TLS report', unreadable: 'Unreadable' };

// A source's key as people read it: "service:Google" is Google, "as:64500" AS64500, "ip:192.0.2.1" the address.
export function keyWords(key: string | null): string | null {
  const [, kind, rest] = /^(service|domain|as|ip):(.*)$/s.exec(key ?? '') ?? [];
  return key === 'none' ? null : kind === undefined ? key : (kind === 'as' ? 'AS' : '') + rest;
}
