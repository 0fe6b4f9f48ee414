"""Mail waits for no reader, and background work is done."""

import contextlib
import subprocess
import threading
import time

import pytest

import reports
from conftest import STORED, deliver, postgres_program, wait_until

MONTH = 31 * 86400


def of_month(number, records=1, **more):
    """A mail with a report that begins number months before the usual day of reports."""
    rows = [reports.record(f"192.0.2.{1 + n % 200}", 1) for n in range(records)]
    begin = reports.DAY - number * MONTH
    return reports.mail(reports.gzipped(reports.aggregate(report_id=f"m{number}", begin=begin, end=begin + 86399, records=rows, **more)))


def partitions(database):
    return database.value("SELECT count(*) FROM pg_inherits WHERE inhparent::regclass::text LIKE 'ruad.%' AND inhrelid::regclass::text NOT LIKE '%default'"
                          " AND inhrelid::regclass::text !~ 'idx|key|pkey'")


@contextlib.contextmanager
def auditor(database):
    """An open transaction that has read all views of records and reports."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE ruad_auditor; BEGIN; SELECT count(*) FROM dmarc.records; SELECT count(*) FROM dmarc.reports; SELECT count(*) FROM dmarc.notes")
        yield


@contextlib.contextmanager
def dump(database):
    """A pg_dump that has locked everything and waits for a reader of its output."""
    command = [*database.postgres.prefix, postgres_program("pg_dump"), "-d", database.conninfo()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=database.postgres.folder) as process:
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'pg_dump' AND l.relation = 'ruad.record'::regclass") > 0,
                   "pg_dump has its locks")
        yield
        process.kill()


@contextlib.contextmanager
def advisory_locks(database):
    """Whatever advisory lock an auditor may take."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(k)) FROM unnest(ARRAY['ruad.ensure_partition', 'ruad.sum_up', 'ruad.ingest', 'ruad.make_months']) k")
        yield


@pytest.mark.parametrize("holding", [auditor, dump, advisory_locks])
def test_mail_of_a_new_month_is_answered_at_once_whoever_holds_locks(ingest, database, holding):
    assert ingest.deliver(of_month(0)) == [STORED]
    with contextlib.closing(ingest.connect()) as client, holding(database):
        for number in range(1, 6):
            start = time.monotonic()
            assert deliver(client, of_month(number)) == [STORED]
            assert time.monotonic() - start < 5  # a mail that waits for the lock would wait for good
    assert database.value("SELECT count(*) FROM dmarc.reports") == 6


def test_a_flood_of_months_makes_no_table(ingest, database):
    before = partitions(database)
    with contextlib.closing(ingest.connect()) as client:
        for number in range(-5, 170):
            assert deliver(client, of_month(number)) == [STORED]
    time.sleep(2)
    assert partitions(database) == before
    assert database.value("SELECT count(*) FROM dmarc.records") == 175


def test_a_large_month_gets_partitions_and_loses_nothing(ingest, database):
    before = partitions(database)
    assert ingest.deliver(of_month(1, 21000)) == [STORED]
    wait_until(lambda: partitions(database) > before, "the month has partitions", 60)
    assert ingest.deliver(of_month(1, 10, org_name="Another Inc.")) == [STORED]
    assert database.value("SELECT sum(count) FROM dmarc.records") == 21010
    assert database.value("SELECT sum(messages) FROM dmarc.daily") == 21010


def test_a_large_report_goes_straight_to_the_partitions_of_its_month(ingest, database):
    """Else moving its records later would keep everybody waiting."""
    threads, answers = large_mails(ingest, 1, 40000)
    threads[0].join()
    assert answers == [[STORED]]
    assert database.value("SELECT count(*) FROM ruad.record_default") == 0
    assert database.value("SELECT count(*) FROM dmarc.records") == 40000


def test_reports_are_summed_in_the_background(ingest, database):
    for number in range(3):
        assert ingest.deliver(of_month(number, 50)) == [STORED]
    wait_until(lambda: database.value("SELECT count(*) FROM ruad.unsummed") == 0, "all is summed", 60)
    assert database.value("SELECT sum(messages) FROM ruad.sum_day") == 150
    assert database.value("SELECT sum(messages) FROM ruad.sum_month") == 150
    assert database.value("SELECT count(*) FROM ruad.seen WHERE domain_id = 0") == 50


def large_mails(ingest, n, records):
    """n mails with many records of private addresses, whose notes make each an evaluation of its own, on a connection each; returns their threads."""
    def send(number):
        rows = [reports.record(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 1) for i in range(records)]
        answers.append(ingest.deliver(reports.mail(reports.gzipped(reports.aggregate(report_id=f"large{number}", records=rows)))))

    answers = []
    threads = [threading.Thread(target=send, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    return threads, answers


def test_small_mails_pass_large_ones(ingest, database):
    """Also those of the same domain, reporter and evaluation, which the large ones were the first to use."""
    threads, answers = large_mails(ingest, 3, 40000)
    passed = 0
    with contextlib.closing(ingest.connect()) as client:
        while any(thread.is_alive() for thread in threads):
            row = reports.record("10.0.0.1", 1)
            assert deliver(client, reports.mail(reports.gzipped(reports.aggregate(report_id=f"small{passed}", records=[row])))) == [STORED]
            passed += 1
    assert answers == [[STORED]] * 3
    assert passed >= 30  # three, when each waits for a large one
    assert database.value("SELECT count(*) FROM dmarc.records") == 3 * 40000 + passed
