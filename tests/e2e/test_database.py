"""ruad database: a backup is what it was taken from, and a cluster moves to the next PostgreSQL with all that it has."""

import json
import os
import pathlib
import re
import shutil
import urllib.request

import pytest
from conftest import ROOT
from supervised import IS_ROOT, Supervised

SAMPLES = ROOT / "tests" / "samples"
PAGES = ["summary", "domains", "sources", "reports", "intake", "failures", "tls/reports", "records"]
COUNTS = "SELECT (SELECT count(*) FROM dmarc.intake), (SELECT count(*) FROM dmarc.reports), (SELECT sum(messages) FROM dmarc.sources_daily)"
VERSIONS = sorted(int(path.name) for path in pathlib.Path("/usr/lib/postgresql").glob("[0-9]*") if (path / "bin/initdb").exists())


def pages(supervised):
    """What the page shows, by route."""
    found = {}
    for page in PAGES:
        url = f"http://127.0.0.1:{supervised.http_port}/api/v1/{page}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            found[page] = json.load(answer)
    return found


@pytest.fixture(name="filled")
def fixture_filled(supervised):
    """A running ruad with the samples, a label and an auditor."""
    supervised.started()
    assert supervised.command("import", "--quiet", str(SAMPLES))[0] == 0
    assert supervised.command("label", "ip:203.0.113.66", "not-mine")[0] == 0
    assert supervised.command("auditor", "add", "nobody")[0] == 0
    return supervised


def test_a_restored_backup_has_the_same_counts_and_pages(filled):
    counts, shown = filled.query(COUNTS), pages(filled)
    assert counts[0][1] > 0
    file = filled.folder / "ruad.dump"
    code, said, errors = filled.command("database", "dump", str(file))  # while it runs
    assert (code, said) == (0, ""), errors
    assert file.stat().st_mode & 0o777 == 0o600
    ((user, object_),) = filled.query("SELECT user_name, object FROM dmarc.audit_log WHERE action = 'dump'")
    assert (bool(user), object_) == (True, str(file))
    assert filled.command("database", "dump", str(file))[0] == 1  # no backup is overwritten
    assert filled.query("SELECT count(*) FROM dmarc.audit_log WHERE action = 'dump'") == [(1,)]
    code, _, errors = filled.command("database", "restore", "--replace", str(file))
    assert code == 75
    assert f"another ruad (process {filled.process.pid}) uses the database: stop it first" in errors
    assert filled.stop() == 0

    shutil.rmtree(filled.state)
    code, said, errors = filled.command("database", "restore", str(file))
    assert code == 0, errors
    assert f"restored: {counts[0][0]} mails, " in said
    filled.started()
    assert filled.query(COUNTS) == counts
    assert pages(filled) == shown
    assert filled.command("import", "--quiet", str(SAMPLES))[0] == 0
    assert filled.query(COUNTS)[0][1:] == counts[0][1:]  # they are known
    assert filled.command("prune")[0] == 0


def test_restore_keeps_the_database_that_it_replaces(filled):
    code, dump, errors = filled.command("database", "dump", "-", text=False)
    assert code == 0, errors
    assert filled.stop() == 0
    code, _, errors = filled.command("database", "restore", "-", text=False, input=dump)
    assert code == 1
    assert b"there is a database already: --replace" in errors
    code, said, errors = filled.command("database", "restore", "--replace", "-", text=False, input=dump)
    assert code == 0, errors
    (kept,) = filled.state.glob("postgres.2*")
    assert f"the old cluster is kept in {kept}" in said.decode()
    assert (kept / "PG_VERSION").exists()
    filled.started()
    assert filled.query("SELECT count(*) FROM dmarc.reports")[0][0] > 0


@pytest.mark.parametrize("how", ["truncated", "no dump"])
def test_a_damaged_backup_changes_nothing(filled, how):
    counts = filled.query(COUNTS)
    file = filled.folder / "ruad.dump"
    assert filled.command("database", "dump", str(file))[0] == 0
    file.write_bytes(file.read_bytes()[: 100_000 if how == "truncated" else 0] or b"<feedback>")
    assert filled.stop() == 0
    code, said, errors = filled.command("database", "restore", "--replace", str(file))
    assert (code, said) == (75, "")
    assert "ruad database: pg_restore: " in errors
    filled.started()
    assert filled.query(COUNTS) == counts


