"""ruad prune, also as run by ruad serve: it removes data older than [retention] allows, once, with a role of few rights."""

import contextlib
import datetime
import subprocess

import pytest
from conftest import ROOT, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import Supervised, clean_environment

DAY = 86400


def report(number, age, count=1, records=2):
    """A report on the UTC day that was age days ago."""
    midnight = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) // DAY * DAY
    begin = midnight - age * DAY
    return aggregate(report_id=f"r-{number}", begin=begin, end=begin + DAY - 1, records=[record(count=count)] * records)


def broken(number):
    name, media_type, content = gzipped(report(number, 1))
    return mail((name, media_type, content[:-20]), message_id=f"<{number}@reporter.example>")


class Pruned:
    """A database with reports in it, and ruad prune."""

    def __init__(self, folder, database):
        self.database = database
        self.files = folder / "files"
        self.files.mkdir()
        self.ruad = Supervised(folder, database_url=database.conninfo())

    def add(self, name, content):
        path = self.files / name
        path.write_bytes(content)
        assert self.ruad.command("import", "--quiet", str(path)) == (0, "", "")

    def run(self, *words, **retention):
        """(exit code, output, errors)."""
        options = [word for key, days in retention.items() for word in ("-o", f"retention.{key}={days}")]
        return self.ruad.command("prune", *words, *options)

    def everything(self):
        tables = ("mail", "item", "raw", "report", "record", "failure", "tls", "tls_policy", "domain", "reporter")
        return [self.database.query(f"SELECT t::text FROM ruad.{table} t ORDER BY 1") for table in tables]

    def age_mails(self, days):
        self.database.query(f"UPDATE ruad.mail SET received_at = received_at - interval '{days} days'")

    def count(self, *tables):
        return [self.database.value(f"SELECT count(*) FROM ruad.{table}") for table in tables]


@pytest.fixture(name="pruned")
def fixture_pruned(folder, database):
    return Pruned(folder, database)


def test_old_reports_go_with_their_records_and_others_stay(pruned):
    for number, age in enumerate((1, 20, 100, 400)):
        pruned.add(f"{number}.xml", report(number, age))
    code, said, errors = pruned.run(reports=62)
    assert (code, errors) == (0, "")
    assert said == "removed 2 reports\n"
    assert pruned.database.reports() == ["r-0", "r-1"]
    assert pruned.database.value("SELECT count(*) FROM dmarc.records") == 4
    assert pruned.database.value("SELECT count(*) FROM ruad.record") == 4

    everything = pruned.everything()
    assert pruned.run(reports=62) == (0, "nothing is old enough to be removed\n", "")
    assert pruned.run("--quiet", reports=62) == (0, "", "")
    assert pruned.everything() == everything


def test_a_mail_leaves_the_ledger_when_it_is_old_and_nothing_of_it_is_left(pruned):
    for number in (1, 2, 1):
        pruned.add(f"{number}.xml", report(number, 400 if number == 1 else 1))
    assert pruned.run(reports=90)[1] == "removed 1 reports\n"
    assert pruned.count("mail", "item") == [3, 3]
    pruned.age_mails(91)
    assert pruned.run(reports=90)[1] == "removed 2 entries of Intake\n"  # it, and its copy
    assert pruned.count("mail", "item") == [1, 1]
    assert pruned.database.reports() == ["r-2"]


