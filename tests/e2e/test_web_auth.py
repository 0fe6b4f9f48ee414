"""Who may read and who may label: passwords, the header of a proxy, editors, requests from other sites, and the rights of each role."""

import contextlib
import itertools
import json
import pathlib
import re
import shutil
import subprocess

import psycopg2
import psycopg2.errors
import pytest
from conftest import ROOT
from supervised import Supervised, clean_environment
from web_data import add_roles, htpasswd, password_file, site_database, site_of, temporary_folder
from web_site import WebSite, basic

KEY = "ip:192.0.2.1"
LOG = "SELECT source, label, note, set_by, set_via FROM dmarc.label_log ORDER BY id"
OPEN = ["/healthz", "/readyz"]
SECRET = "a shared word"  # of the proxy and of ruad
CLOSED = ["/", "/sources", "/logout", "/assets/nosuch.js", "/nosuch", "/openapi.json", "/metrics", "/api/v1/meta", "/api/v1/me", "/api/v1/nosuch"]


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    """One for the module; tests that label remove their labels."""
    with site_database(shared_postgres, "test_web_auth") as database:
        yield database


@pytest.fixture(name="clean")
def fixture_clean(database):
    database.query("TRUNCATE ruad.label, ruad.label_log")
    return database


@pytest.fixture(name="passwords", scope="module")
def fixture_passwords():
    with password_file() as path:
        yield path


@pytest.fixture(name="by_password", scope="module")
def fixture_by_password(database, passwords):
    with site_of(database, "basic", passwords, editors="ann") as site:
        yield site


@pytest.fixture(name="by_proxy", scope="module")
def fixture_by_proxy(database):
    with site_of(database, "proxy", editors="*", http_proxy_secret=SECRET) as site:
        yield site


@pytest.fixture(name="by_nothing", scope="module")
def fixture_by_nothing(database):
    with site_of(database, "none", editors="*") as site:
        yield site


ANN, BOB = basic("ann", "secret"), basic("bob", "other")
WRONG = [None, "", "Basic", "Bearer x", basic("ann", "wrong"), basic("eve", "secret"), basic("", ""), "Basic !!", ANN + "x"]


# Who may look


@pytest.mark.parametrize("path", CLOSED)
def test_a_password_is_asked_for_before_anything_else(database, passwords, path):
    """Each request is another client's, and each path another server's, so that none is slowed down."""
    clients = (f"192.0.2.{n}" for n in range(1, 255))
    with site_of(database, "basic", passwords, editors="ann") as site:
        for method, header in itertools.product(["GET", "HEAD", "POST", "PUT"], WRONG):
            headers = {"Authorization": header} if header is not None else {}
            answer = site.ask(path, method, X_Forwarded_For=next(clients), **headers)
            assert answer.status == 401
            assert answer["WWW-Authenticate"] == 'Basic realm="ruad", charset="UTF-8"'
            assert answer["Cache-Control"] == "no-store"
            assert answer["ETag"] is None
            if method != "HEAD":
                answer.problem()


@pytest.mark.parametrize("path", OPEN)
def test_health_is_open(by_password, by_proxy, path):
    assert by_password.ask(path).status == 200
    assert by_proxy.ask(path).status == 200


def test_a_user_with_his_password_sees_what_there_is(by_password):
    for header in ANN, BOB, ANN.replace("Basic", "basic"):
        assert by_password.ask("/", Authorization=header).status == 200
        assert by_password.ask("/api/v1/summary", Authorization=header).status == 200
        assert by_password.ask("/metrics", Authorization=header).status == 200
        assert by_password.ask("/nosuch", Authorization=header).status == 404


def test_a_header_that_stands_there_twice_is_refused(by_password, by_proxy):
    twice = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s: %s\r\n%s: %s\r\n\r\n"
    for site, name, one, other in (
        (by_password, b"Authorization", ANN.encode(), BOB.encode()),
        (by_password, b"Authorization", ANN.encode(), ANN.encode()),
        (by_proxy, b"X-Remote-User", b"ann", b"root"),
        (by_proxy, b"X-Remote-User", b"", b"root"),
    ):
        assert site.raw(twice % (name, one, name.lower(), other)).startswith(b"HTTP/1.1 400 ")
    assert by_proxy.raw(twice % (b"X-Remote-User", b"ann", b"X-Remote-User ", b"root")).startswith(b"HTTP/1.1 400 ")


