"""Users who are limited to domains: no route, form, count, search, validator or error shows anything of another's domain."""

import contextlib
import re
import subprocess
import urllib.parse

import contract
import psycopg2
import pytest
import reports
from conftest import Database
from supervised import IS_ROOT, Supervised, as_user
from web_data import WINDOW, add_roles, fill, running_site

SECRET = "a shared word"  # of the proxy and of ruad
# "mia" sees example.org alone; all else is another's.
LEAK = re.compile(rb"many\.example|formula\.example|mail\.example\.net|Many|calc|NULL\}|203\.0\.113\.|192\.0\.2\.[1-6][0-9]")
LEAK_OF_OTHER_KINDS = re.compile(rb"example\.com|192\.0\.2\.9")  # in failure and TLS reports, which mia has none of
OWN, REFUSED, SERVER = "own", "refused", "server"
RULES = {  # of every route: a new one fails the test until it has a rule here
    "GET summary": OWN,
    "GET timeseries": OWN,
    "GET domains": OWN,
    "GET domains/{name}": OWN,
    "GET domains/{name}/impact": OWN,
    "GET domains/{name}/dns": OWN,
    "GET advice": OWN,
    "GET attention": OWN,
    "GET sources": OWN,
    "GET sources/{key}": OWN,
    "GET sources/{key}/ips": OWN,
    "GET sources/{key}/identifiers": OWN,
    "GET sources/{key}/reporters": OWN,
    "PUT sources/{key}/label": OWN,
    "GET records": OWN,
    "GET reports": OWN,
    "POST reports": REFUSED,  # tests/e2e/test_upload.py
    "GET reports/{id}": OWN,
    "GET reports/{id}/records": OWN,
    "GET reports/{id}/xml": OWN,
    "GET reporters": OWN,
    "GET failures": OWN,
    "GET failures/{id}": OWN,
    "GET tls/summary": OWN,
    "GET tls/timeseries": OWN,
    "GET tls/reports": OWN,
    "GET tls/reports/{id}": OWN,
    "GET labels": OWN,
    "PUT labels": OWN,
    "GET audit": REFUSED,
    "GET intake": REFUSED,
    "GET intake/events": REFUSED,
    "GET help": SERVER,
    "GET search": OWN,
    "GET me": SERVER,
    "GET meta": SERVER,
}
OPERATIONS = {f"{method} {path.removeprefix('/api/v1/')}": operation for method, path, operation in contract.operations()}
READ = [name.removeprefix("GET ") for name in OPERATIONS if name.startswith("GET ")]


class Users:
    """A database with reports on several domains, ruad user for it, and a site behind a proxy that names the user."""

    def __init__(self, folder, database):
        self.database = database
        self.ruad = Supervised(folder, database_url=database.conninfo())
        self.site = None

    def run(self, *words):
        return self.ruad.command("user", *words)

    def grant(self, name, role, domains="*"):
        self.run("remove", name)
        assert self.run("add", name, f"--role={role}", f"--domains={domains}") == (0, "", "")

    def ask(self, user, resource, method="GET", **headers):
        return self.site.ask(f"/api/v1/{resource}", method, X_Remote_User=user, **headers)

    def sum_up(self):
        """What ruad-ingest does every ten seconds."""
        with contextlib.closing(psycopg2.connect(self.database.conninfo())) as connection, connection.cursor() as cursor:
            connection.set_session(isolation_level="REPEATABLE READ", autocommit=True)
            more = True
            while more:
                cursor.execute("SELECT ruad.sum_up()")
                ((more,),) = cursor.fetchall()

    def ids(self, table, domain):
        """The numbers of the reports on a domain, or on all others."""
        sql = f"SELECT r.id FROM ruad.{table} r LEFT JOIN ruad.domain d ON d.id = r.domain_id WHERE "
        return [row[0] for row in self.database.query(sql + ("d.name = %s" if domain else "d.name IS DISTINCT FROM %s"), domain or "example.org")]