@pytest.mark.parametrize("key, words, left", [("failures", "failure reports", [0, 1]), ("tls", "TLS reports", [1, 0])])
def test_failure_and_tls_reports_have_times_of_their_own(pruned, key, words, left):
    for name in ("failure", "tls-gzip"):
        pruned.add("x.eml", next((ROOT / "tests" / "samples").glob(f"*-{name}.eml")).read_bytes())
    pruned.database.query("UPDATE ruad.failure SET begin = now() - interval '100 days', day = (now() - interval '100 days')::date")
    pruned.database.query("UPDATE ruad.failure_seen SET begin = now() - interval '100 days'")
    for part in ("tls", "tls_policy"):
        pruned.database.query(f"UPDATE ruad.{part} SET begin = now() - interval '100 days', day = (now() - interval '100 days')::date")
    keep = {"failures": 0, "tls": 0}
    assert pruned.run(**keep)[1] == "nothing is old enough to be removed\n"
    assert pruned.run(**{**keep, key: 101})[1] == "nothing is old enough to be removed\n"
    assert pruned.run(**{**keep, key: 99})[1] == f"removed 1 {words}\n"
    assert pruned.count("failure", "tls") == left
    assert pruned.run(**{**keep, key: 99})[1] == "nothing is old enough to be removed\n"


def test_by_default_failure_reports_are_kept_for_90_days_and_tls_reports_for_ever(pruned):
    for name in ("failure", "tls-gzip"):
        pruned.add("x.eml", next((ROOT / "tests" / "samples").glob(f"*-{name}.eml")).read_bytes())
    pruned.database.query("UPDATE ruad.failure SET begin = now() - interval '89 days', day = (now() - interval '89 days')::date")
    assert pruned.run()[1] == "nothing is old enough to be removed\n"
    pruned.database.query("UPDATE ruad.failure SET begin = now() - interval '91 days', day = (now() - interval '91 days')::date")
    assert pruned.run()[1] == "removed 1 failure reports\n"
    assert pruned.count("failure", "tls", "tls_policy") == [0, 1, 1]


def test_by_default_reports_are_kept_for_ever(pruned):
    for number, age in enumerate((1, 1000, 4000)):
        pruned.add(f"{number}.xml", report(number, age))
    assert pruned.run() == (0, "nothing is old enough to be removed\n", "")
    assert pruned.run(reports=0, failures=0, tls=0, unread=0)[0] == 0
    assert pruned.database.reports() == ["r-0", "r-1", "r-2"]


def test_a_dry_run_says_the_same_and_removes_nothing(pruned):
    pruned.add("1.xml", report(1, 1))
    pruned.add("2.xml", report(2, 400))
    everything = pruned.everything()
    assert pruned.run("--dry-run", reports=90) == (0, "would remove 1 reports\n", "")
    assert pruned.everything() == everything
    assert pruned.run(reports=90) == (0, "removed 1 reports\n", "")


