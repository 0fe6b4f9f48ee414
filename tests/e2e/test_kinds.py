"""Failure reports, TLS reports, truncated reports and unauthentic mail, from LMTP to the database."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import struct
import subprocess
import tarfile
import zipfile

import outlook
import pytest
import reports
from conftest import RECIPIENT, STORED
from supervised import Supervised

FULL = "dmarc-full@example.com"
TLS = "tls-rpt@example.com"
MARKER = "Geheimnis-7291"  # in the body of a reported message

ITEMS = "SELECT kind, status, code FROM dmarc.intake ORDER BY mail, item_no"


def dump(database):
    """All that is in the database, as text."""
    postgres = database.postgres
    command = ["pg_dump", "--inserts", "-h", str(postgres.folder), "-U", "postgres", database.name]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout


def notes(database, table):
    return [
        [(note["code"], note["raw"]) for note in row or []]
        for (row,) in database.query(f"SELECT notes FROM ruad.{table} ORDER BY id")
    ]


# Failure reports.

BODIES = {
    "plain": MARKER,
    "quoted_printable": f"Content: {MARKER}",
    "multipart": f'--x\nContent-Type: text/html\n\n<b>{MARKER}</b>\n--x--',
    "header_like": f"X-Body: {MARKER}\n\n{MARKER}",
    "from_line": f"From {MARKER}@example.com Thu Jan  1 10:00:00 2026\n\n{MARKER}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_assertion_57_no_byte_of_a_body_reaches_the_database_or_the_log(database, start_ingest, body):
    ingest = start_ingest(database)
    sent = reports.failure_mail(1, body=body)
    assert MARKER.encode() in sent
    for mail in sent, sent, reports.failures_mail(reports.feedback(2, body=body), reports.feedback(3, body=body)):
        assert ingest.deliver(mail, FULL) == [STORED]
    assert database.query("SELECT subject FROM ruad.failure ORDER BY 1") == [("original 1",), ("original 2",), ("original 3",)]
    everything = dump(database)
    assert "original 1" in everything
    assert MARKER not in everything
    assert MARKER not in ingest.log()
    assert database.query("SELECT original_body FROM ruad.failure") == [(None,)] * 3


def test_assertion_57_a_body_is_kept_where_that_is_asked_for(database, start_ingest):
    ingest = start_ingest(database, retention_failure_bodies="on")
    assert ingest.deliver(reports.failure_mail(1, body=f"one\n{MARKER}\n"), FULL) == [STORED]
    assert database.query("SELECT original_body FROM ruad.failure") == [(f"one\n{MARKER}\n",)]
    assert MARKER in dump(database)
    assert MARKER not in ingest.log()


def test_assertion_58_a_complaint_is_no_failed_authentication(ingest, database):
    for number, kind in enumerate(("auth-failure", "abuse", "Opt-Out"), 1):
        assert ingest.deliver(reports.failure_mail(number, feedback_type=kind), FULL) == [STORED]
    assert database.query("SELECT kind, feedback_type FROM ruad.failure ORDER BY id") == [
        ("failure", "auth-failure"),
        ("feedback", "abuse"),
        ("feedback", "opt-out"),
    ]
    assert [row[0] for row in database.query(ITEMS)] == ["failure", "feedback", "feedback"]


# Copies.


@pytest.mark.parametrize("make", [reports.failure_mail, reports.tls_mail])
def test_the_same_report_twice_is_a_duplicate_whatever_the_recipient(ingest, database, make):
    table, kind = ("failure", "failure") if make is reports.failure_mail else ("tls", "tls")
    for mail, recipient in ((make(1), FULL), (make(1), RECIPIENT), (make(2), TLS)):
        assert ingest.deliver(mail, recipient) == [STORED]
    assert database.value(f"SELECT count(*) FROM ruad.{table}") == 2
    assert database.query(ITEMS) == [(kind, "stored", None), (kind, "duplicate", None), (kind, "stored", None)]
    assert database.value("SELECT count(*) FROM ruad.raw") == 0


@pytest.mark.parametrize("make", [reports.failure_mail, reports.tls_mail])
def test_two_recipients_make_one_report(ingest, database, make):
    assert ingest.deliver(make(), FULL, TLS) == [STORED, STORED]
    assert database.value("SELECT recipients FROM dmarc.intake") == [FULL, TLS]
    assert [row[1] for row in database.query(ITEMS)] == ["stored"]


def test_another_tls_report_of_the_same_key_is_a_conflict(ingest, database):
    first, second = (reports.tls_mail(1, success=success) for success in (1, 2))
    assert ingest.deliver(first, TLS) == [STORED]
    assert ingest.deliver(second, TLS) == [STORED]
    assert database.query("SELECT total_successful_session_count FROM ruad.tls") == [(1,)]
    assert [row[1] for row in database.query(ITEMS)] == ["stored", "conflict"]
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == second


def test_all_kinds_in_one_mail_are_stored(ingest, database):
    packed = ("t.json.gz", "application/tlsrpt+gzip", gzip.compress(reports.tls()))
    mail = reports.mail(reports.gzipped(reports.aggregate()), packed, reports.plain(b"<feedback"))
    assert ingest.deliver(mail) == [STORED]
    assert [row[:2] for row in database.query(ITEMS)] == [
        ("aggregate", "stored"),
        ("tls", "stored"),
        ("unreadable", "quarantined"),
    ]


def test_reports_in_every_packing_and_mails_in_archives_are_stored(ingest, database):
    """Behind one another, also over the way through the sandbox."""
    def tarred(*members):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:xz") as tar:
            for name, data in members:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return out.getvalue()

    def zipped(name, data, method):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr(name, data)
        return out.getvalue()

    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    def winmail(name, data):
        """A winmail.dat (MS-OXTNEF)."""
        return (struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00018004, b"Report\0") + attribute(2, 0x00069002, bytes(14))
                + attribute(2, 0x00018010, name.encode() + b"\0") + attribute(2, 0x0006800F, data))

    xml = [reports.aggregate(report_id=str(number)) for number in range(10)]
    inner = reports.mail(reports.gzipped(xml[5]))
    mbox = b"".join(b"From r@reporter.example Thu Jan  1 00:00:00 2026\n" + mail.replace(b"\r\n", b"\n") + b"\n"
                    for mail in (reports.mail(reports.gzipped(xml[6])), reports.mail(reports.gzipped(xml[7]))))
    packed = [
        lzma.compress(xml[0]),
        lzma.compress(xml[1], format=lzma.FORMAT_ALONE),
        bz2.compress(xml[2]),
        tarred(("r.xml", xml[3])),
        zipped("r.xml", xml[4], zipfile.ZIP_LZMA),
        zipped("r.eml", inner, zipfile.ZIP_DEFLATED),
        tarred(("all.mbox", mbox)),
        winmail("r.xml.gz", gzip.compress(xml[8])),
        zipped("r.msg", outlook.msg(("r.xml.gz", "application/gzip", gzip.compress(xml[9]))), zipfile.ZIP_DEFLATED),
    ]
    parts = [(f"{number}.bin", "application/octet-stream", data) for number, data in enumerate(packed)]
    assert ingest.deliver(reports.mail(*parts)) == [STORED]
    assert database.query(ITEMS) == [("aggregate", "stored", None)] * 10
    assert [row[0] for row in database.query("SELECT report_id FROM dmarc.reports ORDER BY 1")] == list("0123456789")


HEADER = "From: Reporter <r@reporter.example>\r\nSubject: saved\r\nMessage-ID: <saved@reporter.example>\r\n"


def saved():
    """A .msg with each kind of report, some of them in mails inside."""
    tls = outlook.message([("t.json", "application/tlsrpt+json", reports.tls())], top=False)
    original = outlook.message([], "From: a@sender.example\r\nSubject: original\r\n", MARKER, top=False)
    fields = b"Feedback-Type: auth-failure\nUser-Agent: u\nVersion: 1\nAuth-Failure: dmarc\nReported-Domain: sender.example\n"
    failure = outlook.message(
        [("details.txt", "message/feedback-report", fields), ("original", None, original)],
        HEADER + "Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n", "A failure", top=False)
    aggregate = ("r.xml.gz", "application/gzip", gzip.compress(reports.aggregate()))
    return outlook.msg(aggregate, ("TLS", None, tls), ("Failure", None, failure), header=HEADER, text="See the reports.")


SAVED = [("aggregate", "stored", None), ("tls", "stored", None), ("failure", "stored", None)]


def test_what_outlook_saved_as_msg_is_read_by_lmtp_import_and_parse(folder, database, ingest):
    path = folder / "saved.msg"
    path.write_bytes(saved())
    ruad = Supervised(folder, database_url=database.conninfo())
    code, output, _ = ruad.command("parse", str(path))
    documents = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [(row["kind"], row["place"]) for row in documents if "place" in row] == [
        ("aggregate", "part 2: r.xml.gz"), ("tls", "part 3: t.json"), ("failure", "part 5")], output

    assert ingest.deliver(reports.mail(("saved.msg", "application/vnd.ms-outlook", saved()))) == [STORED]
    assert database.query(ITEMS) == SAVED
    assert database.query("SELECT subject, original_headers, original_body FROM ruad.failure") == [
        ("original", "From: a@sender.example\nSubject: original\n", None)]
    code, output, _ = ruad.command("import", str(path))
    assert (code, "3 duplicates" in output) == (0, True), output
    assert MARKER not in dump(database)


def test_a_saved_mail_is_stored_with_its_header_but_is_not_authentic(folder, database):
    """Whoever saved it can have changed the fields of our MTA."""
    report = ("r.xml", "text/xml", reports.aggregate())
    path = folder / "saved.msg"
    path.write_bytes(outlook.msg(report, header=f"{PASS}\r\n{HEADER}"))
    ruad = Supervised(folder, database_url=database.conninfo(), lmtp_authserv_id="mx.example.com")
    code, output, _ = ruad.command("import", str(path))
    assert code == 0, output
    assert database.query("SELECT subject, message_id, authentic FROM ruad.mail") == [
        ("saved", "saved@reporter.example", "none")]
    assert database.query(ITEMS) == [("aggregate", "stored", None)]


def test_a_damaged_msg_is_quarantined_with_what_it_is(ingest, database):
    content = saved()
    for data in content[:700], content[:-1024]:
        assert ingest.deliver(reports.mail(("saved.msg", "application/vnd.ms-outlook", data))) == [STORED]
    assert set(database.query(ITEMS)) == {("unreadable", "quarantined", "archive")}
    assert database.query("SELECT place, reason FROM dmarc.intake ORDER BY mail") == [
        ("part 2: saved.msg", "OLE2 file: damaged header or directory"),
        ("part 2: saved.msg", "OLE2 file: damaged: a chain of sectors does not end")]


def test_a_signed_mail_is_read_and_an_encrypted_one_says_so(ingest, database, tmp_path):
    key, certificate, entity = (tmp_path / name for name in ("key.pem", "certificate.pem", "entity"))
    xml = base64.encodebytes(gzip.compress(reports.aggregate())).replace(b"\n", b"\r\n")
    entity.write_bytes(b"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + xml)
    head = ["-in", entity, "-from", "r@reporter.example", "-to", RECIPIENT, "-subject", "Report"]

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=r.example")
    sign = ["cms", "-sign", "-nodetach", "-binary", "-signer", certificate, "-inkey", key, *head]
    assert ingest.deliver(openssl(*sign)) == [STORED]
    assert ingest.deliver(openssl(*sign, "-stream")) == [STORED]
    assert ingest.deliver(openssl("cms", "-encrypt", *head, certificate)) == [STORED]
    assert database.query(ITEMS) == [
        ("aggregate", "stored", None),
        ("aggregate", "duplicate", None),
        ("unreadable", "quarantined", "encrypted"),
    ]
    assert database.value("SELECT reason FROM dmarc.intake WHERE code = 'encrypted'") == "S/MIME: encrypted, cannot be read"


# Large ones: more bytes of rows than may be in memory, so they are written in a separate transaction.


def test_many_large_failure_reports_stream_and_are_whole(database, start_ingest):
    ingest = start_ingest(database, retention_failure_bodies="on")
    lines = "".join(f"line {n} of a long message\n" for n in range(12000))
    parts = [reports.feedback(number, body=f"{number}\n{lines}") for number in range(1, 9)]
    assert ingest.deliver(reports.failures_mail(*parts), FULL) == [STORED]
    assert database.query("SELECT subject, original_body FROM ruad.failure ORDER BY 1") == [
        (f"original {number}", f"{number}\n{lines}")
        for number in range(1, 9)
    ]
    assert database.query(ITEMS) == [("failure", "stored", None)] * 8
    assert ingest.deliver(reports.failures_mail(*parts[3:]), FULL) == [STORED]
    assert database.value("SELECT count(*) FROM dmarc.intake WHERE status = 'duplicate'") == 5


def test_items_and_records_stream_by_turns(database, start_ingest):
    """A large aggregate report between large failure reports."""
    ingest = start_ingest(database, retention_failure_bodies="on")
    records = [reports.record(f"2001:db8::{n:x}", n % 7 + 1) for n in range(1, 6001)]
    attached = [reports.mail(reports.gzipped(reports.aggregate(report_id=str(n), records=records))).decode() for n in (1, 2)]
    feedbacks = [reports.feedback(number, body="x\n" * 500000) for number in (1, 2, 3)]
    text = 'From: a@reporter.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary="=-all"\r\n\r\n'
    for part in (feedbacks[0], attached[0], feedbacks[1], attached[1], feedbacks[2]):
        head = "" if part.startswith("From") else "From: b@reporter.example\r\nMIME-Version: 1.0\r\n"
        text += f"--=-all\r\nContent-Type: message/rfc822\r\n\r\n{head}" + part.replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n"
    assert ingest.deliver((text + "--=-all--\r\n").encode()) == [STORED]
    kinds = ["failure", "aggregate", "failure", "aggregate", "failure"]
    assert database.query(ITEMS) == [(kind, "stored", None) for kind in kinds]
    assert database.query("SELECT report_id, records, messages FROM dmarc.reports ORDER BY 1") == [
        (number, 6000, sum(n % 7 + 1 for n in range(1, 6001))) for number in ("1", "2")
    ]
    assert database.query("SELECT length(original_body) FROM ruad.failure") == [(1000000,)] * 3


# Truncated reports.


def test_a_truncated_report_is_replaced_by_the_complete_one(ingest, database):
    records = [reports.record(f"192.0.2.{n}", n) for n in range(1, 6)]
    xml = reports.aggregate(report_id="p", records=records)
    cut = reports.mail(reports.plain(xml[: xml.rindex(b"<identifiers>")]))
    assert ingest.deliver(cut) == [STORED]
    assert database.query("SELECT records, partial FROM ruad.report") == [(4, True)]
    assert "R1" in [code for code, _ in notes(database, "report")[0]]
    assert database.query("SELECT status, partial FROM ruad.item") == [("stored", True)]
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == cut

    assert ingest.deliver(cut) == [STORED]
    assert database.query("SELECT records, partial FROM ruad.report") == [(4, True)]

    assert ingest.deliver(reports.mail(reports.plain(xml))) == [STORED]
    assert database.query("SELECT records, partial FROM ruad.report") == [(5, False)]
    assert database.value("SELECT sum(count) FROM dmarc.records") == 15
    assert database.query("SELECT messages FROM dmarc.reports") == [(15,)]

    assert ingest.deliver(cut) == [STORED]
    assert database.query("SELECT records, partial FROM ruad.report") == [(5, False)]
    assert database.value("SELECT sum(count) FROM dmarc.records") == 15


# Authenticity (lmtp.authserv_id, lmtp.require_authentic).

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=reporter.example"
FAIL = "Authentication-Results: mx.example.com; dmarc=fail header.from=reporter.example"
OTHER = "Authentication-Results: mx.other.example; dmarc=pass header.from=reporter.example"
VERDICTS = {"pass": [PASS], "fail": [FAIL], "none": [], "fail_above_forged": [FAIL, PASS], "other": [OTHER]}
MAKERS = {
    "report": reports.report_mail,
    "failure": reports.failure_mail,
    "tls": lambda: reports.mail(("t.json", "application/tlsrpt+json", reports.tls())),
}


def verdict_of(name):
    return {"fail_above_forged": "fail", "other": "none"}.get(name, name)


@pytest.fixture(name="require")
def fixture_require(database, start_ingest):
    def start(require):
        return start_ingest(database, lmtp_authserv_id="mx.example.com", lmtp_require_authentic=require)

    return start


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("table", MAKERS)
def test_a_mail_has_a_verdict_and_off_asks_for_none(database, require, table, name):
    assert require("off").deliver(reports.with_fields(MAKERS[table](), *VERDICTS[name])) == [STORED]
    assert database.query("SELECT authentic FROM ruad.mail") == [(verdict_of(name),)]
    assert database.query(f"SELECT authentic FROM ruad.{table}") == [(verdict_of(name),)]
    assert "S1" not in [code for code, _ in notes(database, table)[0]]


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("table", MAKERS)
def test_flag_puts_a_note_on_reports_of_mails_that_nobody_vouches_for(database, require, table, name):
    assert require("flag").deliver(reports.with_fields(MAKERS[table](), *VERDICTS[name])) == [STORED]
    flags = [raw for code, raw in notes(database, table)[0] if code == "S1"]
    assert flags == ([] if name == "pass" else [verdict_of(name)])
    assert [row[1] for row in database.query(ITEMS)] == ["stored"]


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("table", MAKERS)
def test_quarantine_keeps_the_mail_raw_and_stores_nothing_of_it(database, require, table, name):
    mail = reports.with_fields(MAKERS[table](), *VERDICTS[name])
    assert require("quarantine").deliver(mail) == [STORED]
    if name == "pass":
        assert [row[1:] for row in database.query(ITEMS)] == [("stored", None)]
        return
    assert database.query(ITEMS) == [("unreadable", "quarantined", "unauthentic")]
    reason = database.value("SELECT reason FROM dmarc.intake")
    assert "mx.example.com" in reason and "From" in reason
    assert ("found that no domain" in reason) == (verdict_of(name) == "fail")
    assert database.value(f"SELECT count(*) FROM ruad.{table}") == 0
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == mail


def test_quarantine_counts_a_large_mail_as_one_thing(database, require):
    records = [reports.record(f"2001:db8::{n:x}") for n in range(1, 20001)]
    assert require("quarantine").deliver(reports.report_mail(1, records=records)) == [STORED]
    assert database.query(ITEMS) == [("unreadable", "quarantined", "unauthentic")]
    assert database.value("SELECT count(*) FROM dmarc.records") == 0


def test_what_was_quarantined_can_be_stored_later(folder, database, require):
    assert require("quarantine").deliver(reports.with_fields(reports.failure_mail(), FAIL)) == [STORED]
    ruad = Supervised(folder, database_url=database.conninfo(), lmtp_authserv_id="mx.example.com")
    for require_authentic, words in ("quarantine", "0 reports stored"), ("flag", "1 report stored"), ("flag", "0 mails"):
        ruad.settings["lmtp_require_authentic"] = require_authentic
        code, output, _ = ruad.command("reprocess", "--reason=unauthentic")
        assert (code, words in output) == (0, True), output
    assert database.query(ITEMS) == [("failure", "stored", None)]
    assert ("S1", "fail") in notes(database, "failure")[0]
    assert database.value("SELECT count(*) FROM ruad.raw") == 0


def test_without_the_name_of_our_mta_no_mail_is_authentic_and_the_log_says_so(database, start_ingest):
    ingest = start_ingest(database, lmtp_require_authentic="quarantine")
    assert ingest.deliver(reports.with_fields(reports.report_mail(), PASS)) == [STORED]
    assert database.query(ITEMS) == [("unreadable", "quarantined", "unauthentic")]
    assert "lmtp.authserv_id is not set" in database.value("SELECT reason FROM dmarc.intake")
    assert "lmtp.require_authentic without lmtp.authserv_id" in ingest.log()
