// reports.mjs - report mails of the kind that arrive, with dates up to yesterday, so that the page's usual window shows them.
//
// The same day gives the same mails. Two domains and a From subdomain, six reporters, sources of every class; failure and TLS reports;
// hostile() is one that tries to be more than text. fill() puts all of it, and what is known of the sources, into a server.
import { gzipSync } from 'node:zlib';

const DAY = 86_400;

// A repeatable stream of numbers in [0, 1).
function dice(seed) {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

const escaped = (text) => String(text).replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const element = (name, content) => (content === undefined ? '' : `<${name}>${content}</${name}>`);
const text = (name, value) => (value === undefined ? '' : element(name, escaped(value)));

function recordXml(record) {
  const { ip, count, disposition = 'none', dkim = 'fail', spf = 'fail', reasons = [], from, envelope, signatures = [], spfs = [] } = record;
  return element('record', [
    element('row', [
      text('source_ip', ip),
      text('count', count),
      element('policy_evaluated', [
        text('disposition', disposition),
        text('dkim', dkim),
        text('spf', spf),
        ...reasons.map(([type, comment]) => element('reason', text('type', type) + text('comment', comment))),
      ].join('')),
    ].join('')),
    element('identifiers', text('header_from', from) + text('envelope_from', envelope)),
    element('auth_results', [
      ...signatures.map(([domain, selector, result, human]) =>
        element('dkim', text('domain', domain) + text('selector', selector) + text('result', result) + text('human_result', human))),
      ...spfs.map(([domain, result, scope = 'mfrom']) => element('spf', text('domain', domain) + text('scope', scope) + text('result', result))),
    ].join('')),
  ].join(''));
}

export function reportXml({ org, email, id, domain, begin, p = 'quarantine', errors = [], records, contact, rfc9990 = false }) {
  const policy = rfc9990
    ? text('np', 'reject') + text('testing', 'n') + text('discovery_method', 'treewalk')
    : text('pct', 100);
  const feedback = [
    element('report_metadata', [
      text('org_name', org),
      text('email', email),
      text('extra_contact_info', contact),
      text('report_id', id),
      element('date_range', text('begin', begin) + text('end', begin + DAY - 1)),
      ...errors.map((error) => text('error', error)),
    ].join('')),
    element('policy_published', text('domain', domain) + text('adkim', 'r') + text('aspf', 'r') + text('p', p) + text('sp', 'reject') + policy),
    ...records.map(recordXml),
  ].join('\n');
  const root = rfc9990 ? 'feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"' : 'feedback';
  return `<?xml version="1.0" encoding="UTF-8"?><${root}>${text('version', '1.0')}${feedback}</feedback>`;
}

// A mail with the report packed as an attachment, as most reporters send it.
function mailOf(report) {
  const name = `${report.domain}!${report.begin}!${report.begin + DAY - 1}.xml.gz`;
  const packed = gzipSync(reportXml(report)).toString('base64').replace(/.{76}/g, '$&\n');
  return `From: <noreply@reporter.example>
To: <dmarc-sum@example.net>
Subject: Report domain: ${report.domain}
Message-ID: <${report.begin}.${Buffer.from(report.id).toString('hex').slice(0, 40)}@reporter.example>
MIME-Version: 1.0
Content-Type: application/gzip; name="${name}"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="${name}"

${packed}
`;
}

const REPORTERS = [
  ['google.com', 'noreply-dmarc-support@google.com', 1],
  ['Yahoo', 'dmarchelp@yahooinc.com', 0.6],
  ['Enterprise Outlook', 'dmarcreport@microsoft.com', 0.5],
  ['GMX', 'noreply-dmarc@sicher.gmx.net', 0.2],
  ['Mail.Ru', 'dmarc_support@corp.mail.ru', 0.12],
  ['comcast.net', 'dmarc@comcast.net', 0.08],
];

// What sends as example.com: [messages a day, from which day back, record]
const SOURCES = [
  [620, 99, { ip: '203.0.113.10', dkim: 'pass', spf: 'pass', signatures: [['example.com', 's2026', 'pass']], spfs: [['example.com', 'pass']] }],
  [310, 99, { ip: '2001:db8:4a:1::25', dkim: 'pass', spf: 'pass', signatures: [['example.com', 's2026', 'pass']], spfs: [['example.com', 'pass']] }],
  [120, 99, { ip: '203.0.113.77', dkim: 'fail', spf: 'pass', spfs: [['example.com', 'pass']] }],
  [85, 99, { ip: '198.51.100.42', envelope: 'bounce.mailer.example.net', signatures: [['mailer.example.net', 'k1', 'pass']], spfs: [['bounce.mailer.example.net', 'pass']] }],
  [40, 99, { ip: '198.51.100.7', dkim: 'pass', signatures: [['example.com', 's2026', 'pass']], spfs: [['forwarder.example.org', 'pass']], envelope: 'forwarder.example.org' }],
  [14, 99, { ip: '198.51.100.9', signatures: [['example.com', 's2026', 'fail', 'body hash did not verify']], spfs: [['lists.example.org', 'pass']], envelope: 'lists.example.org', reasons: [['mailing_list', 'lists.example.org']] }],
  [3, 99, { ip: '198.51.100.7', from: 'news.example.com', dkim: 'pass', signatures: [['example.com', 's2026', 'pass']], spfs: [['forwarder.example.org', 'pass']], envelope: 'forwarder.example.org' }],
  [55, 99, { ip: '198.51.100.44', from: 'news.example.com', envelope: 'bounce.news.example.com', dkim: 'pass', spf: 'pass', signatures: [['news.example.com', 'n1', 'pass'], ['mailer.example.net', 'k1', 'pass']], spfs: [['bounce.news.example.com', 'pass']] }],
  [9, 99, { ip: '198.51.100.10', signatures: [['example.com', 's2025', 'fail', 'signature did not verify']], spfs: [['example.com', 'softfail']], disposition: 'quarantine' }],
  [12, 11, { ip: '192.0.2.200', spfs: [['example.com', 'fail']], disposition: 'reject' }],
  [5, 99, { ip: '192.0.2.66', spfs: [['example.com', 'none']], disposition: 'quarantine' }],
];

// The reports of the last days for example.com and, a smaller one, example.org.
export function reports(days = 40, now = Date.now()) {
  const random = dice(20);
  const today = Math.floor(now / 1000 / DAY) * DAY;
  const mails = [];
  for (let back = days; back >= 1; back--) {
    const begin = today - back * DAY;
    const weekend = [0, 6].includes(new Date(begin * 1000).getUTCDay()) ? 0.35 : 1;
    for (const [org, email, share] of REPORTERS) {
      const records = SOURCES.flatMap(([rate, since, record]) => {
        const count = Math.round(rate * share * weekend * (0.35 + random() * 0.4));
        return count > 0 && back <= since ? [{ from: 'example.com', envelope: 'example.com', ...record, count }] : [];
      });
      if (records.length > 0) mails.push(mailOf({ org, email, id: `${begin}-${org.length}${Math.floor(random() * 1e9)}`, domain: 'example.com', begin, records, p: back > 17 ? 'none' : 'quarantine', rfc9990: org === 'GMX' }));
    }
    if (back % 2 === 1)
      mails.push(mailOf({
        org: 'google.com', email: 'noreply-dmarc-support@google.com', id: `org-${begin}`, domain: 'example.org', begin, p: 'none',
        records: [{ ip: '203.0.113.10', from: 'example.org', envelope: 'example.org', count: 3 + Math.floor(random() * 9), dkim: 'pass', signatures: [['example.org', 's2026', 'pass']], spfs: [['example.org', 'pass']], spf: 'pass' }],
      }));
  }
  return mails;
}

export const HOSTILE = 'hostile.example';

// Markup, script, right-to-left overrides and a name of 10 KB in every text that a report has.
export function hostile(now = Date.now()) {
  const begin = Math.floor(now / 1000 / DAY) * DAY - 2 * DAY;
  const markup = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><b>bold</b>';
  const reversed = '\u202egpj.exe\u2066 \u200bhidden\u2028end\u2069';
  return mailOf({
    org: `${markup}${'W'.repeat(10_000)}`, email: `"${markup}"@reporter.example`, id: `${markup}${reversed}`, domain: HOSTILE, begin,
    contact: 'javascript:window.pwned=1', errors: [markup, reversed, 'x'.repeat(5_000)],
    records: [{
      ip: '192.0.2.99', count: 7, from: HOSTILE, envelope: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${HOSTILE}`,
      reasons: [['local_policy', markup], ['other', reversed]],
      signatures: [[`${'d'.repeat(63)}.${'e'.repeat(63)}.example`, '"><script>window.pwned=1</script>', 'fail', markup]],
      spfs: [[`${'f'.repeat(200)}`, 'fail']],
    }],
  });
}

// A mail that claims to hold a report and does not.
export function unreadable() {
  return mailOf({ org: 'x', email: 'x', id: 'x', domain: 'example.com', begin: 1, records: [] }).replace(/\n\n[^]*$/, '\n\nH4sIAAAAAAAAA2JyYWQgZ3ppcAAA\n');
}

const hash = (text) => Buffer.from(text).toString('hex').slice(0, 40);
const rfc5322 = (seconds) => new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');

function failureMail({ at, ip, from, subject, auth, delivery }) {
  const id = hash(`${at}${ip}`);
  return `From: <dmarc@reporter.example>
To: <dmarc-full@example.net>
Subject: FW: ${subject}
Date: ${rfc5322(at)}
Message-ID: <${id}.failure@reporter.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_f"

--=_f
Content-Type: text/plain; charset=us-ascii

This is a failure report for a message that claims to be from example.com.
--=_f
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: Example-Reporter/3.1
Version: 1
Original-Mail-From: <bounce@mailer.example.net>
Original-Rcpt-To: <someone@reporter.example>
Arrival-Date: ${rfc5322(at)}
Reporting-MTA: dns; mx.reporter.example
Source-IP: ${ip}
Reported-Domain: example.com
Auth-Failure: ${auth}
Identity-Alignment: none
Delivery-Result: ${delivery}
Authentication-Results: mx.reporter.example; dmarc=fail (p=quarantine) header.from=example.com;
	spf=pass smtp.mailfrom=bounce@mailer.example.net
SPF-DNS: txt : mailer.example.net : "v=spf1 ip4:198.51.100.0/24 -all"

--=_f
Content-Type: text/rfc822-headers

Return-Path: <bounce@mailer.example.net>
Received: from out.mailer.example.net (out.mailer.example.net [${ip}]) by mx.reporter.example
	for <someone@reporter.example>; ${rfc5322(at)}
Date: ${rfc5322(at)}
From: ${from}
To: someone@reporter.example
Subject: ${subject}
Message-ID: <${id}@mailer.example.net>

--=_f--
`;
}

// Failure reports of the last days; the last one tries to be more than text.
export function failures(days = 12, now = Date.now()) {
  const today = Math.floor(now / 1000 / DAY) * DAY;
  const mails = [];
  for (let back = days; back >= 1; back -= 2)
    mails.push(failureMail({
      at: today - back * DAY + 34_887, ip: back % 4 ? '198.51.100.42' : '192.0.2.200', from: 'Example Billing <billing@example.com>',
      subject: back % 4 ? 'Our news of the week' : 'Your invoice is overdue', auth: back % 4 ? 'dmarc' : 'spf', delivery: back % 4 ? 'delivered' : 'reject',
    }));
  mails.push(failureMail({
    at: today - DAY + 60, ip: '192.0.2.99', from: '"<img src=x onerror=window.pwned=1>" <x@example.com>',
    subject: '<script>window.pwned=1</script> =?utf-8?B?4oCuZ3BqLmV4ZQ==?=', auth: 'dmarc', delivery: 'other',
  }));
  return mails;
}

function tlsMail({ org, domain, begin, policies }) {
  const report = {
    'organization-name': org,
    'date-range': { 'start-datetime': new Date(begin * 1000).toISOString().replace('.000', ''), 'end-datetime': new Date((begin + DAY - 1) * 1000).toISOString().replace('.000', '') },
    'contact-info': `smtp-tls-reporting@${org}`,
    'report-id': `${begin}.${domain}@${org}`,
    policies,
  };
  const packed = gzipSync(JSON.stringify(report)).toString('base64').replace(/.{76}/g, '$&\n');
  return `From: <tls@${org}>
To: <tls-rpt@example.net>
Subject: Report Domain: ${domain} Submitter: ${org} Report-ID: <${begin}@${org}>
Message-ID: <${hash(begin + domain + org)}@${org}>
MIME-Version: 1.0
TLS-Report-Domain: ${domain}
TLS-Report-Submitter: ${org}
Content-Type: multipart/report; report-type="tlsrpt"; boundary="=_t"

--=_t
Content-Type: text/plain; charset=us-ascii

This is an aggregate TLS report.
--=_t
Content-Type: application/tlsrpt+gzip
Content-Disposition: attachment; filename="${org}!${domain}!${begin}!${begin + DAY - 1}!001.json.gz"
Content-Transfer-Encoding: base64

${packed}
--=_t--
`;
}

// TLS reports of the last days: two policies, a certificate that expired for a while.
export function tlsReports(days = 25, now = Date.now()) {
  const random = dice(7);
  const today = Math.floor(now / 1000 / DAY) * DAY;
  const mails = [];
  for (let back = days; back >= 1; back--)
    for (const [org, share] of [['google.com', 1], ['microsoft.com', 0.4]]) {
      const sessions = Math.round(share * (300 + random() * 200));
      const failed = back > 6 && back < 11 ? Math.round(sessions * 0.3) : back % 5 === 0 ? 3 : 0;
      mails.push(tlsMail({
        org, domain: 'example.com', begin: today - back * DAY,
        policies: [
          {
            policy: { 'policy-type': 'sts', 'policy-string': ['version: STSv1', 'mode: enforce', 'mx: mx.example.com', 'max_age: 604800'], 'policy-domain': 'example.com', 'mx-host': ['mx.example.com'] },
            summary: { 'total-successful-session-count': sessions - failed, 'total-failure-session-count': failed },
            ...(failed > 0 && {
              'failure-details': [{
                'result-type': failed > 3 ? 'certificate-expired' : 'starttls-not-supported', 'sending-mta-ip': '203.0.113.201', 'receiving-mx-hostname': 'mx.example.com',
                'receiving-ip': '203.0.113.25', 'failed-session-count': failed, ...(failed > 3 && { 'failure-reason-code': '<b>X509_V_ERR_CERT_HAS_EXPIRED</b>' }),
              }],
            }),
          },
          ...(back % 3 === 0 ? [{ policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'news.example.com' }, summary: { 'total-successful-session-count': 12, 'total-failure-session-count': 0 } }] : []),
        ],
      }));
    }
  return mails;
}

// The same report again, and one of the same name with other content.
function again(now) {
  const begin = Math.floor(now / 1000 / DAY) * DAY - DAY;
  const report = (count) => mailOf({
    org: 'google.com', email: 'noreply-dmarc-support@google.com', id: 'told-twice', domain: 'example.org', begin, p: 'none',
    records: [{ ip: '203.0.113.10', from: 'example.org', envelope: 'example.org', count, dkim: 'pass', spf: 'pass', signatures: [['example.org', 's2026', 'pass']], spfs: [['example.org', 'pass']] }],
  });
  return [report(4), report(4), report(5)];
}

// What is known of the addresses beside reports: [address, rdns, rdns_domain, asn, as_name, country, service].
const ADDRESSES = [
  ['203.0.113.10', 'mx.example.com', 'example.com', 64500, 'EXAMPLE-NET', 'NL'],
  ['2001:db8:4a:1::25', 'mx.example.com', 'example.com', 64500, 'EXAMPLE-NET', 'NL'],
  ['203.0.113.77', 'web1.example.com', 'example.com', 64500, 'EXAMPLE-NET', 'NL'],
  ['198.51.100.42', 'out42.mailer.example.net', 'mailer.example.net', 64510, 'MAILER', 'US', 'acme-mailer'],
  ['198.51.100.44', 'out44.mailer.example.net', 'mailer.example.net', 64510, 'MAILER', 'US', 'acme-mailer'],
  ['198.51.100.7', 'fwd.example.org', 'example.org', 64511, 'UNIVERSITY', 'DE'],
  ['198.51.100.9', 'lists.example.org', 'example.org', 64511, 'UNIVERSITY', 'DE'],
  ['198.51.100.10', 'crm.example.net', 'example.net', 64512, 'HOSTING', 'FR'],
  ['192.0.2.200', null, null, 64513, 'DIALUP', 'BR'],
];
const LABELS = [
  ['domain:example.com', 'mine', 'Our own servers'],
  ['service:acme-mailer', 'mine', 'Newsletters; contract until 2028'],
  ['as:64513', 'not_mine', null],
];
// The kept check of example.com's DNS: its second way out is not in SPF, an old selector has no key, and markup is in its records.
const CHECK = {
  ok: false, answered: true, solicited: null, domain: 'example.com', // no record names our mailbox, so that all domains count
  findings: [
    { code: 'spf_softfail', severity: 'warning', place: 'example.com TXT: ~all', text: 'SPF ends in ~all', fix: 'example.com. TXT "v=spf1 ip4:203.0.113.0/28 -all"' },
    { code: 'dmarc_tag', severity: 'info', place: '_dmarc.example.com TXT', text: '<img src=x onerror="window.pwned=1">\u202e is no tag', fix: null },
  ],
  dnssec: { signed: true, validated: null },
  spf: { record: 'v=spf1 ip4:203.0.113.0/28 -all', result: 'ok', lookups: 0, void_lookups: 0, all: '-', unlisted: [], ranges: [{ range: '203.0.113.0/28', qualifier: '+', term: 'ip4:203.0.113.0/28', via: 'example.com' }] },
  mx: [{ preference: 10, host: 'mx.example.com', addresses: ['203.0.113.10'] }],
  dkim: [{ domain: 'example.com', selector: 's2026', status: 'ok' }, { domain: 'example.com', selector: 's2025', status: 'missing' }, { domain: 'example.com', selector: 'spare', status: 'ok' }],
};
const STRANGER = { ok: true, answered: true, solicited: false, domain: 'example.org', findings: [], spf: { result: 'none', ranges: [], unlisted: [], lookups: 0 } };

const quoted = (value) => (value === null || value === undefined ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`);

// What ruad-enrich would have found, and what people said; only in a database of the test's own.
export function known(ruad) {
  const setup = { switch: 'Settings > Sending domains', records: 'CNAME k1._domainkey, CNAME k2._domainkey', aligns: 'dkim', manual: 'https://acme.example/help/dkim' };
  ruad.sql(`INSERT INTO ruad.service (key, name, type, setup) VALUES ('acme-mailer', 'Acme Mailer', 'marketing', ${quoted(JSON.stringify(setup))}) ON CONFLICT DO NOTHING`);
  for (const [ip, rdns, domain, asn, name, country, service] of ADDRESSES)
    ruad.sql(`INSERT INTO ruad.address (source_ip, rdns, rdns_domain, asn, as_name, country, service, service_basis, looked_up_at, expires_at)
      VALUES (${[ip, rdns, domain, asn, name, country, service].map(quoted).join(', ')}, ${service ? "'rdns'" : 'NULL'}, now(), now() + interval '1 week')`);
  for (const check of [CHECK, STRANGER])
    ruad.sql(`INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result)
      SELECT id, now(), now() + interval '1 day', ${quoted(JSON.stringify(check))} FROM ruad.domain WHERE name = ${quoted(check.domain)}`);
  for (const [since, until, value, first] of [["now() - interval '20 days'", "now() - interval '3 days'", 'v=DMARC1; p=none', true], ["now() - interval '3 days'", 'NULL', 'v=DMARC1; p=quarantine; sp=reject', false]])
    ruad.sql(`INSERT INTO ruad.dns_version (domain_id, kind, name, since, until, value, is_first)
      SELECT id, 'dmarc', '_dmarc.example.com', ${since}, ${until}, ${quoted(value)}, ${first} FROM ruad.domain WHERE name = 'example.com'`);
  for (const [source, label, note] of LABELS) ruad.sql(`SELECT ruad.set_label(${[source, label, note, 'ann', 'cli'].map(quoted).join(', ')})`);
}

/*
 * All of it into a server, over LMTP. { report, hostile, failure, tlsreport, source, ip, domain }: what addresses of pages name.
 */
export async function fill(ruad, { days = 40, now = Date.now(), withHostile = true } = {}) {
  if (ruad.lmtp) {
    await ruad.deliver([...reports(days, now), ...(withHostile ? [hostile(now)] : []), unreadable(), ...again(now)]);
    await ruad.deliver(failures(12, now).slice(0, withHostile ? undefined : -1), { recipient: 'dmarc-full@example.net' });
    await ruad.deliver(tlsReports(25, now), { recipient: 'tls-rpt@example.net' });
  }
  if (ruad.own) known(ruad);
  const first = async (path) => (await (await fetch(`${ruad.url}api/v1/${path}`)).json()).items?.[0]?.id;
  return {
    report: await first('reports?domain=example.com&limit=1'),
    hostile: await first(`reports?domain=${HOSTILE}&limit=1`),
    failure: await first('failures?limit=1'),
    tlsreport: await first('tls/reports?limit=1'),
    source: ruad.own ? 'service:acme-mailer' : 'ip:198.51.100.42',
    ip: '198.51.100.42',
    domain: 'example.com',
  };
}
