"""250 means committed: whatever is killed or stopped, nothing is lost or stored twice."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import smtplib
import time

import reports
from conftest import RECIPIENT, STORED, deliver, wait_until

FAILED = (451, "4.3.0 cannot store it now, try again later")


def retry(ingest, mail, recipients=(RECIPIENT,), seconds=30):
    """Deliver like an MTA: again and again until the reply is 250."""

    def attempt():
        try:
            return ingest.deliver(mail, *recipients)[0] == STORED
        except (smtplib.SMTPException, OSError):
            return False

    wait_until(attempt, "250", seconds)


def wait_for_lock(database, table="ruad.mail"):
    """Wait until a session waits for a lock on the table; by default, inside held_up()."""
    waits = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    wait_until(lambda: database.value(waits, table), "a transaction waits for the lock")


@contextlib.contextmanager
def held_up(database):
    """Commits wait inside this context."""
    with contextlib.closing(database.connect()) as connection:
        connection.autocommit = False
        connection.cursor().execute("LOCK TABLE ruad.mail IN SHARE MODE")  # who only reads does not wait
        yield
        connection.rollback()


def test_assertion_67_without_database_451_and_nothing_half_written(start_ingest, own_database):
    ingest = start_ingest(own_database)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    own_database.postgres.stop()
    assert ingest.deliver(reports.report_mail(2), RECIPIENT, "dmarc-sum@example.org") == [FAILED, FAILED]
    began = time.monotonic()
    assert ingest.deliver(reports.report_mail(3)) == [FAILED]
    assert time.monotonic() - began < 2
    own_database.postgres.start()
    assert own_database.reports() == ["report-1"]
    assert own_database.value("SELECT count(*) FROM dmarc.intake") == 1
    time.sleep(1.1)  # an attempt to connect that failed is not repeated within a second
    assert ingest.deliver(reports.report_mail(2), RECIPIENT, "dmarc-sum@example.org") == [STORED, STORED]
    assert own_database.reports() == ["report-1", "report-2"]


def test_assertion_67_a_database_that_was_restarted_in_between_is_not_noticed(start_ingest, own_database):
    ingest = start_ingest(own_database)
    large = reports.report_mail(0, records=[reports.record(f"2001:db8::{n:x}") for n in range(1, 10001)])
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    assert ingest.deliver(large) == [STORED]
    own_database.postgres.stop()
    own_database.postgres.start()
    assert ingest.deliver(reports.report_mail(2)) == [STORED]
    assert ingest.deliver(large) == [STORED]
    assert own_database.reports() == ["report-0", "report-1", "report-2"]


def test_ruad_ingest_starts_without_database(start_ingest, own_database):
    own_database.postgres.stop()
    ingest = start_ingest(own_database)
    assert ingest.deliver(reports.report_mail(1)) == [FAILED]
    own_database.postgres.start()
    retry(ingest, reports.report_mail(1))
    assert own_database.reports() == ["report-1"]


def test_a_database_without_schema_is_451_not_quarantine(start_ingest, database):
    database.query("ALTER SCHEMA ruad RENAME TO away")
    ingest = start_ingest(database)
    assert ingest.deliver(reports.report_mail(1)) == [FAILED]
    database.query("ALTER SCHEMA away RENAME TO ruad")
    retry(ingest, reports.report_mail(1))
    assert database.reports() == ["report-1"]


def test_a_database_that_crashes_under_way_leaves_nothing_half_written(start_ingest, own_database):
    ingest = start_ingest(own_database)
    mail = reports.report_mail(1)
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        with contextlib.suppress(Exception), held_up(own_database):  # its own connection dies as well
            reply = client.submit(ingest.deliver, mail)
            wait_for_lock(own_database)
            own_database.postgres.stop(signal.SIGQUIT)
        assert reply.result() == [FAILED]
    own_database.postgres.start()
    assert own_database.value("SELECT count(*) FROM dmarc.intake") == 0
    retry(ingest, mail)
    assert own_database.reports() == ["report-1"]
    assert own_database.value("SELECT count(*) FROM dmarc.intake") == 1


def test_assertion_40_killed_between_commit_and_reply_the_report_is_there_once(start_ingest, database):
    """The commit waits for a lock; ruad-ingest is killed; whether or not the backend commits, the mail is stored once."""
    ingest = start_ingest(database)
    mail = reports.report_mail(1)
    with held_up(database):
        client = ingest.connect()
        client.mail("noreply@reporter.example")
        client.rcpt(RECIPIENT)
        client.docmd("DATA")
        client.send(mail + b"\r\n.\r\n")
        wait_for_lock(database)
        ingest.kill()
    client.close()
    ingest.start()
    retry(ingest, mail)
    assert database.reports() == ["report-1"]
    assert database.value("SELECT count(*) FROM dmarc.records") == 1


def test_assertion_40_a_reply_that_nobody_heard_is_a_duplicate_next_time(ingest, database):
    mail = reports.report_mail(1)
    client = ingest.connect()
    client.mail("noreply@reporter.example")
    client.rcpt(RECIPIENT)
    client.docmd("DATA")
    client.send(mail + b"\r\n.\r\n")
    client.close()
    wait_until(database.reports, "the report is stored")
    assert ingest.deliver(mail) == [STORED]
    assert database.reports() == ["report-1"]


def test_assertion_40_killed_again_and_again_every_report_is_there_once(start_ingest, database):
    ingest = start_ingest(database)
    mails = [reports.report_mail(number) for number in range(60)]
    with concurrent.futures.ThreadPoolExecutor(6) as clients:
        deliveries = [clients.submit(retry, ingest, mail, seconds=60) for mail in mails]
        while not all(delivery.done() for delivery in deliveries):
            time.sleep(0.3)
            ingest.kill()
            ingest.start()
        for delivery in deliveries:
            delivery.result()
    assert sorted(database.reports()) == sorted(f"report-{number}" for number in range(60))
    assert database.value("SELECT count(*) FROM dmarc.records") == 60


def batch(ingest, database, mails):
    """Deliver the mails at once, all but the first in one batch; the replies."""
    with concurrent.futures.ThreadPoolExecutor(len(mails)) as clients:
        with held_up(database):
            replies = [clients.submit(ingest.deliver, mails[0])]
            wait_for_lock(database)
            replies += [clients.submit(ingest.deliver, mail) for mail in mails[1:]]
            time.sleep(1)
        return [reply.result() for reply in replies]


def test_mails_that_wait_are_committed_together(ingest, database):
    assert batch(ingest, database, [reports.report_mail(n) for n in range(9)]) == [[STORED]] * 9
    assert len(database.reports()) == 9
    assert database.value("SELECT count(DISTINCT xmin::text) FROM ruad.mail") == 2


def test_one_poison_mail_in_a_batch_is_quarantined_and_holds_up_nobody(ingest, database):
    database.query("ALTER TABLE ruad.reporter ADD CHECK (org_name <> 'poison')")
    mails = [reports.report_mail(n, org_name="poison" if n == 4 else "Reporter Inc.") for n in range(9)]
    assert batch(ingest, database, mails) == [[STORED]] * 9
    assert database.reports() == [f"report-{n}" for n in range(9) if n != 4]
    ((status, code, reason),) = database.query(
        "SELECT status, code, reason FROM dmarc.intake WHERE status <> 'stored'"
    )
    assert (status, code) == ("quarantined", "database") and "reporter" in reason
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == mails[4]


def test_a_mail_whose_own_header_is_the_poison_is_quarantined_without_it(ingest, database):
    database.query("ALTER TABLE ruad.mail ADD CHECK (subject <> 'poison')")
    mail = reports.mail(reports.gzipped(reports.aggregate()), subject="poison")
    assert ingest.deliver(mail) == [STORED]
    assert database.query("SELECT status, code, subject, envelope_from FROM dmarc.intake") == [
        ("quarantined", "database", None, None)
    ]
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == mail


def test_a_large_poison_mail_is_quarantined(ingest, database):
    database.query("ALTER TABLE ruad.record ADD CHECK (count <> 12345)")
    records = [reports.record(f"2001:db8::{n:x}", 12345 if n == 9000 else 1) for n in range(1, 10001)]
    mail = reports.report_mail(1, records=records)
    assert ingest.deliver(mail) == [STORED]
    assert database.reports() == []
    assert database.query("SELECT status, code FROM dmarc.intake") == [("quarantined", "database")]
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == mail


def test_a_worker_that_is_killed_costs_one_quarantined_mail(start_ingest, database):
    ingest = start_ingest(database, parser_workers=1)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    (worker,) = ingest.workers()
    os.kill(worker, signal.SIGSTOP)
    mail = reports.report_mail(2)
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        reply = client.submit(ingest.deliver, mail)
        time.sleep(0.1)  # after three seconds the mail would go to another worker
        os.kill(worker, signal.SIGKILL)
        assert reply.result() == [STORED]
    assert database.query("SELECT status, code FROM dmarc.intake WHERE status <> 'stored'") == [
        ("quarantined", "worker")
    ]
    assert bytes(database.value("SELECT raw FROM ruad.raw")) == mail
    assert ingest.deliver(reports.report_mail(3)) == [STORED]
    assert database.reports() == ["report-1", "report-3"]


def test_a_worker_that_hangs_costs_nothing(start_ingest, database):
    """Its mail is read again in the slow lane, by a worker of its own."""
    ingest = start_ingest(database, parser_workers=1)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    os.kill(ingest.workers()[0], signal.SIGSTOP)
    assert ingest.deliver(reports.report_mail(2)) == [STORED]
    assert ingest.deliver(reports.report_mail(3)) == [STORED]
    assert database.value("SELECT count(*) FROM dmarc.intake WHERE status <> 'stored'") == 0
    assert database.reports() == ["report-1", "report-2", "report-3"]


def slow_worker(ingest):
    """The worker of the slow lane, once there is one: it is the one that gives way."""

    def found():
        return [pid for pid in ingest.workers() if os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)]

    wait_until(found, "a worker of the slow lane")
    (worker,) = found()
    return worker


def test_a_worker_that_hangs_in_the_slow_lane_costs_one_quarantined_mail(start_ingest, database):
    ingest = start_ingest(database, parser_workers=1, parser_timeout=1)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        reply = client.submit(ingest.deliver, reports.report_mail(2, records=[reports.record()] * 100000))
        worker = slow_worker(ingest)
        wait_until(lambda: "\nSeccomp:\t2" in pathlib.Path(f"/proc/{worker}/status").read_text(), "it is in its sandbox")
        time.sleep(0.1)  # after its greeting, before its answer of a second or so
        os.kill(worker, signal.SIGSTOP)
        assert reply.result() == [STORED]
    assert database.query("SELECT code FROM dmarc.intake WHERE status <> 'stored'") == [("worker",)]
    assert database.reports() == ["report-1"]


def test_a_worker_killed_under_a_large_report_leaves_nothing_of_it(start_ingest, database):
    ingest = start_ingest(database, parser_workers=1)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    records = [reports.record(f"2001:db8::{n:x}", header_from=f"d{n}.example") for n in range(1, 60001)]
    mail = reports.report_mail(2, records=records)
    with concurrent.futures.ThreadPoolExecutor(1) as client:
        reply = client.submit(ingest.deliver, mail)
        worker = slow_worker(ingest)
        wait_until(lambda: outgrows_memory(ingest, worker), "its records outgrow memory", 30)
        os.kill(worker, signal.SIGKILL)
        assert reply.result() == [STORED]
    assert database.reports() == ["report-1"]
    assert database.value("SELECT count(*) FROM dmarc.records") == 1
    assert database.query("SELECT status, code FROM dmarc.intake WHERE status <> 'stored'") == [
        ("quarantined", "worker")
    ]


def outgrows_memory(ingest, worker):
    """Let the stopped worker run for a moment; returns whether ruad-ingest then has a large unnamed file."""
    os.kill(worker, signal.SIGCONT)
    time.sleep(0.01)
    os.kill(worker, signal.SIGSTOP)
    sizes = [0]
    for fd in pathlib.Path(f"/proc/{ingest.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(fd).endswith("(deleted)"):
                sizes.append(fd.stat().st_size)
    return max(sizes) > 1000000


def test_another_version_s_functions_are_451_and_said(ingest, database):
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    database.query("ALTER FUNCTION ruad.evaluations RENAME TO of_another_version")
    assert ingest.deliver(reports.report_mail(2, records=[reports.record(header_from="new.example")])) == [FAILED]
    wait_until(lambda: "the functions of the database are not those of ruad" in ingest.log(), "the reason in the log")
    database.query("ALTER FUNCTION ruad.of_another_version RENAME TO evaluations")
    assert ingest.deliver(reports.report_mail(2, records=[reports.record(header_from="new.example")])) == [STORED]
    assert database.reports() == ["report-1", "report-2"]


def test_sums_that_could_not_be_made_are_made_later(ingest, database):
    database.query("ALTER FUNCTION ruad.sum_up RENAME TO of_another_version")
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    wait_until(lambda: "sums and partitions wait: " in ingest.log(), "the reason in the log", 60)
    database.query("ALTER FUNCTION ruad.of_another_version RENAME TO sum_up")
    wait_until(lambda: database.value("SELECT count(*) FROM ruad.unsummed") == 0, "all is summed up", 60)


def test_evaluations_that_were_removed_are_stored_anew(ingest, database):
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    database.query("DELETE FROM ruad.record; DELETE FROM ruad.report; DELETE FROM ruad.evaluation")
    database.query("SELECT nextval('ruad.evaluation_epoch')")
    assert ingest.deliver(reports.report_mail(2)) == [STORED]
    assert database.value("SELECT count(*) FROM ruad.record r JOIN ruad.evaluation e ON e.id = r.evaluation") == 1


def test_a_small_mail_does_not_wait_for_a_large_one(ingest, database):
    records = [reports.record(f"2001:db8::{n:x}", header_from=f"d{n}.example") for n in range(1, 20001)]
    large = reports.report_mail(1, records=records)
    with concurrent.futures.ThreadPoolExecutor(1) as client, contextlib.closing(database.connect()) as blocker:
        blocker.autocommit = False
        blocker.cursor().execute("LOCK TABLE ruad.record IN SHARE ROW EXCLUSIVE MODE")
        reply = client.submit(ingest.deliver, large)
        wait_for_lock(database, "ruad.record")
        # a mail without records needs no lock that the large one waits for
        assert ingest.deliver(reports.mail()) == [STORED]
        assert not reply.done()
        blocker.rollback()
        assert reply.result() == [STORED]
    assert database.value("SELECT count(*) FROM dmarc.records") == 20000


def junk(number):
    """A mail that cannot be read, of 20 KB."""
    return reports.mail(reports.plain(f"{number} ".encode() * 10000 + b"<"))


FULL = (452, "4.3.1 no space to keep it now, try again later")


def test_mail_that_cannot_be_read_is_put_off_beyond_the_quota_and_reports_are_stored(start_ingest, database):
    ingest = start_ingest(database, retention_max_raw="128K")
    answers = [ingest.deliver(junk(number)) for number in range(12)]
    kept = answers.index([FULL])
    assert 2 <= kept <= 6
    assert answers == [[STORED]] * kept + [[FULL]] * (12 - kept)
    assert ingest.deliver(reports.report_mail(1)) == [STORED]
    assert database.query("SELECT count(*), sum(octet_length(raw)) <= 131072 FROM ruad.raw") == [(kept, True)]
    assert ingest.deliver(junk(0)) == [STORED]  # is kept already
    database.query("DELETE FROM ruad.raw")
    assert ingest.deliver(junk(20)) == [STORED]


def test_mail_that_cannot_be_read_is_put_off_while_the_disk_is_nearly_full(supervised):
    supervised.settings["retention_min_free"] = "1000000G"
    supervised.started()
    assert supervised.deliver(junk(1)) == FULL
    assert supervised.deliver(reports.report_mail(1)) == STORED
    assert supervised.query("SELECT count(*) FROM ruad.raw") == [(0,)]
