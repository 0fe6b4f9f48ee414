"""ruad-web with a real PostgreSQL: what it rejects, content negotiation, and its behaviour when the database is unavailable."""

import contextlib
import gzip
import hashlib
import http.client
import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse

import contract
import psycopg2
import psycopg2.errors
import pytest
from conftest import PROGRAMS, wait_until
from web_data import MESSAGES, WINDOW, add_roles, editors_site, filled_database, running_site

NEEDED = {"search": {"q": "example"}}  # what a resource does not answer without
RESOURCES = [
    path.removeprefix("/api/v1/") for method, path, _ in contract.operations() if method == "GET" and "{" not in path
]
PARAMETERS = {
    path.removeprefix("/api/v1/"): [p["name"] for p in contract.parameters(operation) if p["in"] == "query"]
    for method, path, operation in contract.operations()
    if method == "GET"
}
FILTERED = [resource for resource in RESOURCES if "spf" in PARAMETERS[resource]]
DATED = [resource for resource in RESOURCES if "from" in PARAMETERS[resource]]
PAGED = [resource for resource in RESOURCES if "cursor" in PARAMETERS[resource]]


def test_lists_of_resources_are_not_empty():
    assert {"summary", "timeseries", "domains", "sources", "records", "reports", "reporters"} == set(FILTERED)
    assert {"failures", "tls/reports", "intake/events"} < set(PAGED)
    assert len(DATED) > len(FILTERED)


@pytest.fixture(name="filled", scope="module")
def fixture_filled():
    with filled_database() as database:
        yield database


@pytest.fixture(name="site", scope="module")
def fixture_site(filled):
    with running_site(filled) as site:
        yield site


@pytest.fixture(name="editors", scope="module")
def fixture_editors(filled):
    with editors_site(filled) as site:
        yield site


@pytest.fixture(name="own_site")
def fixture_own_site(filled):
    """A cluster that the test may stop, with a separate log."""
    with running_site(filled) as site:
        yield site


# What is refused


@pytest.mark.parametrize(
    "name, value",
    [
        ("domian", "example.org"),
        ("Domain", "example.org"),
        ("p_domain", "example.org"),
        ("from", "yesterday"),
        ("from", "2026-02-30"),
        ("from", "2026-1-1"),
        ("from", ""),
        ("to", "infinity"),
        ("result", "maybe"),
        ("class", "good"),
        ("subdomains", "yes"),
        ("asn", "AS64496"),
        ("country", "Germany"),
        ("label", "ours"),
        ("source", "192.0.2.1"),
        ("source", "ip:192.0.2"),
        ("q", "x"),
        ("format", "xml"),
        ("ip", "10.1"),
        ("ip", "192.0.2.0/33"),
        ("ip", "example.org"),
        ("domain", ""),
        ("domain", "x" * 256),
        ("domain", "a\x01b"),
        ("reporter", "a\nb"),
        ("reporter", "x" * 513),
    ],
)
@pytest.mark.parametrize("resource", FILTERED)
def test_a_bad_parameter_is_400_and_named(site, resource, name, value):
    answer = site.get(resource, **{**({"from_": "2026-01-01"} if name != "from" else {}), name: value})
    assert answer.status == 400
    assert list(answer.problem()) == [name]


