// basis.ts - what a source's name rests on, in words: a hint, not proof of who sends.
import type { SourceItem } from './api/types';

const WORDS: Record<string, string> = { rdns: 'by reverse DNS', asn: 'by its network', dkim: 'by DKIM domain', spf: 'by SPF domain', ip: 'by address alone' };

export const basis = ({ name_basis: by, type }: SourceItem): string =>
  [type?.replaceAll('_', ' '), by && `named ${WORDS[by]}`].filter(Boolean).join(', ');
