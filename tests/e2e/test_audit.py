"""The audit log: what ruad-web and ruad's commands add to it, who may read it, and how it is pruned."""

import csv
import io

import pytest
from conftest import wait_until
from supervised import Supervised, clean_environment
from web_data import MAILS, deliver, htpasswd, password_file, site_database, site_of, temporary_folder
from web_site import basic

KEY = "ip:192.0.2.1"
ANN, BOB = basic("ann", "secret"), basic("bob", "other")
LOG = "SELECT user_name, via, token, client, action, object, detail FROM dmarc.audit_log ORDER BY at, log, id"
NO_LOGINS = "SELECT user_name, action, object FROM dmarc.audit_log WHERE action NOT LIKE 'login%' ORDER BY at, log, id"


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    with site_database(shared_postgres, "test_audit") as database:
        database.add_login("taker", "ruad_ingest")
        deliver(database, [(MAILS[0], "dmarc-sum@example.com")])
        yield database
    database.query("DROP ROLE taker", database="postgres")


@pytest.fixture(name="clean", autouse=True)
def fixture_clean(database):
    database.query("TRUNCATE ruad.token, ruad.audit_log, ruad.label, ruad.label_log, ruad.exclusion_log")
    return database


@pytest.fixture(name="passwords", scope="module")
def fixture_passwords():
    with password_file() as path:
        yield path


@pytest.fixture(name="site")
def fixture_site(database, passwords):
    """One for each test, since it remembers who signed in."""
    with site_of(database, "basic", passwords, editors="ann") as site:
        yield site


@pytest.fixture(name="ruad")
def fixture_ruad(database):
    """ruad(word, ...): the output of a command that kim types."""
    with temporary_folder() as folder:
        supervised = Supervised(folder, database_url=database.conninfo())

        def run(*words):
            code, said, errors = supervised.command(*words, env=clean_environment(SUDO_USER="kim"))
            assert (code, errors) == (0, "")
            return said.rstrip("\n")

        yield run


def entry(user, action, thing=None, via="page", token=None, client="127.0.0.1", detail=None):
    """A row of LOG."""
    return (user, via, token, client, action, thing, detail)


# What ruad-web adds


def test_a_login_is_one_entry_however_many_requests_follow(site, ruad, database):
    secret = "Bearer " + ruad("token", "add", "grafana", "--user=ann")
    database.query("TRUNCATE ruad.audit_log")
    for path in "/", "/api/v1/summary", "/api/v1/me", "/metrics":
        assert site.ask(path, Authorization=ANN).status == 200
        assert site.ask(path, Authorization=secret).status == 200
    assert site.ask("/", Authorization=BOB, X_Forwarded_For="192.0.2.7").status == 200
    assert site.ask("/", Authorization=BOB, X_Forwarded_For="192.0.2.8").status == 200
    assert site.ask("/healthz").status == 200
    assert database.query(LOG) == [
        entry("ann", "login"),
        entry("ann", "login", via="token", token="grafana"),
        entry("bob", "login", client="192.0.2.7"),
        entry("bob", "login", client="192.0.2.8"),
    ]


def test_signing_out_is_an_entry_and_ends_the_login(site, database):
    for path, status in ("/", 200), ("/logout", 401), ("/", 200):
        assert site.ask(path, Authorization=ANN).status == status
    assert database.query(LOG) == [entry("ann", "login"), entry("ann", "logout"), entry("ann", "login")]


def test_wrong_passwords_and_tokens_are_entries_but_not_thousands(site, database):
    assert site.ask("/").status == 401  # what a browser sends first is no attempt
    assert site.ask("/", Authorization=basic("eve", "x")).status == 401
    assert site.ask("/", Authorization="Bearer ruad_x").status == 401
    assert database.query(LOG) == [entry("eve", "login_failed"), entry(None, "login_failed", via="token")]
    for n in range(1, 20):
        assert site.ask("/", Authorization=basic("eve", "x"), X_Forwarded_For=f"192.0.2.{n}").status == 401
    assert len(database.query(LOG)) == 10


