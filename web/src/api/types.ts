// types.ts - the answers of the JSON API (v1) as types.
//
// A type for which server/web/openapi.yaml has a schema has the name of that schema; only Rec is its Record, a name that
// TypeScript uses itself. Parts that a schema writes inline (AttentionItem, Address, Term) get their names here. Members
// have the names of the API, which are those of the report's XML; members that the page does not read may be missing.
// Times are ISO 8601 in UTC; ids are strings.

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
  others?: Others | null; // of domains
}

// What does not count, since it is about others' domains.
export interface Others {
  domains: number;
  messages: number;
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
  set_via: 'page' | 'token' | 'cli' | null;
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
  excluded: boolean; // in no number
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
  excluded: boolean; // in no number
  exclusion: { set_at: string; set_by: Text; reason: Text } | null;
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
  roles: ('viewer' | 'editor' | 'admin')[];
  domains: string[] | null;
  auth: 'none' | 'basic' | 'proxy';
  logout: Text; // where the user signs out
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

export type Topic =
  | 'words' | 'overrides' | 'labels' | 'tabs' | 'reasons' | 'classes' | 'advice' | 'caveats' | 'onboarding' | 'onboarding_samples'
  | 'pages' | 'hints' | 'impact' | 'steps' | 'notes' | 'numbers' | 'ui';

export interface Help extends Record<Topic, Term[]> {
  lang: string;
  psql: string;
  queries: { number: string; sql: string }[];
}

// What went wrong, in the API's words (RFC 9457) or in ours when there was no answer.
export interface Problem {
  status: number; // 0: no answer
  title: string;
  detail: string;
}
