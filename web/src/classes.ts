// classes.ts - the six classes of a record in words, and what a source's numbers add up to.
import type { ByClass, ClassName, Tally } from './api';

export interface ClassWords {
  name: ClassName;
  label: string;
  reason: string; // why mail is in this class
  advice: string; // what to do about it
}

// In the order they are stacked and listed: what passed first, then from the harmless to what wants a look.
export const CLASSES: readonly ClassWords[] = [
  {
    name: 'pass',
    label: 'Passed',
    reason: 'DKIM or SPF passed, and for the domain in From.',
    advice: 'Nothing to do. Where only SPF passes, sign with DKIM too: SPF breaks as soon as mail is forwarded.',
  },
  {
    name: 'fail_overridden',
    label: 'Let through',
    reason: 'It failed, but the receiver took it for forwarded or mailing-list mail and made an exception.',
    advice: 'Forwarders and lists do this to honest mail; there is nothing to mend at your end.',
  },
  {
    name: 'fail_altered',
    label: 'Signature broken',
    reason: 'It carries a DKIM signature of your own domain that no longer verifies.',
    advice:
      'Likely changed on the way by a forwarder or a list. If the source is a server of yours, look at its key, selector and signing.',
  },
  {
    name: 'fail_unaligned',
    label: 'Not aligned',
    reason: 'It proves who it is, but as another domain than the one in From.',
    advice:
      'If this is a service you use, have it sign with a DKIM key of your domain, or use a return path under your domain.',
  },
  {
    name: 'fail_unauthenticated',
    label: 'Unproven',
    reason: 'Nothing in it proves that it comes from your domain.',
    advice:
      'Unless you know the source, it is somebody else’s mail. If you do know it, sign with DKIM there and add it to SPF.',
  },
  {
    name: 'unknown',
    label: 'Unclear',
    reason: 'The report’s results are missing or contradict each other.',
    advice: 'Open the report and compare what it says with the raw results beside it.',
  },
];

export const classWords = (name: string): ClassWords =>
  CLASSES.find((words) => words.name === name) ?? { ...CLASSES[CLASSES.length - 1]!, label: name };

// The class that explains most of a source's failures; undefined when nothing failed.
export function mainFailure(by: ByClass): ClassWords | undefined {
  let best: ClassWords | undefined;
  for (const words of CLASSES)
    if (words.name !== 'pass' && (by[words.name] ?? 0) > (best ? (by[best.name] ?? 0) : 0)) best = words;
  return best;
}

export type Verdict = 'passing' | 'mixed' | 'failing';

// A source's standing by the share of its messages that passed.
export function verdict({ messages, pass }: Tally): Verdict {
  const share = messages > 0 ? pass / messages : 1;
  return share >= 0.95 ? 'passing' : share > 0.5 ? 'mixed' : 'failing';
}
