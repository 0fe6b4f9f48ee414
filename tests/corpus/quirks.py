"""Small reports made by hand, what ruad parse prints of them, and ways to change, pack and mail them.

A row of a table gives a document and the findings that are wanted of it, each as the small report's own JSON with the
changes that the quirk makes: all else must stay as it is.
"""

import base64
import copy
import gzip
import io
import zipfile
from typing import NamedTuple

XML = """<?xml version="1.0" encoding="UTF-8"?>
<feedback>
<version>1.0</version>
<report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>r.1</report_id>
<date_range><begin>1700006400</begin><end>1700092799</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>
</policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>3</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from><envelope_from>bounce.example.org</envelope_from></identifiers>
<auth_results><dkim><domain>example.org</domain><selector>s1</selector><result>pass</result></dkim>
<spf><domain>bounce.example.org</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record>
</feedback>
"""
REPORT = XML.encode()

AGGREGATE = {
    "kind": "aggregate",
    "place": "file",
    "dialect": "rfc7489",
    "version": "1.0",
    "xmlns": None,
    "partial": False,
    "records": 1,
    "report_metadata": {
        "org_name": "Reporter",
        "email": "dmarc@reporter.example",
        "extra_contact_info": None,
        "report_id": "r.1",
        "date_range": {"begin": 1700006400, "end": 1700092799},
        "error": [],
        "generator": None,
    },
    "policy_published": {
        "domain": "example.org",
        "adkim": "r",
        "aspf": "r",
        "p": "none",
        "sp": "none",
        "np": None,
        "pct": 100,
        "fo": None,
        "testing": None,
        "discovery_method": None,
    },
    "record": [
        {
            "row": {
                "source_ip": "192.0.2.1",
                "count": 3,
                "policy_evaluated": {"disposition": "none", "dkim": "pass", "spf": "pass", "reason": []},
            },
            "identifiers": {
                "header_from": "example.org",
                "envelope_from": "bounce.example.org",
                "envelope_to": None,
            },
            "auth_results": {
                "dkim": [{"domain": "example.org", "selector": "s1", "result": "pass", "human_result": None}],
                "spf": [
                    {"domain": "bounce.example.org", "scope": "mfrom", "result": "pass", "human_result": None}
                ],
            },
            "notes": [],
        }
    ],
    "notes": [],
}

FIELDS = """Feedback-Type: auth-failure
User-Agent: Filter/1.0
Version: 1
Auth-Failure: dmarc
Authentication-Results: mx.reporter.example; dmarc=fail header.from=example.org
Identity-Alignment: none
Delivery-Result: reject
Original-Mail-From: <bounce@example.org>
Arrival-Date: Wed, 15 Nov 2023 12:00:00 +0000
Reported-Domain: example.org
Source-IP: 192.0.2.1
"""
MESSAGE = """From: sales@example.org
Message-ID: <1@example.org>
Subject: Offer
"""

FAILURE = {
    "kind": "failure",
    "place": "part 2",
    "feedback_type": "auth-failure",
    "user_agent": "Filter/1.0",
    "version": "1",
    "auth_failure": "dmarc",
    "authentication_results": ["mx.reporter.example; dmarc=fail header.from=example.org"],
    "identity_alignment": "none",
    "delivery_result": "reject",
    "original_mail_from": "bounce@example.org",
    "arrival_date": "Wed, 15 Nov 2023 12:00:00 +0000",
    "arrival_time": "2023-11-15T12:00:00Z",
    "source_ip": "192.0.2.1",
    "incidents": 1,
    "reported_domain": ["example.org"],
    "header_from": "example.org",
    "message_id": "1@example.org",
    "subject": "Offer",
    "original_headers": MESSAGE,
    "notes": [],
}

JSON = """{
"organization-name": "Reporter",
"date-range": {"start-datetime": "2023-11-15T00:00:00Z", "end-datetime": "2023-11-15T23:59:59Z"},
"contact-info": "tls@reporter.example",
"report-id": "2023-11-15T00:00:00Z_example.org",
"policies": [{
"policy": {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "example.org",
"mx-host": ["mx.example.org"]},
"summary": {"total-successful-session-count": 5, "total-failure-session-count": 1},
"failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1",
"receiving-mx-hostname": "mx.example.org", "receiving-ip": "198.51.100.1", "failed-session-count": 1}]
}]
}
"""