@pytest.mark.parametrize(
    "resource, name, value",
    [(resource, "limit", value) for resource in PAGED for value in ("0", "501", "-1", "1.0", "ten", "", "99999999999999999999")]
    + [(resource, "cursor", value) for resource in PAGED for value in ("", "x" * 1025, "a\tb", "no-cursor-of-ours", "'", "{}")]
    + [
        ("sources", "group", "planet"),
        ("sources", "sort", "+messages"),
        ("timeseries", "bucket", "year"),
        ("timeseries", "by", "planet"),
        ("summary", "limit", "5"),
        ("reports", "report_id", ""),
        ("reports", "received_from", "yesterday"),
        ("records", "report", "x"),
        ("failures", "kind", "tls"),
        ("tls/summary", "ip", "192.0.2.1"),
        ("tls/reports", "result", "maybe"),
        ("intake/events", "status", "lost"),
        ("intake", "domain", "example.org"),
        ("meta", "x", "1"),
        ("me", "user", "x"),
        ("reports/1", "id", "2"),
        ("reports/1/xml", "format", "csv"),
        ("domains/example.org", "name", "example.org"),
        ("domains/example.org/impact", "policy", "none"),
        ("sources/ip:192.0.2.1", "key", "x"),
        ("sources/ip:192.0.2.1/ips", "asn", "1"),
    ],
)
def test_a_bad_parameter_of_a_resource_is_400_and_named(editors, resource, name, value):
    answer = editors.get(resource, **{name: value})
    assert answer.status == 400
    assert list(answer.problem()) == [name]


@pytest.mark.parametrize("resource", PARAMETERS)
def test_an_unknown_and_an_empty_parameter_of_every_resource_is_400_and_named(site, resource):
    path = re.sub(r"{\w+}", "1", resource)
    for name in "nosuch", "", "From", "p_from", "$1", *PARAMETERS[resource]:
        answer = site.get(path, **{**NEEDED.get(resource, {}), f"{name}_" if name == "from" else name: ""})
        assert answer.status == 400
        assert list(answer.problem()) == [name]


@pytest.mark.parametrize("name, value", [("from", "2026-01-01"), ("ip", "192.0.2.1"), ("result", "pass")])
def test_a_single_parameter_given_twice_is_400(site, name, value):
    answer = site.get("summary", **{name: [value, value]})
    assert answer.status == 400
    assert answer.problem() == {name: "must be given once"}


@pytest.mark.parametrize("resource", DATED)
def test_what_only_the_database_can_judge_is_400_and_named(editors, resource):
    answer = editors.get(resource, from_="2026-01-02", to="2026-01-01")
    assert answer.status == 400
    assert "after" in answer.problem()["from"]


def test_all_bad_parameters_are_named_at_once(site):
    assert list(site.get("sources", colour="red", ip="x", limit="0", group="ip").problem()) == ["colour", "ip", "limit"]
    assert list(site.get("records", format="xml", asn="x", domain="").problem()) == ["format", "domain", "asn"]


@pytest.mark.parametrize("query", ["domain=%00", "domain=a%00b", "%00=1", "domain=%", "domain=%zz", "domain=%ff", "domain=%c0%af"])
def test_bad_encoding_is_400(site, query):
    answer = site.ask("/api/v1/summary?" + query)
    assert answer.status == 400
    answer.problem()


@pytest.mark.parametrize("path", ["/api/v1/nosuch", "/api/v1/summary/", "/api/", "/api/v2/summary", "/nosuch", "/sources/x", "/assets/"])
def test_what_is_not_there_is_404(site, path):
    for method in "GET", "HEAD", "POST":
        answer = site.ask(path, method)
        assert answer.status == 404
        assert method == "HEAD" or answer.problem() == {}


READ_ONLY = ["/", "/sources", "/healthz", "/readyz", "/metrics", "/openapi.json", "/api/v1/reports/1", "/api/v1/sources/x/ips"]


@pytest.mark.parametrize("path", READ_ONLY + ["/api/v1/" + resource for resource in RESOURCES if resource not in ("labels", "reports")])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"])
def test_only_reading_is_allowed(site, path, method):
    answer = site.ask(path, method)
    assert answer.status == 405
    assert answer["Allow"] == "GET, HEAD"
    answer.problem()


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "put"])
def test_labels_are_only_read_and_put(site, method):
    answer = site.ask("/api/v1/labels", method)
    assert (answer.status, answer["Allow"]) == (405, "GET, HEAD, PUT")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"])
def test_reports_are_only_read_and_posted(site, method):
    answer = site.ask("/api/v1/reports", method)
    assert (answer.status, answer["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PATCH", "put"])
