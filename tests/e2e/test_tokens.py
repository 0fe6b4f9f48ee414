"""ruad token, and what programs may do with a token."""

import hashlib
import json
import re

import pytest
from conftest import wait_until
from supervised import Supervised, clean_environment
from web_data import add_roles, password_file, site_database, site_of, temporary_folder
from web_site import basic

KEY = "ip:192.0.2.1"
SECRET = "a shared word"  # of the proxy and of ruad
INVALID = 'Bearer error="invalid_token"'
USED = "SELECT used_at FROM dmarc.tokens WHERE name = %s"


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    with site_database(shared_postgres, "test_tokens") as database:
        yield database


@pytest.fixture(name="clean", autouse=True)
def fixture_clean(database):
    database.query("TRUNCATE ruad.token, ruad.audit_log, ruad.label, ruad.label_log")
    return database


@pytest.fixture(name="passwords", scope="module")
def fixture_passwords():
    with password_file() as path:
        yield path


@pytest.fixture(name="by_password")
def fixture_by_password(database, passwords):
    """One for each test: wrong tokens slow their client down."""
    with site_of(database, "basic", passwords, editors="ann") as site:
        yield site


@pytest.fixture(name="token")
def fixture_token(database):
    """token(word, ...): (exit code, output, errors) of ruad token on the module's database."""
    with temporary_folder() as folder:
        supervised = Supervised(folder, database_url=database.conninfo())

        def run(*words, **environment):
            return supervised.command("token", *words, env=clean_environment(**environment))

        yield run


@pytest.fixture(name="bearer")
def fixture_bearer(token):
    """bearer(name, word, ...): the header with a new token."""

    def make(name, *words):
        code, said, errors = token("add", name, *words)
        assert (code, errors) == (0, "")
        return "Bearer " + said.rstrip("\n")

    return make


# The command


def test_add_prints_a_token_of_which_only_the_hash_is_stored(token, database):
    code, said, errors = token("add", "grafana", "--user=ann", SUDO_USER="kim")
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"ruad_[A-Za-z0-9_-]{43}\n", said)
    secret = said.rstrip("\n")
    ((stored, by, days),) = database.query(
        "SELECT encode(hash, 'hex'), made_by, extract(epoch FROM expires_at - made_at) / 86400 FROM ruad.token"
    )
    assert stored == hashlib.sha256(secret.encode()).hexdigest()
    assert abs(days - 90) < 0.1
    assert by == "kim"
    assert secret not in json.dumps(database.query("SELECT t::text FROM ruad.token t"))


def test_list_shows_rights_expiry_and_last_use(token, database):
    assert token("list") == (0, "", "")
    assert token("add", "a", "--user=ann")[0] == 0
    assert token("add", "b", "--user=bob", "--write", "--expires=never")[0] == 0
    assert token("add", "c", "--user=ann", "--expires=1d")[0] == 0
    database.query("UPDATE ruad.token SET expires_at = '2026-01-02 03:04:05+00', used_at = '2026-01-01 00:00:00+00' WHERE name = 'c'")
    lines = token("list")[1].splitlines()
    assert re.fullmatch(r"a: ann, reads, expires 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, never used", lines[0])
    assert lines[1:] == [
        "b: bob, reads and writes, never expires, never used",
        "c: ann, reads, expired 2026-01-02T03:04:05Z, used 2026-01-01T00:00:00Z",
    ]