def test_a_download_is_an_entry_with_its_filter(site, database):
    ((number,),) = database.query("SELECT id FROM dmarc.reports")
    query = "format=csv&from=2026-01-01&to=2026-02-01&domain=example.org"
    assert site.ask(f"/api/v1/records?{query}", Authorization=ANN).status == 200
    assert site.ask("/api/v1/sources", Accept="text/csv", Authorization=BOB).status == 200
    assert site.ask(f"/api/v1/reports/{number}/xml", Authorization=BOB, X_Forwarded_For="192.0.2.9").status == 200
    for path in "/api/v1/records?domain=example.org", "/api/v1/reports", "/openapi.json":
        assert site.ask(path, Authorization=ANN).status == 200
    assert site.ask(f"/api/v1/records?{query}", "HEAD", Authorization=ANN).status == 200  # gets nothing
    assert site.ask("/api/v1/records?format=csv&nosuch=1", Authorization=ANN).status == 400
    assert [row for row in database.query(LOG) if row[4] != "login"] == [
        entry("ann", "export", "/api/v1/records", detail={"query": query}),
        entry("bob", "export", "/api/v1/sources"),
        entry("bob", "export", f"/api/v1/reports/{number}/xml", client="192.0.2.9"),
    ]


def test_without_authentication_a_download_names_the_client(database):
    with site_of(database, "none") as site:
        assert site.ask("/api/v1/records?format=csv").status == 200
        assert site.ask("/api/v1/audit").status == 403
    assert database.query(LOG) == [entry(None, "export", "/api/v1/records", detail={"query": "format=csv"})]


def test_what_cannot_be_logged_is_not_downloaded(database, passwords):
    """Here the database refuses every entry; reading goes on."""
    database.query("ALTER TABLE ruad.audit_log ADD CONSTRAINT none_is_taken CHECK (false)")
    try:
        with site_of(database, "basic", passwords) as site:
            assert site.ask("/api/v1/summary", Authorization=ANN).status == 200
            answer = site.ask("/api/v1/records?format=csv", Authorization=ANN)
            assert answer.status == 503
            assert int(answer["Retry-After"]) > 0
            answer.problem()
            assert site.ask("/api/v1/summary", Authorization=ANN).status == 200
            assert site.log().count("audit log: a login was not recorded") == 1
    finally:
        database.query("ALTER TABLE ruad.audit_log DROP CONSTRAINT none_is_taken")
    assert database.query(LOG) == []


def test_a_client_that_downloads_without_end_is_slowed_down(database):
    with site_of(database, "none") as site:
        statuses = [site.ask("/api/v1/domains?format=csv").status for _ in range(620)]
        assert statuses[:600] == [200] * 600
        assert 429 in statuses
        answer = next(a for a in (site.ask("/api/v1/domains?format=csv") for _ in range(100)) if a.status == 429)
        assert 1 <= int(answer["Retry-After"]) <= 2
        assert site.ask("/api/v1/domains").status == 200
    assert len(database.query(LOG)) < 700


def test_hostile_words_stay_words(site, database):
    name = "o'neil\"; --\u202e"
    assert site.ask("/", Authorization=basic(name, "x")).status == 401
    target = "/api/v1/records?format=csv&q=%27%29%3B%20DROP%20TABLE%22%5C"
    assert site.ask(target, Authorization=ANN).status == 200
    rows = database.query(LOG)
    assert rows[0] == entry(name, "login_failed")
    assert rows[-1][-1] == {"query": target.split("?")[1]}


# What the commands add


def test_commands_add_who_typed_them(ruad, database):
    ((number,),) = database.query("SELECT id FROM dmarc.reports")
    ruad("label", KEY, "mine", "--note=ours")
    ruad("exclude", str(number), "--reason=forged")
    ruad("include", str(number))
    ruad("reprocess", "--reason=xml")
    ruad("reprocess", "--dry-run")
    ruad("token", "add", "t", "--user=ann", "--write", "--expires=never")
    ruad("token", "remove", "t")
    ruad("auditor", "add", "test_audit_eve")
    ruad("auditor", "remove", "test_audit_eve")
    assert database.query(LOG) == [
        entry("kim", "label", KEY, via="cli", client=None, detail={"label": "mine", "note": "ours"}),
        entry("kim", "exclude", f"report {number}", via="cli", client=None, detail={"since": None, "reports": 1, "reason": "forged"}),
        entry("kim", "include", f"report {number}", via="cli", client=None, detail={"since": None, "reports": 1, "reason": None}),
        entry("kim", "reprocess", via="cli", client=None, detail={"since": None, "reason": "xml"}),
        entry("kim", "token_add", "t", via="cli", client=None, detail={"user_name": "ann", "may_write": True, "expires_at": None}),
        entry("kim", "token_remove", "t", via="cli", client=None, detail={"user_name": "ann"}),
        entry("kim", "auditor_add", "test_audit_eve", via="cli", client=None),
        entry("kim", "auditor_remove", "test_audit_eve", via="cli", client=None),
    ]