def test_a_label_is_only_put(site, method):
    answer = site.ask("/api/v1/sources/ip:192.0.2.1/label", method)
    assert (answer.status, answer["Allow"]) == (405, "PUT")


def test_too_long_addresses_and_headers_are_refused(site):
    answer = site.ask("/api/v1/summary?domain=" + "a" * 9000)
    assert answer.status == 414
    answer.problem()
    answer = site.ask("/", X_Long="a" * 17000)
    assert answer.status == 431
    answer.problem()
    # more than a connection's memory: the library answers itself, unless the reset for unread data arrives first
    for request, status in (b"GET /" + b"a" * 40000 + b" HTTP/1.1", b"414"), (b"GET / HTTP/1.1\r\nX: " + b"a" * 40000, b"431"):
        got = site.raw(request + b"\r\nHost: x\r\n\r\n")
        assert got == b"" or got.startswith(b"HTTP/1.1 " + status)
    assert site.ask("/healthz").status == 200


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 40",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Content-Length: 0\r\nContent-Length: 40",
        b"Content-Length: 0\r\nTransfer-Encoding: chunked",
        b"Content-Length: +40",
        b"Content-Length: 00",
        b"Content-Length : 40",
        b"Content-Length\t: 40",
        b"Transfer-Encoding : chunked",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT"])
def test_a_body_is_not_taken_for_the_next_request(site, framing, method):
    body = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    got = site.raw(method + b" /healthz HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + body)
    assert got.count(b'"status": "ok"') <= (method == b"GET")  # /healthz said once
    assert b"\r\nConnection: close\r\n" in got


HOSTILE = [
    "'",
    "''; DROP TABLE ruad.report; --",
    '"',
    "\\",
    "\\'",
    "{",
    "}",
    "{}",
    "{NULL}",
    '{"a","b"}',
    ",",
    "$1",
    "%s%n",
    "$$; SELECT pg_sleep(5); $$",
    "E'\\x41'",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202eexample",
    "\ufeff",
    "\U0010ffff",
    "a" * 200 + "'" * 50,
    "%00",
]
MARK = "smuggled-7f3a"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_never_reaches_sql_as_text(editors, filled, text):
    log = filled.postgres.folder / "log"
    before = log.stat().st_size
    value = MARK + text
    for resource in RESOURCES:
        for name in PARAMETERS[resource] + [value]:
            answer = editors.get(resource, **{**NEEDED.get(resource, {}), name + "_" * (name == "from"): value})
            assert answer.status in (200, 400)
            if answer.status == 200:
                assert answer.json().get("items", []) == []
    for path in "reports/{}", "reports/{}/xml", "domains/{}", "domains/{}/impact", "sources/{}", "sources/{}/ips":
        assert editors.get(path.format(urllib.parse.quote(value, safe=""))).status in (200, 400, 404)
    statements = log.read_bytes()[before:].decode()
    executed = [line for line in statements.splitlines() if "execute" in line or "statement:" in line]
    assert any("api.summary(" in line for line in executed)
    assert not any(MARK in line for line in executed)
    assert editors.get("summary", **WINDOW).json()["totals"]["messages"] == sum(MESSAGES.values())


@pytest.mark.parametrize("size", [10_000, 8_000])
def test_a_huge_parameter_is_refused_before_sql(site, size):
    for name in "domain", "reporter", "cursor", "ip", "x":
        answer = site.get("records", **{name: "a" * size})
        assert answer.status == (414 if size > 8192 else 400)
        answer.problem()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ruad.domain (name) VALUES ('x')",
        "UPDATE ruad.report SET messages = 0",
        "DELETE FROM ruad.record",
        "TRUNCATE ruad.mail",
        "DROP VIEW dmarc.reports",
        "CREATE TABLE ruad.x ()",
        "CREATE TABLE dmarc.x ()",
        "CREATE TABLE api.x ()",
        "CREATE TABLE public.x ()",
        "CREATE TEMPORARY TABLE x ()",
        "CREATE FUNCTION api.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT * FROM ruad.mail",
        "SELECT * FROM ruad.raw",
        "SELECT ruad.ingest()",
        "SELECT ruad.evaluations('{}')",
        "SELECT ruad.keep_raw(1, '')",
        "SELECT ruad.set_label('ip:192.0.2.1', 'mine', NULL, 'x', 'page')",
        "SELECT api.set_label('ip:192.0.2.1', 'mine', NULL, 'x', 'page')",
        "INSERT INTO ruad.label VALUES ('ip:192.0.2.1', 'mine', NULL, 'x', 'page', now())",
        "SET ROLE ruad_editor",
        "COPY dmarc.reports TO PROGRAM 'cat'",
        "SET ROLE ruad_owner",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_its_role_may_only_read_views(filled, statement):
    with contextlib.closing(psycopg2.connect(filled.conninfo("reader"))) as connection, connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)


