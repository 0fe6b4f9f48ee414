"""Clients that take more than their share, leave early or are slow: the others are answered, and /healthz and /readyz at once."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from conftest import wait_until
from reports import aggregate, gzipped, mail, record
from supervised import Supervised
from web_data import add_roles, running_site, temporary_folder

SLOW = "/api/v1/meta"  # see slow_meta
GET = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
AT_ONCE = 3  # seconds: the promise is half a second, on a machine that has nothing else to do
STATEMENT = 10  # seconds that a statement may take; what waits for one takes longer than AT_ONCE
GREEDY, OTHERS = "127.0.0.2", ["127.0.0.3", "127.0.0.4", "127.0.0.5"]  # clients; site.ask() is 127.0.0.1


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    """One in which a resource takes as long as a statement may."""
    from conftest import Database  # pylint: disable=import-outside-toplevel

    database = Database(shared_postgres, "test_web_load")
    add_roles(database)
    database.query(
        "CREATE OR REPLACE FUNCTION api.meta() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT to_jsonb(pg_sleep(60)::text)'"
    )
    yield database
    database.drop()
    database.query("DROP ROLE reader; DROP ROLE labeller", database="postgres")


@pytest.fixture(name="site")
def fixture_site(database):
    with running_site(database) as site:
        yield site


def connect(site, client=GREEDY, receive=None):
    connection = socket.socket()
    if receive:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.bind((client, 0))
    connection.settimeout(30)
    connection.connect(("127.0.0.1", site.port))
    return connection


@contextlib.contextmanager
def connections(site, n, client=GREEDY, request=b"", receive=None):
    """n connections of a client, each with these bytes of a request."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(n):
            connection = stack.enter_context(connect(site, client, receive))
            with contextlib.suppress(OSError):  # closed by the server
                connection.sendall(request)
            opened.append(connection)
        yield opened


