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
  ['Aligned', 'The domain that DKIM or SPF proved is the one in From (strict), or of the same organisation (relaxed). Only aligned results count for DMARC.'],
  ['Raw', 'What the receiver measured, for whatever domain. A raw pass for another domain is not a DMARC pass.'],
  ['Passed', 'DKIM is aligned, or SPF is. The receiver’s own verdict (policy_evaluated); ruad only notes where a report contradicts itself.'],
  ['Passed by SPF alone', 'Fragile: forwarding breaks SPF. RFC 9989 section 7.4 tells domains with p=reject not to rely on SPF alone.'],
  ['Disposition', <>What the receiver did: quarantine, reject, or none. <code>none</code> is said of mail that passed and of mail that failed under p=none; RFC 9990 has <code>pass</code> for the former.</>],
  ['Policy', <><code>p</code> for the domain, <code>sp</code> for subdomains, <code>np</code> for names that do not exist; <code>t=y</code> asks for one step less than written. <code>pct</code> is no longer in use (RFC 9989).</>],
  ['Source', 'The service, domain, network or address that sent. Its name is a hint (from reverse DNS, the network or what authenticated), not proof.'],
  ['New', 'Seen for the first time in the window.'],
];

const OVERRIDES: Entries = [
  ['mailing_list', 'The receiver took it for a mailing list, which changes mail and so breaks signatures.'],
  ['forwarded', 'It took it for forwarded mail (RFC 7489).'],
  ['trusted_forwarder', 'It came from a forwarder that the receiver knows.'],
  ['local_policy', <>A rule of the receiver’s own; <code>arc=pass</code> in the comment means that a forwarder vouched for it by ARC.</>],
  ['policy_test_mode', 'The policy has t=y, so it was not enforced in full (RFC 9990).'],
  ['sampled_out', 'It was outside the percentage of pct (RFC 7489).'],
  ['other', 'See the comment.'],
];

const LABELLED: Entries = [
  ['Mine', 'You run it or pay for it: its failures are yours to mend, and stand against enforcing a policy.'],
  ['Forwarder', 'It passes on mail that others sent. It fails SPF by nature, and DKIM where it changes mail.'],
  ['Not mine', 'It has no business sending as you; it no longer counts under Needs attention.'],
  ['Unreviewed', <>Nobody has said yet. Labels are set on a source’s page by an editor, or by <code>ruad label</code>, and logged.</>],
];

const TABS: Entries = [
  ['Compliant, DMARC capable', 'Passed'],
  ['Non-compliant', 'Not aligned; Signature broken from a source that is yours'],
  ['Forwarders, Forwarded', 'Let through; passed by DKIM alone from what looks like a forwarder'],
  ['Threat, Unknown', 'Unproven. Reports cannot show what somebody meant, so ruad does not say threat.'],
];

const CAVEATS: readonly string[] = [
  'No report does not mean no mail: receivers that do not report are not counted, and small domains may not be reported at all.',
  'Forwarded mail may be counted twice, by the forwarder’s receiver and by the last one.',
  'A report’s period need not be a day in UTC. It counts on the day it begins; the report shows its true period.',
  'Reports of the last two days are still arriving.',
  'Anybody can send a report. What authenticated the mail that brought it stands with each report.',
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
    ['Messages, and what passed', records(`sum(count) AS messages, ${sum('dmarc_pass')}, ${sum('dkim_aligned')}, ${sum('spf_aligned')}`)],
    ['The chart', records('day, class, sum(count) AS messages', ' GROUP BY day, class ORDER BY day, class')],
    ['Sources', records(`source, label, sum(count) AS messages, ${sum('fail', 'NOT dmarc_pass')}`, ' GROUP BY source, label ORDER BY fail DESC NULLS LAST')],
    ['Names of sources', 'SELECT source_ip, source, source_name, name_basis, rdns, asn, as_name, country FROM dmarc.addresses'],
    ['Who labelled them', 'SELECT source, label, note, set_by, set_at FROM dmarc.label_log ORDER BY id DESC'],
    ['Dispositions', records('disposition, sum(count) AS messages', ' GROUP BY disposition')],
    ['Reports and reporters', `SELECT org_name, count(*) AS reports, sum(messages) AS messages, max("end") AS last FROM dmarc.reports ${where} GROUP BY org_name ORDER BY reports DESC`],
    ['Policies that reporters saw', 'SELECT domain, p, sp, np, testing, adkim, aspf, first_seen, last_seen, reporters FROM dmarc.policies ORDER BY domain, first_seen'],
    ['Overrides', `SELECT type, count(*) AS records FROM dmarc.record_overrides WHERE begin >= '${from}Z' AND begin < '${to}Z'${of} GROUP BY type`],
    ['Failure reports', `SELECT begin, auth_failure, source_ip, header_from, subject FROM dmarc.failure_reports ${where} ORDER BY begin DESC`],
    ['TLS sessions', `SELECT day, policy_type, sum(total_successful_session_count) AS successful, sum(total_failure_session_count) AS failed FROM dmarc.tls_policies ${where.replaceAll(/\bdomain\b/g, 'policy_domain')} GROUP BY day, policy_type ORDER BY day`],
    ['What could not be read', "SELECT received_at, code, reason, subject FROM dmarc.intake WHERE status = 'quarantined' ORDER BY received_at DESC"],
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
        Numbers are messages, or sessions of TLS reports; never records or reports, unless named so. Days are of UTC.
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
              [<VerdictMark value="passing" />, `${passing}% of its messages passed, or more.`],
              [<VerdictMark value="mixed" />, 'Between the two. Often the window reaches back before a mend: choose a shorter one.'],
              [<VerdictMark value="failing" />, `${failing}% passed, or less.`],
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
          The same numbers for {scope.domain ?? 'all domains'} and {scope.window.words} by SQL, from views that are made for it; <code>\d+ dmarc.*</code> explains every column.
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
          By HTTP: every list of this page is at <code>api/v1/</code>, as JSON and as CSV; <a href="./openapi.json">openapi.json</a> describes all of it.
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
