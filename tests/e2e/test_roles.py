"""Logins without superuser rights: they work from the first start to the first 250, or the message says what they lack."""

import contextlib
import re
import signal

import psycopg2
import pytest
from conftest import STORED, Postgres, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import Supervised

ROLES = ("ruad_owner", "ruad_ingest", "ruad_web", "ruad_editor", "ruad_enrich", "ruad_notify")


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", records=[record(count=number)])))


@pytest.fixture(name="cluster")
def fixture_cluster(folder):
    """A cluster that ruad has never used."""
    (folder / "cluster").mkdir()
    postgres = Postgres(folder / "cluster")
    postgres.start()
    yield postgres
    postgres.stop(signal.SIGQUIT)


@pytest.fixture(name="admin")
def fixture_admin(cluster):
    """admin(sql, database): rows, as a superuser."""

    def admin(sql, database="postgres"):
        with contextlib.closing(psycopg2.connect(cluster.conninfo(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    return admin


@pytest.fixture(name="serve")
def fixture_serve(folder, cluster):
    """serve(login, **settings): a ruad serve on database "mine" as that login, not started."""
    with contextlib.ExitStack() as stack:

        def serve(login, **settings):
            (folder / "serve").mkdir(exist_ok=True)  # close() waits for all that works in it, not for the cluster
            supervised = Supervised(folder / "serve", database_url=cluster.conninfo("mine", login), **settings)
            stack.callback(supervised.close)
            return supervised

        yield serve


def missing(words):
    """The statements that a refusal asks for."""
    return re.search(r"a superuser must run: (.*);$", words, re.MULTILINE)[1]


def test_an_owner_with_createrole_works_to_the_first_250(admin, serve):
    admin("CREATE ROLE boss LOGIN CREATEROLE")
    admin("CREATE DATABASE mine OWNER boss")
    running = serve("boss", enrich_enabled="on", enrich_lookups=0, enrich_check_every=0, http_auth="proxy",
                    http_user_header="X-User", http_proxy_secret="word", http_editors="ann")
    running.start()
    wait_until(lambda: "ruad: ready" in running.log(), "it says ready")
    wait_until(lambda: admin("SELECT 1 FROM ruad.service", "mine"), "ruad-enrich works")
    assert running.deliver(report(1)) == STORED
    wait_until(lambda: running.get("/readyz") == 200, "the page has connected, too")  # it tries once a second
    for words in ("prune",), ("reprocess",), ("label", "ip:192.0.2.1", "mine"):
        code, _, errors = running.command(*words)
        assert code == 0, errors
    assert "permission denied" not in running.log()


def test_a_login_of_its_own_is_bounded_like_its_role(admin, serve):
    admin("CREATE ROLE boss LOGIN CREATEROLE")
    admin("CREATE DATABASE mine OWNER boss")
    running = serve("boss")
    assert running.command("migrate")[0] == 0
    admin("ALTER ROLE ruad_ingest SET lock_timeout = '500ms'")
    running.start()
    wait_until(lambda: "ready" in running.log(), "it says ready")
    with contextlib.closing(psycopg2.connect(running.settings["database_url"])) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE ruad.mail")
        code, words = running.deliver(report(1))
        assert code == 451, words
    assert running.deliver(report(1))[0] == 250


def test_another_login_is_told_what_it_lacks_and_goes_on_when_it_has_it(admin, serve):
    admin("CREATE ROLE boss LOGIN CREATEROLE")
    admin("CREATE ROLE other LOGIN")
    admin("CREATE DATABASE mine OWNER boss")
    running = serve("boss")
    assert running.command("migrate")[0] == 0
    running = serve("other")
    code, _, errors = running.command("migrate")
    assert code == 75
    admin(missing(errors))
    running.start()
    wait_until(lambda: "a superuser must run" in running.log(), "it says what is missing")
    assert ": ready" not in running.log()
    asked = missing(running.log())
    for role in ROLES[1:]:
        assert f"GRANT {role} TO other" in asked
    admin(asked)
    wait_until(lambda: "ready" in running.log(), "it goes on")
    assert running.deliver(report(1))[0] == 250


def test_a_login_for_one_role_is_checked_too(admin, serve, cluster):
    admin("CREATE ROLE boss LOGIN CREATEROLE")
    admin("CREATE ROLE taker LOGIN")
    admin("CREATE DATABASE mine OWNER boss")
    running = serve("boss", database_ingest_url=cluster.conninfo("mine", "taker"))
    running.start()
    wait_until(lambda: "a superuser must run" in running.log(), "it says what is missing")
    assert "database.ingest_url: login \"taker\" may not act" in running.log()
    assert running.deliver(report(1))[0] == 451
    admin(missing(running.log()))
    wait_until(lambda: running.deliver(report(1))[0] == 250, "mail is taken")


def test_a_login_that_may_do_nothing_is_refused(admin, serve):
    admin("CREATE ROLE plain LOGIN")
    admin("CREATE DATABASE mine")
    running = serve("plain")
    for _ in "the roles", "ruad_viewer", "ruad_notify":  # of later migrations
        code, _, errors = running.command("migrate")
        assert code == 75
        for statement in missing(errors).split("; "):
            admin(statement)
    assert running.command("migrate")[0] == 0
    running.start()
    wait_until(lambda: "ready" in running.log(), "it says ready")
    assert running.deliver(report(1))[0] == 250
