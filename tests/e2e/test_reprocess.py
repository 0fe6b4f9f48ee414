"""ruad reprocess: what an older parser (one with smaller limits) quarantined is read again, once, even if it is interrupted."""

import concurrent.futures
import contextlib
import re
import subprocess

import pytest
from conftest import ROOT, wait_until
from reports import DAY, aggregate, gzipped, mail, record, zipped
from supervised import Supervised, clean_environment

LIMITED = {"parser_max_records": 1, "parser_max_nesting": 1}


def xml(number, records=2):
    lines = [record(source_ip=f"192.0.2.{line}", count=line) for line in range(1, records + 1)]
    return aggregate(report_id=f"r-{number}", records=lines)


def report(number, records=2):
    """A mail whose report has too many records for the limited parser."""
    return mail(gzipped(xml(number, records)), message_id=f"<{number}@reporter.example>")


def nested(number):
    """A mail whose report is nested too deep for the limited parser: a gzip in a zip."""
    return mail(zipped(gzipped(xml(number, 1))[2]), message_id=f"<{number}@reporter.example>")


def broken(number):
    name, media_type, content = gzipped(xml(number, 1))
    return mail((name, media_type, content[:-20]), message_id=f"<{number}@reporter.example>")


class Again:
    """ruad-ingest with a limited parser into a database, and ruad reprocess with the full one."""

    def __init__(self, folder, database, ingest):
        self.database = database
        self.ingest = ingest
        self.ruad = Supervised(folder, database_url=database.conninfo())

    def deliver(self, *mails):
        for sent in mails:
            assert self.ingest.deliver(sent)[0][0] == 250

    def run(self, *words):
        """(exit code, output, errors)."""
        return self.ruad.command("reprocess", *words)

    def intake(self):
        return self.database.query("SELECT mail, status, code FROM dmarc.intake ORDER BY mail, item_no")

    def raw(self):
        return self.database.value("SELECT count(*) FROM ruad.raw")

    def sessions(self):
        """The number of our sessions, except the one of this query."""
        return self.database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ruad-%'")

    def everything(self):
        """All rows that a second run must not change."""
        tables = ("mail", "item", "raw", "report", "record", "domain", "reporter")
        return [self.database.query(f"SELECT t::text FROM ruad.{table} t ORDER BY 1") for table in tables]


@pytest.fixture(name="again")
def fixture_again(folder, database, start_ingest):
    return Again(folder, database, start_ingest(database, **LIMITED))


def test_what_now_reads_is_stored_under_the_mails_own_time_and_id(again):
    again.deliver(report(1), nested(2))
    before = again.database.query("SELECT mail, received_at FROM dmarc.intake ORDER BY mail")
    assert again.intake() == [(before[0][0], "quarantined", "limit"), (before[1][0], "quarantined", "limit")]
    assert again.raw() == 2

    assert again.run() == (0, "reprocessed 2 mails: 2 reports stored, 0 duplicates\n", "")
    assert again.intake() == [(before[0][0], "stored", None), (before[1][0], "stored", None)]
    assert again.database.query("SELECT mail, received_at FROM dmarc.intake ORDER BY mail") == before
    assert again.database.query("SELECT received_at FROM dmarc.reports ORDER BY report_id") == [(at,) for _, at in before]
    assert again.database.query("SELECT report_id, messages FROM dmarc.reports ORDER BY 1") == [("r-1", 3), ("r-2", 1)]
    assert again.database.value("SELECT sum(count) FROM dmarc.records") == 4
    assert again.raw() == 0

    everything = again.everything()
    assert again.run() == (0, "reprocessed 0 mails: 0 reports stored, 0 duplicates\n", "")
    assert again.everything() == everything


def test_what_still_cannot_be_read_stays_with_its_reason_and_its_bytes(again):
    again.deliver(broken(1), report(2), mail())
    everything = None
    for mails, stored in ((3, "1 report"), (2, "0 reports")):
        words = f"reprocessed {mails} mails: {stored} stored, 0 duplicates; still quarantined: 1 archive, 1 unrelated\n"
        assert again.run() == (0, words, "")
        assert [row[1:] for row in again.intake()] == [("quarantined", "archive"), ("stored", None), ("quarantined", "unrelated")]
        assert again.raw() == 2
        assert everything in (None, again.everything())
        everything = again.everything()


def test_a_mail_that_was_read_in_part_gains_the_rest(again):
    again.deliver(mail(zipped(xml(1, 1), xml(2, 2))))
    assert [row[1] for row in again.intake()] == ["stored", "quarantined"]
    assert again.run()[0] == 0
    assert [row[1] for row in again.intake()] == ["stored", "stored"]
    assert again.database.reports() == ["r-1", "r-2"]
    assert again.database.value("SELECT sum(count) FROM dmarc.records") == 1 + 3
    assert again.raw() == 0


