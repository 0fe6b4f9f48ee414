"""Nothing that root reads or runs can be written by the user of ruad, who handles strangers' mail."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest
from conftest import BUILD, ROOT
from supervised import IS_ROOT, USER, Supervised, clean_environment, free_port

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")


def is_roots_alone(path):
    """Root's, and nobody else may write it; others' files in a sticky folder cannot be replaced."""
    status = path.lstat()
    loose = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX and not path.is_symlink()
    return status.st_uid == 0 and not loose


def replaceable(path):
    """The first of the path and the folders above it that somebody else could replace or write."""
    return next((one for one in (path, *path.parents) if not is_roots_alone(one)), None)


def test_every_installed_file_is_roots(folder):
    subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", "/usr"],
        env={**os.environ, "DESTDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    installed = [path for path in folder.rglob("*") if not path.is_symlink()]
    assert [path for path in installed if path.name == "ruad-ingest"]
    assert [path for path in installed if not is_roots_alone(path)] == []


def quickstart(folder, **more):
    folder.chmod(0o755)
    secret = folder / "root"
    shutil.copytree(BUILD / "libexec" / "ruad", secret / "libexec" / "ruad")
    (secret / "bin").mkdir()
    shutil.copy2(BUILD / "bin" / "ruad", secret / "bin" / "ruad")
    secret.chmod(0o700)
    environment = clean_environment(
        RUAD_BUILD=str(secret),
        RUAD_NO_INSTALL="1",
        RUAD_STATE_DIR=str(folder / "state"),
        RUAD_SERVER_USER=USER,
        RUAD_LMTP_LISTEN=f"127.0.0.1:{free_port()}",
        RUAD_HTTP_LISTEN=f"127.0.0.1:{free_port()}",
        **more,
    )
    done = subprocess.run(
        [ROOT / "server" / "quickstart", "--once"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_quickstart_copies_programs_to_a_folder_of_roots(folder):
    programs = folder / "programs"
    code, said = quickstart(folder, RUAD_PROGRAMS=str(programs))
    assert code == 0, said
    assert f"Copying the programs to {programs}" in said
    copies = [path for path in programs.rglob("*") if path.is_file()]
    assert {"ruad", "ruad-ingest", "ruad-web"} <= {path.name for path in copies}
    assert [path for path in copies if replaceable(path)] == []
    assert not (folder / "state" / "program").exists()


@pytest.mark.parametrize("place", ["state/programs", "theirs/programs"])
def test_quickstart_refuses_a_folder_that_the_user_of_ruad_can_change(folder, place):
    parent = (folder / place).parent
    parent.mkdir()
    shutil.chown(parent, USER)
    code, said = quickstart(folder, RUAD_PROGRAMS=str(folder / place))
    assert code == 1
    assert f"user {USER} could replace {parent}, which root would run" in said
    assert not (folder / place).exists()
    assert "Starting ruad" not in said


def test_serve_leaves_no_file_of_roots_in_a_folder_of_ruads(folder):
    path = folder / "run" / "lmtp.sock"
    path.parent.mkdir()
    shutil.chown(path.parent, USER)
    supervised = Supervised(folder, lmtp_listen=f"unix:{path}")
    try:
        supervised.started()
        assert path.owner() == USER
        assert path.stat().st_mode & 0o777 == 0o660
        assert [one for one in pathlib.Path(supervised.state).rglob("*") if one.owner() != USER] == []
        assert supervised.stop() == 0
    finally:
        supervised.close()


def test_the_rights_of_sockets_do_not_depend_on_the_umask(folder):
    supervised = Supervised(folder, lmtp_listen=f"unix:{folder}/lmtp.sock")
    folder.chmod(0o777)
    try:
        supervised.started(before=("sh", "-c", 'umask 0077 && exec "$@"', "sh"))
        modes = [path.stat().st_mode & 0o777 for path in (folder / "lmtp.sock", supervised.state, supervised.state / "run")]
        assert modes == [0o660, 0o750, 0o750]
    finally:
        supervised.close()