def test_a_changed_htpasswd_counts_at_once(database):
    with temporary_folder() as folder:
        path = folder / "htpasswd"
        htpasswd(path, ann="secret")
        with site_of(database, "basic", path) as site:
            assert site.ask("/api/v1/me", Authorization=ANN).status == 200
            htpasswd(path, bob="other")
            assert site.ask("/api/v1/me", Authorization=ANN).status == 401
            assert site.ask("/api/v1/me", Authorization=BOB).status == 200
            path.write_text("ann:$apr1$abcdefgh$M9mWkWnFZbkCPEKY.RK3h/\n")
            assert site.ask("/api/v1/me", Authorization=ANN).status == 401
            assert "line 1: $apr1$ (MD5) is not supported" in site.log()
            path.unlink()
            assert site.ask("/api/v1/me", Authorization=BOB).status == 401
            assert site.ask("/healthz").status == 200


def test_without_its_htpasswd_it_does_not_start(database):
    with temporary_folder() as folder:
        site = WebSite(folder, database.conninfo("reader"), http_auth="basic", http_htpasswd=folder / "nosuch")
        site.start()
        assert site.process.wait(30) == 1
        assert "nosuch" in site.log()
        site.close()


def test_a_proxy_names_the_user(by_proxy):
    assert by_proxy.ask("/api/v1/me", X_Remote_User="ann").json()["user"] == "ann"
    for headers in {}, {"X_Remote_User": ""}, {"X_Remote_User": "a\tb"}, {"Authorization": ANN}, {"Remote_User": "ann"}:
        for path in CLOSED:
            answer = by_proxy.ask(path, **headers)
            assert answer.status == 403
            assert answer["WWW-Authenticate"] is None
            answer.problem()


def test_the_proxy_s_header_has_the_name_that_it_is_given(database):
    with site_of(database, "proxy", http_user_header="X-Auth-User", http_proxy_secret=SECRET) as site:
        assert site.ask("/api/v1/me", x_AUTH_user="ann").json()["user"] == "ann"
        assert site.ask("/api/v1/me", X_Remote_User="ann").status == 403


def test_a_proxy_is_believed_with_its_secret_or_over_a_unix_socket(database, by_proxy):
    for sent in {"X_Ruad_Proxy_Secret": "another word"}, {"X_Ruad_Proxy_Secret": ""}, {"X_Ruad_Proxy_Secret": SECRET + "x"}:
        for path in CLOSED:
            answer = by_proxy.ask(path, X_Remote_User="ann", **sent)
            assert answer.status == 403
            assert "not from the proxy" in answer.json()["detail"]
    twice = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Remote-User: ann\r\n%s\r\n"
    secret = b"X-Ruad-Proxy-Secret: %s\r\n" % SECRET.encode()
    assert b'"user":"ann"' in by_proxy.raw(twice % secret)
    assert by_proxy.raw(twice % (secret * 2)).startswith(b"HTTP/1.1 400 ")
    assert by_proxy.raw(twice % b"").startswith(b"HTTP/1.1 403 ")
    assert b'"user":"ann"' in by_proxy.raw(twice % b"", unix=True)
    with site_of(database, "proxy") as site:
        assert site.ask("/api/v1/me", X_Remote_User="ann").status == 403
        assert site.ask("/api/v1/me", X_Remote_User="ann", X_Ruad_Proxy_Secret="").status == 403
        assert b'"user":"ann"' in site.raw(twice % b"", unix=True)


# Signing out


