#!/usr/bin/python3
"""Writes the sample mails beside it: tests/samples/make.py

Ten report mails for domains that are nobody's, in the forms that large reporters use. The reporters' names are made up
where they matter, the addresses are those set aside for documentation (RFC 5737, RFC 3849), and every run writes
the same bytes.
"""

import base64
import gzip
import io
import json
import pathlib
import textwrap
import zipfile
from xml.sax.saxutils import escape

FOLDER = pathlib.Path(__file__).parent
DAY = 86400
NOV_18 = 1794960000  # 2026-11-18T00:00:00Z

# Own mail server, a newsletter service, a mailing list that breaks signatures, and somebody who forges.
OWN, OWN6, NEWS, LIST, FORGER, OLD = (
    '192.0.2.25', '2001:db8:25::1', '198.51.100.80', '198.51.100.7', '203.0.113.66', '192.0.2.99')


def record(ip, count, disposition, dkim, spf, header_from, signatures, envelope, reasons=(), selector=True):
    """One <record>. signatures: (domain, selector, result)...; envelope: (domain, result) of SPF."""
    reason = ''.join(f'<reason><type>{t}</type><comment>{escape(c)}</comment></reason>' for t, c in reasons)
    dkims = ''.join(
        f'<dkim><domain>{d}</domain>{f"<selector>{s}</selector>" if selector else ""}<result>{r}</result></dkim>'
        for d, s, r in signatures)
    return (f'<record><row><source_ip>{ip}</source_ip><count>{count}</count>'
            f'<policy_evaluated><disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>{reason}'
            f'</policy_evaluated></row><identifiers><envelope_from>{envelope[0]}</envelope_from>'
            f'<header_from>{header_from}</header_from></identifiers>'
            f'<auth_results>{dkims}<spf><domain>{envelope[0]}</domain><scope>mfrom</scope><result>{envelope[1]}</result>'
            f'</spf></auth_results></record>')


def feedback(org, email, report_id, day, domain, policy, records, root='<feedback>', extra='', version='<version>1.0</version>'):
    begin = NOV_18 + (day - 18) * DAY
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n{root}{version}<report_metadata><org_name>{org}</org_name>'
            f'<email>{email}</email>{extra}<report_id>{report_id}</report_id>'
            f'<date_range><begin>{begin}</begin><end>{begin + DAY - 1}</end></date_range></report_metadata>'
            f'<policy_published><domain>{domain}</domain>{policy}</policy_published>'
            + ''.join(records) + '</feedback>\n').replace('><', '>\n<').encode()


