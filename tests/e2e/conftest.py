"""Real parts for the tests: a separate PostgreSQL, and ruad-ingest on separate sockets.

Nothing is shared with what runs on the machine: all files lie in temporary folders, PostgreSQL listens on a Unix socket only, and every
process is ended by its own pid. $RUAD_BUILD is the build folder (default: build/ in the project).
"""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time

import psycopg2
import psycopg2.extras
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RUAD_BUILD", ROOT / "build"))
PROGRAMS = BUILD / "libexec" / "ruad"
RECIPIENT = "dmarc-sum@example.com"
SENDER = "noreply@reporter.example"


def wait_until(condition, what, seconds=20):
    """Wait until condition() is true and return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"after {seconds} s still not: {what}")


def postgres_program(name):
    """The newest version in the folder that Debian uses."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.fail(f"{name} is missing: install postgresql (tests/run does)")
    return str(found[-1])


class Postgres:
    """A cluster in a folder; run by user postgres if we are root, since PostgreSQL does not run as root."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.process = None
        self.prefix = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def run(self, program, *arguments):
        command = [*self.prefix, postgres_program(program), *map(str, arguments)]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def start(self):
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off", "timezone": "UTC"}
        command = [*self.prefix, postgres_program("postgres"), "-D", str(self.data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait_until(self.accepts, "PostgreSQL accepts connections")

    def accepts(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.conninfo("postgres")).close()
            return True
        return False

    def stop(self, how=signal.SIGINT):
        """SIGINT aborts all connections (fast), SIGQUIT is a crash (immediate)."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def conninfo(self, database, user="postgres"):
        return f"host={self.folder} dbname={database} user={user}"


class Database:
    """A migrated database in a cluster; with a template a copy of that, which takes less time than to migrate."""

    def __init__(self, postgres, name, template=None):
        self.postgres = postgres
        self.name = name
        if template is None:
            self.query("CREATE DATABASE " + name, database="postgres")
            self.migrate()
        else:
            self.copy(template)
        self.add_login("taker", "ruad_ingest")

    def add_login(self, name, role):
        """A login that may act as role; it belongs to the cluster, which other tests use, too."""
        self.query(f"DO $$ BEGIN CREATE ROLE {name} LOGIN IN ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")

    def copy(self, template):
        self.query(f"CREATE DATABASE {self.name} TEMPLATE {template}", database="postgres")
        self.query(  # rights on the database itself are not copied
            "UPDATE pg_database SET datacl = t.datacl FROM pg_database t WHERE t.datname = %s AND pg_database.datname = %s",
            template, self.name, database="postgres")

    def migrate(self):
        environment = {
            **os.environ,
            "RUAD_CONFIG": "",
            "RUAD_DATABASE_URL": self.conninfo(),
            "RUAD_SERVER_USER": "postgres",  # there may be no user ruad, where we are root
        }
        subprocess.run([BUILD / "bin" / "ruad", "migrate"], check=True, env=environment, stdout=subprocess.DEVNULL)

    def conninfo(self, user="postgres"):
        return self.postgres.conninfo(self.name, user)

    def connect(self, database=None):
        connection = psycopg2.connect(self.postgres.conninfo(database or self.name))
        connection.autocommit = True
        return connection

    def query(self, sql, *parameters, database=None):
        """All rows, each a tuple; [] for statements without."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *parameters):
        """The one value of a one-row result."""
        ((value,),) = self.query(sql, *parameters)
        return value

    def reports(self):
        """The report_id of every report, once for each row."""
        return [row[0] for row in self.query("SELECT report_id FROM dmarc.reports ORDER BY 1")]

    def drop(self):
        self.query(f"DROP DATABASE {self.name} WITH (FORCE)", database="postgres")


class Ingest:
    """ruad-ingest with listening sockets that stay open when it is killed, as under a supervisor."""

    def __init__(self, folder, conninfo, path=None, **settings):
        self.folder = folder
        self.path = path or folder / "lmtp.sock"
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.path))
        self.path.chmod(0o666)
        self.unix.listen(128)
        self.port = self.tcp.getsockname()[1]
        self.environment = {**os.environ, "RUAD_CONFIG": "", "RUAD_DATABASE_INGEST_URL": conninfo}
        for key, value in {"parser_workers": 2, **settings}.items():
            self.environment["RUAD_" + key.upper()] = str(value)
        self.process = None

    def start(self):
        fds = [self.tcp.fileno(), self.unix.fileno()]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "ruad-ingest", *(f"--listen-fd={fd}" for fd in fds)],
                env=self.environment,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def log(self):
        return (self.folder / "log").read_text()

    def workers(self):
        """The pids of its ruad-parse processes."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for path in children for pid in path.read_text().split()]

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def awaits_signals(self):
        """Whether it has begun to wait for SIGTERM: one that comes before ends the process at once, as with any program."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        blocked = int(re.search(r"^SigBlk:\s*(\w+)", status, re.MULTILINE)[1], 16)
        return bool(blocked >> signal.SIGTERM - 1 & 1)

    def stop(self):
        """SIGTERM; the exit status."""
        wait_until(lambda: self.process.poll() is not None or self.awaits_signals(), "ruad-ingest waits for signals")
        self.process.terminate()
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def close(self):
        """Also fails the test if the exit status is not 0: that is how a sanitizer reports."""
        status = 0
        if self.process and self.process.poll() is None:
            status = self.stop()
        self.tcp.close()
        self.unix.close()
        print(self.log())  # shown where a test fails
        assert status == 0

    def connect(self, unix=False):
        """A client that has sent LHLO."""
        client = smtplib.LMTP(str(self.path) if unix else "127.0.0.1", self.port, timeout=60)
        client.ehlo()
        return client

    def deliver(self, mail, *recipients, unix=False):
        """Send a mail; the replies after the final dot, one for each recipient, as (code, text)."""
        with contextlib.closing(self.connect(unix)) as client:
            return deliver(client, mail, *recipients)


def deliver(client, mail, *recipients):
    """Send a mail on an open session; the replies, one for each recipient, as (code, text)."""
    assert client.mail(SENDER, ["SIZE=%d" % len(mail), "BODY=8BITMIME"])[0] == 250
    for recipient in recipients or (RECIPIENT,):
        code, text = client.rcpt(recipient)
        assert code == 250, text
    replies = [client.data(mail)]  # reads the first
    replies += [client.getreply() for _ in recipients[1:]]
    return [(code, text.decode()) for code, text in replies]


class StoredReply:
    """Equals the reply to each mail that is stored, whatever its number: (250, "2.0.0 stored as mail 7")."""

    __hash__ = None

    def __eq__(self, reply):
        return reply[0] == 250 and re.fullmatch(r"2\.0\.0 stored as mail [1-9]\d*", reply[1]) is not None

    def __repr__(self):
        return "STORED"


STORED = StoredReply()
TOLD = pytest.StashKey()


def pytest_configure(config):
    config.stash[TOLD] = []
    for program in (PROGRAMS / "ruad-ingest", PROGRAMS / "ruad-parse", BUILD / "bin" / "ruad"):
        if not program.exists():
            pytest.exit(f"{program} is missing: build first, or set RUAD_BUILD", 2)


def pytest_sessionfinish(session):
    """With pytest-xdist this process may be a worker: what it was told goes to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = session.config.stash[TOLD]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[TOLD] += getattr(node, "workeroutput", {}).get("told", [])  # one that crashed has none


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[TOLD]:
        terminalreporter.write_line(line)