@contextlib.contextmanager
def users_of(folder, postgres, name, **settings):
    database = Database(postgres, name)
    add_roles(database)
    fill(database)
    with contextlib.closing(Users(folder, database).ruad) as ruad:
        users = Users(folder, database)
        users.ruad = ruad
        with running_site(
            database,
            http_auth="proxy",
            http_proxy_secret=SECRET,
            http_editors="*",
            database_edit_url=database.conninfo("labeller"),
            **settings,
        ) as site:
            users.site = site
            yield users
    database.drop()
    database.query("DROP ROLE reader; DROP ROLE labeller", database="postgres")


@pytest.fixture(name="users", scope="module")
def fixture_users(shared_postgres, tmp_path_factory):
    """One thread, so that requests of all users share a connection."""
    with users_of(tmp_path_factory.mktemp("users"), shared_postgres, "test_users", http_threads=1) as users:
        users.grant("mia", "viewer", "example.org")
        yield users


def filled_in(resource, **values):
    for name, value in values.items():
        resource = resource.replace("{%s}" % name, urllib.parse.quote(str(value), safe=":"))
    return resource


def parameters_of(resource):
    return {parameter["name"] for parameter in contract.parameters(OPERATIONS[f"GET {resource}"])}


def with_query(resource, **more):
    """The resource with the window of the samples, and with what it requires."""
    known = parameters_of(resource)
    window = {"from": "2000-01-01", "to": "2100-01-01"} if resource.startswith(("failures", "tls/reports")) else WINDOW
    query = {name.rstrip("_"): value for name, value in {**window, "q": "example", **more}.items()}
    return "?" + urllib.parse.urlencode({name: value for name, value in query.items() if name in known and (name != "q" or resource == "search")})


def kind_of(resource):
    return {"failures": "failure", "tls": "tls"}.get(resource.split("/")[0], "report")


def own(users, resource, **more):
    """The resource with what belongs to example.org."""
    ids = users.ids(kind_of(resource), "example.org") or [1]
    return filled_in(resource, name="example.org", key="ip:192.0.2.1", id=ids[0]) + with_query(resource, **more)


# Each route


def test_every_route_has_a_rule():
    assert set(RULES) == set(OPERATIONS)


@pytest.mark.parametrize("resource", READ)
def test_a_route_shows_nothing_of_another_s_domain(users, resource):
    path = own(users, resource)
    everything = users.ask("boss", path)
    answer = users.ask("mia", path)
    if RULES[f"GET {resource}"] == REFUSED:
        assert (everything.status, answer.status) == (200, 403)
        answer.problem()
        return
    assert answer.status == everything.status
    assert answer.status == 200 or resource in ("failures/{id}", "tls/reports/{id}")
    assert not LEAK.search(answer.body), LEAK.search(answer.body)
    if resource.startswith(("failures", "tls")):
        assert not LEAK_OF_OTHER_KINDS.search(answer.body)
    assert answer["Cache-Control"] in ("private, no-cache", "no-store")
    if contract.schema_of(OPERATIONS[f"GET {resource}"], 200, "text/csv"):
        table = users.ask("mia", path, Accept="text/csv")
        assert table["Content-Type"].startswith("text/csv")
        assert not LEAK.search(table.body), LEAK.search(table.body)


def test_the_samples_would_show_a_leak(users):
    """The lists and sums of a user without limits have what the tests look for."""
    for resource in ("domains", "sources", "records", "reports", "reporters", "search"):
        assert LEAK.search(users.ask("boss", own(users, resource)).body), resource
    for resource in ("tls/reports", "failures"):
        answer = users.ask("boss", f"{resource}?from=2000-01-01&to=2100-01-01")
        assert LEAK_OF_OTHER_KINDS.search(answer.body), resource