def sleepers(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'")


def assert_answered(site, target, port=None):
    begun = time.monotonic()
    assert site.ask(target, port=port).status == 200
    assert time.monotonic() - begun < AT_ONCE


def assert_healthy(site):
    for target in "/healthz", "/readyz":
        assert_answered(site, target)
        assert_answered(site, target, site.health_port)


def test_one_client_has_half_of_the_threads(site, database):
    with connections(site, 16, request=GET.format(SLOW).encode()):
        wait_until(lambda: sleepers(database) == 2, "half of 4 threads are busy")
        assert_healthy(site)
        assert_answered(site, "/api/v1/summary")
        assert_answered(site, "/")
        assert sleepers(database) == 2


def test_health_answers_while_every_thread_is_busy(site, database):
    request = GET.format(SLOW).encode()
    with connections(site, 8, request=request), connections(site, 8, OTHERS[0], request):
        wait_until(lambda: sleepers(database) == 4, "4 threads are busy")
        assert_healthy(site)


def test_abandoned_requests_are_cancelled(site, database):
    begun = time.monotonic()
    with connections(site, 16, request=GET.format(SLOW).encode()):
        wait_until(lambda: sleepers(database) == 2, "two run, the others wait")
    wait_until(lambda: sleepers(database) == 0, "all are cancelled", STATEMENT)
    assert time.monotonic() - begun < STATEMENT  # none ran to its end
    time.sleep(0.5)
    assert sleepers(database) == 0  # nor was one of those that waited begun
    assert_answered(site, "/api/v1/summary")
    assert "503" not in site.log()  # nobody reads the answers, so they are nothing for the log


@contextlib.contextmanager
def statements_of(database, seconds):
    """A statement alone may take so long."""
    database.query(f"ALTER ROLE ruad_web SET statement_timeout = '{seconds}s'")
    try:
        yield
    finally:
        database.query(f"ALTER ROLE ruad_web SET statement_timeout = '{STATEMENT}s'")


def asked_at_once(site, resource, n):
    """Status and seconds of n requests."""
    answers = []

    def ask():
        begun = time.monotonic()
        client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        client.request("GET", f"/api/v1/{resource}")
        answers.append((client.getresponse().status, time.monotonic() - begun))
        client.close()

    asking = [threading.Thread(target=ask) for _ in range(n)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(60)
    return answers


def test_a_request_has_more_time_while_others_run(own_database):
    add_roles(own_database)
    own_database.query(
        "CREATE OR REPLACE FUNCTION api.meta() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT to_jsonb(pg_sleep(4)::text)'"
    )
    with statements_of(own_database, 3), running_site(own_database) as site:
        ((status, seconds),) = asked_at_once(site, "meta", 1)
        assert status == 503 and seconds < 4
        assert [status for status, _ in asked_at_once(site, "meta", 2)] == [200, 200]
        own_database.query(
            "CREATE OR REPLACE FUNCTION api.meta() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT to_jsonb(pg_sleep(60)::text)'"
        )
        for status, seconds in asked_at_once(site, "meta", 2):
            assert status == 503 and 5 < seconds < 20
        assert "the database took too long" in site.get("meta").json()["detail"]


def test_a_client_that_waits_with_one_side_closed_is_answered(site):
    assert site.raw(GET.format("/api/v1/summary").encode(), end=True).startswith(b"HTTP/1.1 200 ")


def test_beyond_the_queue_a_request_is_503_at_once(site, database):
    with connections(site, 100, request=GET.format(SLOW).encode()) as opened:
        wait_until(lambda: sleepers(database) == 2, "two run")
        begun = time.monotonic()
        refused = []
        for connection in opened:
            connection.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                refused.append(connection.recv(4096))
        assert time.monotonic() - begun < STATEMENT / 2
        assert len(refused) == 100 - 2 - 64  # half of the queue is this client's
        for answer in refused:
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: " in answer and b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
        assert_answered(site, "/api/v1/summary")
    assert site.log().count("too many requests wait") == 1


def test_a_client_has_half_of_the_connections(site):
    with connections(site, 300) as opened:
        closed = 0
        for connection in opened[256:]:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            closed += 1
        assert closed == 44
        assert_healthy(site)
        assert_answered(site, "/api/v1/summary")


SLOW_HEADER = (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", None)
SLOW_READER = (b"".join([GET.format("/openapi.json").encode()] * 8), 1024)


@pytest.mark.parametrize("request_, receive", [SLOW_HEADER, SLOW_READER], ids=["headers", "readers"])
def test_slow_clients_cannot_take_all_connections(site, request_, receive):
    with contextlib.ExitStack() as stack:
        for client in [GREEDY, *OTHERS]:
            stack.enter_context(connections(site, 175, client, request_, receive))
        assert_healthy(site)
        for _ in range(20):
            assert_answered(site, "/api/v1/summary")
            assert_answered(site, "/")


def test_a_request_that_does_not_arrive_in_time_ends(database):
    with running_site(database, http_timeout=1) as site, connect(site) as connection:
        connection.sendall(SLOW_HEADER[0])
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begun < STATEMENT:
                connection.sendall(b"x")  # each byte is within the time
                time.sleep(0.2)
        assert time.monotonic() - begun < STATEMENT


def test_the_listener_for_health_has_nothing_else(site):
    assert site.ask("/healthz", port=site.health_port).json() == {"status": "ok"}
    assert site.ask("/readyz", port=site.health_port).json()["ready"] is True
    for target in "/", "/api/v1/summary", "/metrics":
        answer = site.ask(target, port=site.health_port)
        assert answer.status == 404
        answer.problem()


def test_health_answers_while_the_database_does_not(own_database):
    add_roles(own_database)
    with running_site(own_database) as site:
        backends = [pid for (pid,) in own_database.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'ruad-web'")]
        stopped = [own_database.postgres.process.pid, *backends]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            asking = [threading.Thread(target=lambda: site.get("summary")) for _ in range(4)]
            for thread in asking:
                thread.start()
            end = time.monotonic() + 20
            statuses = [200]
            while statuses[-1] == 200 and time.monotonic() < end:
                begun = time.monotonic()
                statuses.append(site.ask("/readyz").status)
                assert_answered(site, "/healthz")
                assert time.monotonic() - begun < AT_ONCE
            assert statuses[-1] == 503
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        site.wait_ready(200)
        for thread in asking:
            thread.join(30)
        assert site.log().count("not ready") == 1


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of this size in a folder, where we may mount one."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], check=False).returncode:
        pytest.skip("cannot mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_not_ready(database):
    with temporary_folder() as folder, small_disk(folder, "16M") as disk:
        with running_site(database, storage=disk, min_free=8 << 20) as site:
            (disk / "mail").write_bytes(bytes(10 << 20))
            site.wait_ready(503)
            assert site.ask("/readyz").json() == {"ready": False, "storage": "full"}
            assert site.ask("/healthz").status == 200
            assert site.ask("/api/v1/summary").status == 200
            (disk / "mail").unlink()
            site.wait_ready(200)
            assert site.log().count("not ready: the disk of") == 1
            assert "has 6 MiB left; mail needs 8 MiB (server.min_free)" in site.log()


def test_mail_that_cannot_be_stored_is_not_ready(folder):
    right = "EXECUTE ON FUNCTION ruad.ingest(ruad.new_mail[], ruad.new_item[])"
    report = mail(gzipped(aggregate(records=[record()])))
    supervised = Supervised(folder)

    def execute(sql):
        with contextlib.closing(supervised.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)

    try:
        supervised.started()
        execute(f"REVOKE {right} FROM ruad_ingest")
        assert supervised.deliver(report)[0] == 451
        wait_until(lambda: supervised.get("/readyz") == 503, "it is not ready")
        assert supervised.get("/") == 200
        execute(f"GRANT {right} TO ruad_ingest")
        wait_until(lambda: supervised.deliver(report)[0] == 250, "mail is stored")
        wait_until(lambda: supervised.get("/readyz") == 200, "it is ready")
        assert supervised.log().count("ruad-web: not ready: mail is not stored since") == 1
    finally:
        supervised.close()


def test_ruad_serve_names_the_disk_of_its_own_cluster(folder):
    supervised = Supervised(folder)
    try:
        supervised.started()
        supervised.stop()
        supervised.settings["server_min_free"] = "1000000G"
        supervised.start()
        wait_until(lambda: "ruad: ready" in supervised.log()[supervised.log().rindex("stopped"):], "it runs again", 60)
        assert supervised.get("/readyz") == 503
        assert supervised.get("/") == 200
        assert supervised.command("health")[0] == 1
        assert "server.min_free" in supervised.log()
    finally:
        supervised.close()
