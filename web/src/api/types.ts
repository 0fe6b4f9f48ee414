// types.ts - the answers of the JSON API (v1) as types.
//
// They come from server/web/openapi.yaml: "npm run types" writes contract.d.ts, which is not in the repository. A type has
// the name of its schema; only Rec is Record, a name that TypeScript uses itself. Parts that a schema writes inline
// (AttentionItem, Address, Term) get their names here. Members have the names of the API, which are those of the report's
// XML. Times are ISO 8601 in UTC; ids are strings.
import type { components } from 'contract';

type Schemas = components['schemas'];
type Item<List extends { items: unknown[] }> = List['items'][number];

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
  others?: Others | null; // of domains
}

export type Others = Schemas['Others'];
export type ClassName = Schemas['ClassName'];
export type Label = Schemas['Label'];
export type Authentic = Schemas['Authentic'];
export type Tally = Schemas['Tally'];
export type ByClass = Schemas['ByClass'];
export type ByDisposition = Schemas['ByDisposition'];

export type Summary = Schemas['Summary'];
export type Timeseries = Schemas['Timeseries'];

// Domains

export type DomainItem = Schemas['DomainItem'];
export type Domain = Schemas['Domain'];
export type PolicyTags = Domain['policy_history'][number]['policy'];
export type Impact = Schemas['Impact'];
export type DomainDns = Schemas['DomainDns'];
export type Advice = Schemas['Advice'];
export type Point = Schemas['Point'];
export type Setup = Schemas['Setup'];

// Sources

export type SourceItem = Schemas['SourceItem'];
export type Sources = Schemas['Sources'];
export type Group = Sources['group'];
export type Source = Schemas['Source'];
export type LabelSet = Schemas['LabelSet'];
export type LabelsSet = Schemas['LabelsSet'];
export type LabelEntry = Item<Schemas['Labels']>;
export type SourceIp = Item<Schemas['SourceIps']>;
export type Identifier = Item<Schemas['Identifiers']>;
export type SourceReporter = Item<Schemas['SourceReporters']>;

// Records and reports

export type DkimResult = Schemas['DkimResult'];
export type SpfResult = Schemas['SpfResult'];
export type Reason = Schemas['Reasons'][number];
export type Note = Schemas['Note'];
export type Rec = Schemas['Record'];
export type ReportItem = Schemas['ReportItem'];
export type Report = Schemas['Report'];
export type ReporterItem = Schemas['ReporterItem'];

export type FailureItem = Schemas['FailureItem'];
export type Failure = Schemas['Failure'];

// TLS reports: numbers are sessions

export type TlsSummary = Schemas['TlsSummary'];
export type TlsTimeseries = Schemas['TlsTimeseries'];
export type TlsReportItem = Schemas['TlsReportItem'];
export type TlsReport = Schemas['TlsReport'];

// Intake

export type Uploaded = Schemas['Uploaded']['files'][number];
export type IntakeItem = Schemas['IntakeItem'];
export type IntakeStatus = NonNullable<IntakeItem['status']>;
export type Kind = NonNullable<IntakeItem['kind']>;
export type Intake = Schemas['Intake'];

// The rest

export type SearchItem = Item<Schemas['Search']>;
export type AuditEntry = Schemas['AuditEntry'];
export type Me = Schemas['Me'];
export type Meta = Schemas['Meta'];
export type Help = Schemas['Help'];
export type Term = Schemas['Terms'][number];
export type Topic = { [Key in keyof Help]: Help[Key] extends Term[] ? Key : never }[keyof Help];

// What went wrong, in the API's words (RFC 9457) or in ours when there was no answer.
export interface Problem {
  status: number; // 0: no answer
  title: string;
  detail: string;
}
