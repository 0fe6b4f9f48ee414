// api.ts - the JSON API (v1) as types, and what asks it: hooks for one answer or a list that grows by cursor, and put().
//
// Types have the names of server/web/openapi.yaml (Rec is its Record, a word that TypeScript needs itself), members those of
// the API, which are those of the report's XML. Times are ISO 8601 in UTC; ids are strings.
import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';
import type { Params } from './router';

export type ClassName = 'pass' | 'fail_overridden' | 'fail_altered' | 'fail_unaligned' | 'fail_unauthenticated' | 'unknown';
export type ByClass = Record<ClassName, number>;
export type ByDisposition = Record<'none' | 'quarantine' | 'reject' | 'pass' | 'unknown', number>;
export type Label = 'mine' | 'forwarder' | 'not_mine' | null;
export type Authentic = 'none' | 'pass' | 'fail';
export type Bucket = 'day' | 'week' | 'month';
type Text = string | null;

export interface Window {
  from: string; // first day
  to: string; // the day after the last
}

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
}

// What is counted everywhere: messages, never records. dkim_only and spf_only passed by that alone.
export interface Tally {
  messages: number;
  pass: number;
  dkim_aligned: number;
  spf_aligned: number;
  dkim_only: number;
  spf_only: number;
  by_class: ByClass;
  by_disposition: ByDisposition;
}

export interface Summary {
  window: Window;
  complete_until: string; // days before this have most of their reports
  totals: Tally;
  previous: Tally;
  sources: { total: number; new: number; failing: number };
  reports: number;
  reporters: number;
  last_report_at: Text;
}

export interface Timeseries<Key extends string = string> {
  window: Window;
  bucket: Bucket;
  by?: 'class' | 'disposition' | 'domain' | 'reporter' | 'alignment';
  keys: Key[];
  points: { t: string; complete: boolean; v: { [key in Key]?: number } }[];
}

// Domains

export interface PolicyTags {
  p: Text;
  sp: Text;
  np: Text;
  testing: Text;
  adkim: Text;
  aspf: Text;
  pct: number | null;
  fo: Text;
}

export interface PolicySeen extends PolicyTags {
  as_of: string;
  effective: Text;
}

export interface DomainItem extends Tally {
  name: string;
  parent: Text;
  kind: 'policy' | 'from';
  policy: PolicySeen | null;
  sources: number;
  blockers: number | null;
  sufficient: boolean | null;
  last_report_at: Text;
  solicited: boolean | null; // it asked for reports to come here; null of a From subdomain
  spark: number[] | null; // messages by day; by calendar month in windows of more than 92 days
}

export interface Domain extends DomainItem {
  window: Window;
  first_report_at: Text;
  reporters: number;
  policy_history: { from: string; to: string; reports: number; reporters: number; policy: PolicyTags }[];
  subdomains: DomainItem[];
  next_record: { name: string; value: string; step: 'quarantine_test' | 'quarantine' | 'reject_test' | 'reject' | 'keep' };
}

export interface Impact {
  window: Window;
  domain: string;
  policy: 'quarantine' | 'reject';
  evidence: {
    days: number;
    window_days: number;
    reporters: number;
    messages: number;
    last_report_at: Text;
    sufficient: boolean;
    days_needed: number;
    reporters_needed: number;
  };
  affected: { messages: number; share: number | null; by_class: ByClass };
  sources: { key: string; name: Text; label: Label; class: ClassName; messages: number; last_seen: string }[];
  sources_total: number;
  blockers: {
    code: 'mine_fails' | 'unreviewed_unaligned' | 'mine_spf_only' | 'policy_differs' | 'no_evidence';
    text: string;
    source: Text;
    name: Text;
    messages: number | null;
  }[];
  notes: ('mailing_lists' | 'spf_only' | 'testing' | 'pct' | 'subdomains_unprotected' | 'np_unprotected')[];
  scope: { tag: 'p' | 'sp' | 'np' | 't' | 'psd'; value: Text; effective: Text; text: string }[];
}