def test_a_name_is_used_once(token):
    assert token("add", "a", "--user=ann")[0] == 0
    code, said, errors = token("add", "a", "--user=bob")
    assert (code, said) == (1, "")
    assert 'there is a token "a" already: remove it first' in errors and errors.count("\n") == 1
    assert token("remove", "a") == (0, "", "")
    code, _, errors = token("remove", "a")
    assert code == 1
    assert 'there is no token "a"' in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["show"],
        ["add", "a"],
        ["add", "--user=ann"],
        ["add", "a", "b", "--user=ann"],
        ["add", "a", "--user="],
        ["add", "a b", "--user=ann"],
        ["add", "-a", "--user=ann"],
        ["add", "a" * 64, "--user=ann"],
        ["add", "a", "--user=a\nb"],
        ["add", "a", "--user=ann", "--expires=0d"],
        ["add", "a", "--user=ann", "--expires=90"],
        ["add", "a", "--user=ann", "--expires=d"],
        ["add", "a", "--user=ann", "--expires=36501d"],
        ["list", "a"],
        ["list", "--write"],
        ["remove"],
        ["remove", "a", "--user=ann"],
    ],
)
def test_wrong_words_are_usage(token, database, words):
    code, said, errors = token(*words)
    assert (code, said) == (2, "")
    assert errors.startswith("ruad token: ")
    assert database.query("SELECT * FROM ruad.token") == []


# Requests


def test_a_token_reads_as_its_user(bearer, by_password):
    header = bearer("grafana", "--user=ann")
    for path in "/api/v1/summary", "/api/v1/records?format=csv", "/metrics", "/":
        assert by_password.ask(path, Authorization=header).status == 200
    assert by_password.ask("/api/v1/me", Authorization=header).json() == {
        "user": "ann", "roles": ["viewer"], "domains": None, "auth": "basic", "logout": None
    }  # fmt: skip
    assert by_password.ask("/api/v1/me", Authorization=header.replace("Bearer", "bearer")).status == 200