def test_many_records_are_removed_in_steps(pruned):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    age = (today - (today - datetime.timedelta(days=100)).replace(day=10)).days  # in a month that is not old as a whole
    for number in range(3):
        pruned.add(f"{number}.xml", report(number, age, records=12000))
    with contextlib.closing(pruned.database.connect()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE ruad.report IN ROW EXCLUSIVE MODE")  # as if mail were being stored
        assert pruned.run("--dry-run", reports=age - 1) == (0, "would remove 3 reports\n", "")
    assert pruned.run(reports=age - 1) == (0, "removed 3 reports\n", "")
    removed = pruned.database.query("SELECT detail #>> '{removed,reports}', detail #>> '{removed,records}' FROM ruad.audit_log ORDER BY id")
    assert removed == [("2", "24000"), ("1", "12000")]
    assert pruned.count("report", "record", "evaluation", "facet") == [0] * 4


def test_a_removed_report_that_comes_again_is_stored_again(pruned):
    pruned.add("1.xml", report(1, 400))
    assert pruned.run(reports=90)[1] == "removed 1 reports\n"
    pruned.add("1.xml", report(1, 400))
    assert pruned.database.reports() == ["r-1"]


def test_bytes_that_nobody_read_are_kept_a_year(pruned):
    pruned.add("1.eml", broken(1))
    pruned.age_mails(364)
    pruned.add("2.eml", broken(2))
    assert pruned.run()[1] == "nothing is old enough to be removed\n"
    pruned.age_mails(2)
    assert pruned.run()[1] == "removed 1 unread mails, 1 entries of Intake\n"
    assert pruned.database.value("SELECT count(*) FROM ruad.raw") == 1
    assert pruned.run(unread=0)[1] == "nothing is old enough to be removed\n"
    assert pruned.run(unread=1)[1] == "removed 1 unread mails, 1 entries of Intake\n"
    assert pruned.run("--dry-run", unread=1)[1] == "nothing is old enough to be removed\n"


def test_there_is_one_at_a_time(pruned):
    with contextlib.closing(pruned.database.connect()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE ruad.exclusive_work IN EXCLUSIVE MODE")
        code, said, errors = pruned.run()
        assert (code, said) == (75, "")
        assert "another ruad prune or ruad reprocess is running" in errors
    wait_until(lambda: pruned.run()[0] == 0, "the lock is free")


def test_several_at_once_remove_it_once(pruned):
    for number in range(12):
        pruned.add(f"{number}.xml", report(number, 100 + 40 * number))
    words = [pruned.ruad.ruad, "prune", "-o", "retention.reports=62", *pruned.ruad.options()]
    runs = [subprocess.Popen(words, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    said = [run.communicate(timeout=60) for run in runs]
    codes = [run.returncode for run in runs]
    assert codes.count(0) + codes.count(75) == 4 and 0 in codes, said
    assert [output for output, _ in said].count(b"removed 12 reports\n") == 1
    assert not pruned.database.reports()


def test_without_the_database_it_is_try_again(pruned):
    pruned.ruad.settings["database_url"] = f"host={pruned.files} dbname=none"
    code, said, errors = pruned.run()
    assert (code, said) == (75, "")
    assert "connection to server" in errors


@pytest.mark.parametrize("word", ["everything", "--all", "--older-than=3"])
def test_wrong_usage_is_said(pruned, word):
    code, said, errors = pruned.run(word)
    assert (code, said) == (2, "")
    assert word.split("=")[0] in errors


def test_wrong_settings_are_said(pruned):
    code, said, errors = pruned.run(reports="2y")
    assert (code, said) == (78, "")
    assert 'retention.reports "2y": not days such as 90 from 0 to 36525' in errors


def test_serve_does_it_by_itself(folder):
    supervised = Supervised(folder, retention_reports=90)
    path = folder / "old.xml"
    try:
        for age in (1, 400):
            path.write_bytes(report(age, age))
            assert supervised.command("import", str(path))[0] == 0
        supervised.started()
        wait_until(lambda: supervised.query("SELECT report_id FROM dmarc.reports") == [("r-1",)], "the old one is gone", 40)
        wait_until(lambda: "removed 1 reports" in supervised.log(), "it is said")
        assert supervised.deliver(mail(gzipped(report(2, 2))))[0] == 250
        assert supervised.stop() == 0
        assert "ruad prune" not in supervised.log()
    finally:
        supervised.close()


def test_that_it_failed_is_logged_and_serve_goes_on(folder):
    """The child is ruad_owner and no superuser: the function that replaces ruad.prune() here checks it."""
    supervised = Supervised(folder)
    try:
        supervised.started()
        with contextlib.closing(supervised.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE oid = 'ruad.prune'::regproc")
            ((name,),) = cursor.fetchall()
            cursor.execute("ALTER FUNCTION ruad.prune RENAME TO prune_away")
            cursor.execute(f"""CREATE FUNCTION {name} RETURNS TABLE (what text, removed bigint) LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'as % %', session_user,
                    (SELECT rolsuper FROM pg_roles WHERE rolname = session_user); END $$""")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC")
        wait_until(lambda: "trying again in 3600 s" in supervised.log(), "it has failed", 40)
        assert "as ruad_owner f" in supervised.log()
        assert supervised.deliver(mail(gzipped(report(1, 1))))[0] == 250
        assert supervised.get("/readyz") == 200
        assert supervised.stop() == 0
    finally:
        supervised.close()
