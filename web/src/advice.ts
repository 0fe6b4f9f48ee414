// advice.ts - what to do about a source, by its label and by how much of its mail passes.
//
// Half of the answer is whose it is: by its label, else by what the reports show. If that is not sure, the advice is to
// decide. The texts are those of the help.
import type { SourceItem } from './api/types';
import { mainFailure, type Verdict } from './classes';
import { useText } from './texts';

export interface Advice {
  mood: 'good' | 'warn' | 'so';
  text: string;
  lang: string | undefined; // of the text
}

const MOODS: Record<string, Advice['mood']> = {
  'mine passing': 'good',
  'forwarder passing': 'good',
  'not_mine failing': 'good',
  'forwarder failing': 'so',
  'none forwarder': 'so',
  'none passing': 'so',
};

function situation({ label: set, whose, spf_only, messages }: SourceItem, standing: Verdict): string {
  const label = set ?? (whose === 'stranger' ? 'not_mine' : /own|service/.test(whose ?? '') ? 'mine' : null);
  if (label === 'mine') return 'mine ' + (standing === 'passing' && spf_only * 2 > messages ? 'spf_only' : standing);
  if (!label && whose === 'forwarder') return 'none forwarder';
  const fails = label === 'not_mine' ? standing === 'failing' : standing !== 'passing';
  return `${label ?? 'none'} ${fails ? 'failing' : 'passing'}`;
}

export function useAdvice(source: SourceItem, standing: Verdict): Advice {
  const { lang, text } = useText();
  const where = situation(source, standing);
  const why = /^(mine|none) (failing|mixed)/.test(where) ? mainFailure(source.by_class) : undefined;
  const parts = [text('advice', where), ...(why ? [text('reasons', why.name), text('classes', why.name)] : [])];
  return { mood: MOODS[where] ?? 'warn', text: parts.join(' '), lang };
}
