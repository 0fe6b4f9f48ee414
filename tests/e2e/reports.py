"""Makes aggregate reports (RFC 9990) and the mails that carry them.

    xml = aggregate(report_id="1", records=[record(source_ip="192.0.2.1", count=3)])
    sent = mail(gzipped(xml))

Every function returns bytes and has defaults for all it takes, so that a test names only what it is about. What is put in is
escaped, never checked: a report may be made as wrong as a test wants it. The same arguments make the same bytes.
"""

import email.message
import email.policy
import gzip
import io
import zipfile
from xml.sax.saxutils import escape

NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"
DAY = 1767225600  # 2026-01-01 00:00:00 UTC


def element(name, value):
    """<name>value</name>, or nothing when value is None."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def group(name, *children):
    """An element around elements that are made already."""
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
    """A whole report; records holds what record() made (one by default)."""
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


def zipped(*xmls, name="report.zip"):
    """(file name, media type, bytes) of a zip archive with a member for each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for number, xml in enumerate(xmls, 1):
            members.writestr(zipfile.ZipInfo(f"report-{number}.xml"), xml, zipfile.ZIP_DEFLATED)
    return name, "application/zip", archive.getvalue()


def plain(xml, name="report.xml"):
    """(file name, media type, bytes) of the report as it is."""
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
    """The mail of one gzipped report; each number makes another report."""
    return mail(gzipped(aggregate(report_id=f"report-{number}", **arguments)), message_id=f"<{number}@reporter.example>")
