// record.tsx - the columns of a record: what the receiver evaluated ("aligned") beside what it measured ("raw").
//
// A raw pass is not a DMARC pass: the domain that passed may be another than the one in From. So the two never share a column.
import type { ComponentChildren } from 'preact';
import type { DkimResult, Note, Reason, Rec, SpfResult } from '../api';
import { count, day } from '../format';
import { href } from '../router';
import { Aligned, ClassTag } from './marks';
import type { Column } from './table';
import { Ip, Text } from './text';

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

function Dkim({ results }: { results: DkimResult[] }) {
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

function Spf({ results }: { results: SpfResult[] }) {
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

// words: what the codes mean, where there is a place to say it.
export function Notes({ notes, words = () => '' }: { notes: Note[]; words?: (code: string) => string }) {
  if (notes.length === 0) return null;
  return (
    <details class="notes">
      <summary>{notes.length === 1 ? '1 note' : `${count(notes.length)} notes`}</summary>
      <ul>
        {notes.map((note, index) => (
          <li key={index}>
            <b>{note.code}</b> {words(note.code)} {note.path && <code>{note.path}</code>}{' '}
            {note.raw !== null && note.raw !== undefined && <Text value={note.raw} max={80} expand />}
          </li>
        ))}
      </ul>
    </details>
  );
}

// oneSource: every row is of the same address, which stands above the table.
export function recordColumns({ withReport, oneSource = false }: { withReport: boolean; oneSource?: boolean }): Column<Rec>[] {
  const own: Column<Rec>[] = [
    {
      id: 'source_ip',
      title: 'Source IP',
      lead: true,
      sort: (record) => record.source_ip ?? '',
      cell: (record) =>
        record.source_ip === null ? (
          <Ip value={null} />
        ) : (
          <a href={href('records', { ip: record.source_ip })}>
            <Ip value={record.source_ip} />
          </a>
        ),
    },
    {
      id: 'count',
      title: 'Messages',
      number: true,
      sort: (record) => record.count ?? -1,
      cell: (record) => (record.count === null ? <span class="faint">absent</span> : count(record.count)),
    },
    {
      id: 'header_from',
      title: 'From',
      roomy: true,
      sort: (record) => record.header_from ?? '',
      cell: (record) => (
        <>
          <Text value={record.header_from} max={60} />
          {record.envelope_from && record.envelope_from !== record.header_from && (
            <small class="block">
              envelope <Text value={record.envelope_from} max={60} />
            </small>
          )}
          {record.envelope_to && (
            <small class="block">
              to <Text value={record.envelope_to} max={60} />
            </small>
          )}
        </>
      ),
    },
    {
      id: 'class',
      title: 'Class',
      sort: (record) => record.class,
      cell: (record) => (
        <>
          <ClassTag name={record.class} />
          <Notes notes={record.notes} />
        </>
      ),
    },
    { id: 'dkim', title: 'DKIM aligned', sort: (record) => record.dkim ?? '', cell: (record) => <Aligned value={record.dkim} /> },
    { id: 'spf', title: 'SPF aligned', sort: (record) => record.spf ?? '', cell: (record) => <Aligned value={record.spf} /> },
    { id: 'dkim_raw', title: 'DKIM raw', roomy: true, cell: (record) => <Dkim results={record.auth_results.dkim} /> },
    { id: 'spf_raw', title: 'SPF raw', roomy: true, cell: (record) => <Spf results={record.auth_results.spf} /> },
    {
      id: 'disposition',
      title: 'Disposition',
      sort: (record) => record.disposition ?? '',
      cell: (record) => (
        <>
          <Text value={record.disposition} max={20} />
          <Reasons reasons={record.reason} />
        </>
      ),
    },
  ];
  if (!withReport) return own;
  return [
    {
      id: 'report',
      title: 'Report',
      lead: oneSource,
      sort: (record) => record.begin,
      cell: (record) => (
        <>
          <a href={href('report', { id: record.report })}>
            <Text value={record.org_name} max={40} absent="unnamed" />
          </a>
          <small class="block">{day(record.begin)}</small>
        </>
      ),
    },
    ...own.slice(oneSource ? 1 : 0),
  ];
}