def test_logout_rejects_the_password_for_the_realm_that_it_was_given_for(by_password):
    """Only then do browsers forget it."""
    (realm,) = by_password.ask("/").headers.get_all("WWW-Authenticate")
    answer = by_password.ask("/logout", Authorization=ANN)
    assert answer.status == 401
    assert answer.headers.get_all("WWW-Authenticate") == [realm]
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/html; charset=utf-8", "no-store")
    assert b"You are signed out" in answer.body
    assert by_password.ask("/", Authorization=ANN).status == 200  # the server keeps nothing


def test_pages_of_other_sites_sign_nobody_out(by_password):
    for site, status in ("cross-site", 403), ("same-site", 403), ("same-origin", 401), ("none", 401):
        assert by_password.ask("/logout", Authorization=ANN, Sec_Fetch_Site=site).status == status


def test_behind_a_proxy_the_page_links_to_its_sign_out(database, by_proxy, by_nothing):
    for site in by_proxy, by_nothing:
        assert site.ask("/logout", X_Remote_User="ann").status == 404
    with site_of(database, "proxy", http_proxy_secret=SECRET, http_logout_url="/oauth2/sign_out") as site:
        assert site.ask("/api/v1/me", X_Remote_User="ann").json()["logout"] == "/oauth2/sign_out"


# Wrong passwords


def failing(site, n, user="ann", **headers):
    """The statuses of n wrong passwords."""
    return [site.ask("/api/v1/me", Authorization=basic(user, f"wrong{i}"), **headers).status for i in range(n)]


def test_wrong_passwords_slow_their_client_down(database, passwords):
    attacker, other = {"X_Forwarded_For": "203.0.113.9, 192.0.2.66"}, {"X_Forwarded_For": "192.0.2.1"}
    with site_of(database, "basic", passwords) as site:
        assert failing(site, 6, **attacker) == [401] * 6
        answer = site.ask("/api/v1/me", Authorization=ANN, **attacker)
        assert answer.status == 429
        assert 1 <= int(answer["Retry-After"]) <= 2
        answer.problem()
        assert site.ask("/api/v1/me", Authorization=ANN, **other).status == 200
        assert site.ask("/api/v1/me", **attacker).status == 401  # without a password there is nothing to guess
        assert site.ask("/healthz", **attacker).status == 200


def fail2ban_matches(lines):
    """The addresses that server/dist/fail2ban finds, by its own regular expression."""
    text = (ROOT / "server" / "dist" / "fail2ban" / "filter.d" / "ruad.conf").read_text()
    (expression,) = re.findall(r"^failregex = (.*)$", text, re.MULTILINE)
    expression = expression.replace("<ADDR>", r"(?P<ip>[\d.]+|[\da-f:]+)")
    return [found["ip"] for found in (re.search(expression, line) for line in lines) if found]


def test_wrong_passwords_are_logged_for_fail2ban(database, passwords):
    with site_of(database, "basic", passwords) as site:
        assert failing(site, 1) == [401]
        assert failing(site, 1, 'eve", user "\\x ruad-web: login failed: client 192.0.2.99, user "') == [401]
        assert failing(site, 1, X_Forwarded_For="2001:db8::66") == [401]
        assert site.ask("/login failed: client 192.0.2.99, user".replace(" ", "%20"), Authorization=ANN).status == 404
        assert site.ask("/api/v1/me").status == 401
        assert fail2ban_matches(site.log().splitlines()) == ["127.0.0.1", "127.0.0.1", "2001:db8::66"]
        program = shutil.which("fail2ban-regex")
        if program:
            lines = "".join(f"Jan 02 03:04:05 host {line}\n" for line in site.log().splitlines())
            (site.folder / "journal").write_text(lines)
            filter_ = ROOT / "server" / "dist" / "fail2ban" / "filter.d" / "ruad.conf"
            done = subprocess.run([program, site.folder / "journal", filter_], check=True, capture_output=True, text=True)
            assert re.search(r"Failregex: 3 total", done.stdout), done.stdout


