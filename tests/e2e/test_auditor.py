"""ruad auditor: logins for auditors, in the private cluster and in the admin's own database."""

import contextlib
import pwd
import subprocess

import psycopg2
import pytest
from conftest import wait_until
from supervised import IS_ROOT, Supervised, as_user

needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")
TIME_OUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture(name="private")
def fixture_private(folder):
    """A running ruad with its private cluster, whose socket every user has access to."""
    supervised = Supervised(folder)
    try:
        supervised.started()
        supervised.state.chmod(0o755)
        (supervised.state / "run").chmod(0o755)
        yield supervised
    finally:
        supervised.close()


def psql(private, user, sql="SELECT current_user", options=""):
    words = [*as_user(user), "psql", "-XAtqc", sql, f"host={private.state}/run dbname=ruad {options}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


@needs_root
def test_in_the_private_cluster_a_user_of_the_machine_gets_in(private):
    assert "no pg_hba.conf entry" in psql(private, "nobody")
    code, said, errors = private.command("auditor", "add", "nobody")
    assert (code, errors) == (0, "")
    assert said == f'user nobody: psql "host={private.state}/run dbname=ruad"\n'
    assert psql(private, "nobody") == "nobody"
    assert psql(private, "nobody", "SELECT count(*) FROM dmarc.records") == "0"
    for name, value in zip(TIME_OUTS, ("5min", "5s", "5min"), strict=True):
        assert psql(private, "nobody", f"SHOW {name}") == value
    for sql in ("SELECT * FROM ruad.mail", "CREATE TEMPORARY TABLE x ()", "SELECT lo_create(0)", "SELECT pg_advisory_lock(1)"):
        assert "permission denied" in psql(private, "nobody", sql), sql
    assert private.command("auditor", "list")[:2] == (0, "nobody\n")


@needs_root
def test_nobody_is_another_auditor_or_changes_his_settings(private):
    for name in "nobody", "daemon":
        assert private.command("auditor", "add", name)[0] == 0
    for name in "daemon", "ruad_auditor", "ruad_owner", "postgres":
        assert "eer authentication failed" in psql(private, "nobody", options=f"user={name}"), name
    for name in "daemon", "ruad_auditor":
        assert "permission denied" in psql(private, "nobody", f"ALTER ROLE {name} SET statement_timeout = 1")
    assert "permission denied" in psql(private, "nobody", "SET ROLE daemon")


@needs_root
def test_a_removed_auditor_is_out_at_once(private):
    assert private.command("auditor", "add", "nobody")[0] == 0
    words = [*as_user("nobody"), "psql", "-XAtqc", "SELECT pg_sleep(60)", f"host={private.state}/run dbname=ruad"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as session:
        wait_until(lambda: private.query("SELECT 1 FROM pg_stat_activity WHERE usename = 'nobody'"), "he is at work")
        assert private.command("auditor", "remove", "nobody")[:2] == (0, "")
        assert session.wait(30) != 0
    assert "no pg_hba.conf entry" in psql(private, "nobody")
    assert private.command("auditor", "list")[:2] == (0, "")


def test_roles_that_it_did_not_make_stay_as_they_are(private):
    private.query("CREATE ROLE bob; SELECT 1")
    code, _, errors = private.command("auditor", "add", "bob")
    assert code == 1
    assert 'role "bob" exists already, and was not made by ruad' in errors
    code, _, errors = private.command("auditor", "remove", "bob")
    assert code == 1
    assert 'no auditor "bob" was made by ruad' in errors
    for name in "ruad_owner", "postgres", "pg_monitor", 'x"y', "":
        assert private.command("auditor", "add", name)[0] == 2, name
        assert private.command("auditor", "remove", name)[0] == 2, name
    rows = "SELECT rolname FROM pg_roles WHERE rolname !~ '^(ruad|pg)_' ORDER BY 1"
    assert private.query(rows) == [("bob",), ("postgres",)]


def test_a_user_that_the_machine_lacks_is_said(private):
    code, said, _ = private.command("auditor", "add", "no.such-user")
    assert code == 0
    assert "this machine has no user no.such-user yet" in said
    with pytest.raises(KeyError):
        pwd.getpwnam("no.such-user")


@pytest.mark.parametrize(
    "words",
    [[], ["show"], ["add"], ["add", "a", "b"], ["list", "a"], ["remove"], ["list", "--password-file=x"], ["remove", "a", "--password-file=-"]],
)
def test_wrong_words_are_usage(folder, words):
    assert Supervised(folder).command("auditor", *words)[0] == 2


def test_the_private_cluster_takes_no_password(private):
    code, _, errors = private.command("auditor", "add", "ann", "--password-file=-", input="secret\n")
    assert code == 2
    assert "the operating system says who an auditor is" in errors


# In a database of one's own


@pytest.fixture(name="own")
def fixture_own(folder, own_database):
    """ruad's commands as a login that owns its database and has CREATEROLE."""
    own_database.query("CREATE ROLE boss LOGIN CREATEROLE", database="postgres")
    grants = "GRANT ruad_owner, ruad_ingest, ruad_web, ruad_editor, ruad_enrich, ruad_notify TO boss; GRANT ruad_auditor TO boss WITH ADMIN OPTION"
    own_database.query(grants)
    own_database.query(f"ALTER DATABASE {own_database.name} OWNER TO boss", database="postgres")
    own = Supervised(folder, database_url=own_database.conninfo("boss"))
    own.database = own_database
    hba = own_database.postgres.data / "pg_hba.conf"
    hba.write_text("local all postgres,boss trust\nlocal all all scram-sha-256\n")
    own_database.query("SELECT pg_reload_conf()")
    yield own
    own.close()


def count(own, name, password):
    with contextlib.closing(psycopg2.connect(own.database.conninfo(name), password=password)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM dmarc.reports")
            return cursor.fetchone()[0]


@pytest.mark.parametrize("ending", ["\n", ""])
def test_a_password_comes_from_standard_input_or_a_file(own, folder, ending):
    code, said, errors = own.command("auditor", "add", "ann", "--password-file=-", input="pass 'word\\" + ending)
    assert (code, said, errors) == (0, "", "")
    assert count(own, "ann", "pass 'word\\") == 0
    (folder / "secret").write_text("another" + ending)
    assert own.command("auditor", "add", "ann", f"--password-file={folder}/secret")[0] == 0
    assert count(own, "ann", "another") == 0
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        count(own, "ann", "pass 'word\\")
    assert "another" not in (own.database.postgres.folder / "log").read_text()
    assert own.command("auditor", "add", "ann")[0] == 0
    assert count(own, "ann", "another") == 0


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", "x" * 1025, "nul\0"])
def test_what_is_no_password_is_refused(own, content):
    code, _, errors = own.command("auditor", "add", "ann", "--password-file=-", input=content)
    assert code == 1
    assert "does not contain exactly one line with a password" in errors
    assert own.command("auditor", "list")[:2] == (0, "")


def test_without_a_password_it_says_how_to_set_one(own):
    assert own.command("auditor", "add", "Ann-B")[:2] == (0, 'if Ann-B signs in by a password, set it in psql: \\password "Ann-B"\n')
    with pytest.raises(psycopg2.OperationalError):
        count(own, "Ann-B", "x")


def test_each_has_settings_of_his_own_and_goes_with_his_sessions(own):
    for name in "ann", "bob":
        assert own.command("auditor", "add", name, "--password-file=-", input="p")[0] == 0
    assert own.command("auditor", "list")[:2] == (0, "ann\nbob\n")
    settings = own.database.query("SELECT rolname, rolconnlimit, rolconfig FROM pg_roles WHERE rolname IN ('ann', 'bob')")
    assert [limit for _, limit, _ in settings] == [4, 4]
    for _, _, config in settings:
        assert sorted(config) == ["idle_in_transaction_session_timeout=5min", "lock_timeout=5s", "statement_timeout=5min"]
    with contextlib.closing(psycopg2.connect(own.database.conninfo("ann"), password="p")) as session, session.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("ALTER ROLE bob SET statement_timeout = 1")
        session.rollback()
        assert own.command("auditor", "remove", "ann") == (0, "", "")
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert own.command("auditor", "list")[:2] == (0, "bob\n")


def test_a_login_that_may_not_make_auditors_is_told_how(own):
    own.database.query("ALTER ROLE boss NOCREATEROLE")
    code, _, errors = own.command("auditor", "add", "ann")
    assert code == 75
    assert "a superuser must run: ALTER ROLE boss CREATEROLE; GRANT ruad_auditor TO boss WITH ADMIN OPTION;" in errors