def zipped(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def packed(content):
    return gzip.compress(content, mtime=0)


def base64_lines(content):
    return '\r\n'.join(textwrap.wrap(base64.b64encode(content).decode(), 76))


def header(sender, subject, day, message_id, to='dmarc-sum@example.com'):
    return ('Return-Path: <>\r\n'
            f'Date: {["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"][(day - 18) % 7]}, {day} Nov 2026 04:17:09 +0000\r\n'
            f'From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{message_id}>\r\n'
            'MIME-Version: 1.0\r\n')


def single(head, media_type, filename, content):
    """The attachment is the whole body, as Google sends it."""
    return (head + f'Content-Type: {media_type};\r\n\tname="{filename}"\r\n'
            f'Content-Disposition: attachment;\r\n\tfilename="{filename}"\r\n'
            f'Content-Transfer-Encoding: base64\r\n\r\n{base64_lines(content)}\r\n').encode()


def mixed(head, text, media_type, filename, content, encoding='base64'):
    """A text for people, and the attachment."""
    body = base64_lines(content) if encoding == 'base64' else content.decode().replace('\n', '\r\n')
    return (head + 'Content-Type: multipart/mixed; boundary="=_ruad_sample_1"\r\n\r\n'
            '--=_ruad_sample_1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n'
            f'{text}\r\n\r\n--=_ruad_sample_1\r\nContent-Type: {media_type}\r\n'
            f'Content-Disposition: attachment; filename="{filename}"\r\n'
            f'Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--=_ruad_sample_1--\r\n').encode()


STRICT = '<adkim>s</adkim><aspf>s</aspf><p>reject</p><sp>reject</sp><pct>100</pct>'
RELAXED = '<adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>'


def own(count, ip=OWN, domain='example.com', **more):
    return record(ip, count, 'none', 'pass', 'pass', domain, [(domain, 'mail2026', 'pass')], (domain, 'pass'), **more)


def google():
    xml = feedback('google.com', 'noreply-dmarc-support@google.com', '10203040506070809010', 20, 'example.com', STRICT, [
        own(412), own(57, OWN6),
        record(NEWS, 230, 'none', 'pass', 'fail', 'example.com',
               [('example.com', 'news', 'pass'), ('newsletter.example.net', 's1', 'pass')], ('bounce.example.net', 'pass')),
        record(LIST, 6, 'none', 'fail', 'fail', 'example.com', [('example.com', 'mail2026', 'fail')],
               ('lists.example.org', 'pass'), [('local_policy', 'arc=pass')]),
    ], extra='<extra_contact_info>https://support.google.com/a/answer/2466580</extra_contact_info>')
    name = 'google.com!example.com!1795132800!1795219199'
    return single(header('noreply-dmarc-support@google.com',
                         'Report domain: example.com Submitter: google.com Report-ID: 10203040506070809010', 21,
                         '10203040506070809010@google.com'),
                  'application/zip', name + '.zip', zipped(name + '.xml', xml))


def microsoft():
    xml = feedback('Outlook.com', 'dmarcreport@microsoft.com', '5f1d0e7a9b3c4d2e8f6a7b1c0d9e3f21', 20, 'example.com',
                   STRICT + '<fo>0</fo>', [own(188), own(21, OWN6)],
                   root='<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
                        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">')
    return mixed(header('DMARC Aggregate Report <dmarcreport@microsoft.com>',
                        'Report Domain: example.com Submitter: enterprise.protection.outlook.com Report-ID: 5f1d0e7a', 21,
                        '5f1d0e7a9b3c4d2e@microsoft.com'),
                 'This is a DMARC aggregate report from Microsoft Corporation.', 'application/gzip',
                 'enterprise.protection.outlook.com!example.com!1795132800!1795219199.xml.gz', packed(xml))


def yahoo():
    xml = feedback('Yahoo', 'dmarchelp@yahooinc.com', '1795219200.417032', 20, 'example.com', STRICT, [
        own(93, selector=False),
        record(NEWS, 41, 'none', 'pass', 'fail', 'example.com', [('example.com', 'news', 'pass')], ('bounce.example.net', 'pass')),
    ])
    return mixed(header('noreply@dmarc.yahoo.com', 'Report Domain: example.com Submitter: yahoo.com', 21,
                        '1795219200.417032@yahoo.com'),
                 'This is an aggregate report from Yahoo.', 'application/gzip',
                 'yahoo.com!example.com!1795132800!1795219199.xml.gz', packed(xml))


def rfc9990():
    policy = ('<p>reject</p><sp>reject</sp><np>reject</np><adkim>s</adkim><aspf>s</aspf>'
              '<discovery_method>treewalk</discovery_method><fo>1</fo><testing>n</testing>')
    xml = feedback('Alpine Mail', 'dmarc@reporter.example', 'ab12.20261121@reporter.example', 21, 'example.com', policy,
                   [own(34), own(5, OWN6)], root='<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
                   extra='<generator>reportd 3.1</generator>')
    return mixed(header('dmarc@reporter.example', 'Report Domain: example.com Submitter: reporter.example', 22,
                        'ab12.20261121@reporter.example'),
                 'DMARC aggregate report, not packed.', 'text/xml; charset=utf-8',
                 'reporter.example!example.com!1795219200!1795305599.xml', xml, '8bit')


def forged():
    """A source that only forges: it has to stand out on the page."""
    xml = feedback('mail.example.net', 'abuse@mail.example.net', '77281', 21, 'example.com', STRICT, [
        own(12),
        record(FORGER, 318, 'reject', 'fail', 'fail', 'example.com', [], ('example.com', 'fail')),
        record(FORGER, 7, 'reject', 'fail', 'fail', 'example.com', [('spam.example.net', 'x', 'pass')], ('spam.example.net', 'pass')),
    ])
    name = 'mail.example.net!example.com!1795219200!1795305599'
    return single(header('abuse@mail.example.net', 'Report Domain: example.com Submitter: mail.example.net Report-ID: 77281', 22,
                         '77281@mail.example.net'),
                  'application/x-zip-compressed', name + '.zip', zipped(name + '.xml', xml))


def forgotten_host():
    """One's own old host: SPF does not cover it and it does not sign."""
    xml = feedback('GMX', 'noreply-dmarc@sicher.gmx.example', 'f0c9a1e2', 22, 'example.com', STRICT, [
        own(77), record(OLD, 19, 'reject', 'fail', 'fail', 'example.com', [], ('example.com', 'softfail')),
    ])
    return mixed(header('noreply-dmarc@sicher.gmx.example', 'Report Domain: example.com Submitter: gmx.example', 23,
                        'f0c9a1e2@gmx.example'),
                 'DMARC report.', 'application/gzip', 'gmx.example!example.com!1795305600!1795391999.xml.gz', packed(xml))


def second_domain():
    xml = feedback('google.com', 'noreply-dmarc-support@google.com', '9988776655443322110', 22, 'example.org', RELAXED, [
        own(64, domain='example.org'),
        record(NEWS, 15, 'none', 'fail', 'fail', 'example.org', [('newsletter.example.net', 's1', 'pass')],
               ('bounce.example.net', 'pass')),
    ])
    name = 'google.com!example.org!1795305600!1795391999'
    return single(header('noreply-dmarc-support@google.com', 'Report domain: example.org Submitter: google.com', 23,
                         '9988776655443322110@google.com'),
                  'application/zip', name + '.zip', zipped(name + '.xml', xml))


def unreadable():
    """A gzip that was cut off on its way: quarantined with its reason, and answered 250 all the same."""
    xml = feedback('Cutoff Mail', 'dmarc@cutoff.example', 'cut-1', 22, 'example.com', STRICT, [own(3)])
    return mixed(header('dmarc@cutoff.example', 'Report Domain: example.com Submitter: cutoff.example', 23, 'cut-1@cutoff.example'),
                 'DMARC report.', 'application/gzip', 'cutoff.example!example.com!1795305600!1795391999.xml.gz',
                 packed(xml)[:200])


def parts(head, kind, *bodies):
    """A multipart/report; bodies are (header fields of the part, text)."""
    pieces = ''.join(f'--=_ruad_sample_2\r\n{fields}\r\n\r\n{text}\r\n' for fields, text in bodies)
    return (head + f'Content-Type: multipart/report; report-type={kind}; boundary="=_ruad_sample_2"\r\n\r\n'
            f'{pieces}--=_ruad_sample_2--\r\n').encode()


def lines(*texts):
    return '\r\n'.join(texts)


def failure():
    """A failure report (RFC 6591, RFC 9991) on one message of the forger, with its header and no body."""
    feedback_report = lines(
        'Feedback-Type: auth-failure', 'User-Agent: Alpine-Mail-Reporter/3.1', 'Version: 1',
        'Original-Mail-From: <billing@spam.example.net>', 'Original-Rcpt-To: <someone@reporter.example>',
        'Arrival-Date: Sat, 21 Nov 2026 09:41:27 +0000', 'Reporting-MTA: dns; mx.reporter.example', f'Source-IP: {FORGER}',
        'Reported-Domain: example.com', 'Auth-Failure: dmarc', 'Identity-Alignment: none', 'Delivery-Result: reject',
        'Authentication-Results: mx.reporter.example; dmarc=fail (p=reject) header.from=example.com;',
        '\tspf=pass smtp.mailfrom=billing@spam.example.net', 'SPF-DNS: txt : spam.example.net : "v=spf1 +all"', '')
    message = lines(
        'Return-Path: <billing@spam.example.net>',
        f'Received: from spam.example.net (spam.example.net [{FORGER}]) by mx.reporter.example',
        '\tfor <someone@reporter.example>; Sat, 21 Nov 2026 09:41:27 +0000', 'Date: Sat, 21 Nov 2026 09:41:20 +0000',
        'From: Example Billing <billing@example.com>', 'To: someone@reporter.example', 'Subject: Your invoice is overdue',
        'Message-ID: <4711@spam.example.net>', '')
    return parts(header('dmarc@reporter.example', 'FW: Your invoice is overdue', 22, 'fail-4711@reporter.example', 'dmarc-full@example.com'),
                 'feedback-report',
                 ('Content-Type: text/plain; charset=us-ascii', 'This is a DMARC failure report for a message that claims to be from example.com.'),
                 ('Content-Type: message/feedback-report', feedback_report),
                 ('Content-Type: text/rfc822-headers', message))


def tls():
    """An SMTP TLS report (RFC 8460): a policy that holds, and a certificate of one's own that has expired."""
    policy = {'policy-type': 'sts', 'policy-domain': 'example.com', 'mx-host': ['mx.example.com', 'mx2.example.com'],
              'policy-string': ['version: STSv1', 'mode: testing', 'mx: mx.example.com', 'mx: mx2.example.com', 'max_age: 604800']}
    expired = {'result-type': 'certificate-expired', 'sending-mta-ip': '198.51.100.62', 'receiving-mx-hostname': 'mx2.example.com',
               'receiving-ip': '192.0.2.26', 'failed-session-count': 9}
    report = {'organization-name': 'Alpine Mail', 'contact-info': 'tls@reporter.example', 'report-id': '2026-11-21T00:00:00Z_example.com',
              'date-range': {'start-datetime': '2026-11-21T00:00:00Z', 'end-datetime': '2026-11-21T23:59:59Z'},
              'policies': [{'policy': policy, 'failure-details': [expired],
                            'summary': {'total-successful-session-count': 1204, 'total-failure-session-count': 9}}]}
    name = 'reporter.example!example.com!1795219200!1795305599!001.json.gz'
    head = header('tls@reporter.example', 'Report Domain: example.com Submitter: reporter.example Report-ID: <20261121@reporter.example>',
                  22, '20261121.tls@reporter.example', 'tls-rpt@example.com')
    return parts(head + 'TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: reporter.example\r\n', '"tlsrpt"',
                 ('Content-Type: text/plain; charset=us-ascii', 'This is an aggregate TLS report from reporter.example.'),
                 (f'Content-Type: application/tlsrpt+gzip\r\nContent-Disposition: attachment; filename="{name}"\r\n'
                  'Content-Transfer-Encoding: base64', base64_lines(packed(json.dumps(report).encode()))))


SAMPLES = {
    '01-google-zip': google, '02-microsoft-gzip': microsoft, '03-yahoo-gzip': yahoo, '04-rfc9990-plain': rfc9990,
    '05-forged-zip': forged, '06-forgotten-host-gzip': forgotten_host, '07-second-domain-zip': second_domain,
    '08-failure': failure, '09-tls-gzip': tls, '10-unreadable-gzip': unreadable,
}

if __name__ == '__main__':
    for name, make in SAMPLES.items():
        (FOLDER / f'{name}.eml').write_bytes(make())
