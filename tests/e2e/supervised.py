"""ruad serve as users start it, and ruad's other commands, each with a separate state directory and ports.

Where we are root, ruad becomes user postgres (which is on every machine that has PostgreSQL), as it would become user ruad. That
user must be able to start the programs: where the build folder is out of its reach they are copied.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import time
import urllib.error
import urllib.request

import psycopg2
from conftest import BUILD, deliver, wait_until

USER = "postgres"
IS_ROOT = os.geteuid() == 0


def as_user(user):
    """The words before a command that run it as another user; none if we are not root."""
    group = pwd.getpwnam(user).pw_gid
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"] if IS_ROOT else []


def reachable_programs(folder):
    """A path of ruad from which USER can start it and its helpers."""
    ruad = BUILD / "bin" / "ruad"
    helper = BUILD / "libexec" / "ruad" / "ruad-ingest"
    if subprocess.run([*as_user(USER), "test", "-x", helper], check=False).returncode == 0:
        return ruad
    copy = folder / "program"
    if not copy.exists():
        shutil.copytree(BUILD / "libexec" / "ruad", copy / "libexec" / "ruad")
        (copy / "bin").mkdir()
        shutil.copy2(ruad, copy / "bin" / "ruad")
    return copy / "bin" / "ruad"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUAD_")}
    return {**kept, "RUAD_CONFIG": "", **more}


def processes_of(folder):
    """The pids of all processes whose command line names the folder, or that work in it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            place = os.readlink(entry / "cwd")
            if str(folder).encode() in words or place.startswith(str(folder)):
                found.append(int(entry.name))
    return found


def is_alive(pid):
    """Whether the process runs: one that has ended stays listed until its parent reaps it."""
    try:
        return "\nState:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


class Supervised:
    """A ruad serve; settings are given as server_user="x" for server.user."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.state = folder / "state"
        self.lmtp_port = free_port()
        self.http_port = free_port()
        self.process = None
        self.ruad = reachable_programs(folder)
        self.settings = {
            "server_user": USER,
            "server_state_dir": self.state,
            "lmtp_listen": f"127.0.0.1:{self.lmtp_port}",
            "http_listen": f"127.0.0.1:{self.http_port}",
            "parser_workers": 2,
            "enrich_enabled": "off",  # no test asks the machine's name servers
            **settings,
        }
        if IS_ROOT:
            folder.chmod(0o755)

    def options(self):
        words = []
        for key, value in self.settings.items():
            section, _, name = key.partition("_")
            words += ["-o", f"{section}.{name}={value}"]
        return words

    def start(self, before=(), **popen):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*before, self.ruad, "serve", *self.options()],
                env=popen.pop("env", clean_environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **popen,
            )

    def started(self, **more):
        """Start it and wait until it is ready."""
        self.start(**more)
        self.wait_until_ready()
        return self

    def log(self):
        return (self.folder / "log").read_text()

    def command(self, *words, before=(), **run):
        """Another command of ruad with the same settings: (exit code, output, errors)."""
        done = subprocess.run(
            [*before, self.ruad, *words, *self.options()],
            env=run.pop("env", clean_environment()),
            capture_output=True,
            text=run.pop("text", True),
            timeout=120,
            check=False,
            **run,
        )
        return done.returncode, done.stdout, done.stderr

    def is_ready(self):
        assert self.process.poll() is None, self.log()
        return self.command("health")[0] == 0

    def wait_until_ready(self):
        wait_until(self.is_ready, "ruad is ready", 60)

    def children(self, name):
        """The pids of the children with this name ("ruad-web", "postgres")."""
        listed = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = []
        for pid in listed:
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                    found.append(int(pid))
        return found

    def child(self, name):
        """The pid of the first of them, or None."""
        return next(iter(self.children(name)), None)

    def deliver(self, mail):
        """(code, text) of the reply to the mail."""
        client = smtplib.LMTP("127.0.0.1", self.lmtp_port)
        with contextlib.closing(client):
            client.sock.settimeout(60)
            client.ehlo()
            return deliver(client, mail)[0]

    def get(self, path, **headers):
        """The status of a page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def connect(self, role="postgres"):
        """A connection to the private database. Only root or USER may be these roles."""
        connection = psycopg2.connect(host=f"{self.state}/run", user=role, dbname="ruad")
        connection.autocommit = True
        return connection

    def query(self, sql, role="postgres"):
        """Rows from the private database."""
        with contextlib.closing(self.connect(role)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()

    def stop(self, how=signal.SIGTERM):
        """The exit status after the signal."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if (self.folder / "log").exists():
            print(self.log())  # shown where a test fails
        end = time.monotonic() + 30
        while processes_of(self.folder) and time.monotonic() < end:
            time.sleep(0.05)
