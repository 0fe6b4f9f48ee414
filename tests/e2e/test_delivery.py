"""Reports delivered over LMTP are in the views, once, and unreadable mail is quarantined."""

import concurrent.futures
import contextlib
import re

import pytest

import reports
from conftest import RECIPIENT, STORED, deliver



def counts(database):
    """How many items have each status."""
    return dict(database.query("SELECT status, count(*) FROM dmarc.intake GROUP BY 1"))


@pytest.mark.parametrize("pack", [reports.gzipped, reports.zipped, reports.plain])
def test_a_report_ends_in_the_views(ingest, database, pack):
    records = [
        reports.record("192.0.2.1", 3),
        reports.record(
            "2001:db8::1",
            5,
            "quarantine",
            "fail",
            "fail",
            auth_dkim=[("other.example", "s2", "pass"), ("third.example", 'q"\\\t', "fail")],
            auth_spf=[("bounce.example", "softfail")],
            reason=[("local_policy", "arc=pass \u00fc\u2028 </comment>")],
        ),
    ]
    xml = reports.aggregate(report_id="a-1", p="quarantine", records=records)
    assert ingest.deliver(reports.mail(pack(xml))) == [STORED]

    assert database.query(
        "SELECT domain, org_name, email, report_id, extract(epoch FROM begin)::bigint, extract(epoch FROM \"end\")::bigint,"
        " p, pct, records, messages, pass FROM dmarc.reports"
    ) == [
        ("example.com", "Reporter Inc.", "dmarc@reporter.example", "a-1", reports.DAY, reports.DAY + 86399)
        + ("quarantine", None, 2, 8, 3)
    ]
    assert database.query(
        "SELECT record_no, host(source_ip), count, disposition, dkim, spf, header_from FROM dmarc.records ORDER BY 1"
    ) == [
        (1, "192.0.2.1", 3, "none", "pass", "pass", "example.com"),
        (2, "2001:db8::1", 5, "quarantine", "fail", "fail", "example.com"),
    ]
    assert database.query(
        "SELECT dkim_domain, selector, result FROM dmarc.record_dkim WHERE record_no = 2 ORDER BY signature_no"
    ) == [("other.example", "s2", "pass"), ("third.example", 'q"\\', "fail")]
    assert database.query("SELECT spf_domain, result FROM dmarc.record_spf WHERE record_no = 2") == [
        ("bounce.example", "softfail")
    ]
    assert database.query("SELECT type, comment FROM dmarc.record_overrides") == [
        ("local_policy", "arc=pass \u00fc\u2028 </comment>")
    ]
    assert database.query(
        "SELECT source, envelope_from, recipients, subject, message_id, status, raw_mail FROM dmarc.intake"
    ) == [("lmtp", "noreply@reporter.example", [RECIPIENT], "Report", "1@reporter.example", "stored", None)]


def test_a_zip_of_two_reports_is_two_reports(ingest, database):
    both = reports.zipped(reports.aggregate(report_id="1"), reports.aggregate(report_id="2"))
    assert ingest.deliver(reports.mail(both)) == [STORED]
    assert database.reports() == ["1", "2"]


def test_a_report_without_records_is_stored(ingest, database):
    """Assertion 21."""
    assert ingest.deliver(reports.report_mail(1, records=[])) == [STORED]
    assert database.query("SELECT records, messages FROM dmarc.reports") == [(0, 0)]


def test_assertion_36_the_same_mail_twice_is_one_report_and_a_duplicate(ingest, database):
    mail = reports.report_mail()
    assert ingest.deliver(mail) == [STORED]
    assert ingest.deliver(mail) == [STORED]
    assert database.reports() == ["report-1"]
    assert counts(database) == {"stored": 1, "duplicate": 1}


def test_assertion_36_two_recipients_get_a_reply_each_and_make_one_report(ingest, database):
    other = "dmarc-sum@example.org"
    assert ingest.deliver(reports.report_mail(), RECIPIENT, other) == [STORED, STORED]
    assert database.reports() == ["report-1"]
    assert database.value("SELECT recipients FROM dmarc.intake") == [RECIPIENT, other]


def test_the_reply_has_the_number_of_the_mail_in_the_database(ingest, database):
    texts = [ingest.deliver(reports.report_mail(number))[0][1] for number in (1, 2, 2)]
    numbers = [int(text.removeprefix("2.0.0 stored as mail ")) for text in texts]
    became = zip(numbers, ["stored", "stored", "duplicate"])
    assert database.query("SELECT mail, status FROM dmarc.intake ORDER BY 1") == list(became)


def test_assertion_37_another_report_of_the_same_key_is_kept_raw_as_a_conflict(ingest, database):
    first, second = (reports.report_mail(1, records=[reports.record(count=count)]) for count in (1, 2))
    assert ingest.deliver(first) == [STORED]
    assert ingest.deliver(second) == [STORED]
    assert database.query("SELECT report_id, messages FROM dmarc.reports") == [("report-1", 1)]
    assert counts(database) == {"stored": 1, "conflict": 1}
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == second


def test_assertion_38_the_same_report_id_of_two_reporters_is_two_reports(ingest, database):
    for org_name in "one", "two":
        assert ingest.deliver(reports.report_mail(1, org_name=org_name)) == [STORED]
    assert database.reports() == ["report-1", "report-1"]