def test_what_came_otherwise_in_the_meantime_is_a_duplicate(again):
    again.deliver(report(1))
    path = again.ruad.folder / "1.xml"
    path.write_bytes(xml(1))
    assert again.ruad.command("import", str(path))[0] == 0
    assert again.run() == (0, "reprocessed 1 mail: 0 reports stored, 1 duplicate\n", "")
    assert again.database.reports() == ["r-1"]
    assert [row[1] for row in again.intake()] == ["duplicate", "stored"]
    assert again.raw() == 0


def test_a_dry_run_says_what_would_be_stored_and_stores_nothing(again):
    again.deliver(report(1), broken(2), nested(3))
    everything = again.everything()
    words = "would reprocess 3 mails: 2 reports read; still quarantined: 1 archive\n"
    assert again.run("--dry-run") == (0, words, "")
    assert again.everything() == everything


def test_only_mails_of_that_reason_are_read(again):
    again.deliver(report(1), broken(2))
    assert again.run("--reason=archive")[1] == "reprocessed 1 mail: 0 reports stored, 0 duplicates; still quarantined: 1 archive\n"
    assert again.run("--reason=xml")[1].startswith("reprocessed 0 mails")
    assert again.run("--reason", "limit")[1] == "reprocessed 1 mail: 1 report stored, 0 duplicates\n"
    assert again.database.reports() == ["r-1"]


def test_only_mails_since_then_are_read(again):
    again.deliver(report(1), report(2), report(3))
    again.database.query("UPDATE ruad.mail SET received_at = ('2026-03-0' || id || ' 10:00+00')::timestamptz")
    assert again.run("--since=2026-03-04")[1].startswith("reprocessed 0 mails")
    assert again.run("--since=2026-03-03T10:00:01Z")[1].startswith("reprocessed 0 mails")
    assert again.run("--since=2026-03-03T11:00:00+01:00")[1].startswith("reprocessed 1 mail:")
    assert again.run("--since=2026-03-02")[1].startswith("reprocessed 1 mail:")
    assert again.database.reports() == ["r-2", "r-3"]


def test_a_period_ahead_is_judged_by_the_receipt_of_the_mail(again):
    """E2 is noted on what begins more than a day after the mail was received, whenever it is read."""
    again.deliver(report(1), report(2))
    first = again.database.value("SELECT min(id) FROM ruad.mail")
    at = f"to_timestamp({DAY}) - interval '1 day'"
    again.database.query(f"UPDATE ruad.mail SET received_at = {at} - CASE id WHEN {first} THEN interval '1 s' ELSE '0' END")
    assert again.run()[0] == 0
    noted = "SELECT report_id, coalesce(notes::text LIKE '%E2%', false) FROM dmarc.reports ORDER BY 1"
    assert again.database.query(noted) == [("r-1", True), ("r-2", False)]


def sample(name):
    return next((ROOT / "tests" / "samples").glob(f"*-{name}.eml")).read_bytes()


def test_failure_and_tls_reports_that_a_limit_quarantined_are_read_again(folder, database, start_ingest):
    again = Again(folder, database, start_ingest(database, parser_max_header_bytes=256, parser_max_json=100))
    again.deliver(sample("failure"), sample("tls-gzip"))
    assert [row[1:] for row in again.intake()] == [("quarantined", "limit")] * 2
    assert again.run() == (0, "reprocessed 2 mails: 2 reports stored, 0 duplicates\n", "")
    assert database.query("SELECT kind, status FROM dmarc.intake ORDER BY kind") == [("failure", "stored"), ("tls", "stored")]
    assert again.raw() == 0
    again.deliver(sample("failure"))
    assert again.run()[0] == 0
    assert again.raw() == 0


def test_what_was_not_authentic_is_stored_once_that_is_not_asked_for(folder, database, start_ingest):
    strict = {"lmtp_authserv_id": "mx.example", "lmtp_require_authentic": "quarantine"}
    again = Again(folder, database, start_ingest(database, **strict))
    again.deliver(report(1), b"Authentication-Results: mx.example; dmarc=pass header.from=reporter.example\r\n" + report(2))
    assert [row[1:] for row in again.intake()] == [("quarantined", "unauthentic"), ("stored", None)]
    path = again.ruad.folder / "3.eml"
    path.write_bytes(report(3))
    again.ruad.settings.update(strict)
    assert again.ruad.command("import", str(path))[0] == 0
    for word in ("", "would "):
        said = again.run(*(["--dry-run"] if word else []))[1]
        assert said.startswith(f"{word}reprocess") and said.endswith("; still quarantined: 1 unauthentic\n")
    for key in strict:
        del again.ruad.settings[key]
    assert again.run("--reason=unauthentic")[1] == "reprocessed 1 mail: 1 report stored, 0 duplicates\n"
    assert again.database.reports() == ["r-1", "r-2", "r-3"]