// Sources

export type Group = 'source' | 'rdns' | 'asn' | 'country' | 'ip' | 'auth_domain';

export interface DomainDns {
  checked_at: Text;
  solicited: boolean | null;
  check: { spf?: { ranges: unknown[]; lookups: number } } | null;
  findings: { code: string; severity: 'error' | 'warning' | 'info'; place: Text; text: string; fix: Text }[];
  senders: { source_ip: string; rdns: Text; own: boolean; in_spf: boolean | null; messages: number; spf_aligned: number; last_seen: string }[];
  selectors: { domain: string; selector: string; status: string; messages: number; last_seen: string }[];
  unused: { domain: string; selector: string }[];
}

export interface AttentionItem {
  code: string;
  severity: 'error' | 'warning';
  domain: string;
  text: string;
  fix: Text;
}

export interface SourceItem extends Tally {
  key: Text; // of the group
  name: Text; // null: the key is all there is
  type: Text;
  name_basis: 'rdns' | 'asn' | 'dkim' | 'spf' | 'ip' | null;
  source: Text; // of group ip: the source it belongs to
  label: Label;
  forwarder: boolean;
  domains: string[] | null; // up to three
  domains_total: number | null;
  ips_total: number | null;
  first_seen: Text;
  last_seen: Text;
  new: boolean | null;
  in_spf: boolean | null; // of one domain
  spark: number[] | null;
}

export interface Sources extends Page<SourceItem> {
  window: Window;
  group: Group;
  total: number;
}

export interface LabelSet {
  source: string;
  label: Label;
  note: Text;
  set_by: Text;
  set_via: 'page' | 'cli' | null;
  set_at: Text;
}

export interface Address {
  source_ip: string;
  rdns: Text;
  rdns_domain: Text;
  asn: number | null;
  as_name: Text;
  country: Text;
  looked_up_at: Text;
}

export interface Source extends SourceItem {
  window: Window;
  note: Text;
  label_log: LabelSet[];
  address: Address | null;
  overrides: { type: string; messages: number }[];
}

export interface SourceIp {
  source_ip: string;
  rdns: Text;
  asn: number | null;
  as_name: Text;
  country: Text;
  messages: number;
  pass: number;
  first_seen: string;
  last_seen: string;
  in_spf: boolean | null; // of one domain
}

export interface Identifier {
  header_from: Text;
  envelope_from: Text;
  spf: SpfResult[];
  dkim: DkimResult[];
  dkim_aligned: boolean;
  spf_aligned: boolean;
  messages: number;
  pass: number;
  last_seen: string;
}

export interface SourceReporter {
  org_name: Text;
  messages: number;
  pass: number;
  dkim_aligned: number;
  spf_aligned: number;
  by_disposition: ByDisposition;
  last_seen: string;
}

// Records and reports

export interface DkimResult {
  domain?: Text;
  selector?: Text;
  result?: Text;
  human_result?: Text;
}

export interface SpfResult {
  domain?: Text;
  scope?: Text;
  result?: Text;
  human_result?: Text;
}

export interface Reason {
  type?: Text;
  comment?: Text;
}

export interface Note {
  code: string;
  path: Text;
  raw: Text;
}

interface Identifiers {
  header_from: Text;
  envelope_from: Text;
  envelope_to: Text;
}

interface Evaluated {
  disposition: Text;
  dkim: Text;
  spf: Text;
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
  org_name: Text;
  begin: string;
  source_ip: Text;
  source: Text;
  source_name: Text;
  label: Label;
  rdns: Text;
  count: number | null;
}

// A record in its report: the shape of the XML.
export interface ReportRecord extends Found {
  row: { source_ip: Text; count: number | null; policy_evaluated: Evaluated };
  identifiers: Identifiers;
}