@pytest.mark.parametrize("resource", [resource for resource in READ if "domain" in parameters_of(resource)])
def test_a_forbidden_domain_is_an_unknown_one(users, resource):
    asked = [users.ask("mia", own(users, resource, domain=domain)) for domain in ("many.example", "nosuch.example")]
    assert asked[0].status == asked[1].status
    assert asked[0].body.replace(b"many.example", b"nosuch.example") == asked[1].body


@pytest.mark.parametrize("resource", [resource for resource in READ if "{" in resource])
def test_what_is_another_s_is_not_found_like_what_is_not_there(users, resource):
    for theirs, nothing in [
        ({"name": "many.example"}, {"name": "nosuch.example"}),
        ({"key": "ip:192.0.2.20"}, {"key": "ip:198.51.100.200"}),
        *(({"id": number}, {"id": 999999}) for number in users.ids(kind_of(resource), None)[:5]),
    ]:
        if "{%s}" % next(iter(theirs)) not in resource:
            continue
        asked = [users.ask("mia", filled_in(resource, **values) + with_query(resource)) for values in (theirs, nothing)]
        assert [answer.status for answer in asked] == [404, 404]
        assert asked[0].body == asked[1].body


def test_counts_are_those_of_the_own_domain(users):
    window = with_query("summary")
    assert users.ask("mia", "summary" + window).json()["totals"]["messages"] == 20
    assert users.ask("boss", "summary" + window).json()["totals"]["messages"] > 20
    assert users.ask("mia", "domains" + window).json()["total"] == 1
    for resource in ("summary", "timeseries", "sources", "records", "reports", "reporters"):
        limited = users.ask("mia", resource + with_query(resource)).json()
        everything = users.ask("boss", resource + with_query(resource, domain="example.org")).json()
        for item in limited.get("items", []) + everything.get("items", []):
            item.pop("in_spf", None)  # is there with a filter by one domain
        assert limited == everything, resource


@pytest.mark.parametrize("text", ["many", "formula", "calc", "192.0.2.20", "203.0.113.9", "Many"])
def test_search_finds_only_what_is_visible(users, text):
    assert users.ask("boss", "search?" + urllib.parse.urlencode({"q": text})).json()["items"]
    assert users.ask("mia", "search?" + urllib.parse.urlencode({"q": text})).json()["items"] == []


def test_a_validator_of_another_user_gets_the_own_answer(users):
    for resource in ("summary", "records", "domains"):
        path = own(users, resource)
        theirs = users.ask("boss", path)
        answer = users.ask("mia", path, If_None_Match=theirs["ETag"])
        assert answer.status == 200
        assert answer["ETag"] != theirs["ETag"]
        assert not LEAK.search(answer.body)
        assert users.ask("mia", path, If_None_Match=answer["ETag"]).status == 304
        assert users.ask("boss", path, If_None_Match=answer["ETag"]).status == 200


def test_users_who_take_turns_on_a_connection_get_their_own_answers(users):
    path = own(users, "domains")
    for user, total in [("mia", 1), ("boss", 4), ("mia", 1), ("boss", 4)]:
        assert users.ask(user, path).json()["total"] == total
        assert users.ask(user, "reports?limit=0").status == 400  # an error ends the transaction, too
        table = users.ask(user, own(users, "records"), Accept="text/csv")
        assert bool(LEAK.search(table.body)) == (user == "boss")


def test_metrics_are_for_users_who_see_everything(users):
    assert users.site.ask("/metrics", X_Remote_User="boss").status == 200
    answer = users.site.ask("/metrics", X_Remote_User="mia")
    assert answer.status == 403
    answer.problem()
    assert users.site.ask("/healthz").status == 200


def test_a_token_has_the_limits_of_its_user(users):
    code, said, errors = users.ruad.command("token", "add", "program", "--user=mia")
    assert code == 0, errors
    bearer = "Bearer " + re.search(r"ruad_\S+", said)[0]
    answer = users.site.ask("/api/v1/" + own(users, "domains"), Authorization=bearer)
    assert answer.json()["total"] == 1
    assert not LEAK.search(answer.body)
    assert users.site.ask("/api/v1/intake", Authorization=bearer).status == 403