WRONG = {
    "--reason=size": "--reason=size: no such reason; there are: archive conflict",
    "--since=yesterday": "--since=yesterday: neither YYYY-MM-DD nor a time such as",
    "--since=2026-02-30": "--since=2026-02-30: neither",
    "--jobs=0": "--jobs=0: not from 1 to 64",
    "everything": 'takes no operands, not "everything"',
    "--al": "Unknown option --al",
}


def test_every_code_of_the_parser_is_a_reason(again):
    told = (ROOT / "parser" / "parse.h").read_text().partition("Codes of unreadable():")[2].partition("Fails only")[0]
    codes = set(re.findall(r'"([a-z-]+)"', told)) - {"unused"}
    assert {"placeholder", "limit"} < codes
    for code in sorted(codes):
        assert again.run(f"--reason={code}") == (0, "reprocessed 0 mails: 0 reports stored, 0 duplicates\n", ""), code


@pytest.mark.parametrize("word", WRONG)
def test_wrong_usage_is_said(again, word):
    code, output, errors = again.run(word)
    assert (code, output) == (2, "")
    assert WRONG[word] in errors


def test_without_the_database_it_is_try_again(again):
    again.ruad.settings["database_url"] = f"host={again.ruad.folder} dbname=none"
    code, output, errors = again.run()
    assert (code, output) == (75, "")
    assert "connection to server" in errors


def test_there_is_one_at_a_time(again):
    again.deliver(report(1))
    with contextlib.closing(again.database.connect()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE ruad.exclusive_work IN EXCLUSIVE MODE")
        code, output, errors = again.run()
        assert (code, output) == (75, "")
        assert "another ruad prune or ruad reprocess is running" in errors
    wait_until(lambda: again.run()[0] == 0, "the lock is free")
    assert again.database.reports() == ["r-1"]


def test_killed_at_any_moment_nothing_is_lost_or_doubled(again):
    numbers = range(300)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(again.deliver, map(report, numbers)))
    mails = again.database.query("SELECT id, received_at FROM ruad.mail ORDER BY id")
    sessions = again.sessions()
    stored = []
    for wanted in (5, 60, 150):
        words = [again.ruad.ruad, "reprocess", "--jobs=2", *again.ruad.options()]
        with subprocess.Popen(words, env=clean_environment(), stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: len(again.database.reports()) >= wanted, "some are stored")
            process.kill()
        # the server may still run the transaction that it has received completely
        wait_until(lambda: again.sessions() <= sessions, "its sessions have ended")
        stored.append(len(again.database.reports()))
        assert len(set(again.database.reports())) == stored[-1]
        states = [row[1] for row in again.intake()]
        assert states.count("stored") == stored[-1] and states.count("quarantined") == 300 - stored[-1] == again.raw()
    assert stored[0] < 300
    assert again.run()[0] == 0
    assert again.database.reports() == sorted(f"r-{number}" for number in numbers)
    assert again.database.value("SELECT sum(count) FROM dmarc.records") == 300 * 3
    assert again.database.query("SELECT id, received_at FROM ruad.mail ORDER BY id") == mails
    assert again.raw() == 0


def test_mail_may_come_in_at_the_same_time(again):
    again.deliver(*map(report, range(100)))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        # new mails, some of which can be read, and copies of mail that is being reprocessed
        arriving = [pool.submit(again.deliver, *(report(number, 1 + number % 2) for number in range(100, 200)))]
        arriving += [pool.submit(again.deliver, *map(report, range(0, 100, 2)))]
        assert again.run()[0] == 0
        for done in arriving:
            done.result()
    assert again.run()[0] == 0
    assert again.database.reports() == sorted(f"r-{number}" for number in range(200))
    assert again.database.value("SELECT sum(count) FROM dmarc.records") == 100 * 3 + 50 * 3 + 50 * 1
    assert {row[1] for row in again.intake()} <= {"stored", "duplicate"}
    assert again.raw() == 0


@pytest.mark.parametrize("running", [True, False])
def test_the_private_cluster_is_reached_with_and_without_a_ruad_serve(folder, running):
    supervised = Supervised(folder, **LIMITED)
    try:
        supervised.started()
        assert supervised.deliver(report(1))[0] == 250
        if not running:
            assert supervised.stop() == 0
        for key in LIMITED:
            del supervised.settings[key]
        assert supervised.command("reprocess") == (0, "reprocessed 1 mail: 1 report stored, 0 duplicates\n", "")
        if not running:
            supervised.started()
        assert supervised.query("SELECT report_id, messages FROM dmarc.reports") == [("r-1", 3)]
        assert supervised.query("SELECT count(*) FROM ruad.raw") == [(0,)]
        assert supervised.stop() == 0
    finally:
        supervised.close()
