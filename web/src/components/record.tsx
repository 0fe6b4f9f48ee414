// record.tsx - the columns of a record: what the receiver evaluated ("aligned") beside what it measured ("raw").
//
// A raw pass is not a DMARC pass: the domain that passed may be another than the one in From. So the two never share a column.
import type { ComponentChildren } from 'preact';
import type { Authentic, DkimResult, Note, Reason, Rec, SpfResult } from '../api/types';
import { day, plural } from '../format';
import { href } from '../router';
import { Aligned, ClassTag, IpLink, LabelTag } from './marks';
import { numbers, texts } from './columns';
import type { Column } from './table';
import { Text } from './text';
import { Said } from './told';

const raw = (result: string | null | undefined) => (result === 'pass' ? 'raw good' : 'raw');

// One result of a method a line; detail is what the method tells besides domain and result.
function Results<T extends DkimResult | SpfResult>(props: { results: T[]; none: string; detail: (one: T) => ComponentChildren }) {
  if (props.results.length === 0) return <span class="faint">{props.none}</span>;
  return (
    <ul class="raws">
      {props.results.map((one, index) => (
        <li key={index}>
          <b class={raw(one.result)}>
            <Text value={one.result} max={16} absent="absent" />
          </b>{' '}
          <Text value={one.domain} max={60} absent="no domain" />
          {props.detail(one)}
          {one.human_result && (
            <small class="block">
              <Text value={one.human_result} max={60} expand />
            </small>
          )}
        </li>
      ))}
    </ul>
  );
}

export function Dkim({ results }: { results: DkimResult[] }) {
  const selector = (one: DkimResult) =>
    one.selector && (
      <small>
        {' '}
        s=
        <Text value={one.selector} max={30} />
      </small>
    );
  return <Results results={results} none="no signature" detail={selector} />;
}

export function Spf({ results }: { results: SpfResult[] }) {
  const scope = (one: SpfResult) =>
    one.scope && (
      <small>
        {' '}
        <Text value={one.scope} max={12} />
      </small>
    );
  return <Results results={results} none="no result" detail={scope} />;
}

function Reasons({ reasons }: { reasons: Reason[] }) {
  return (
    <>
      {reasons.map((reason, index) => (
        <small key={index} class="block">
          <Text value={reason.type} max={30} absent="no type" />
          {reason.type === 'local_policy' && /\barc=pass\b/i.test(reason.comment ?? '') && ' (ARC)'}
          {reason.comment && (
            <>
              : <Text value={reason.comment} max={60} expand />
            </>
          )}
        </small>
      ))}
    </>
  );
}

// explained: with what the codes mean, where there is a place to say it.
export function Notes({ notes, explained = false }: { notes: Note[]; explained?: boolean }) {
  if (notes.length === 0) return null;
  return (
    <details class="notes">
      <summary>{plural(notes.length, 'note')}</summary>
      <ul>
        {notes.map((note, index) => (
          <li key={index}>
            <b>{note.code}</b> {explained && <Said topic="notes" term={note.code} />} {note.path && <code>{note.path}</code>}{' '}
            {note.raw !== null && note.raw !== undefined && <Text value={note.raw} max={80} expand />}
          </li>
        ))}
      </ul>
    </details>
  );
}

export const AUTHENTIC: Record<Authentic, string> = { none: 'sender not checked', pass: 'sender authenticated', fail: 'sender not authenticated' };

// What limits the trust in a report.
export function ReportStatus({ report }: { report: { partial: boolean; authentic: Authentic; excluded: boolean } }) {
  const { partial, authentic, excluded } = report;
  return (
    <span class="standing">
      {excluded && <span class="mark bad">excluded</span>}
      {partial && <span class="mark bad">truncated</span>}
      {authentic !== 'none' && <span class={authentic === 'pass' ? 'mark good' : 'mark bad'}>{AUTHENTIC[authentic]}</span>}
    </span>
  );
}

// Why a record is in its class: of what passed, by what.
function Class({ record }: { record: Rec }) {
  const by = (['dkim', 'spf'] as const).filter((method) => record[method] === 'pass').map((method) => method.toUpperCase());
  return (
    <>
      <ClassTag name={record.class} />
      <small class="block">{record.class === 'pass' && by.length > 0 ? `by ${by.join(' and ')}` : <Said topic="reasons" term={record.class} />}</small>
      <Notes notes={record.notes} />
    </>
  );
}

export function recordColumns({ withReport }: { withReport: boolean }): Column<Rec>[] {
  const aligned = texts<Rec>(['dkim', 'spf'], { roomy: false }).map((column) => ({
    ...column,
    title: `${column.title} aligned`,
    cell: (record: Rec) => <Aligned value={record[column.id as 'dkim' | 'spf']} />,
  }));
  const columns: Column<Rec>[] = [
    ...texts<Rec>(['source_ip'], {
      lead: true,
      roomy: false,
      cell: (record) => (
        <>
          <IpLink ip={record.source_ip} />
          <LabelTag value={record.label} />
          <small class="block">
            <Text value={record.source_name ?? record.rdns} max={40} absent="" />
          </small>
        </>
      ),
    }),
    ...numbers<Rec>(['count'], { title: 'Messages', main: true }),
    ...texts<Rec>(['header_from'], {
      title: 'From',
      cell: ({ header_from, envelope_from, envelope_to }) => (
        <>
          <Text value={header_from} max={60} />
          {envelope_from && envelope_from !== header_from && (
            <small class="block">
              envelope <Text value={envelope_from} max={60} />
            </small>
          )}
          {envelope_to && (
            <small class="block">
              to <Text value={envelope_to} max={60} />
            </small>
          )}
        </>
      ),
    }),
    ...texts<Rec>(['class'], { main: true, cell: (record) => <Class record={record} /> }),
    ...aligned,
    { id: 'dkim_raw', title: 'DKIM raw', roomy: true, cell: (record) => <Dkim results={record.auth_results.dkim} /> },
    { id: 'spf_raw', title: 'SPF raw', roomy: true, cell: (record) => <Spf results={record.auth_results.spf} /> },
    ...texts<Rec>(['disposition'], {
      roomy: false,
      cell: (record) => (
        <>
          <Text value={record.disposition} max={20} absent="absent" />
          <Reasons reasons={record.reason} />
        </>
      ),
    }),
  ];
  const report = texts<Rec>(['org_name'], {
    title: 'Report',
    roomy: false,
    cell: (record) => (
      <>
        <a href={href('report', { id: record.report })}>
          <Text value={record.org_name} max={40} absent="unnamed" />
        </a>
        <small class="block">{day(record.begin)}</small>
      </>
    ),
  });
  return withReport ? [...columns, ...report] : columns;
}
