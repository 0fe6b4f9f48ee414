// records.tsx - the explorer: one row a record, as the reports had it. With an address chosen it says first how that source fares and why.
import { type Rec, type Summary, type Timeseries, useApi, useList } from '../api';
import { classWords, mainFailure, verdict } from '../classes';
import { StackedBars } from '../components/chart';
import { Filters } from '../components/filters';
import { classSlices, Swatch, VerdictMark } from '../components/marks';
import { recordColumns } from '../components/record';
import { Empty, Failed, Skeleton } from '../components/states';
import { ListTable } from '../components/table';
import { Ip } from '../components/text';
import { count, percent, plural } from '../format';
import { changed } from '../router';
import { type Scope, useScope } from '../scope';
import { bucketFor } from '../window';
import type { PageEntry } from '.';

// How one address went over the window.
function Days({ scope, ip, keys }: { scope: Scope; ip: string; keys: string[] }) {
  const { data, problem, retry } = useApi<Timeseries>('timeseries', { ...scope.params, ip, by: 'class', bucket: bucketFor(scope.window) });
  if (problem) return <Failed problem={problem} retry={retry} />;
  return data ? <StackedBars series={data} keys={keys} words={scope.window.words} /> : <Skeleton rows={5} label="Loading the chart" />;
}

function Source({ scope, ip }: { scope: Scope; ip: string }) {
  const { data, problem, retry } = useApi<Summary>('summary', { ...scope.params, ip });
  if (problem) return <Failed problem={problem} retry={retry} />;
  if (!data) return <Skeleton rows={3} label="Loading the source" />;
  const { totals } = data;
  if (totals.messages === 0) return null;
  const why = mainFailure(totals.by_class);
  const slices = classSlices(totals.by_class).filter((slice) => slice.value > 0);
  return (
    <section class="card source">
      <p class="sentence small">
        <VerdictMark value={verdict(totals)} /> {plural(totals.messages, 'message')} in {scope.window.words},{' '}
        {percent(totals.pass, totals.messages)} passed DMARC; aligned by DKIM {percent(totals.dkim_aligned, totals.messages)}, by SPF{' '}
        {percent(totals.spf_aligned, totals.messages)}. Seen by {plural(data.reporters, 'reporter')}.
      </p>
      <ul class="legend">
        {slices.map((slice) => (
          <li key={slice.name}>
            <Swatch name={slice.name} /> {slice.label} <b>{count(slice.value)}</b>
          </li>
        ))}
      </ul>
      <Days scope={scope} ip={ip} keys={slices.map((slice) => slice.name)} />
      {why && (
        <div class="why">
          <h2>Why it fails</h2>
          <p>
            <strong>{classWords(why.name).reason}</strong> {why.advice}
          </p>
        </div>
      )}
    </section>
  );
}

function Records() {
  const scope = useScope();
  const { params, query, window } = scope;
  const ip = query.get('ip') || undefined;
  const result = query.get('result') || undefined;
  const list = useList<Rec>('records', { ...params, ip, result, reporter: query.get('reporter') || undefined, limit: 100 });
  return (
    <>
      <h1 tabIndex={-1}>{ip ? <>Records of <Ip value={ip} /></> : 'Records'}</h1>
      {ip ? (
        <Source scope={scope} ip={ip} />
      ) : (
        <p class="lead">One row for each record of a report: what the receiver evaluated (aligned) beside what it measured (raw).</p>
      )}
      <Filters names={['result', 'ip', 'reporter']} />
      <section class="card flush">
        <ListTable
          label="Records"
          noun="record"
          list={list}
          columns={recordColumns({ withReport: true, oneSource: ip !== undefined && !ip.includes('/') })}
          rowKey={(record) => `${record.report}.${record.record_no}`}
          sortable
          empty={
            <Empty filters={['result', 'ip', 'reporter', 'domain']}>
              No record matches in {window.words}.{' '}
              {result && (
                <a href={changed({ result: undefined })}>Look without the filter on the result</a>
              )}
            </Empty>
          }
        />
      </section>
    </>
  );
}

export const records: PageEntry = { path: 'records', title: 'Records', nav: true, view: Records };
