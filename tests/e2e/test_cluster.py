"""The private cluster survives what happens to a server: a killed postmaster, a replaced package, a new version."""

import contextlib
import os
import pathlib
import shutil
import signal
import smtplib
import threading
import time

import psycopg2
import pytest
from conftest import postgres_program, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import IS_ROOT, is_alive, processes_of

BUSY = "SELECT count(*) FROM generate_series(1, 1000000000000)"  # does not look at its client, or for a server


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", records=[record(count=number)])))


@pytest.fixture(name="busy")
def fixture_busy(running):
    """The pid of a backend that works on a statement for hours."""
    connection = running.connect()

    def work():
        with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute(BUSY)

    thread = threading.Thread(target=work)
    thread.start()
    pid = connection.info.backend_pid
    wait_until(lambda: running.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND state = 'active'"), "it is busy")
    yield pid
    if is_alive(pid):
        os.kill(pid, signal.SIGKILL)
    thread.join()
    connection.close()


def deliver_until_stored(supervised, number, seconds):
    def attempt():
        with contextlib.suppress(smtplib.SMTPException, OSError):
            return supervised.deliver(report(number))[0] == 250
        return False

    wait_until(attempt, "mail is stored", seconds)


def test_a_killed_server_with_a_busy_backend_is_back_within_ten_seconds(running, busy):
    assert running.deliver(report(1))[0] == 250
    began = time.monotonic()
    os.kill(running.child("postgres"), signal.SIGKILL)
    # until ruad notices, ruad-ingest's backend, which is alive, may store mail
    wait_until(lambda: "processes of a PostgreSQL server that was killed" in running.log(), "ruad notices", 30)
    deliver_until_stored(running, 2, 30)
    assert time.monotonic() - began < 10
    wait_until(lambda: not is_alive(busy), "the backend is gone", 1)  # its memory is free before the kernel says so
    assert sorted(running.query("SELECT report_id FROM dmarc.reports")) == [("r-1",), ("r-2",)]


def test_serve_takes_over_from_one_that_was_killed_with_its_server(running, busy):
    assert running.deliver(report(1))[0] == 250
    server = running.child("postgres")
    running.process.kill()
    os.kill(server, signal.SIGKILL)
    running.process.wait()
    began = time.monotonic()
    running.started()
    deliver_until_stored(running, 2, 10)
    assert time.monotonic() - began < 20
    assert not is_alive(busy)
    assert sorted(running.query("SELECT report_id FROM dmarc.reports")) == [("r-1",), ("r-2",)]


def test_serve_takes_over_from_one_that_was_killed_alone(running, busy):
    running.process.kill()
    running.process.wait()
    running.started()
    deliver_until_stored(running, 1, 10)
    assert not is_alive(busy)
    assert running.stop() == 0
    assert not processes_of(running.folder)


def test_a_normal_stop_is_not_logged_as_fatal_though_an_auditor_is_at_work(running):
    with contextlib.closing(running.connect("ruad_auditor")):
        assert running.stop() == 0
    assert "FATAL" not in running.log()


def test_a_full_disk_at_the_first_start_is_said(supervised):
    """A limit on the size of files stands for it: PostgreSQL reports both in the same lines."""
    supervised.start(before=["prlimit", f"--fsize={1024 * 1024}", "env", "--ignore-signal=XFSZ"])
    assert supervised.process.wait(60) == 75
    (line,) = [line for line in supervised.log().splitlines() if "cannot create the cluster" in line]
    assert "File too large" in line
    assert "removing" not in line


@pytest.fixture(name="package")
def fixture_package(folder):
    """A copy of PostgreSQL's programs, and the words before a command that has it in place of the real ones."""
    if not IS_ROOT:
        pytest.skip("needs root, for a mount namespace")
    installed = pathlib.Path(postgres_program("initdb")).parents[1]
    copy = folder / "package"
    shutil.copytree(installed, copy, symlinks=True)
    return copy, ["unshare", "--mount", "sh", "-c", f'mount --bind {copy} {installed} && exec "$@"', "sh"]


def test_an_update_of_postgresql_under_way_restarts_the_server_in_order(supervised, package):
    copy, before = package
    supervised.started(before=before)
    assert supervised.deliver(report(1))[0] == 250
    old = supervised.child("postgres")
    shutil.copy2(copy / "bin" / "postgres", copy / "bin" / "postgres.dpkg-new")
    os.replace(copy / "bin" / "postgres.dpkg-new", copy / "bin" / "postgres")
    wait_until(lambda: supervised.child("postgres") not in (None, old), "it is restarted", 40)
    deliver_until_stored(supervised, 2, 20)
    log = supervised.log()
    assert log.count("PostgreSQL was updated: restarting it") == 1
    assert f"PostgreSQL (process {old}) ended with exit code 0" in log
    time.sleep(12)  # two looks: it is restarted once
    assert supervised.log().count("PostgreSQL was updated: restarting it") == 1
    assert sorted(supervised.query("SELECT report_id FROM dmarc.reports")) == [("r-1",), ("r-2",)]
    assert supervised.stop() == 0


def test_a_removed_postgresql_is_said_and_goes_on(supervised, package):
    copy, before = package
    supervised.started(before=before)
    old = supervised.child("postgres")
    (copy / "bin" / "postgres").rename(copy / "bin" / "gone")
    wait_until(lambda: "was removed: install it again" in supervised.log(), "it is said", 20)
    (copy / "bin" / "gone").rename(copy / "bin" / "postgres")
    time.sleep(6)
    assert supervised.child("postgres") == old
    assert supervised.deliver(report(1))[0] == 250
    assert supervised.log().count("was removed") == 1


FULL = """
CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full', DETAIL = 'secret', HINT = 'Check free disk space.';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON ruad.mail EXECUTE FUNCTION public.full()
"""


def test_a_full_disk_under_way_is_one_line_without_sql(running):
    with contextlib.closing(running.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(FULL)
    assert running.deliver(report(1))[0] == 451
    said = running.log().split("ruad: ready\n")[1]
    assert "could not extend file: No space left on device" in said
    for words in ("secret", "CONTEXT", "PL/pgSQL", "SQL statement"):
        assert words not in said
    assert [line for line in said.splitlines() if not line.startswith("ruad")] == []
