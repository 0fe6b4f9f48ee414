"""Creates aggregate, failure and TLS reports (RFC 9990, RFC 6591, RFC 8460) and mails that contain them.

    xml = aggregate(report_id="1", records=[record(source_ip="192.0.2.1", count=3)])
    sent = mail(gzipped(xml))

Every function returns bytes and has defaults for all it takes, so that a test names only what it is about. What is put in is
escaped, never checked: a report may be made as wrong as a test wants it. The same arguments make the same bytes.
"""

import email.message
import email.policy
import gzip
import io
import json
import zipfile
from xml.sax.saxutils import escape

NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"
DAY = 1767225600  # 2026-01-01 00:00:00 UTC


def element(name, value):
    """<name>value</name>, or nothing when value is None."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def group(name, *children):
    """An element around existing elements."""
    return f"<{name}>{''.join(children)}</{name}>"


def record(
    source_ip="192.0.2.1",
    count=1,
    disposition="none",
    dkim="pass",
    spf="pass",
    header_from="example.com",
    envelope_from="example.com",
    auth_dkim=(("example.com", "s1", "pass"),),
    auth_spf=(("example.com", "pass"),),
    reason=(),
):
    """A <record>; auth_dkim holds (domain, selector, result), auth_spf (domain, result), reason (type, comment)."""
    reasons = [group("reason", element("type", kind), element("comment", comment)) for kind, comment in reason]
    evaluated = group(
        "policy_evaluated", element("disposition", disposition), element("dkim", dkim), element("spf", spf), *reasons
    )
    results = [
        group("dkim", element("domain", domain), element("selector", selector), element("result", result))
        for domain, selector, result in auth_dkim
    ] + [group("spf", element("domain", domain), element("result", result)) for domain, result in auth_spf]
    return group(
        "record",
        group("row", element("source_ip", source_ip), element("count", count), evaluated),
        group("identifiers", element("header_from", header_from), element("envelope_from", envelope_from)),
        group("auth_results", *results),
    )


def aggregate(
    domain="example.com",
    org_name="Reporter Inc.",
    email="dmarc@reporter.example",
    report_id="1",
    begin=DAY,
    end=DAY + 86399,
    p="none",
    records=None,
):
    """A complete report; records holds what record() made (one by default)."""
    text = group(
        "report_metadata",
        element("org_name", org_name),
        element("email", email),
        element("report_id", report_id),
        group("date_range", element("begin", begin), element("end", end)),
    ) + group("policy_published", element("domain", domain), element("p", p))
    text += "".join([record()] if records is None else records)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="{NAMESPACE}">{text}</feedback>\n'.encode()


def gzipped(xml, name="report.xml.gz"):
    """(file name, media type, bytes) of a gzip file."""
    return name, "application/gzip", gzip.compress(xml, mtime=0)


def stored_gzip(xml):
    """The bytes of a gzip file without compression, which is as large as the report."""
    return gzip.compress(xml, 0, mtime=0)


def zipped(*xmls, name="report.zip"):
    """(file name, media type, bytes) of a zip archive with a member for each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for number, xml in enumerate(xmls, 1):
            members.writestr(zipfile.ZipInfo(f"report-{number}.xml"), xml, zipfile.ZIP_DEFLATED)
    return name, "application/zip", archive.getvalue()


def plain(xml, name="report.xml"):
    """(file name, media type, bytes) of the report itself."""
    return name, "text/xml", xml


def mail(*attachments, sender="noreply@reporter.example", to="dmarc-sum@example.com", subject="Report", message_id=None):
    """A mail with these attachments (each a triple as above), CRLF at all line ends."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = message_id or "<1@reporter.example>"
    message.set_content("A DMARC report is attached.\n")
    for name, media_type, content in attachments:
        main, sub = media_type.split("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    if attachments:
        message.set_boundary("=-=-=-=")
    return message.as_bytes()


def report_mail(number=1, **arguments):
    """The mail of one gzipped report; each number gives another report."""
    return mail(gzipped(aggregate(report_id=f"report-{number}", **arguments)), message_id=f"<{number}@reporter.example>")


def feedback(number=1, feedback_type="auth-failure", body="", content_type="message/rfc822", source_ip="192.0.2.9"):
    """The multipart/report of a failure report (without a mail's own header), whose third part has the body."""
    boundary = f"=-feedback-{number}"
    fields = {
        "Feedback-Type": feedback_type,
        "User-Agent": "Test/1.0",
        "Version": "1",
        "Original-Mail-From": "<bounce@example.com>",
        "Arrival-Date": "Thu, 1 Jan 2026 10:00:00 +0000",
        "Source-IP": source_ip,
        "Reported-Domain": "example.com",
        "Auth-Failure": "dmarc",
        "Identity-Alignment": "none",
        "Authentication-Results": "mx.reporter.example; dmarc=fail header.from=example.com",
    }
    message = f"From: Billing <billing@example.com>\nSubject: original {number}\nMessage-ID: <o{number}@example.com>\n\n{body}"
    parts = {
        "text/plain": "A failure report.\n",
        "message/feedback-report": "".join(f"{name}: {value}\n" for name, value in fields.items()),
        content_type: message,
    }
    text = f'Content-Type: multipart/report; report-type=feedback-report; boundary="{boundary}"\n\n'
    text += "".join(f"--{boundary}\nContent-Type: {kind}\n\n{part}\n" for kind, part in parts.items())
    return f"{text}--{boundary}--\n"


def failure_mail(number=1, **arguments):
    """The mail of one failure report; each number gives another report."""
    header = ["From: dmarc@reporter.example", "To: dmarc-full@example.com", "Subject: failure"]
    header += [f"Message-ID: <f{number}@reporter.example>", "MIME-Version: 1.0"]
    return ("\n".join(header) + "\n" + feedback(number, **arguments)).replace("\n", "\r\n").encode()


def failures_mail(*parts):
    """A mail to which mails with these multiparts (made by feedback()) are attached."""
    text = 'From: dmarc@reporter.example\nSubject: failures\nMIME-Version: 1.0\nContent-Type: multipart/digest; boundary="=-all"\n\n'
    for part in parts:
        text += f"--=-all\nContent-Type: message/rfc822\n\nFrom: dmarc@reporter.example\nMIME-Version: 1.0\n{part}\n"
    return (text + "--=-all--\n").replace("\n", "\r\n").encode()


def tls(report_id="t-1", domain="example.com", success=10, failure=1):
    """A TLS report of one policy."""
    details = {"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1", "failed-session-count": failure}
    return json.dumps(
        {
            "organization-name": "Reporter Inc.",
            "date-range": {"start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z"},
            "contact-info": "tls@reporter.example",
            "report-id": report_id,
            "policies": [
                {
                    "policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": [f"mx.{domain}"]},
                    "summary": {"total-successful-session-count": success, "total-failure-session-count": failure},
                    "failure-details": [details] if failure else [],
                }
            ],
        }
    ).encode()


def tls_mail(number=1, **arguments):
    """The mail of one gzipped TLS report; each number gives another report."""
    packed = gzip.compress(tls(f"t-{number}", **arguments), mtime=0)
    return mail(("report.json.gz", "application/tlsrpt+gzip", packed), to="tls-rpt@example.com", message_id=f"<t{number}@r.example>")


def with_fields(sent, *fields):
    """The mail with these header fields above its own, as an MTA adds them."""
    return "".join(f"{field}\r\n" for field in fields).encode() + sent