@pytest.fixture(name="tell")
def fixture_tell(request):
    """tell(line): prints it at the end of the output, with the test's parameters."""
    place = request.node.name.partition("[")[2].rstrip("]")
    return lambda line: request.config.stash[TOLD].append(f"{place}: {line}")


@contextlib.contextmanager
def open_folder():
    """A temporary folder that every user has access to."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(name="folder")
def fixture_folder():
    with open_folder() as path:
        yield path


@pytest.fixture(name="module_folder", scope="module")
def fixture_module_folder():
    with open_folder() as path:
        yield path


@pytest.fixture(name="supervised")
def fixture_supervised(folder):
    """A ruad serve that is not started yet."""
    from supervised import Supervised  # it imports this module

    supervised = Supervised(folder)
    yield supervised
    supervised.close()


@pytest.fixture(name="running")
def fixture_running(supervised):
    return supervised.started()


@pytest.fixture(name="shared_postgres", scope="session")
def fixture_shared_postgres():
    path = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    path.chmod(0o755)
    postgres = Postgres(path)
    postgres.start()
    yield postgres
    postgres.stop(signal.SIGQUIT)
    shutil.rmtree(path)


@pytest.fixture(name="migrated", scope="session")
def fixture_migrated(shared_postgres):
    """The name of a database that every fresh one is a copy of."""
    return Database(shared_postgres, "migrated").name


@pytest.fixture(name="database")
def fixture_database(shared_postgres, migrated, request):
    """A fresh database in a cluster that other tests use too."""
    database = Database(shared_postgres, f"test_{abs(hash(request.node.nodeid))}", migrated)
    yield database
    database.drop()


@pytest.fixture(name="own_database")
def fixture_own_database():
    """A database in a cluster that the test may stop."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    path.chmod(0o755)
    postgres = Postgres(path)
    postgres.start()
    yield Database(postgres, "ruad")
    postgres.stop(signal.SIGQUIT)
    shutil.rmtree(path)


@pytest.fixture(name="start_ingest")
def fixture_start_ingest(folder):
    """start_ingest(database, **settings): a running ruad-ingest."""
    with contextlib.ExitStack() as stack:

        def start(database, **settings):
            ingest = Ingest(folder, database.conninfo("taker"), **settings)
            stack.callback(ingest.close)
            ingest.start()
            return ingest

        yield start


@pytest.fixture(name="ingest")
def fixture_ingest(start_ingest, database):
    """A running ruad-ingest with a fresh database."""
    return start_ingest(database)
