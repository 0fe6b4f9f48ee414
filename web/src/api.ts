// api.ts - the JSON API (v1) as types, and two hooks that ask it: one answer, or a list that grows by cursor.
//
// Names are those of the API, which are those of the report's XML. Times are ISO 8601 in UTC; ids are strings.
import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';
import type { Params } from './router';

export type ClassName =
  | 'pass'
  | 'fail_overridden'
  | 'fail_altered'
  | 'fail_unaligned'
  | 'fail_unauthenticated'
  | 'unknown';
export type ByClass = Partial<Record<ClassName, number>>;

// What is counted everywhere: messages, never records.
export interface Tally {
  messages: number;
  pass: number;
  dkim_aligned: number;
  spf_aligned: number;
  by_class: ByClass;
  by_disposition: Record<string, number>;
}

export interface Summary {
  window: { from: string; to: string };
  complete_until: string | null; // days before this have most of their reports
  totals: Tally;
  previous: Tally | null;
  sources: { total: number; new: number; failing: number };
  reports: number;
  reporters: number;
  last_report_at: string | null;
}

export interface Timeseries {
  bucket: 'day' | 'week' | 'month';
  keys: string[];
  points: { t: string; complete: boolean; v: Record<string, number> }[];
}

export interface Policy {
  p: string | null;
  sp: string | null;
  np: string | null;
  adkim: string | null;
  aspf: string | null;
  pct: number | null;
  fo: string | null;
  testing: string | null;
  discovery_method: string | null;
}

export interface Domain {
  name: string;
  policy: { p: string | null; sp: string | null; testing: string | null; as_of: string } | null;
  messages: number;
  pass: number;
  dkim_aligned: number;
  spf_aligned: number;
  sources: number;
  last_report_at: string | null;
  spark: number[] | null; // messages, over the window in even steps
}

export interface Source extends Tally {
  key: string | null; // an address; null: the reports named none
  domains: string[] | null; // up to three
  domains_total: number | null;
  first_seen: string;
  last_seen: string;
  new: boolean | null;
  spark: number[] | null;
}

export interface DkimResult {
  domain?: string | null;
  selector?: string | null;
  result?: string | null;
  human_result?: string | null;
}

export interface SpfResult {
  domain?: string | null;
  scope?: string | null;
  result?: string | null;
  human_result?: string | null;
}

export interface Reason {
  type?: string | null;
  comment?: string | null;
}

export interface Note {
  code: string;
  path?: string | null;
  raw?: string | null;
}

interface Identifiers {
  header_from: string | null;
  envelope_from: string | null;
  envelope_to: string | null;
}

interface Evaluated {
  disposition: string | null;
  dkim: string | null;
  spf: string | null;
  reason: Reason[];
}

interface Found {
  record_no: number;
  class: ClassName;
  dmarc_pass: boolean;
  auth_results: { dkim: DkimResult[]; spf: SpfResult[] };
  notes: Note[];
}

// A record in a list.
export interface Rec extends Found, Identifiers, Evaluated {
  report: string;
  domain: string;
  org_name: string | null;
  begin: string;
  source_ip: string | null;
  count: number | null;
}

// A record in its report: the shape of the XML.
export interface ReportRecord extends Found {
  row: { source_ip: string | null; count: number | null; policy_evaluated: Evaluated };
  identifiers: Identifiers;
}

export interface ReportItem {
  id: string;
  org_name: string | null;
  email: string | null;
  report_id: string | null;
  domain: string;
  begin: string;
  end: string;
  received_at: string;
  messages: number;
  pass: number;
  fail: number;
  records: number;
  notes_total: number;
}

export interface Mail {
  id: string;
  source: string;
  name: string | null;
  envelope_from: string | null;
  message_id: string | null;
  subject: string | null;
  size: number;
}

export interface Report {
  id: string;
  dialect: string;
  report_metadata: {
    org_name: string | null;
    email: string | null;
    extra_contact_info: string | null;
    report_id: string | null;
    date_range: { begin: string; end: string };
    error: string[];
    generator: string | null;
  };
  policy_published: Policy & { domain: string };
  record: ReportRecord[]; // the first; the list of records has the others
  next: string | null;
  notes: Note[];
  records_total: number;
  messages: number;
  pass: number;
  duplicates: number;
  conflicts: number;
  received_at: string;
  mail: Mail | null;
}

export type IntakeStatus = 'stored' | 'duplicate' | 'conflict' | 'quarantined';

// One thing found in a mail, and what became of it.
export interface IntakeItem {
  mail: string;
  item_no: number | null;
  received_at: string;
  source: string;
  name: string | null;
  envelope_from: string | null;
  header_from: string | null;
  subject: string | null;
  size: number;
  status: IntakeStatus;
  code: string | null;
  reason: string | null;
  place: string | null;
  report: string | null;
}

export interface Intake extends Page<IntakeItem> {
  counts: Record<IntakeStatus, number>;
  by_code: Record<string, number>;
  mails: number;
  last_mail_at: string | null; // of all time, as the next one
  last_report_at: string | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
}

// What went wrong, in the API's words (RFC 9457) or in ours when there was no answer.
export interface Problem {
  status: number; // 0: no answer
  title: string;
  detail: string;
}

export function apiUrl(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return `api/v1/${path}${text ? '?' + text : ''}`;
}

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

async function get<T>(url: string, signal: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { signal, headers: { Accept: 'application/json' } });
  } catch (error) {
    if (signal.aborted) throw error;
    const problem: Problem = { status: 0, title: 'The server does not answer', detail: 'Is ruad running, and the network up?' };
    throw problem;
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

// Answers by URL, so that Back shows at once what was there; each is asked for again when shown.
const answers = new Map<string, unknown>();
const ANSWERS = 60;

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

// Ask for one resource; undefined asks for nothing.
export function useApi<T>(path: string | undefined, params: Params = {}): Answer<T> {
  const url = path === undefined ? undefined : apiUrl(path, params);
  const state = useRef<{ url?: string | undefined; data?: T | undefined; problem?: Problem | undefined }>({});
  const [attempt, update] = useReducer((n: number, _: void) => n + 1, 0);
  const retries = useRef(0);
  if (state.current.url !== url) {
    const known = url === undefined ? undefined : (answers.get(url) as T | undefined);
    state.current = { url, data: known ?? state.current.data };
  }
  useEffect(() => {
    if (url === undefined) return;
    const abort = new AbortController();
    const asked = state.current;
    get<T>(url, abort.signal).then(
      (data) => {
        remember(url, data);
        asked.data = data;
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
  const retry = useCallback(() => {
    retries.current++;
    state.current = { url: state.current.url };
    update();
  }, []);
  void attempt;
  const { data, problem } = state.current;
  const fresh = url !== undefined && answers.get(url) === data;
  return { data, problem, busy: url !== undefined && !problem && !fresh, retry };
}

export interface List<T> {
  items: T[] | undefined;
  total: number | undefined;
  problem: Problem | undefined;
  busy: boolean;
  more: (() => void) | undefined; // present while there is more to load
  retry: () => void;
}

// Ask for a list; more() adds the next piece at its end.
export function useList<T>(path: string, params: Params): List<T> {
  const first = useApi<Page<T>>(path, params);
  const base = apiUrl(path, params);
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
    get<Page<T>>(`${base}${base.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(here.next)}`, new AbortController().signal)
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
    problem: first.problem ?? here.problem,
    busy: first.busy || here.busy,
    more: here.next === null ? undefined : more,
    retry: first.problem ? first.retry : more,
  };
}