# Roles


def test_a_change_applies_to_the_next_request(users):
    path = own(users, "domains")
    assert users.ask("zoe", path).json()["total"] == 4
    users.grant("zoe", "viewer", "many.example,*.example.net")
    assert users.ask("zoe", path).json()["total"] == 2
    assert users.run("set", "zoe", "--domains=nosuch.example") == (0, "", "")
    assert users.ask("zoe", path).json()["total"] == 0
    assert users.run("set", "zoe", "--domains=*") == (0, "", "")
    assert users.ask("zoe", path).json()["total"] == 4
    assert users.run("remove", "zoe") == (0, "", "")
    assert users.ask("zoe", path).json()["total"] == 4


@pytest.mark.parametrize(
    "role, domains, roles, limits",
    [
        (None, None, ["viewer", "editor"], None),  # http.editors
        ("viewer", "*", ["viewer"], None),
        ("viewer", "b.example,A.example", ["viewer"], ["a.example", "b.example"]),
        ("editor", "*.a.example", ["viewer", "editor"], ["*.a.example"]),
        ("admin", "*", ["viewer", "editor", "admin"], None),
    ],
)
def test_the_page_is_told_the_rights_of_its_user(users, role, domains, roles, limits):
    if role:
        users.grant("kim", role, domains)
    else:
        users.run("remove", "kim")
    assert users.ask("kim", "me").json() == {"user": "kim", "roles": roles, "domains": limits, "auth": "proxy", "logout": None}


def ed_labels(users, role, domains):
    """User "ed" begins to label, and nothing is labelled yet."""
    users.database.query("TRUNCATE ruad.label, ruad.label_log")
    users.sum_up()
    users.grant("ed", role, domains)


@pytest.mark.parametrize(
    "role, domains, key, status",
    [
        ("viewer", "*", "ip:192.0.2.1", 403),
        ("viewer", "example.org", "ip:192.0.2.1", 403),
        ("viewer", "example.org", "ip:192.0.2.20", 403),
        ("editor", "example.org", "ip:192.0.2.1", 200),
        ("editor", "example.org", "ip:192.0.2.20", 404),  # another's
        ("editor", "example.org", "ip:198.51.100.200", 404),  # nobody's
        ("editor", "*", "ip:192.0.2.20", 200),
        ("admin", "*", "ip:192.0.2.20", 200),
    ],
)
def test_editors_label_the_sources_that_they_see(users, role, domains, key, status):
    ed_labels(users, role, domains)
    answer = users.site.put_label(key, "mine", X_Remote_User="ed")
    assert answer.status == status
    assert users.database.query("SELECT source, set_by FROM dmarc.labels") == ([(key, "ed")] if status == 200 else [])
    if status == 404:
        assert answer.body == users.site.put_label("ip:198.51.100.77", "mine", X_Remote_User="ed").body


@pytest.mark.parametrize(
    "role, domains, keys, status",
    [
        ("viewer", "*", ["ip:192.0.2.1"], 403),
        ("editor", "example.org", ["ip:192.0.2.1"], 200),
        ("editor", "example.org", ["ip:192.0.2.1", "ip:192.0.2.20"], 400),  # one is another's
        ("editor", "example.org", ["ip:192.0.2.1", "ip:198.51.100.200"], 400),  # or nobody's
        ("editor", "*", ["ip:192.0.2.1", "ip:192.0.2.20"], 200),
    ],
)
def test_editors_label_all_or_none_of_many_sources(users, role, domains, keys, status):
    ed_labels(users, role, domains)
    answer = users.site.put_labels(keys, "mine", X_Remote_User="ed")
    assert answer.status == status
    labelled = users.database.query("SELECT source FROM dmarc.labels ORDER BY 1")
    assert labelled == ([(key,) for key in keys] if status == 200 else [])
    if status == 400:
        assert answer.problem()["source"] == f'nothing is known under "{keys[1]}"'


