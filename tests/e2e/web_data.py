"""The data for the tests of ruad-web: reports of every kind, received by LMTP, in a separate PostgreSQL."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

import reports
from conftest import Database, Ingest, Postgres
from web_site import WebSite

HOSTILE_ORG = '{"a\\", NULL}\'; --'  # what would end an array literal, a string or a statement
FORMULA_ORG = "=cmd|' /C calc'!A0"  # what a spreadsheet would take for a formula
WINDOW = {"from_": "2026-01-01", "to": "2026-02-01"}
MANY = 60
MESSAGES = {"example.org": 20, "mail.example.net": 4, "many.example": MANY, "formula.example": 1}  # all but these pass:
FAILING = 3 + 4 + 1


def report(number, day, org_name, domain, records):
    """A mail with one report, whose records are (source_ip, count, dkim, spf)."""
    begin = reports.DAY + (day - 1) * 86400
    made = [
        reports.record(source_ip, count, "none", dkim, spf, header_from=domain, envelope_from=domain)
        for source_ip, count, dkim, spf in records
    ]
    return reports.report_mail(number, org_name=org_name, domain=domain, begin=begin, end=begin + 86399, records=made)


MAILS = [
    report(1, 5, "Google Inc.", "example.org", [("192.0.2.1", 10, "pass", "pass"), ("198.51.100.7", 3, "fail", "fail")]),
    report(2, 6, "Yahoo", "example.org", [("192.0.2.1", 5, "pass", "fail"), ("2001:db8::25", 2, "fail", "pass")]),
    report(3, 7, HOSTILE_ORG, "mail.example.net", [("203.0.113.9", 4, "fail", "fail")]),
    report(4, 8, FORMULA_ORG, "formula.example", [("203.0.113.10", 1, "fail", "fail")]),
    *(report(n, n % 28 + 1, "Many", "many.example", [(f"192.0.2.{n}", 1, "pass", "pass")]) for n in range(10, 10 + MANY)),
]
OTHERS = [
    (reports.failure_mail(1), "dmarc-full@example.com"),
    (reports.tls_mail(1), "tls-rpt@example.com"),
    (MAILS[0], "dmarc-sum@example.com"),  # a duplicate
    (reports.mail(reports.plain(b"<feedback>"), message_id="<unreadable@reporter.example>"), "dmarc-sum@example.com"),
]
STORED = len(MAILS) + 2  # reports of all kinds


@contextlib.contextmanager
def temporary_folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


CHECK = {  # as ruad-enrich keeps it of each domain
    "ok": False,
    "solicited": False,
    "findings": [{"code": "dmarc_missing", "severity": "error", "place": "_dmarc TXT", "text": "there is no record", "fix": None}],
    "spf": {"result": "ok", "all": "-", "lookups": 1, "unlisted": [], "ranges": [{"range": "192.0.2.0/24", "qualifier": "+"}]},
    "dkim": [{"domain": "example.org", "selector": "spare", "status": "ok"}],
}


def deliver(database, mails):
    """Deliver pairs of a mail and its recipient."""
    with temporary_folder() as folder:
        ingest = Ingest(folder, database.conninfo("taker"))
        try:
            ingest.start()
            with contextlib.closing(ingest.connect()) as client:
                for mail, recipient in mails:
                    client.sendmail("bounce@reporter.example", [recipient], mail)
        finally:
            ingest.close()


def fill(database):
    """Deliver all of it, and store a check of each domain's DNS."""
    deliver(database, [*((mail, "dmarc-sum@example.com") for mail in MAILS), *OTHERS])
    database.query(
        "INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result) SELECT id, now(), 'infinity', %s FROM ruad.domain",
        json.dumps(CHECK),
    )


def add_roles(database):
    """Log-ins for ruad-web: one that reads, and one that labels."""
    database.add_login("reader", "ruad_web")
    database.add_login("labeller", "ruad_editor")


def htpasswd(path, **passwords):
    """Write a file of these users; hashes are SHA-512 of crypt(5), computed by OpenSSL."""

    def made(word):
        return subprocess.run(["openssl", "passwd", "-6", word], check=True, capture_output=True, text=True).stdout

    path.write_text("".join(f"{user}:{made(word)}" for user, word in passwords.items()))
    path.chmod(0o644)


@contextlib.contextmanager
def site_database(postgres, name):
    """An empty database, with its log-ins of add_roles()."""
    database = Database(postgres, name)
    add_roles(database)
    try:
        yield database
    finally:
        database.drop()
        database.query("DROP ROLE reader; DROP ROLE labeller", database="postgres")


@contextlib.contextmanager
def password_file():
    """The path of a file with the passwords of ann and bob."""
    with temporary_folder() as folder:
        htpasswd(folder / "htpasswd", ann="secret", bob="other")
        yield folder / "htpasswd"


@contextlib.contextmanager
def filled_database():
    """A database with all of it, in a cluster that logs every statement."""
    with temporary_folder() as folder:
        postgres = Postgres(folder)
        postgres.start()
        database = Database(postgres, "ruad")
        add_roles(database)
        fill(database)
        database.query("ALTER SYSTEM SET log_statement = 'all'")
        database.query("SELECT pg_reload_conf()")
        yield database
        postgres.stop()


@contextlib.contextmanager
def running_site(database, **settings):
    with temporary_folder() as folder:
        site = WebSite(folder, database.conninfo("reader"), **settings)
        try:
            site.start()
            site.wait_ready()
            yield site
        finally:
            site.close()


@contextlib.contextmanager
def site_of(database, auth, passwords=None, editors="", edit=True, **settings):
    """A ruad-web with a connection for labels, which ruad serve gives it only if there are editors."""
    settings = {"http_auth": auth, "http_editors": editors, **settings}
    if passwords:
        settings["http_htpasswd"] = passwords
    if edit:
        settings["database_edit_url"] = database.conninfo("labeller")
    with running_site(database, **settings) as site:
        yield site


@contextlib.contextmanager
def editors_site(database):
    """A site that takes every ask() for one of an editor, who may read all resources. Its log-in to the database is its own."""
    database.add_login("editors", "ruad_web")
    settings = {"http_auth": "proxy", "http_editors": "*", "http_proxy_secret": "a shared word"}
    with running_site(database, **settings, database_url=database.conninfo("editors")) as site:
        site.headers["X-Remote-User"] = "editor"
        yield site
