// tls.tsx - whether others reached your mail servers by TLS, and why not. Numbers are sessions here, not messages.
import { csvUrl, useApi, useList } from '../api/ask';
import type { TlsReportItem, TlsSummary, TlsTimeseries } from '../api/types';
import { Asked, Card, Feature } from '../components/asked';
import { StackedBars } from '../components/chart';
import { numbers, texts, times, titled } from '../components/columns';
import { Switch } from '../components/filters';
import { Legend, Num, Share, Stat } from '../components/marks';
import { Copyable, Empty, Stale } from '../components/states';
import { type Column, ListTable, Table } from '../components/table';
import { Text } from '../components/text';
import { Said, Told } from '../components/told';
import { count, percent, period, plural } from '../format';
import { changed, href, type Params, picked } from '../router';
import { type Scope, useScope } from '../scope';
import { bucketFor, stretch } from '../window';

const FILTERS = ['policy_type', 'reporter'];
const TYPES = [['', 'All'], ['sts', 'MTA-STS'], ['tlsa', 'DANE'], ['no-policy-found', 'no policy']] as const;

// No such report has ever come.
const Never = ({ domain }: { domain: string }) => (
  <section class="card onboarding">
    <h2>
      <Said topic="ui" term="no TLS report" />
    </h2>
    <Told term="first TLS report" />
    <Copyable text={`_smtp._tls.${domain}. TXT "v=TLSRPTv1; rua=mailto:tls-rpt@${domain}"`} />
  </section>
);

function Days({ scope, params, totals }: { scope: Scope; params: Params; totals: TlsSummary['totals'] }) {
  const asked = { ...params, bucket: bucketFor(scope.window) };
  return (
    <Card label={`Sessions by ${asked.bucket}`} answer={useApi<TlsTimeseries>('tls/timeseries', asked)}>
      {(series) => (
        <>
          <Legend slices={(['successful', 'failed'] as const).map((name) => ({ name, label: titled(name), value: totals[name] }))} />
          <StackedBars
            series={series}
            keys={series.keys}
            words={scope.window.words}
            noun="session"
            label={titled}
            link={(from, to) => changed(stretch(from, to))}
            csv={csvUrl('tls/timeseries', asked)}
          />
        </>
      )}
    </Card>
  );
}

type Policy = TlsSummary['domains'][number];
const failing = { result: 'fail' };
const only = (row: Policy, params: Params = {}) => changed({ domain: row.policy_domain ?? '', policy_type: row.policy_type ?? '', ...params });

const policies: Column<Policy>[] = [
  ...texts<Policy>(['policy_domain'], {
    lead: true,
    cell: (row) => (
      <a href={only(row)}>
        <Text value={row.policy_domain} max={60} absent="not said" />
      </a>
    ),
  }),
  ...texts<Policy>(['policy_type']),
  ...numbers<Policy>(['sessions']),
  ...numbers<Policy>(['successful'], { cell: (row) => <Share part={row.successful} whole={row.sessions} /> }),
  ...numbers<Policy>(['failed'], { cell: (row) => <Num n={row.failed} to={only(row, failing)} /> }),
];

type Failure = TlsSummary['failures'][number];
const failures: Column<Failure>[] = [
  ...texts<Failure>(['result_type'], { lead: true }),
  ...numbers<Failure>(['failed']),
  ...texts<Failure>(['receiving_mx_hostnames', 'sending_mta_ips']),
  ...numbers<Failure>(['reports'], { cell: (row) => <Num n={row.reports} to={changed(failing)} /> }),
  ...times<Failure>(['last_seen']),
];

const columns: Column<TlsReportItem>[] = [
  ...texts<TlsReportItem>(['organization_name'], {
    lead: true,
    cell: ({ id, organization_name: name, report_id }) => (
      <>
        <a href={href('tlsreport', { id })}>
          <Text value={name} max={40} absent="unnamed" />
        </a>
        <small class="block">
          <Text value={report_id} max={50} />
        </small>
      </>
    ),
  }),
  ...texts<TlsReportItem>(['policy_domains']),
  ...times<TlsReportItem>(['start_datetime'], { title: 'Period', cell: (report) => period(report.start_datetime, report.end_datetime) }),
  ...numbers<TlsReportItem>(['successful', 'failed']),
  ...times<TlsReportItem>(['received_at']),
];

function Body({ data, scope, params }: { data: TlsSummary; scope: Scope; params: Params }) {
  const { sessions, successful, failed } = data.totals;
  const list = useList<TlsReportItem>('tls/reports', { ...params, result: scope.query.get('result') ?? '', limit: 25 });
  return (
    <>
      <Stale last={data.last_report_at} to={scope.window.to} />
      <dl class="stats">
        <Stat label="Sessions" note={`${count(data.previous.sessions)} before`}>
          {count(sessions)}
        </Stat>
        <Stat label="Successful">{percent(successful, sessions)}</Stat>
        <Stat label="Failed" note={percent(failed, sessions)}>
          <Num n={failed} to={changed(failing)} />
        </Stat>
        <Stat label="Reports" note={`from ${plural(data.reporters, 'sender')}`}>
          {count(data.reports)}
        </Stat>
      </dl>
      <Days scope={scope} params={params} totals={data.totals} />
      <section class="card">
        <h2>By policy</h2>
        <Table label="Policies" rows={data.domains} rowKey={(row) => `${row.policy_domain} ${row.policy_type}`} columns={policies} />
      </section>
      {data.failures.length > 0 && (
        <section class="card">
          <h2>Why sessions failed</h2>
          <Told term="sessions" />
          <Table label="Failures" rows={data.failures} rowKey={(row) => row.result_type ?? ''} columns={failures} />
        </section>
      )}
      <section class="card flush">
        <div class="head">
          <h2>Reports</h2>
          <Switch name="result" label="Which reports" choices={[['', 'All'], ['fail', 'With failures']]} />
        </div>
        <ListTable
          label="TLS reports"
          noun="TLS report"
          list={list}
          columns={columns}
          rowKey={({ id }) => id}
          sortable
          empty={
            <Empty filters={[...FILTERS, 'result', 'domain']} counted={false}>
              No TLS report matches in {scope.window.words}.
            </Empty>
          }
        />
      </section>
    </>
  );
}

function Reports({ scope }: { scope: Scope }) {
  const params = { ...scope.params, ...picked(scope.query, FILTERS) };
  return (
    <>
      <div class="filters">
        <Switch name="policy_type" label="Policy" choices={TYPES} />
      </div>
      <Asked answer={useApi<TlsSummary>('tls/summary', params)} label="TLS">
        {(data) => <Body data={data} scope={scope} params={params} />}
      </Asked>
    </>
  );
}

export function Tls() {
  const scope = useScope();
  return (
    <Feature name="tls" label="TLS" never={<Never domain={scope.domain ?? 'example.com'} />}>
      <Reports scope={scope} />
    </Feature>
  );
}