def test_a_backup_that_fails_leaves_an_empty_file(filled):
    file = filled.folder / "ruad.dump"
    limit = ["prlimit", "--fsize=20000", "env", "--ignore-signal=XFSZ"]
    code, _, errors = filled.command("database", "dump", str(file), before=limit)
    assert code == 75
    assert f'"{file}" is empty, remove it: pg_dump: ' in errors
    assert file.stat().st_size == 0


def test_a_database_of_ones_own_is_left_to_its_tools(folder, database):
    supervised = Supervised(folder, database_url=database.conninfo())
    code, _, errors = supervised.command("database", "dump", str(folder / "x"))
    assert code == 78
    assert "database.url is set: use pg_dump(1) and pg_restore(1)" in errors
    assert not (folder / "x").exists()


@pytest.mark.parametrize("words", [[], ["save"], ["dump"], ["restore"], ["upgrade", "x"], ["dump", "--replace", "x"]])
def test_wrong_usage_is_said(supervised, words):
    assert supervised.command("database", *words)[0] == 2


def test_upgrade_says_when_there_is_nothing_to_do(filled):
    if len(VERSIONS) > 1:
        pytest.skip("another version is installed")
    assert filled.command("database", "upgrade")[0] == 75
    assert filled.stop() == 0
    code, said, _ = filled.command("database", "upgrade")
    assert code == 0
    assert f"nothing to do: the cluster has PostgreSQL {VERSIONS[0]}, the newest that is installed is {VERSIONS[0]}" in said


two_versions = pytest.mark.skipif(len(VERSIONS) < 2 or not IS_ROOT, reason="needs two versions of PostgreSQL, and root to hide one")


def without(version):
    """The words before a command that does not see this version of PostgreSQL: a mount namespace of its own."""
    folder = f"/usr/lib/postgresql/{version}/bin"
    return ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {folder} && exec "$@"', "sh"]


@pytest.fixture(name="older")
def fixture_older(supervised):
    """A cluster of the version before the newest, filled and stopped: (ruad, counts, pages, backup)."""
    newest = without(VERSIONS[-1])
    assert supervised.command("import", "--quiet", str(SAMPLES), before=newest)[0] == 0
    assert supervised.command("auditor", "add", "nobody", before=newest)[0] == 0
    supervised.started()
    assert int((supervised.state / "postgres" / "PG_VERSION").read_text()) == VERSIONS[-2]
    file = supervised.folder / "ruad.dump"
    assert supervised.command("database", "dump", str(file))[0] == 0
    content = supervised.query(COUNTS), pages(supervised), file
    assert supervised.stop() == 0
    return supervised, *content


@two_versions
def test_upgrade_moves_a_cluster_with_all_that_it_has(older):
    supervised, counts, shown, _ = older
    code, said, errors = supervised.command("database", "upgrade")
    assert code == 0, errors
    assert f"moving the cluster from PostgreSQL {VERSIONS[-2]} to {VERSIONS[-1]}" in said
    assert re.search(r"the old cluster is kept in \S+/postgres\.2", said)
    assert int((supervised.state / "postgres" / "PG_VERSION").read_text()) == VERSIONS[-1]
    supervised.started()
    assert supervised.query(COUNTS) == counts
    assert pages(supervised) == shown
    assert supervised.command("auditor", "list")[1] == "nobody\n"
    assert os.listdir(supervised.state).count("postgres.next") == 0


@two_versions
def test_a_backup_is_restored_where_only_a_newer_version_is_installed(older):
    supervised, counts, shown, file = older
    alone = without(VERSIONS[-2])
    code, _, errors = supervised.command("serve", before=alone)
    assert code == 78
    assert f"needs PostgreSQL {VERSIONS[-2]}, but only PostgreSQL {VERSIONS[-1]} is installed" in errors
    assert "ruad database restore --replace FILE" in errors
    code, _, errors = supervised.command("database", "upgrade", before=alone)
    assert code == 1
    assert f"needs PostgreSQL {VERSIONS[-2]}, but only" in errors
    code, _, errors = supervised.command("database", "restore", "--replace", str(file), before=alone)
    assert code == 0, errors
    supervised.started(before=alone)
    assert supervised.query(COUNTS) == counts
    assert pages(supervised) == shown
