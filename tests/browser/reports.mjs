// reports.mjs - report mails of the kind that arrive, with dates up to yesterday, so that the page's usual window shows them.
//
// The same day gives the same mails. Two domains, six reporters, sources of every class; hostile() is one that tries to be more than text.
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

function reportXml({ org, email, id, domain, begin, p = 'quarantine', errors = [], records, contact }) {
  return '<?xml version="1.0" encoding="UTF-8"?>' + element('feedback', [
    element('report_metadata', [
      text('org_name', org),
      text('email', email),
      text('extra_contact_info', contact),
      text('report_id', id),
      element('date_range', text('begin', begin) + text('end', begin + DAY - 1)),
      ...errors.map((error) => text('error', error)),
    ].join('')),
    element('policy_published', text('domain', domain) + text('adkim', 'r') + text('aspf', 'r') + text('p', p) + text('sp', 'reject') + text('pct', 100)),
    ...records.map(recordXml),
  ].join('\n'));
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
      if (records.length > 0) mails.push(mailOf({ org, email, id: `${begin}-${org.length}${Math.floor(random() * 1e9)}`, domain: 'example.com', begin, records }));
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
  const reversed = '\u202egpj.exe\u2066 \u200bhidden\u2069';
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