@pytest.mark.parametrize("report_id", [None, ""])
def test_a_report_without_an_id_is_told_by_its_content(ingest, database, report_id):
    first, second = (
        reports.mail(reports.gzipped(reports.aggregate(report_id=report_id, records=[reports.record(count=count)])))
        for count in (1, 2)
    )
    for mail in first, second, first:
        assert ingest.deliver(mail) == [STORED]
    ids = database.reports()
    assert len(set(ids)) == 2
    assert all(re.fullmatch("sha256-[0-9a-f]{16}", id) for id in ids)
    assert counts(database) == {"stored": 2, "duplicate": 1}


def test_assertion_39_the_same_report_in_two_sessions_at_once_is_stored_once(ingest, database):
    mails = [reports.mail(reports.gzipped(reports.aggregate(report_id=str(number)))) for number in range(20)]

    def deliver_all(_):
        with contextlib.closing(ingest.connect()) as client:
            return [deliver(client, mail) for mail in mails]

    with concurrent.futures.ThreadPoolExecutor(4) as sessions:
        for replies in sessions.map(deliver_all, range(4)):
            assert replies == [[STORED]] * 20
    assert sorted(database.reports(), key=int) == [str(number) for number in range(20)]
    assert counts(database) == {"stored": 20, "duplicate": 60}


GARBAGE = {
    "no_attachment": reports.mail(),
    "empty": b"",
    "no_mail_at_all": b"\x00\xff\r\n" * 100,
    "truncated_gzip": reports.mail(("r.xml.gz", "application/gzip", reports.gzipped(reports.aggregate())[2][:-30])),
    "broken_xml": reports.mail(reports.plain(reports.aggregate()[:-40])),
    "entities": reports.mail(reports.plain(b'<!DOCTYPE x [<!ENTITY a "b">]><feedback>&a;</feedback>')),
}


@pytest.mark.parametrize("mail", GARBAGE.values(), ids=GARBAGE)
def test_assertion_70_what_cannot_be_read_is_answered_250_and_kept_raw_with_the_reason(ingest, database, mail):
    assert ingest.deliver(mail) == [STORED]
    assert database.reports() == []
    ((status, code, reason),) = database.query("SELECT status, code, reason FROM dmarc.intake")
    assert status == "quarantined" and code and len(reason) > 10
    kept = bytes(database.value("SELECT raw FROM ruad.raw"))
    assert kept == mail.rstrip(b"\r\n") + b"\r\n" if mail else kept in (b"", b"\r\n")


def test_a_broken_report_does_not_take_the_good_one_beside_it(ingest, database):
    broken = ("b.xml.gz", "application/gzip", reports.gzipped(reports.aggregate(report_id="b"))[2][:-20])
    assert ingest.deliver(reports.mail(broken, reports.gzipped(reports.aggregate(report_id="a")))) == [STORED]
    assert database.reports() == ["a"]
    assert counts(database) == {"stored": 1, "quarantined": 1}


def test_a_large_report_streams_and_is_whole(ingest, database):
    """More rows than wait in memory: a transaction of its own."""
    records = [reports.record(f"2001:db8::{n:x}", n % 7 + 1) for n in range(1, 20001)]
    mail = reports.report_mail(1, records=records)
    assert ingest.deliver(mail) == [STORED]
    assert database.query("SELECT records, messages FROM dmarc.reports") == [
        (20000, sum(n % 7 + 1 for n in range(1, 20001)))
    ]
    assert database.query(
        "SELECT count(*), count(DISTINCT source_ip), sum(count) FROM dmarc.records WHERE record_no BETWEEN 1 AND 20000"
    ) == [(20000, 20000, sum(n % 7 + 1 for n in range(1, 20001)))]
    assert ingest.deliver(mail) == [STORED]
    assert counts(database) == {"stored": 1, "duplicate": 1}


def test_a_large_report_that_is_refused_at_its_end_leaves_nothing(ingest, database):
    records = [reports.record(f"2001:db8::{n:x}") for n in range(1, 20001)]
    xml = reports.aggregate(records=records).replace(b"</feedback>", b"&secret;</feedback>")
    mail = reports.mail(reports.gzipped(xml), reports.gzipped(reports.aggregate(report_id="good")))
    assert ingest.deliver(mail) == [STORED]
    assert database.query("SELECT report_id, records FROM dmarc.reports") == [("good", 1)]
    assert database.value("SELECT count(*) FROM dmarc.records") == 1
    assert counts(database) == {"stored": 1, "quarantined": 1}


def test_a_large_truncated_report_leaves_its_complete_records(ingest, database):
    records = [reports.record(f"2001:db8::{n:x}") for n in range(1, 20001)]
    assert ingest.deliver(reports.mail(reports.gzipped(reports.aggregate(records=records)[:-200]))) == [STORED]
    assert database.query("SELECT partial, records FROM dmarc.reports") == [(True, 19999)]
    assert database.value("SELECT count(*) FROM dmarc.records") == 19999


def test_many_mails_in_one_session(ingest, database):
    with contextlib.closing(ingest.connect()) as client:
        for number in range(50):
            assert deliver(client, reports.report_mail(number)) == [STORED]
    assert len(database.reports()) == 50


def test_other_recipients_are_refused(ingest):
    with contextlib.closing(ingest.connect()) as client:
        client.mail("noreply@reporter.example")
        assert client.rcpt("nobody@example.com")[0] == 550
        assert client.rcpt("DMARC-Sum@Example.COM")[0] == 250
