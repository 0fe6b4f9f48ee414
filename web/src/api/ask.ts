// ask.ts - asks the JSON API: hooks for one answer or a list that grows by cursor, and put() to change something.
import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';
import type { Params } from '../router';
import type { Me, Meta, Others, Page, Problem } from './types';

export function apiUrl(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    for (const one of [value].flat()) if (one !== undefined && one !== '') query.append(name, String(one));
  const text = query.toString();
  return `api/v1/${path}${text ? '?' + text : ''}`;
}

export const csvUrl = (path: string, params: Params): string => apiUrl(path, { ...params, limit: undefined, format: 'csv' });

async function problemOf(response: Response): Promise<Problem> {
  const fallback = { status: response.status, title: response.statusText || 'Error', detail: '' };
  if (!response.headers.get('Content-Type')?.includes('json')) return fallback;
  const body: Partial<Record<keyof Problem, unknown>> = await response.json().catch(() => ({}));
  return {
    status: response.status,
    title: typeof body.title === 'string' ? body.title : fallback.title,
    detail: typeof body.detail === 'string' ? body.detail : '',
  };
}

export async function ask<T>(url: string, { headers, ...options }: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { ...options, headers: { Accept: 'application/json', ...headers } });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const problem: Problem = { status: 0, title: 'The server does not answer', detail: 'Is ruad running, and is the network up?' };
    throw problem;
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

// Answers by URL, so that Back shows at once what was there; each is asked for again when shown.
const answers = new Map<string, unknown>();
const ANSWERS = 60;

// What is asked only once is asked by many at the same time.
const pending = new Map<string, Promise<unknown>>();

async function askOnce<T>(url: string): Promise<T> {
  if (answers.has(url)) return answers.get(url) as T; // it came between rendering and now
  const answer = pending.get(url) ?? ask<T>(url).finally(() => pending.delete(url));
  pending.set(url, answer);
  return answer as Promise<T>;
}

// What shows an answer, to ask again once something was changed.
const asking = new Set<() => void>();

// Everything shown is asked for again.
export function refresh(): void {
  answers.clear();
  for (const again of asking) again();
}

// Change something, and refresh.
export async function put<T>(path: string, body: unknown, params: Params = {}): Promise<T> {
  const answer = await ask<T>(apiUrl(path, params), { method: 'PUT', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  refresh();
  return answer;
}

function remember(url: string, answer: unknown): void {
  answers.delete(url);
  answers.set(url, answer);
  if (answers.size > ANSWERS) answers.delete(answers.keys().next().value!);
}

export interface Answer<T> {
  data: T | undefined; // may be of the question before while busy
  problem: Problem | undefined;
  busy: boolean;
  retry: () => void;
}

// Ask for one resource; undefined asks for nothing. once: what is known already is not asked for again.
export function useApi<T>(path: string | undefined, params: Params = {}, once = false): Answer<T> {
  const url = path === undefined ? undefined : apiUrl(path, params);
  const state = useRef<{ url?: string | undefined; of?: string | undefined; data?: T | undefined; problem?: Problem | undefined }>({}); // of: the question that data answers
  const [attempt, update] = useReducer((n: number, _: void) => n + 1, 0);
  const retries = useRef(0);
  if (state.current.url !== url) {
    const known = url === undefined ? undefined : (answers.get(url) as T | undefined);
    state.current = { url, data: known ?? state.current.data, of: known ? url : state.current.of };
  }
  useEffect(() => {
    if (url === undefined || (once && state.current.of === url)) return;
    const abort = new AbortController();
    const asked = state.current;
    (once ? askOnce<T>(url) : ask<T>(url, { signal: abort.signal })).then(
      (data) => {
        remember(url, data);
        if (abort.signal.aborted) return;
        asked.data = data;
        asked.of = url;
        asked.problem = undefined;
        update();
      },
      (problem: Problem) => {
        if (abort.signal.aborted) return;
        asked.problem = problem;
        asked.data = undefined;
        update();
      },
    );
    return () => abort.abort();
  }, [url, retries.current]);
  const again = useCallback(() => {
    state.current.of = undefined;
    retries.current++;
    update();
  }, []);
  const retry = useCallback(() => {
    state.current = { url: state.current.url };
    again();
  }, []);
  useEffect(() => {
    asking.add(again);
    return () => void asking.delete(again);
  }, []);
  void attempt;
  const { data, of, problem } = state.current;
  return { data, problem, busy: url !== undefined && !problem && of !== url, retry };
}

export interface List<T> {
  items: T[] | undefined;
  total: number | undefined;
  others: Others | undefined;
  csv: string; // the same as CSV
  problem: Problem | undefined;
  busy: boolean;
  more: (() => void) | undefined; // present while there is more to load
  retry: () => void;
}

// Ask for a list; more() adds the next piece at its end.
export function useList<T>(path: string, params: Params): List<T> {
  const first = useApi<Page<T>>(path, params);
  const rest = useRef<{ of?: unknown; items: T[]; next: string | null; busy: boolean; problem?: Problem | undefined }>({
    items: [],
    next: null,
    busy: false,
  });
  const [, update] = useReducer((n: number, _: void) => n + 1, 0);
  if (rest.current.of !== first.data) rest.current = { of: first.data, items: [], next: first.data?.next ?? null, busy: false };
  const here = rest.current;

  const more = () => {
    if (here.busy || here.next === null) return;
    here.busy = true;
    here.problem = undefined;
    update();
    ask<Page<T>>(apiUrl(path, { ...params, cursor: here.next }))
      .then(
        (page) => {
          here.items = [...here.items, ...page.items];
          here.next = page.next;
        },
        (problem: Problem) => void (here.problem = problem),
      )
      .finally(() => {
        here.busy = false;
        update();
      });
  };
  return {
    items: first.data && [...first.data.items, ...here.items],
    total: first.data?.total,
    others: first.data?.others ?? undefined,
    csv: csvUrl(path, params),
    problem: first.problem ?? here.problem,
    busy: first.busy || here.busy,
    more: here.next === null ? undefined : more,
    retry: first.problem ? first.retry : more,
  };
}

export const useMe = (): Me | undefined => useApi<Me>('me', {}, true).data;
export const useMeta = (): Meta | undefined => useApi<Meta>('meta', {}, true).data;
