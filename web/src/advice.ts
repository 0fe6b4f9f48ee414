// advice.ts - what to do about a source: what we were told of it (its label) against what the reports say (how it stands).
//
// Reports cannot tell whose a source is, so half of the answer is the label; without one the advice is to decide.
import type { SourceItem } from './api';
import { mainFailure, type Verdict } from './classes';

export interface Advice {
  mood: 'good' | 'warn' | 'so';
  title: string;
  text: string;
}

const NOTHING = 'There is nothing to do.';

export function advise(source: SourceItem, standing: Verdict): Advice {
  const { label, forwarder, spf_only, messages } = source;
  const why = mainFailure(source.by_class);
  const mend = why ? `${why.reason} ${why.advice}` : '';
  const say = (mood: Advice['mood'], title: string, text: string): Advice => ({ mood, title, text });
  if (label === 'mine')
    return standing !== 'passing'
      ? say('warn', 'Yours, and it fails', mend + (standing === 'mixed' ? ' If you mended it lately, look at a shorter window.' : ''))
      : spf_only * 2 > messages
        ? say('warn', 'Yours, and it passes by SPF alone', 'That breaks when mail is forwarded: sign with DKIM, too.')
        : say('good', 'Yours, and it passes', NOTHING);
  if (label === 'forwarder')
    return standing === 'passing'
      ? say('good', 'A forwarder that keeps signatures', NOTHING)
      : say('so', 'A forwarder', 'It cannot be mended there. Sign all mail with DKIM, and less of it is lost; enforcement would cost some of the rest.');
  if (label === 'not_mine')
    return standing === 'failing'
      ? say('good', 'Not yours, and it fails', 'Enforcement deals with it. ' + NOTHING)
      : say('warn', 'Not yours, and yet it passes', 'Somebody there has a DKIM key of yours, or your SPF covers it: see Identifiers.');
  if (forwarder) return say('so', 'It looks like a forwarder', 'If so, label it: it cannot be mended there.');
  return standing === 'passing'
    ? say('so', 'It passes: likely yours', 'Or it forwards your mail. A label says which.')
    : say('warn', 'Decide whose it is', 'If nobody of yours sends by it, label it “not mine”: enforcement deals with it. ' + mend);
}