def test_prune_removes_old_entries_and_adds_one(ruad, database):
    database.query(
        "INSERT INTO ruad.audit_log (at, user_name, via, action) "
        "SELECT now() - days * interval '1 day', 'ann', 'page', 'login' FROM unnest('{729,731}'::int[]) days"
    )
    assert ruad("prune", "--dry-run") == "would remove 1 entries of the audit log"
    assert len(database.query(LOG)) == 2
    assert ruad("prune") == "removed 1 entries of the audit log"
    (kept, pruned) = database.query(LOG)
    assert kept == entry("ann", "login", client=None)
    assert pruned[:6] == entry("kim", "prune", "audit", via="cli", client=None)[:6]
    assert pruned[6]["removed"] == {"entries": 1}
    assert ruad("prune", "-o", "retention.audit=0") == "nothing is old enough to be removed"


# Who reads it


def test_editors_read_it_by_the_api(site, ruad, database):
    assert site.ask("/api/v1/audit", Authorization=BOB).status == 403
    assert site.ask("/api/v1/audit").status == 401
    database.query("TRUNCATE ruad.audit_log")
    ruad("label", KEY, "mine")
    assert site.put_label("domain:example.net", "forwarder", Authorization=ANN).status == 200
    answer = site.ask("/api/v1/audit", Authorization=ANN).json()
    assert [(item["user_name"], item["via"], item["action"], item["object"]) for item in answer["items"]] == [
        ("ann", "page", "label", "domain:example.net"),
        ("ann", "page", "login", None),
        ("kim", "cli", "label", KEY),
    ]
    first = site.ask("/api/v1/audit?limit=2", Authorization=ANN).json()
    rest = site.ask(f"/api/v1/audit?limit=2&cursor={first['next']}", Authorization=ANN).json()
    assert first["items"] + rest["items"] == answer["items"]
    assert rest["next"] is None
    of_kim = site.ask("/api/v1/audit?user=kim&action=label&action=prune", Authorization=ANN).json()
    assert of_kim["items"] == answer["items"][2:]
    assert site.ask("/api/v1/audit?from=2020-01-01&to=2020-02-01", Authorization=ANN).json()["items"] == []


def test_it_is_csv_too_and_that_is_a_download(site, database):
    answer = site.ask("/api/v1/audit?format=csv", Authorization=ANN)
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(row["user_name"], row["action"]) for row in rows] == [("ann", "export"), ("ann", "login")]
    assert database.query(NO_LOGINS) == [("ann", "export", "/api/v1/audit")]


def test_a_token_of_an_editor_reads_it(site, ruad):
    reads = "Bearer " + ruad("token", "add", "r", "--user=ann")
    of_bob = "Bearer " + ruad("token", "add", "b", "--user=bob", "--write")
    assert site.ask("/api/v1/audit", Authorization=reads).status == 200
    assert site.ask("/api/v1/audit", Authorization=of_bob).status == 403


def test_ruad_serve_writes_it_in_the_private_cluster(folder):
    supervised = Supervised(folder, http_auth="basic", http_htpasswd=folder / "htpasswd")
    htpasswd(folder / "htpasswd", ann="secret")
    try:
        supervised.started()
        assert supervised.get("/api/v1/records?format=csv", Authorization=ANN) == 200
        wait_until(lambda: supervised.query("SELECT action FROM dmarc.audit_log ORDER BY id") == [("login",), ("export",)], "both are there")
        assert supervised.stop() == 0
    finally:
        supervised.close()