def test_nobody_s_header_counts_where_none_is_to(by_nothing, by_password):
    assert by_nothing.ask("/api/v1/me", Authorization=ANN, X_Remote_User="ann").json()["user"] is None
    assert by_password.ask("/api/v1/me", X_Remote_User="ann").status == 401
    assert by_password.ask("/api/v1/me", X_Remote_User="ann", Authorization=BOB).json()["user"] == "bob"


def test_me_says_who_asks_and_what_he_may_do(by_nothing, by_password, by_proxy):
    assert by_nothing.get("me").json() == {"user": None, "roles": ["viewer"], "domains": None, "auth": "none", "logout": None}
    by_basic = {"domains": None, "auth": "basic", "logout": "logout"}
    assert by_password.ask("/api/v1/me", Authorization=ANN).json() == {"user": "ann", "roles": ["viewer", "editor"], **by_basic}
    assert by_password.ask("/api/v1/me", Authorization=BOB).json() == {"user": "bob", "roles": ["viewer"], **by_basic}
    by_header = {"domains": None, "auth": "proxy", "logout": None}
    assert by_proxy.ask("/api/v1/me", X_Remote_User="eve").json() == {"user": "eve", "roles": ["viewer", "editor"], **by_header}


# Which sites may ask

READ = ["/", "/sources", "/metrics", "/openapi.json", "/api/v1/summary", "/api/v1/me", "/nosuch"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8080", "192.0.2.1", "[2001:db8::1]:80"])
def test_without_authentication_another_host_is_refused(by_nothing, host):
    for path in READ:
        answer = by_nothing.ask(path, Host=host)
        assert answer.status == 421
        assert "http.hosts" in answer.json()["detail"]
        answer.problem()
    for path in OPEN:
        assert by_nothing.ask(path, Host=host).status == 200


def test_with_authentication_the_host_does_not_matter(by_password):
    assert by_password.ask("/api/v1/summary", Host="dmarc.example.org", Authorization=ANN).status == 200


def test_http_hosts_names_further_hosts(database):
    with site_of(database, "none", http_hosts="dmarc.example.org 192.0.2.1") as site:
        for host in "dmarc.example.org", "DMARC.example.org:8443", "192.0.2.1:8080", "localhost", "127.0.0.1:1", "[::1]":
            assert site.ask("/api/v1/summary", Host=host).status == 200
        assert site.ask("/api/v1/summary", Host="example.org").status == 421


@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_the_api_does_not_answer_pages_of_other_sites(by_nothing, by_password, origin):
    for site, headers in (by_nothing, {}), (by_password, {"Authorization": ANN}):
        for path in "/api/v1/summary", "/api/v1/records?format=csv&from=2026-01-01", "/api/v1/nosuch":
            answer = site.ask(path, Sec_Fetch_Site=origin, **headers)
            assert answer.status == 403
            answer.problem()
        assert site.ask("/sources?domain=example.org", Sec_Fetch_Site=origin, Sec_Fetch_Mode="navigate", **headers).status == 200
        for own in "same-origin", "none":
            assert site.ask("/api/v1/summary", Sec_Fetch_Site=own, **headers).status == 200


# Who may label


def test_an_editor_s_label_is_stored_and_logged(clean, by_password):
    answer = by_password.put_label(KEY, "mine", "our mail server", Authorization=ANN)
    assert answer.status == 200
    item = answer.json()
    assert (item["source"], item["label"], item["note"], item["set_by"], item["set_via"]) == (KEY, "mine", "our mail server", "ann", "page")
    assert by_password.put_label("domain:example.net", "forwarder", Authorization=ANN).status == 200
    assert by_password.put_label(KEY, None, Authorization=ANN).json()["label"] is None
    assert clean.query("SELECT source, label FROM dmarc.labels") == [("domain:example.net", "forwarder")]
    assert clean.query(LOG) == [
        (KEY, "mine", "our mail server", "ann", "page"),
        ("domain:example.net", "forwarder", None, "ann", "page"),
        (KEY, None, None, "ann", "page"),
    ]


def test_who_is_no_editor_labels_nothing(clean, database, by_password, by_proxy, by_nothing, passwords):
    assert by_password.put_label(KEY, "mine").status == 401
    assert by_password.put_label(KEY, "mine", Authorization=BOB).status == 403
    assert by_password.put_label(KEY, "nonsense", Authorization=BOB).status == 403  # he learns nothing else
    assert by_proxy.put_label(KEY, "mine").status == 403
    assert by_nothing.put_label(KEY, "mine").status == 403
    with site_of(database, "basic", passwords, editors="") as site:
        assert site.put_label(KEY, "mine", Authorization=ANN).status == 403
    assert clean.query(LOG) == []


def test_a_request_from_another_site_labels_nothing(clean, by_password):
    host = f"127.0.0.1:{by_password.port}"
    for headers in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": f"http://{host}"},
    ):
        assert by_password.put_label(KEY, "mine", Authorization=ANN, **headers).status == 403
    body = json.dumps({"label": "mine"})
    path = f"/api/v1/sources/{KEY}/label"
    common = {"Authorization": ANN, "Content_Type": "application/json"}
    for origin in "null", "http://evil.example", "http://127.0.0.1:1", f"http://{host}.evil.example":
        assert by_password.ask(path, "PUT", body, Origin=origin, **common).status == 403
    assert clean.query(LOG) == []
    assert by_password.ask(path, "PUT", body, Origin=f"http://{host}", **common).status == 200
    assert by_password.ask(path, "PUT", body, Sec_Fetch_Site="none", **common).status == 200
    assert by_password.ask(path, "PUT", body, **common).status == 200  # a program


