"""A PostgreSQL and a ruad of the bench's own, in its folder, on a Unix socket and free ports."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time
import urllib.request


def as_postgres(words):
    """PostgreSQL refuses to run as root; so does what need not."""
    if os.getuid() != 0:
        return [str(word) for word in words]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *[str(word) for word in words]]


def can_enter(folder):
    """Make folder the one of the user that as_postgres() names."""
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o755)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, ready, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {what} did not come up in {seconds} s")
        time.sleep(0.05)


class Postgres:
    """A cluster with Debian's defaults (fsync on, 128 MB of shared buffers), but for the settings given: {name: value}.
    Its folder's cluster is used again if there is one."""

    def __init__(self, folder, settings=None):
        self.settings = {"listen_addresses": "", **(settings or {})}
        versions = sorted(pathlib.Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
        self.bin = versions[-1] / "bin"
        self.folder = folder / "postgres"
        self.socket = folder

    def __enter__(self):
        if not self.folder.exists():
            subprocess.run(as_postgres([self.bin / "initdb", "-D", self.folder, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                                        "--locale=C.UTF-8"]), check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(self.socket / "postgres.log", "w", encoding="utf-8") as log:
            self.server = subprocess.Popen(
                as_postgres([self.bin / "postgres", "-D", self.folder, "-k", self.socket,
                             *(f"--{name}={value}" for name, value in self.settings.items())]),
                stdout=log, stderr=log, cwd="/")
        wait_for("PostgreSQL", lambda: subprocess.run(
            [self.bin / "pg_isready", "-q", "-h", self.socket], check=False).returncode == 0)
        return self

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGINT)
        self.server.wait()

    def psql(self, database, *words):
        return ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-U", "postgres", "-d", database, *words]

    def sql(self, database, statement):
        subprocess.run(self.psql(database, "-c", statement), check=True)

    def ask(self, database, statement):
        return subprocess.run(self.psql(database, "-At", "-c", statement), check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()

    def url(self, database):
        return f"host={self.socket} user=postgres dbname={database}"

    def create(self, database):
        self.sql("postgres", f"CREATE DATABASE {database}")

    def drop(self, database):
        self.sql("postgres", f"DROP DATABASE {database} WITH (FORCE)")

    def cpu_seconds(self):
        """CPU seconds of all server processes since start, of those that have ended too."""
        ticks = 0
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()  # from field 3 of proc(5), state, on
            except OSError:
                continue  # it ended meanwhile
            if entry.parent.name == str(self.server.pid):
                ticks += sum(map(int, fields[11:15]))  # utime stime, and cutime cstime of the children it waited for
            elif int(fields[1]) == self.server.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def checkpoint(self):
        self.sql("postgres", "CHECKPOINT")

    def copy(self, database, files):
        """Seconds that one psql takes to \\copy files, (table, path) each, in one transaction."""
        script = self.socket / "copy.sql"
        script.write_text("BEGIN;\n" + "".join(f"\\copy {table} FROM '{path}'\n" for table, path in files) + "COMMIT;\n")
        start = time.perf_counter()
        subprocess.run(self.psql(database, "-f", str(script)), check=True)
        return time.perf_counter() - start


def install(build, folder):
    """A copy of the programs where any user may run them (a checkout may lie below /root); returns ruad's path."""
    (folder / "bin").mkdir()
    shutil.copy(build / "bin/ruad", folder / "bin")
    shutil.copytree(build / "libexec/ruad", folder / "libexec/ruad")
    return folder / "bin/ruad"


class Ruad:
    """ruad serve on a database; settings are more words NAME=VALUE."""

    def __init__(self, program, folder, url, *settings):
        self.state = folder / "state"
        self.lmtp_port, self.http_port = free_port(), free_port()
        self.words = [
            program, "-o", f"database.url={url}", "-o", f"server.state_dir={self.state}",
            "-o", f"lmtp.listen=127.0.0.1:{self.lmtp_port}", "-o", f"http.listen=127.0.0.1:{self.http_port}",
            *(word for setting in settings for word in ("-o", setting)), "serve"]
        self.log = folder / "ruad.log"

    def ready(self):
        if self.process.poll() is not None:
            raise SystemExit(f"bench: ruad serve ended:\n{self.log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/readyz", timeout=2) as answer, \
                    socket.create_connection(("127.0.0.1", self.lmtp_port), timeout=2):
                return answer.status == 200
        except OSError:
            return False

    def __enter__(self):
        self.state.mkdir()
        can_enter(self.state)
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(as_postgres(self.words), stdout=log, stderr=log, cwd="/")
        wait_for("ruad serve", self.ready)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        shutil.rmtree(self.state)
