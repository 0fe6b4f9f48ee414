"""The recipe of server/doc/security.md for OpenID Connect, with a proxy that treats headers as oauth2-proxy's documentation says.

With pass_user_headers, oauth2-proxy removes X-Forwarded-User, -Email, -Groups and -Preferred-Username from each request, in any
spelling, and sets them from the session. It appends the client to X-Forwarded-For, keeps Host, and answers requests to
/oauth2/ itself, and those without a session: 401 for api_routes, otherwise 403 with its sign-in page.
"""

import contextlib
import http.client
import http.server
import re
import socket
import threading

import pytest
from conftest import ROOT
from web_data import running_site, site_database
from web_site import Answer

SESSIONS = {"_oauth2_proxy=of-ann": "ann@example.org", "_oauth2_proxy=of-bob": "bob@example.org"}
SET = ["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username"]
HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade"]


def recipe():
    """The settings of ruad that the recipe gives, by their names."""
    text = (ROOT / "server" / "doc" / "security.md").read_text()
    (block,) = re.findall(r"```ini\n(\[http\]\n[^`]*oauth2[^`]*)```", text)
    return dict(re.findall(r"^(\w+)\s*=\s*(.*)$", block, re.MULTILINE))


class UnixConnection(http.client.HTTPConnection):
    """upstreams = ["unix:///..."]"""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


def normal(name):
    """How oauth2-proxy compares the names of headers."""
    return name.lower().replace("_", "-")


class Handler(http.server.BaseHTTPRequestHandler):
    """oauth2-proxy, with sessions that are there already."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def refuse(self, status, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def upstream_headers(self, email):
        stripped = [normal(name) for name in SET]
        headers = [(name, value) for name, value in self.headers.items() if normal(name) not in stripped and name.lower() not in HOP]
        earlier = [value for name, value in headers if name.lower() == "x-forwarded-for"]
        headers = [(name, value) for name, value in headers if name.lower() != "x-forwarded-for"]
        headers.append(("X-Forwarded-For", ", ".join([*earlier, self.client_address[0]])))
        return [*headers, ("X-Forwarded-User", "248289761001"), ("X-Forwarded-Email", email), ("X-Forwarded-Groups", "staff,dmarc")]

    def forward(self):
        email = SESSIONS.get(self.headers["Cookie"])
        if self.path.startswith("/oauth2/"):
            return self.refuse(302, Location="https://login.example/")
        if email is None:
            return self.refuse(401 if self.path.startswith("/api/") else 403)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        with contextlib.closing(UnixConnection(self.server.upstream)) as connection:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.upstream_headers(email):
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in [*HOP, "content-length"]:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    do_GET = do_PUT = forward


class Proxy:
    """What browsers connect to."""

    def __init__(self, upstream):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.upstream = upstream
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def ask(self, target, method="GET", body=None, **headers):
        """The names of headers are sent as they are."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=30)) as client:
            client.request(method, target, body, headers)
            return Answer(client.getresponse())


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    with site_database(shared_postgres, "test_oauth2_proxy") as database:
        yield database


@pytest.fixture(name="site", scope="module")
def fixture_site(database):
    settings = {f"http_{key}": value for key, value in recipe().items() if key != "listen"}
    with running_site(database, **settings, database_edit_url=database.conninfo("labeller")) as site:
        yield site


@pytest.fixture(name="proxy", scope="module")
def fixture_proxy(site):
    proxy = Proxy(site.path)
    yield proxy
    proxy.close()


ANN, BOB = SESSIONS


def test_the_user_is_the_address_in_the_session(proxy):
    assert proxy.ask("/api/v1/me", Cookie=ANN).json() == {
        "user": "ann@example.org",
        "roles": ["viewer", "editor"],
        "domains": None,
        "auth": "proxy",
        "logout": "/oauth2/sign_out",
    }
    assert proxy.ask("/api/v1/me", Cookie=BOB).json()["roles"] == ["viewer"]
    assert proxy.ask("/", Cookie=BOB).status == 200


def test_without_a_session_nothing_reaches_ruad(proxy):
    assert proxy.ask("/api/v1/me").status == 401
    assert proxy.ask("/").status == 403


@pytest.mark.parametrize("name", ["X-Forwarded-Email", "x_forwarded_email", "X-Forwarded_Email", "X-Remote-User"])
def test_a_browser_cannot_say_that_it_is_another_user(proxy, name):
    assert proxy.ask("/api/v1/me", Cookie=BOB, **{name: "ann@example.org"}).json()["user"] == "bob@example.org"


def test_an_editor_labels_through_the_proxy(proxy, database):
    path, headers = "/api/v1/sources/ip:192.0.2.1/label", {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    assert proxy.ask(path, "PUT", '{"label":"mine"}', Cookie=BOB, **headers).status == 403
    assert proxy.ask(path, "PUT", '{"label":"mine"}', Cookie=ANN, **{**headers, "Sec-Fetch-Site": "cross-site"}).status == 403
    assert proxy.ask(path, "PUT", '{"label":"mine"}', Cookie=ANN, **headers).status == 200
    assert database.query("SELECT set_by, set_via FROM dmarc.labels") == [("ann@example.org", "page")]


def test_the_audit_log_has_the_client_of_the_proxy(proxy, database):
    database.query("TRUNCATE ruad.audit_log")
    assert proxy.ask("/api/v1/records?format=csv", Cookie=BOB).status == 200
    (row,) = database.query("SELECT user_name, client FROM dmarc.audit_log WHERE action = 'export'")
    assert row == ("bob@example.org", "127.0.0.1")


def test_past_the_proxy_only_tokens_count(site, database):
    assert site.ask("/api/v1/me", X_Forwarded_Email="ann@example.org").status == 403
    assert site.ask("/").status == 403
    database.query(
        "SELECT ruad.token_add('monitor', 'bob@example.org', encode(sha256('ruad_x'), 'hex'), false, NULL, 'test')",
    )
    assert site.ask("/api/v1/me", Authorization="Bearer ruad_x").json()["user"] == "bob@example.org"
