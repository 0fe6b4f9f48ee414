"""tests/soak/run in its short form: every kind of abuser, and a few kills."""

import os
import pathlib
import subprocess

from conftest import BUILD

SOAK = pathlib.Path(__file__).parents[1] / "soak" / "run"


def soak(*arguments):
    return subprocess.run([SOAK, *arguments], env={**os.environ, "RUAD_BUILD": str(BUILD)}, capture_output=True, text=True, timeout=600, check=False)


def test_nothing_is_lost_or_doubled_when_processes_are_killed():
    done = soak("8", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": 0 lost, 0 stored twice or in part" in done.stdout


def test_an_honest_client_delivers_beside_each_kind_of_abuser():
    done = soak("0", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" mails at once (") == 8