def test_the_log_of_labels_shows_those_of_sources_that_the_user_sees(users):
    ed_labels(users, "editor", "*")
    assert users.site.put_labels(["ip:192.0.2.1", "ip:192.0.2.20"], "mine", X_Remote_User="ed").status == 200
    assert sorted(item["source"] for item in users.ask("ed", "labels").json()["items"]) == ["ip:192.0.2.1", "ip:192.0.2.20"]
    assert [item["source"] for item in users.ask("mia", "labels").json()["items"]] == ["ip:192.0.2.1"]


# The command


def test_users_are_listed_with_role_and_domains(users):
    users.grant("o'neil; --", "editor", "B.example,a.example")
    code, said, errors = users.run("list")
    assert (code, errors) == (0, "")
    assert re.search(r"^mia +viewer example\.org$", said, re.MULTILINE)
    assert re.search(r"^o'neil; -- +editor a\.example,b\.example$", said, re.MULTILINE)
    assert users.run("remove", "o'neil; --") == (0, "", "")


@pytest.mark.parametrize(
    "words, error",
    [
        (["add", "mia", "--role=viewer"], 'user "mia" has a role already: say set'),
        (["set", "nosuch", "--role=viewer"], 'user "nosuch" has no role yet: say add'),
        (["remove", "nosuch"], 'user "nosuch" has no role'),
        (["set", "mia", "--role=admin"], "an admin is not limited to domains"),
        (["set", "mia", "--domains=a b"], '"a b" is neither a domain nor a pattern such as *.example.org'),
    ],
)
def test_what_cannot_be_is_said(users, words, error):
    code, said, errors = users.run(*words)
    assert (code, said) == (1, "")
    assert error in errors


@pytest.mark.parametrize(
    "words",
    [[], ["nosuch"], ["add", "a"], ["add", "--role=viewer"], ["add", "a", "--role=king"], ["set", "a"], ["set", "a", "--domains="],
     ["list", "a"], ["remove"], ["remove", "a", "--role=viewer"], ["list", "--domains=x"], ["add", "x" * 256, "--role=viewer"]],
)
def test_wrong_words_are_usage(folder, words):
    assert Supervised(folder).command("user", *words)[0] == 2


# Logins of auditors


@pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")
def test_an_auditor_of_the_same_name_is_limited_alike(folder):
    running = Supervised(folder)

    def psql(sql):
        words = [*as_user("nobody"), "psql", "-XAtqc", sql, f"host={running.state}/run dbname=ruad"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout.strip() or done.stderr

    with contextlib.closing(running):
        running.started()
        running.state.chmod(0o755)
        (running.state / "run").chmod(0o755)
        for number, domain in enumerate(("mine.example", "theirs.example")):
            assert running.deliver(reports.report_mail(number, domain=domain))[0] == 250
        assert running.command("auditor", "add", "nobody")[0] == 0
        assert psql("SELECT count(*) FROM dmarc.reports") == "2"
        assert running.command("user", "add", "nobody", "--role=viewer", "--domains=mine.example") == (0, "", "")
        assert psql("SELECT domain FROM dmarc.reports") == "mine.example"
        assert psql("SET ruad.\"user\" = 'other'; SELECT domain FROM dmarc.reports") == "mine.example"
        assert "permission denied" in psql("SELECT * FROM ruad.report")
        code, _, errors = running.command("user", "remove", "nobody")
        assert code == 1
        assert 'auditor "nobody" would read all domains: run ruad auditor remove first' in errors
        assert running.command("auditor", "remove", "nobody")[0] == 0
        assert running.command("auditor", "add", "nobody")[0] == 0
        assert psql("SELECT domain FROM dmarc.reports") == "mine.example"
        assert psql("SHOW statement_timeout") == "5min"