export interface ReportItem {
  id: string;
  kind: 'aggregate';
  dialect: string;
  org_name: Text;
  email: Text;
  report_id: Text;
  domain: string;
  begin: string;
  end: string;
  p: Text;
  records: number;
  messages: number;
  pass: number;
  fail: number;
  received_at: string;
  notes_total: number;
  partial: boolean;
  authentic: Authentic;
  solicited: boolean | null; // its domain asked for reports to come here
}

// The delivery that brought a report.
export interface Mail {
  id: string;
  received_at: string;
  source: 'lmtp' | 'import';
  name: Text;
  envelope_from: Text;
  recipients: string[] | null;
  size: number;
  message_id: Text;
  subject: Text;
  header_from: Text;
  authentic: Authentic;
}

export interface Report {
  id: string;
  kind: 'aggregate';
  dialect: string;
  version: Text;
  xmlns: Text;
  report_metadata: {
    org_name: Text;
    email: Text;
    extra_contact_info: Text;
    report_id: Text;
    date_range: { begin: string; end: string };
    error: string[];
    generator: Text;
  };
  policy_published: PolicyTags & { domain: string; discovery_method: Text };
  record: ReportRecord[]; // the first 500; reports/{id}/records has the others
  notes: Note[];
  partial: boolean;
  authentic: Authentic;
  records_total: number;
  messages: number;
  pass: number;
  duplicates: number;
  conflicts: number;
  status: 'stored' | 'conflict';
  next: Text;
  sha256: string;
  received_at: string;
  mail: Mail | null;
}

export interface ReporterItem {
  org_name: Text;
  emails: string[];
  reports: number;
  records: number;
  messages: number;
  pass: number;
  domains: number;
  days: number;
  coverage: number[]; // reports, over the window in even steps
  lateness: number | null; // seconds, median
  dialects: string[];
  notes_total: number;
  notes: { code: string; n: number }[];
  first_report_at: string;
  last_report_at: string;
}

// Failure reports

export interface FailureItem {
  id: string;
  kind: 'failure' | 'feedback';
  domain: Text;
  begin: string;
  received_at: string;
  feedback_type: Text;
  auth_failure: Text;
  source_ip: Text;
  incidents: number | null;
  reporting_mta: Text;
  user_agent: Text;
  header_from: Text;
  original_mail_from: Text;
  subject: Text;
  delivery_result: Text;
  notes_total: number;
  authentic: Authentic;
}

export interface Failure extends FailureItem {
  version: Text;
  authentication_results: string[] | null;
  identity_alignment: Text;
  original_envelope_id: Text;
  original_rcpt_to: string[] | null;
  arrival_date: Text;
  arrival_time: Text;
  source_port: number | null;
  reported_domain: string[] | null;
  reported_uri: string[] | null;
  dkim_domain: Text;
  dkim_identity: Text;
  dkim_selector: Text;
  dkim_selector_dns: Text;
  spf_dns: string[] | null;
  message_id: Text;
  original_headers: Text;
  original_body: Text;
  notes: Note[];
  sha256: string;
  mail: Mail | null;
}

// TLS reports: numbers are sessions

export interface TlsTally {
  sessions: number;
  successful: number;
  failed: number;
}

export interface TlsSummary {
  window: Window;
  totals: TlsTally;
  previous: TlsTally;
  reports: number;
  reporters: number;
  last_report_at: Text;
  domains: (TlsTally & { policy_domain: Text; policy_type: Text })[];
  failures: {
    result_type: Text;
    failed: number;
    reports: number;
    receiving_mx_hostnames: string[];
    sending_mta_ips: string[];
    last_seen: string;
  }[];
}

export type TlsTimeseries = Timeseries<'successful' | 'failed'>;

export interface TlsReportItem {
  id: string;
  organization_name: Text;
  report_id: Text;
  contact_info: Text;
  start_datetime: string;
  end_datetime: string;
  policy_domains: string[];
  policies: number;
  successful: number;
  failed: number;
  received_at: string;
  notes_total: number;
  authentic: Authentic;
}