def test_a_token_writes_only_if_it_was_told_and_its_user_may(bearer, by_password, database):
    reads, writes, of_bob = bearer("r", "--user=ann"), bearer("w", "--user=ann", "--write"), bearer("b", "--user=bob", "--write")
    answer = by_password.put_label(KEY, "mine", Authorization=reads)
    assert (answer.status, answer["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope"')
    assert "this token may only read" in answer.json()["detail"]
    assert by_password.put_label(KEY, "mine", Authorization=of_bob).status == 403
    assert database.query("SELECT * FROM dmarc.labels") == []
    # a program sends no Origin and no Sec-Fetch-Site
    body, path = json.dumps({"label": "mine"}), f"/api/v1/sources/{KEY}/label"
    answer = by_password.ask(path, "PUT", body, Authorization=writes, Content_Type="application/json")
    assert (answer.status, answer.json()["set_via"]) == (200, "token")
    assert database.query("SELECT set_by, set_via, token FROM dmarc.label_log") == [("ann", "token", "w")]
    assert by_password.ask("/api/v1/me", Authorization=writes).json()["roles"] == ["viewer", "editor"]


def test_pages_of_other_sites_cannot_use_a_token(bearer, by_password, database):
    header = bearer("w", "--user=ann", "--write")
    for headers in {"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-site"}:
        assert by_password.put_label(KEY, "mine", Authorization=header, **headers).status == 403
        assert by_password.ask("/api/v1/summary", Authorization=header, **headers).status == 403
    preflight = by_password.ask(f"/api/v1/sources/{KEY}/label", "OPTIONS", Origin="https://evil.example")
    assert not [name for name in preflight.headers if name.lower().startswith("access-control-")]
    assert database.query("SELECT * FROM dmarc.labels") == []


def test_unknown_expired_and_removed_tokens_get_the_same_answer(bearer, token, by_password, database):
    expired, removed = bearer("expired", "--user=ann"), bearer("removed", "--user=ann")
    of_nobody = bearer("nobody", "--user=eve")  # not in the file
    assert by_password.ask("/api/v1/me", Authorization=removed).status == 200
    database.query("UPDATE ruad.token SET expires_at = now() WHERE name = 'expired'")
    assert token("remove", "removed")[0] == 0
    answers = []
    for header in "Bearer ruad_" + "x" * 43, expired, removed, of_nobody:
        answer = by_password.ask("/api/v1/me", Authorization=header)
        assert answer.status == 401
        assert answer.headers.get_all("WWW-Authenticate") == [INVALID]
        answer.problem()
        answers.append((answer.body, sorted(name for name in answer.headers if name != "Date")))
    assert answers[1:] == answers[:1] * 3


def test_wrong_tokens_slow_their_client_down(bearer, by_password):
    good, late = bearer("good", "--user=ann"), bearer("late", "--user=ann")
    attacker = {"X_Forwarded_For": "192.0.2.66"}
    assert by_password.ask("/api/v1/me", Authorization=good, **attacker).status == 200
    for _ in range(6):
        assert by_password.ask("/api/v1/me", Authorization="Bearer ruad_wrong", **attacker).status == 401
    answer = by_password.ask("/api/v1/me", Authorization=late, **attacker)
    assert answer.status == 429
    assert 1 <= int(answer["Retry-After"]) <= 2
    assert by_password.ask("/api/v1/me", Authorization=good, **attacker).status == 200  # known for a minute
    assert by_password.ask("/api/v1/me", Authorization=late).status == 200
    assert by_password.log().count('login failed: client 192.0.2.66, user "(token)"') == 6


def test_what_is_no_token_of_ours_is_no_token(by_password):
    """A proxy may pass on its own."""
    for header in "Bearer x", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", "Bearer Ruad_x":
        assert by_password.ask("/api/v1/me", Authorization=header)["WWW-Authenticate"].startswith("Basic ")
    assert by_password.ask("/api/v1/me", Authorization=basic("ann", "ruad_x")).status == 401


def test_without_authentication_tokens_are_not_looked_at(bearer, database):
    header = bearer("w", "--user=ann", "--write")
    with site_of(database, "none") as site:
        assert site.ask("/api/v1/me", Authorization=header).json()["user"] is None
        assert site.ask("/api/v1/me", Authorization="Bearer ruad_wrong").status == 200
        assert site.put_label(KEY, "mine", Authorization=header).status == 403
    assert database.query(USED, "w") == [(None,)]


def test_behind_a_proxy_a_token_needs_no_proxy(bearer, database):
    header = bearer("r", "--user=ann")
    with site_of(database, "proxy", editors="*", http_proxy_secret=SECRET) as site:
        site.headers = {}  # not of the proxy
        assert site.ask("/api/v1/me", Authorization=header).json()["user"] == "ann"
        assert site.ask("/api/v1/me", Authorization=header, X_Remote_User="root").json()["user"] == "ann"
        answer = site.ask("/api/v1/me", Authorization="Bearer ruad_wrong", X_Remote_User="ann")
        assert (answer.status, answer["WWW-Authenticate"]) == (401, INVALID)
        site.headers = {"X-Ruad-Proxy-Secret": SECRET}
        another = {"Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", "X_Remote_User": "bob"}
        assert site.ask("/api/v1/me", **another).json()["user"] == "bob"


def test_the_last_use_is_recorded_once_an_hour(bearer, by_password, database):
    header = bearer("r", "--user=ann")
    assert by_password.ask("/api/v1/me", Authorization=header).status == 200
    ((first,),) = database.query(USED, "r")
    assert database.query("SELECT now() - %s < interval '1 minute'", first) == [(True,)]
    assert by_password.ask("/api/v1/me", Authorization=header).status == 200
    assert database.query(USED, "r") == [(first,)]
    database.query("UPDATE ruad.token SET used_at = now() - interval '61 minutes'")
    assert by_password.ask("/api/v1/me", Authorization=header).status == 200
    assert database.query("SELECT now() - used_at < interval '1 minute' FROM dmarc.tokens") == [(True,)]


def test_without_the_database_a_token_is_503(own_database):
    add_roles(own_database)
    with site_of(own_database, "proxy", http_proxy_secret=SECRET) as site:
        own_database.postgres.stop()
        wait_until(lambda: site.ask("/api/v1/me", Authorization="Bearer ruad_x").status == 503, "it is said")
        for _ in range(10):  # which is no failed attempt
            answer = site.ask("/api/v1/me", Authorization="Bearer ruad_x")
            assert answer.status == 503
            assert int(answer["Retry-After"]) > 0
            answer.problem()