@pytest.mark.parametrize(
    "body, status, invalid",
    [
        ('{"label":"ours"}', 400, ["label"]),
        ('{"label":"mine","user":"root"}', 400, ["user"]),
        ('{"label":"mine","note":"%s"}' % ("x" * 1001), 400, ["note"]),
        ('{"note":"x"}', 400, ["label"]),
        ("{}", 400, ["label"]),
        ("[]", 400, []),
        (None, 415, []),
        ("", 400, []),
        ('{"label":"mine"', 400, []),
        ('{"label":"mine"}' + " " * 4096, 413, []),
    ],
)
def test_a_body_that_is_no_label_is_refused(clean, by_password, body, status, invalid):
    headers = {"Content_Type": "application/json"} if body is not None else {}
    answer = by_password.ask(f"/api/v1/sources/{KEY}/label", "PUT", body, Authorization=ANN, **headers)
    assert answer.status == status
    assert list(answer.problem()) == invalid
    assert clean.query(LOG) == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"])
def test_a_body_that_a_form_could_send_is_415(clean, by_password, content_type):
    assert by_password.put_label(KEY, "mine", Authorization=ANN, Content_Type=content_type).status == 415
    assert clean.query(LOG) == []


def test_bodies_are_read_up_to_4_kib(clean, by_password):
    path = f"/api/v1/sources/{KEY}/label"
    headers = {"Authorization": ANN, "Content_Type": "application/json"}
    for size, status in (4095, 200), (4096, 200), (4097, 413), (100_000, 413):
        body = '{"label":"mine"}'.ljust(size)
        assert by_password.ask(path, "PUT", body, **headers).status == status
    assert len(clean.query(LOG)) == 2


def put(framing, body=b'{"label":"mine"}'):
    head = f"PUT /api/v1/sources/{KEY}/label HTTP/1.1\r\nHost: x\r\nAuthorization: {ANN}\r\nContent-Type: application/json\r\n"
    return head.encode() + framing + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "framing, status",
    [
        (b"Content-Length: 16", 200),
        (b"Content-Length: 016", 411),
        (b"Content-Length: 16\r\nContent-Length: 16", 411),
        (b"Content-Length: 16\r\nTransfer-Encoding: chunked", 411),
        (b"Transfer-Encoding: chunked", 411),
        (b"Content-Length : 16", 400),
    ],
)
def test_a_body_is_read_when_its_length_is_plain(clean, by_password, framing, status):
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    got = by_password.raw(put(framing) + smuggled)
    if got or status == 200:  # the library may refuse, too, or the reset for what is not read overtake the answer
        assert got.split(b" ")[1] in (str(status).encode(), b"400")
    if status == 200:
        assert b"\r\nConnection: close\r\n" in got
    if b"Connection: close" in got:
        assert b'"status": "ok"' not in got
    assert len(clean.query(LOG)) == (status == 200)