export interface TlsReport extends TlsReportItem {
  policy: {
    policy_no: number;
    policy_domain: Text;
    policy_type: Text;
    policy_string: string[] | null;
    mx_host: string[] | null;
    successful: number | null;
    failed: number | null;
    failure_details: {
      result_type: Text;
      sending_mta_ip: Text;
      receiving_mx_hostname: Text;
      receiving_mx_helo: Text;
      receiving_ip: Text;
      failed_session_count: number | null;
      additional_information: Text;
      failure_reason_code: Text;
    }[];
  }[];
  notes: Note[];
  sha256: string;
  mail: Mail | null;
}

// Intake

export type IntakeStatus = 'stored' | 'duplicate' | 'conflict' | 'quarantined';
export type Kind = 'aggregate' | 'failure' | 'feedback' | 'tls' | 'unreadable';

// One thing found in a mail, and what became of it.
export interface IntakeItem {
  mail: string;
  item_no: number | null;
  received_at: string;
  source: 'lmtp' | 'import';
  name: Text;
  envelope_from: Text;
  size: number;
  message_id: Text;
  subject: Text;
  header_from: Text;
  kind: Kind | null;
  status: IntakeStatus | null;
  code: Text;
  reason: Text;
  place: Text;
  report: Text;
  raw: boolean;
  partial: boolean | null;
  authentic: Authentic;
}

export interface Intake extends Page<IntakeItem> {
  window: Window;
  mails: number;
  counts: Record<IntakeStatus, number>;
  by_kind: Record<string, number>;
  by_code: Record<string, number>;
  by_day: ({ t: string } & Record<IntakeStatus, number>)[];
  last_mail_at: Text; // of all time, as the next one
  last_report_at: Text;
}

// The rest

export interface SearchItem {
  type: 'domain' | 'ip' | 'source' | 'report' | 'reporter';
  key: string;
  text: string;
  hint: Text;
}

export interface Me {
  user: Text;
  roles: ('viewer' | 'editor')[];
  auth: 'none' | 'basic' | 'proxy';
}

export interface Meta {
  version: string;
  schema_version: number;
  app_version: string;
  classes: string[];
  dispositions: string[];
  groups: string[];
  thresholds: { passing: number; failing: number; evidence_days: number; evidence_reporters: number };
  limits: Record<string, number>;
  features: { failures: boolean; tls: boolean; enrich: boolean; labels: boolean };
}

export interface Term {
  term: string;
  text: string;
}

export type Topic = 'words' | 'classes' | 'advice' | 'overrides' | 'labels' | 'tabs' | 'caveats' | 'notes' | 'onboarding' | 'onboarding_samples' | 'pages' | 'hints' | 'impact' | 'steps';

export interface Help extends Record<Topic, Term[]> {
  psql: string;
  queries: { number: string; sql: string }[];
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
    const problem: Problem = { status: 0, title: 'The server does not answer', detail: 'Is ruad running, and the network up?' };
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

// Change something; everything shown is asked for again.
export async function put<T>(path: string, body: unknown): Promise<T> {
  const answer = await ask<T>(apiUrl(path, {}), { method: 'PUT', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  answers.clear();
  for (const again of asking) again();
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
    csv: csvUrl(path, params),
    problem: first.problem ?? here.problem,
    busy: first.busy || here.busy,
    more: here.next === null ? undefined : more,
    retry: first.problem ? first.retry : more,
  };
}

export const useMe = (): Me | undefined => useApi<Me>('me', {}, true).data;
export const useMeta = (): Meta | undefined => useApi<Meta>('meta', {}, true).data;

// What the help says of a term; '' until that is known.
export function useWords(): (topic: Topic, term: string) => string {
  const help = useApi<Help>('help', {}, true).data;
  return (topic, term) => help?.[topic].find((one) => one.term === term)?.text ?? '';
}
