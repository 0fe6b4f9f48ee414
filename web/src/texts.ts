// texts.ts - the texts of the help in the language chosen on the page. Without a choice the server picks the language that
// the browser prefers.
import { useEffect, useReducer } from 'preact/hooks';
import { type Answer, useApi } from './api/ask';
import type { Help, Topic } from './api/types';
import type { Params } from './router';

const KEY = 'ruad.lang';
export const LANGUAGES: Record<string, string> = { en: 'Explanations in English', de: 'Erklärungen auf Deutsch' };

const listeners = new Set<() => void>();
let chosen = stored();

function stored(): string | undefined {
  try {
    const lang = localStorage.getItem(KEY) ?? '';
    return lang in LANGUAGES ? lang : undefined;
  } catch {
    return undefined; // storage is forbidden
  }
}

export function chooseLanguage(lang: string): void {
  chosen = lang;
  try {
    localStorage.setItem(KEY, lang);
  } catch {
    // not kept then
  }
  for (const listener of listeners) listener();
}

// once: do not ask again for a known answer; its texts do not change.
export function useHelp(params: Params = {}, once = true): Answer<Help> {
  const [, update] = useReducer((n: number, _: void) => n + 1, 0);
  useEffect(() => {
    const listener = () => update();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return useApi<Help>('help', { ...params, lang: chosen }, once);
}

export type Blanks = Record<string, string | number | undefined>;

// A text with its blanks filled in, and its language; '' until the help is there.
export function useText(): { lang: string | undefined; text: (topic: Topic, term: string, blanks?: Blanks) => string } {
  const help = useHelp().data;
  const text = (topic: Topic, term: string, blanks: Blanks = {}) => {
    const found = help?.[topic].find((one) => one.term === term)?.text ?? '';
    return found.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many = '') => {
      const value = String(blanks[name] ?? '');
      return one === undefined ? value : value === '1' ? one : many;
    });
  };
  return { lang: help?.lang, text };
}
