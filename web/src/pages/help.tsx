// help.tsx - what the words mean, what the numbers cannot say, and the SQL behind each of them.
import type { ComponentChildren } from 'preact';
import { useMeta } from '../api';
import { CLASSES, THRESHOLDS } from '../classes';
import { Icon, Swatch, VerdictMark } from '../components/marks';
import { Copyable } from '../components/states';
import { href } from '../router';
import { type Scope, useScope } from '../scope';
import type { PageEntry } from '.';

type Entries = [term: ComponentChildren, words: ComponentChildren][];

function Words({ title, entries, children }: { title: string; entries: Entries; children?: ComponentChildren }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {children}
      <dl class="facts words">
        {entries.map(([term, words], index) => (
          <div key={index}>
            <dt>{term}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const GLOSSARY: Entries = [
  ['Aligned', 'DKIM or SPF passed for the domain in From (strict) or one of the same organisation (relaxed). DMARC passes when either is aligned, as the receiver evaluated it.'],
  ['Raw', 'What the receiver measured, for whatever domain: a raw pass need not be aligned.'],
  ['By SPF alone', 'Breaks when mail is forwarded, so sign with DKIM before asking for p=reject (RFC 9989 section 7.4).'],
  ['Disposition', <>What the receiver did. <code>none</code> is mail that passed as well as mail that failed under p=none; RFC 9990 calls the former <code>pass</code>.</>],
  ['Policy', <><code>p</code> of the domain, <code>sp</code> of subdomains, <code>np</code> of names that do not exist; <code>t=y</code>: one step less. <code>pct</code> is history.</>],
  ['Source', 'A service, domain, network or address that sends. Its name is a hint, not proof. New: first seen in the window.'],
];

const OVERRIDES: Entries = [
  ['mailing_list', 'A list, which changes mail and so breaks signatures.'],
  ['forwarded', 'Forwarded mail (RFC 7489).'],
  ['trusted_forwarder', 'A forwarder that the receiver knows.'],
  ['local_policy', <>A rule of its own; <code>arc=pass</code>: a forwarder vouched for it (ARC).</>],
  ['policy_test_mode', 'The policy has t=y (RFC 9990).'],
  ['sampled_out', 'Outside the percentage of pct (RFC 7489).'],
  ['other', 'See the comment.'],
];

const LABELLED: Entries = [
  ['Mine', 'You run it or pay for it: its failures are yours to mend, and stand against enforcing.'],
  ['Forwarder', 'It passes on mail of others: SPF fails by nature, DKIM where it changes mail.'],
  ['Not mine', 'It has no business sending as you, and needs no attention.'],
  ['Unreviewed', <>Nobody said. Editors set labels on a source’s page, or by <code>ruad label</code>; a log keeps who did.</>],
];

const TABS: Entries = [
  ['Compliant, DMARC capable', 'Passed'],
  ['Non-compliant', 'Not aligned, and Signature broken of a source that is yours'],
  ['Forwarders, Forwarded', 'Let through, and what looks like a forwarder'],
  ['Threat, Unknown', 'Unproven: reports cannot tell what somebody meant'],
];

const CAVEATS: readonly string[] = [
  'No report does not mean no mail: not every receiver reports, and few do so for little mail.',
  'Forwarded mail may be reported twice, by two receivers.',
  'A report counts on the day it begins; its period need not be a day in UTC.',
  'Reports of the last two days are still arriving.',
  'Anybody can send a report: look at what authenticated the mail that brought it.',
];

// What a number is, and the SQL that gives it for the domain and window chosen above.
function queries({ window: { from, to }, domain, query }: Scope): [string, string][] {
  const name = domain?.replaceAll("'", "''");
  const below = query.get('subdomains') === '1';
  const of = name === undefined ? '' : ` AND ${below ? `(domain = '${name}' OR domain LIKE '%.${name}')` : `domain = '${name}'`}`;
  const where = `WHERE day >= '${from}' AND day < '${to}'${of}`;
  const sum = (name: string, filter = name) => `sum(count) FILTER (WHERE ${filter}) AS ${name}`;
  const records = (columns: string, rest = '') => `SELECT ${columns} FROM dmarc.records ${where}${rest}`;
  return [
    ['Messages', records(`sum(count) AS messages, ${sum('dmarc_pass')}, ${sum('dkim_aligned')}, ${sum('spf_aligned')}`)],
    ['The chart', records('day, class, sum(count) AS messages', ' GROUP BY day, class ORDER BY day, class')],
    ['Sources', records(`source, label, sum(count) AS messages, ${sum('fail', 'NOT dmarc_pass')}`, ' GROUP BY source, label ORDER BY fail DESC NULLS LAST')],
    ['Names of sources', 'SELECT source_ip, source, source_name, name_basis, rdns, asn, as_name, country FROM dmarc.addresses'],
    ['Who labelled them', 'SELECT source, label, note, set_by, set_at FROM dmarc.label_log ORDER BY id DESC'],
    ['Dispositions', records('disposition, sum(count) AS messages', ' GROUP BY disposition')],
    ['Reports and reporters', `SELECT org_name, count(*) AS reports, sum(messages) AS messages, max("end") AS last FROM dmarc.reports ${where} GROUP BY org_name ORDER BY reports DESC`],
    ['Policies', 'SELECT domain, p, sp, np, testing, adkim, aspf, first_seen, last_seen, reporters FROM dmarc.policies ORDER BY domain, first_seen'],
    ['Overrides', `SELECT type, count(*) AS records FROM dmarc.record_overrides WHERE begin >= '${from}Z' AND begin < '${to}Z'${of} GROUP BY type`],
    ['Failure reports', `SELECT begin, auth_failure, source_ip, header_from, subject FROM dmarc.failure_reports ${where} ORDER BY begin DESC`],
    ['TLS sessions', `SELECT day, policy_type, sum(total_successful_session_count) AS successful, sum(total_failure_session_count) AS failed FROM dmarc.tls_policies ${where.replaceAll(/\bdomain\b/g, 'policy_domain')} GROUP BY day, policy_type ORDER BY day`],
    ['Intake', "SELECT received_at, code, reason, subject FROM dmarc.intake WHERE status = 'quarantined' ORDER BY received_at DESC"],
  ];
}

function Help() {
  const scope = useScope();
  const meta = useMeta();
  const { passing, failing } = meta?.thresholds ?? THRESHOLDS;
  return (
    <>
      <h1 tabIndex={-1}>Help</h1>
      <p class="lead">
        Numbers are messages (of TLS reports: sessions), never records. Days are of UTC.
      </p>
      <div class="two">
        <Words title="Words" entries={GLOSSARY} />
        <div>
          <Words
            title="The six classes"
            entries={CLASSES.map(({ name, label, reason, advice }) => [
              <a href={href('records', { class: name })}>
                <Swatch name={name} /> {label}
              </a>,
              <>
                {reason} <span class="faint">{advice}</span>
              </>,
            ])}
          >
            <p class="lead">Each record is in the first that fits.</p>
          </Words>
          <Words
            title="How a source stands"
            entries={[
              [<VerdictMark value="passing" />, `${passing}% of its messages or more passed.`],
              [<VerdictMark value="mixed" />, 'In between. Does the window begin before a mend? Choose a shorter one.'],
              [<VerdictMark value="failing" />, `${failing}% or less passed.`],
            ]}
          />
        </div>
        <Words title="Whose a source is" entries={LABELLED} />
        <Words title="Why a receiver made an exception" entries={OVERRIDES.map(([type, words]) => [<a href={href('records', { override: String(type) })}>{type}</a>, words])} />
        <Words title="Coming from another tool" entries={TABS}>
          <p class="lead">Their four tabs, and where to look here.</p>
        </Words>
        <section class="card">
          <h2>
            <Icon name="info" /> What reports cannot say
          </h2>
          <ul class="plain">
            {CAVEATS.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </section>
      </div>
      <section class="card">
        <h2>Where each number comes from</h2>
        <p class="lead">
          By SQL, for {scope.domain ?? 'all domains'} and {scope.window.words}; <code>\d+ dmarc.*</code> explains every column.
        </p>
        <Copyable text={'psql "host=/var/lib/ruad/run user=ruad_auditor dbname=ruad"'} />
        <dl class="queries">
          {queries(scope).map(([what, sql]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                <Copyable text={sql + ';'} />
              </dd>
            </div>
          ))}
        </dl>
        <p>
          By HTTP: <code>api/v1/</code>, as JSON and CSV, described by <a href="./openapi.json">openapi.json</a>.
        </p>
      </section>
      <section class="card">
        <h2>About</h2>
        <p>
          ruad {meta?.version}, schema {meta?.schema_version}. This page contains Preact, © Jason Miller. Both are under the MIT licence: <a href="./licences.txt">licences.txt</a>
        </p>
      </section>
    </>
  );
}

export const help: PageEntry = { path: 'help', title: 'Help', nav: true, view: Help };