def test_a_body_may_come_in_pieces_and_after_100_continue(clean, by_password):
    request = put(b"Content-Length: 16\r\nExpect: 100-continue", b"")
    got = by_password.raw(request + b'{"label":"mine"}')
    assert b"HTTP/1.1 200 OK" in got
    assert clean.query("SELECT label FROM dmarc.labels") == [("mine",)]


@pytest.mark.parametrize("key", ["nosuch", "ip:192.0.2", "ip:", "as:x", "service:a b", "domain:", "x" * 290])
def test_what_is_no_source_gets_no_label(clean, by_password, key):
    answer = by_password.put_label(key, "mine", Authorization=ANN)
    assert answer.status in (400, 404)
    answer.problem()
    assert clean.query(LOG) == []


def test_hostile_words_of_a_label_stay_words(clean, by_proxy):
    note = "'); DROP TABLE ruad.label; -- <script>\n$1 {\"a\"} \u2014"
    assert by_proxy.put_label(KEY, "not_mine", note, X_Remote_User="o'neil; --").status == 200
    assert clean.query(LOG) == [(KEY, "not_mine", note, "o'neil; --", "page")]


def test_without_the_database_a_label_is_503(own_database):
    add_roles(own_database)
    with site_of(own_database, "proxy", editors="*", http_proxy_secret=SECRET) as site:
        own_database.postgres.stop()
        answer = site.put_label(KEY, "mine", X_Remote_User="ann")
        assert answer.status == 503
        assert int(answer["Retry-After"]) > 0


# What the database lets them do


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM dmarc.records",
        "SELECT * FROM dmarc.labels",
        "SELECT * FROM ruad.label",
        "INSERT INTO ruad.label VALUES ('ip:192.0.2.1', 'mine', NULL, 'x', 'page', now())",
        "UPDATE ruad.label SET label = 'mine'",
        "DELETE FROM ruad.label_log",
        "TRUNCATE ruad.label_log",
        "SELECT ruad.ingest('{}', '{}')",
        "SELECT api.meta()",
        "CREATE TABLE public.x ()",
        "CREATE TEMPORARY TABLE x ()",
        "SET ROLE ruad_owner",
        "SET ROLE ruad_web",
    ],
)
def test_the_editor_s_role_labels_and_does_nothing_else(database, statement):
    with contextlib.closing(psycopg2.connect(database.conninfo("labeller"))) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)


def environment_of(supervised, name):
    words = pathlib.Path(f"/proc/{supervised.child(name)}/environ").read_bytes().split(b"\0")
    return dict(word.decode().split("=", 1) for word in words if word)


def test_without_editors_ruad_serve_gives_no_right_to_write(supervised):
    supervised.started()
    assert "RUAD_DATABASE_EDIT_URL" not in environment_of(supervised, "ruad-web")
    assert "user='ruad_web'" in environment_of(supervised, "ruad-web")["RUAD_DATABASE_URL"]


