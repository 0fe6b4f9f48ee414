"""The drills of server/doc/backup.md, run from the page: afterwards the counts and the pages are those from before."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from conftest import ROOT, Postgres, postgres_program
from supervised import IS_ROOT, Supervised, clean_environment
from test_database import SAMPLES, pages
from test_docs import DOC, blocks, statements


pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")

SUDO = '''if [ "$1" = -u ]; then shift 2; exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; fi
exec "$@"
'''


class Host:
    """A host with ruad: the commands of the page run with a sudo, systemctl and ruad of their own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self.ruad = Supervised(folder)
        self.postgres = None  # one of the administrator's own
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.shim("sudo", SUDO)

    def shim(self, name, words):
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + words)
        path.chmod(0o755)

    def run(self, block):
        """Run a block of the page. systemctl starts and stops our ruad serve."""
        self.shim("ruad", "exec '%s' \"$@\" %s\n" % (self.ruad.ruad, " ".join(f"'{word}'" for word in self.ruad.options())))
        output = ""
        for line in block.splitlines():
            if line == "sudo systemctl stop ruad":
                assert self.ruad.stop() == 0
            elif line == "sudo systemctl start ruad":
                self.ruad.started()
            else:
                output += self.sh(line)
        return output

    def sh(self, line):
        programs = pathlib.Path(postgres_program("pg_dump")).parent
        environment = clean_environment(PATH=f"{self.bin}:{programs}:{os.environ['PATH']}", PSQLRC="/dev/null")
        if self.postgres:
            environment.update(PGHOST=str(self.postgres.folder), PGUSER="postgres")
        line = line.replace("/var/lib/ruad", str(self.ruad.state)).replace("/usr/share/doc/ruad/examples/sql", str(ROOT / "sql/examples"))
        done = subprocess.run(
            ["sh", "-ec", line], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, (line, done.stdout + done.stderr)
        return done.stdout

    def content(self):
        """The counts by the page's command, and the pages."""
        (check,) = blocks_of("Check")
        counts = self.run(check.replace('"host=/var/lib/ruad/run user=ruad_auditor dbname=ruad"', f'"{self.conninfo()}"'))
        assert "aggregate reports |     " in counts
        return counts, pages(self.ruad)

    def conninfo(self):
        return self.postgres.conninfo("ruad") if self.postgres else f"host={self.ruad.state}/run user=ruad_auditor dbname=ruad"


def blocks_of(heading):
    """The blocks of shell commands in a section of the page."""
    page = (DOC / "backup.md").read_text()
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "section.md"
        path.write_text(section)
        return blocks(path, "sh")


@pytest.fixture(name="host")
def fixture_host(folder):
    host = Host(folder / "one")
    host.ruad.started()
    assert host.ruad.command("import", "--quiet", str(SAMPLES))[0] == 0
    assert host.ruad.command("label", "ip:203.0.113.66", "not-mine")[0] == 0
    yield host
    host.ruad.close()


@pytest.fixture(name="postgres")
def fixture_postgres():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    folder.chmod(0o755)
    postgres = Postgres(folder)
    postgres.start()
    yield postgres
    postgres.stop()
    shutil.rmtree(folder)


def test_a_backup_is_restored_on_another_host(host, folder):
    before = host.content()
    (backup,), (restore,) = blocks_of("Backup"), blocks_of("Restore")
    host.run(backup)
    other = Host(folder / "two")
    try:
        other.ruad.started()  # the package has started it
        shutil.copy(host.folder / "ruad.dump", other.folder)
        other.run(restore)
        assert other.content() == before
    finally:
        other.ruad.close()


def test_upgrade_leaves_all_as_it_is(host):
    before = host.content()
    (upgrade,) = blocks_of("Update PostgreSQL")
    host.run(upgrade)  # there may be nothing to do: test_database.py has two versions
    assert host.content() == before


def test_the_database_moves_to_a_server_of_ones_own_and_back(host, postgres):
    before = host.content()
    for sql in statements(DOC / "install.md"):
        subprocess.run(["psql", "-Xqc", sql, postgres.conninfo("postgres")], check=True)
    dump, move = blocks_of("Move to your own PostgreSQL")
    host.run(dump)
    host.postgres = postgres
    host.ruad.settings["database_url"] = postgres.conninfo("ruad", "ruad")
    host.run(move)
    assert host.content() == before
    assert host.ruad.command("import", "--quiet", str(SAMPLES))[0] == 0  # writes: as duplicates
    assert host.ruad.command("prune", "--quiet")[0] == 0
    assert host.ruad.command("auditor", "add", "nobody")[0] == 0
    assert host.ruad.command("label", "ip:203.0.113.66", "mine")[0] == 0
    before = host.content()

    dump, restore = blocks_of("Move back to the private database")
    host.run(dump)
    host.postgres = None
    del host.ruad.settings["database_url"]
    host.run(restore)
    assert host.content() == before
    assert host.ruad.command("import", "--quiet", str(SAMPLES))[0] == 0