def test_its_connections_are_read_only_and_bounded(site, filled):
    site.get("meta")
    with contextlib.closing(filled.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ruad-web' AND usename = 'reader'")
        assert 1 <= cursor.fetchone()[0] <= 4 + 1  # http.threads, and one for /readyz
    log = (filled.postgres.folder / "log").read_text()
    for setting in "default_transaction_read_only = on", "$1 = 'ruad_web'", "search_path = ":
        assert setting in log
    limits = filled.value("SELECT rolconfig FROM pg_roles WHERE rolname = 'ruad_web'")
    assert "statement_timeout=10s" in limits and "lock_timeout=5s" in limits


# What is agreed on


ANSWERED = ["/", "/openapi.json", "/api/v1/reports/1", "/api/v1/reports/1/xml", "/api/v1/records?format=csv&from=2026-01-01"] + [
    f"/api/v1/{resource}?{urllib.parse.urlencode(NEEDED.get(resource, {}))}" for resource in RESOURCES
]


@pytest.mark.parametrize("path", ANSWERED)
def test_what_the_client_has_is_not_sent_again(editors, path):
    for coding in "identity", "gzip":
        first = editors.ask(path, Accept_Encoding=coding)
        assert first.status == 200
        again = editors.ask(path, Accept_Encoding=coding, If_None_Match=first["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again["ETag"] == first["ETag"]
        assert again["Cache-Control"] == first["Cache-Control"]
        assert editors.ask(path, Accept_Encoding=coding, If_None_Match='"x", W/' + first["ETag"]).status == 304
        assert editors.ask(path, Accept_Encoding=coding, If_None_Match='"x"').status == 200


def test_the_tag_changes_with_the_content(site):
    one = site.get("summary", domain="example.org", **WINDOW)
    other = site.get("summary", domain="many.example", **WINDOW)
    assert one["ETag"] != other["ETag"]
    assert one["ETag"] == f'"{hashlib.sha256(one.body).hexdigest()}"'


@pytest.mark.parametrize(
    "path, vary",
    [
        ("/", "Accept-Encoding"),
        ("/openapi.json", "Accept-Encoding"),
        ("/api/v1/records?from=2026-01-01&to=2026-02-01", "Accept, Accept-Encoding"),
        ("/api/v1/records?from=2026-01-01&to=2026-02-01&format=csv", "Accept, Accept-Encoding"),
        ("/api/v1/reports/1/xml", "Accept-Encoding"),
    ],
)
def test_large_answers_are_packed_for_those_who_take_it(site, path, vary):
    plain = site.ask(path, Accept_Encoding="identity")
    packed = site.ask(path, Accept_Encoding="br, gzip;q=0.8")
    assert plain["Content-Encoding"] is None
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert plain["Vary"] == packed["Vary"] == vary
    assert plain["ETag"] != packed["ETag"]
    assert site.ask(path, Accept_Encoding="gzip;q=0")["Content-Encoding"] is None


def test_small_answers_are_not_packed(site):
    answer = site.get("reports", report_id="nosuch")
    assert site.ask("/api/v1/reports?report_id=nosuch", Accept_Encoding="gzip").body == answer.body


@pytest.mark.parametrize("path", [*ANSWERED, "/sources", "/healthz", "/readyz", "/api/v1/reports/999999999", "/nosuch"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_is_get_without_the_body(site, path, coding):
    get = site.ask(path, Accept_Encoding=coding)
    head = site.ask(path, "HEAD", Accept_Encoding=coding)
    assert head.body == b""
    assert head.status == get.status
    assert int(head["Content-Length"]) == len(get.body)
    skip = {"date", "connection"}
    assert {k: v for k, v in head.headers.items() if k.lower() not in skip} == {
        k: v for k, v in get.headers.items() if k.lower() not in skip
    }


# The page


@pytest.mark.parametrize(
    "path",
    "/ /domains /domain?name=example.org /sources /source /ip /records /reports /report?id=1 /reporters /failures /failure?id=1 /tls "
    "/tlsreport?id=1 /labels /audit /intake /help".split(),
)
def test_each_page_is_the_one_document(site, path):
    answer = site.ask(path)
    assert answer.status == 200
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert answer.body == site.ask("/").body


def test_the_page_s_files_are_there_for_ever(site):
    names = re.findall(r'(?:src|href)="(assets/[^"]+)"', site.ask("/").body.decode())
    assert any(name.endswith(".js") for name in names) and any(name.endswith(".css") for name in names)
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for name in names:
        plain = site.ask("/" + name, Accept_Encoding="identity")
        assert plain.status == 200
        assert plain["Content-Type"] == types[name.rsplit(".", 1)[1]]
        assert plain["Cache-Control"] == "public, max-age=31536000, immutable"
        assert plain["ETag"] == f'"{hashlib.sha256(plain.body).hexdigest()}"'
        packed = site.ask("/" + name, Accept_Encoding="gzip")
        assert (gzip.decompress(packed.body) if packed["Content-Encoding"] else packed.body) == plain.body


# When things go


def test_ready_follows_the_database_and_health_does_not(own_database):
    add_roles(own_database)
    with running_site(own_database) as site:
        assert site.ask("/readyz").json()["ready"] is True
        assert site.get("summary").status == 200
        own_database.postgres.stop()
        site.wait_ready(503)
        assert site.ask("/readyz").json()["ready"] is False
        assert site.ask("/healthz").json() == {"status": "ok"}
        answer = site.get("summary")
        assert answer.status == 503
        assert int(answer["Retry-After"]) > 0
        answer.problem()
        assert site.ask("/").status == 200
        own_database.postgres.start()
        site.wait_ready(200)
        wait_until(lambda: site.get("summary").status == 200, "the API answers again")
        assert site.log().count("not ready") == 1


def test_a_schema_that_is_not_ours_is_not_ready(own_database):
    add_roles(own_database)
    with running_site(own_database) as site:
        own_database.query("DELETE FROM ruad.schema_version WHERE version > 1")
        site.wait_ready(503)


def test_a_lost_connection_is_opened_again_unseen(own_site, filled):
    for _ in range(5):
        assert own_site.get("summary").status == 200
        filled.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ruad-web'")
    assert own_site.get("summary").status == 200
    assert "503" not in own_site.log()


@contextlib.contextmanager
def locked(database, table):
    """Inside this context nobody else may even read the table."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        cursor.execute("ROLLBACK")


def waiting(database):
    """The pids of our connections that wait for a lock."""
    return [
        pid
        for (pid,) in database.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'ruad-web' AND wait_event_type = 'Lock'"
        )
    ]


class Asking(threading.Thread):
    """A request in progress."""

    def __init__(self, site, resource):
        super().__init__()
        self.site, self.resource, self.answer = site, resource, None
        self.start()

    def run(self):
        self.answer = self.site.get(self.resource)


def test_a_statement_that_takes_too_long_is_503(own_site, filled):
    with locked(filled, "ruad.report"):
        asking = Asking(own_site, "reports")
        (pid,) = wait_until(lambda: waiting(filled), "the request waits")
        filled.query("SELECT pg_cancel_backend(%s)", pid)  # what statement_timeout does, SQLSTATE 57014
        asking.join(20)
    assert asking.answer.status == 503
    assert int(asking.answer["Retry-After"]) > 0
    assert "too long" in asking.answer.json()["detail"]
    assert own_site.log().count(": 503: ") == 1
    assert own_site.get("reports").status == 200


def test_a_statement_ends_after_ten_seconds(own_site, filled):
    own = filled.value("SELECT pg_get_functiondef('api.meta'::regproc)")
    slow = "CREATE OR REPLACE FUNCTION api.meta() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT to_jsonb(pg_sleep(60)::text)'"
    filled.query(slow)
    begun = time.monotonic()
    answer = own_site.get("meta")
    assert 9 < time.monotonic() - begun < 20
    filled.query(own)
    assert answer.status == 503
    assert int(answer["Retry-After"]) > 0
    assert "too long" in answer.json()["detail"]
    assert own_site.get("meta").status == 200


def test_a_statement_waits_five_seconds_for_another(own_site, filled):
    with locked(filled, "ruad.report"):
        begun = time.monotonic()
        answer = own_site.get("reports", format="csv")
        assert 4 < time.monotonic() - begun < 9
    assert answer.status == 503
    assert "too long" in answer.json()["detail"]


def test_a_request_under_way_is_answered_before_the_end(own_site, filled):
    with locked(filled, "ruad.report"):
        asking = Asking(own_site, "reports")
        wait_until(lambda: waiting(filled), "the request waits")
        own_site.process.terminate()
        with pytest.raises(AssertionError):
            wait_until(lambda: own_site.process.poll() is not None, "the end", seconds=0.5)
    asking.join(20)
    assert asking.answer.status == 200
    assert own_site.process.wait(20) == 0


def test_an_idle_connection_does_not_hold_up_the_end(own_site):
    client = http.client.HTTPConnection("127.0.0.1", own_site.port)
    client.request("GET", "/healthz")
    assert client.getresponse().read()
    assert own_site.stop() == 0
    client.close()


def test_clients_that_leave_early_do_no_harm(own_site, filled):
    with locked(filled, "ruad.report"):
        for _ in range(2):
            client = socket.create_connection(("127.0.0.1", own_site.port))
            client.sendall(b"GET /api/v1/reports HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: waiting(filled), "the request waits")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
            client.close()
    assert own_site.get("reports").status == 200
    assert own_site.process.poll() is None


def test_a_silent_connection_is_closed(filled):
    with running_site(filled, http_timeout=1) as site:
        begun = time.monotonic()
        site.raw(b"GET / HTTP/1.1\r\n", end=False)  # returns when the server closes
        assert 0.5 < time.monotonic() - begun < 10


def test_it_serves_a_unix_socket_too(site):
    got = site.raw(b"GET /api/v1/meta HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", unix=True)
    assert got.startswith(b"HTTP/1.1 200 ")


def test_many_at_once_are_all_answered(site):
    with contextlib.ExitStack() as stack:
        askings = [Asking(site, FILTERED[n % len(FILTERED)]) for n in range(64)]
        for asking in askings:
            stack.callback(asking.join, 60)
    assert [asking.answer.status for asking in askings] == [200] * 64


@pytest.mark.parametrize("arguments", [[], ["--listen-fd=0"], ["--listen-fd=x"], ["--listen-fd=-1"], ["--nosuch"], ["word"]])
def test_wrong_arguments_end_with_2(arguments):
    done = subprocess.run([PROGRAMS / "ruad-web", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.startswith(b"ruad-web: ")