def test_with_editors_ruad_serve_gives_the_right_to_label_to_the_page_alone(supervised):
    htpasswd(supervised.folder / "htpasswd", ann="secret")
    supervised.settings |= {
        "http_auth": "basic",
        "http_htpasswd": supervised.folder / "htpasswd",
        "http_editors": "ann",
    }
    supervised.started()
    assert "user='ruad_editor'" in environment_of(supervised, "ruad-web")["RUAD_DATABASE_EDIT_URL"]
    assert "RUAD_DATABASE_EDIT_URL" not in environment_of(supervised, "ruad-ingest")
    assert supervised.get("/api/v1/meta") == 401


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"http_editors": "ann"}, "http.editors: nobody signs in while http.auth is none"),
        ({"http_auth": "basic"}, "http.auth: basic needs http.htpasswd"),
        ({"http_auth": "proxy", "http_user_header": ""}, "http.auth: proxy needs http.user_header"),
        ({"http_auth": "proxy"}, "http.auth: proxy needs http.proxy_secret_file"),
        ({"http_auth": "digest"}, "http.auth"),
        ({"http_logout_url": "/oauth2/sign_out"}, "http.logout_url: only for http.auth = proxy"),
        (
            {"http_auth": "proxy", "http_proxy_secret": SECRET, "http_logout_url": "javascript:alert(1)"},
            'http.logout_url: "javascript:alert(1)": must begin with',
        ),
        ({"http_auth": "proxy", "http_proxy_secret": SECRET, "http_logout_url": "//evil.example"}, "http.logout_url"),
    ],
)
def test_settings_that_say_nothing_alone_are_refused(supervised, settings, words):
    supervised.settings |= settings
    supervised.start()
    assert supervised.process.wait(30) == 78
    assert words in supervised.log()


# ruad label


@pytest.fixture(name="label")
def fixture_label(clean):
    """label(word, ...): (exit code, output, errors) of ruad label on the module's database."""
    with temporary_folder() as folder:
        supervised = Supervised(folder, database_url=clean.conninfo())

        def run(*words, **environment):
            return supervised.command("label", *words, env=clean_environment(**environment))

        yield run


def test_label_sets_lists_and_logs(label, clean):
    assert label() == (0, "", "")
    assert label(KEY, "mine", "--note=our mail server", SUDO_USER="ann") == (0, "", "")
    unheard = "ruad label: no report is about domain:example.net yet; the label is for when one comes\n"
    assert label("domain:example.net", "not-mine", SUDO_USER="") == (0, "", unheard)
    code, listed, errors = label()
    assert (code, errors) == (0, "")
    lines = [line.split() for line in listed.splitlines()]
    assert [line[:2] for line in lines] == [["domain:example.net", "not_mine"], [KEY, "mine"]]
    assert lines[1][3:] == ["ann", "(cli):", "our", "mail", "server"]
    assert label(KEY)[1] == listed.splitlines()[1] + "\n"
    assert label(KEY, "none", SUDO_USER="ann") == (0, "", "")
    assert label(KEY) == (0, "", "")
    assert [line.split()[:2] for line in label("--log")[1].splitlines()] == [
        [KEY, "mine"],
        ["domain:example.net", "not_mine"],
        [KEY, "none"],
    ]
    assert len(label(KEY, "--log")[1].splitlines()) == 2
    assert [row[4] for row in clean.query(LOG)] == ["cli"] * 3


@pytest.mark.parametrize(
    "words",
    [(KEY, "ours"), (KEY, "mine", "more"), (KEY, "mine", "--log"), ("--note=x",), (KEY, "--note=x"), ("--nosuch",)],
)
def test_label_refuses_words_that_it_does_not_know(label, words):
    code, output, errors = label(*words)
    assert (code, output) == (2, "")
    assert errors.startswith("ruad label: ")


def test_label_refuses_what_is_no_source(label, clean):
    code, _, errors = label("192.0.2.1", "mine")
    assert code == 1
    assert "is not a source" in errors and errors.count("\n") == 1
    assert clean.query(LOG) == []


def test_label_warns_of_a_source_that_no_report_is_about(label, clean):
    code, _, errors = label("domain:exmaple.net", "mine")
    assert (code, errors) == (0, "ruad label: no report is about domain:exmaple.net yet; the label is for when one comes\n")
    assert [row[0] for row in clean.query("SELECT source FROM dmarc.labels")] == ["domain:exmaple.net"]
    assert label("domain:exmaple.net", "none") == (0, "", "")


def test_label_prints_no_control_characters(label, clean):
    clean.query("SELECT ruad.set_label(%s, 'mine', %s, %s, 'page')", KEY, "a\x1b[31m\nb", "\x07eve")
    assert not any(ord(character) < 32 for character in label()[1].rstrip("\n"))