TLS = {
    "kind": "tls",
    "place": "file",
    "organization_name": "Reporter",
    "date_range": {"start_datetime": "2023-11-15T00:00:00Z", "end_datetime": "2023-11-15T23:59:59Z"},
    "contact_info": "tls@reporter.example",
    "report_id": "2023-11-15T00:00:00Z_example.org",
    "policies": [
        {
            "policy": {
                "policy_type": "sts",
                "policy_string": ["version: STSv1"],
                "policy_domain": "example.org",
                "mx_host": ["mx.example.org"],
            },
            "summary": {"total_successful_session_count": 5, "total_failure_session_count": 1},
            "failure_details": [
                {
                    "result_type": "certificate-expired",
                    "sending_mta_ip": "192.0.2.1",
                    "receiving_mx_hostname": "mx.example.org",
                    "receiving_ip": "198.51.100.1",
                    "failed_session_count": 1,
                }
            ],
        }
    ],
    "notes": [],
}


class Row(NamedTuple):
    """number: of the row in the catalogue. wants: one for each line that is printed, in order."""

    number: str
    name: str
    document: bytes
    wants: tuple

    def __str__(self):
        return f"{self.number} {self.name}"


# What is wanted.


def noted(notes):
    """ "CODE path" or "CODE path: raw" as they are printed."""
    out = []
    for note in notes:
        head, colon, raw = note.partition(": ")
        code, path = head.split(" ", 1)
        out.append({"code": code, "path": path, "raw": raw if colon else None})
    return out


def change(document, path, value):
    *way, last = path.split(".")
    for step in way:
        document = document[int(step) if step.isdigit() else step]
    document[int(last) if last.isdigit() else last] = value


def changed(base, changes, notes, place):
    document = copy.deepcopy(base)
    for path, value in changes.items():
        change(document, path, value)
    document["notes"] = noted(notes)
    document["place"] = place or base["place"]
    return document


def aggregate(changes=(), notes=(), record_notes=(), place="file"):
    document = changed(AGGREGATE, dict(changes), notes, place)
    if document["record"]:
        document["record"][0]["notes"] = noted(record_notes)
    return document


def failure(changes=(), notes=(), place=None):
    return changed(FAILURE, dict(changes), notes, place)


def tls(changes=(), notes=(), place=None):
    return changed(TLS, dict(changes), notes, place)


def unreadable(code, words, place="file"):
    """words: a piece of the reason."""
    return {"kind": "unreadable", "place": place, "code": code, "reason": words}


# Documents.


def edit(*replacements, text=XML):
    """The small report with each old text replaced by the new one; every old one must be there."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


def without(*elements):
    """The small report without these elements, each named by its start tag: the first of that name."""
    text = XML
    for name in elements:
        start = text.index(f"<{name}>")
        end = text.index(f"</{name}>", start) + len(f"</{name}>")
        text = text[:start] + text[end:]
    return text.encode()


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


class Pipe(io.RawIOBase):
    """What can not be sought in, so that a zip's sizes follow its members."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def streamed_zip(*members):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return pipe.data


def with_bytes(data, at, new):
    """data with new written over it at that place."""
    return data[:at] + new + data[at + len(new) :]


def base64_of(data):
    return base64.encodebytes(data).decode()


PACKED = gzip.compress(REPORT, mtime=0)

HEAD = "From: dmarc@reporter.example\nMIME-Version: 1.0\n"


def attached(data, head="Content-Type: application/gzip\n"):
    """A part with data in base64."""
    return f"{head}Content-Transfer-Encoding: base64\n\n{base64_of(data)}"


def single(part):
    """A mail that is this part."""
    return (HEAD + part).encode()


def multipart(*parts, kind="mixed", head=HEAD, boundary="b", footer=""):
    """A mail of these parts, each with its own header."""
    text = f'{head}Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'
    for part in parts:
        text += f"--{boundary}\n{part}\n"
    return (text + f"--{boundary}--\n{footer}").encode()


WORDS = "Content-Type: text/plain\n\nHere is your report.\n"


def feedback(fields=FIELDS, message=MESSAGE, words=WORDS, fields_type="message/feedback-report",
             message_type="text/rfc822-headers"):
    """A mail with a failure report; message None: without a third part."""
    parts = [words, f"Content-Type: {fields_type}\n\n{fields}"]
    if message is not None:
        parts.append(f"Content-Type: {message_type}\n\n{message}")
    return multipart(*parts, kind="report; report-type=feedback-report")


def fields_with(*replacements):
    return edit(*replacements, text=FIELDS).decode()


def fields_without(*names):
    return "".join(line for line in FIELDS.splitlines(True) if line.split(":")[0] not in names)


def json_with(*replacements):
    return edit(*replacements, text=JSON)
