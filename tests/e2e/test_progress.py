"""What long commands show of their progress: a bar on a terminal, plain lines elsewhere, nothing with --quiet."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest
from conftest import ROOT
from supervised import Supervised, clean_environment

SAMPLES = ROOT / "tests" / "samples"
TAKE_AWAY = "\r\x1b[K"


def on_terminal(command, columns=100, **environment):
    """Run a command whose standard error is a terminal: (exit code, output, what the terminal got)."""
    try:
        leader, follower = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal available (is /dev/pts mounted?): {error}")
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        command,
        env=clean_environment(**{"TERM": "xterm", **environment}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
    ) as process:
        os.close(follower)
        shown = b""
        while chunk := read(leader):
            shown += chunk
        os.close(leader)
        output = process.stdout.read()
        return process.wait(120), output, shown.decode().replace("\r\n", "\n")


def read(terminal):
    """What a terminal got; b"" once the last program has closed it."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def drawings(shown):
    """The lines that were drawn one over the other; the last one has been removed."""
    assert shown.endswith(TAKE_AWAY), shown
    return [line for line in shown.split(TAKE_AWAY) if line]


@pytest.fixture(name="ruad")
def fixture_ruad(folder, database):
    return Supervised(folder, database_url=database.conninfo())


def words(ruad, *command):
    return [ruad.ruad, *command, *ruad.options()]


def test_import_draws_a_bar_and_removes_it(ruad):
    code, output, shown = on_terminal(words(ruad, "import", SAMPLES))
    assert code == 0
    assert output.startswith("imported ")
    for line in drawings(shown):
        assert re.fullmatch(r"\[\x1b\[32m#*-*\x1b\[0m\] +\d+%  (.* left  )?\d+ mails: \d+ reports stored, \d+ duplicates, \d+ quarantined", line)
        assert len(re.sub(r"\x1b\[\d+m", "", line)) < 100


def test_a_bar_has_no_colour_with_no_color_and_does_not_wrap(ruad):
    for columns in (60, 30):
        _, _, shown = on_terminal(words(ruad, "import", SAMPLES), columns, NO_COLOR="1")
        for line in drawings(shown):
            assert len(line) < columns
            assert "\x1b" not in line
            assert line.startswith("[") == (columns == 60)


@pytest.mark.parametrize("how", ["quiet", "dumb"])
def test_no_bar_where_it_is_not_wanted(ruad, how):
    quiet = ["--quiet"] if how == "quiet" else []
    code, _, shown = on_terminal(words(ruad, "import", *quiet, SAMPLES), **({"TERM": "dumb"} if how == "dumb" else {}))
    assert (code, shown) == (0, "")


def test_elsewhere_a_long_import_prints_a_line_every_half_minute(ruad):
    mail = sorted(SAMPLES.glob("*.eml"))[0].read_bytes()
    with subprocess.Popen(
        words(ruad, "import", "-"), env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(mail)
        process.stdin.flush()
        line = process.stderr.readline().decode()
        process.stdin.close()
        assert re.fullmatch(r"3\d s  \d+ mails: \d+ reports stored, \d+ duplicates, \d+ quarantined\n", line)
        assert process.stderr.read() == b""
        assert process.stdout.read().startswith(b"imported 1 file: ")
        assert process.wait(60) == 0


def test_reprocess_shows_how_much_it_has_read(ruad, folder):
    for number in range(20):
        (folder / f"{number}.xml").write_text(f"<feedback><!-- {number} -->")
    assert ruad.command("import", "--quiet", *map(str, sorted(folder.glob("*.xml"))))[0] == 0
    for dry_run in ([], ["--dry-run"]):
        code, output, shown = on_terminal(words(ruad, "reprocess", *dry_run), NO_COLOR="1")
        assert code == 0
        assert "20 mails" in output
        for line in drawings(shown):
            assert re.fullmatch(r"\[#*-*\] +\d+%  (.* left  )?\d+ mails: .*", line), line


def test_prune_names_its_steps(ruad):
    code, output, shown = on_terminal(words(ruad, "prune"))
    assert (code, output) == (0, "nothing is old enough to be removed\n")
    for line in drawings(shown):
        assert re.fullmatch(r"\d s  step [1-6] of 6: old (reports|failure reports|TLS reports|unread mails|entries of .*)", line), line


# Steps are quick, and one that is over within a tenth of a second draws nothing.
SLOW = """
CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); END';
CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION slow();
"""


def test_migrate_names_its_steps(folder, shared_postgres, database):
    database.query("CREATE DATABASE progress", database="postgres")
    database.query(SLOW, database="progress")
    ruad = Supervised(folder, database_url=shared_postgres.conninfo("progress"))
    try:
        code, output, shown = on_terminal(words(ruad, "migrate"), NO_COLOR="1")
        assert code == 0
        steps = output.count("running ")
        assert steps > 10
        found = drawings(shown)
        assert found
        for line in found:
            assert re.fullmatch(rf"\d+ s  step \d+ of {steps}: [\w ]+", line), line
    finally:
        database.query("DROP DATABASE progress WITH (FORCE)", database="postgres")


def test_dump_and_restore_show_how_far_they_are(supervised):
    supervised.started()
    assert supervised.command("import", "--quiet", str(SAMPLES))[0] == 0
    file = supervised.folder / "ruad.dump"
    code, output, shown = on_terminal(words(supervised, "database", "dump", file), NO_COLOR="1")
    assert (code, output) == (0, "")
    for line in drawings(shown):
        assert re.fullmatch(r"(\d+ s  writing the backup|\[#*-*\] +\d+%  (.* left  )?writing table \w+)", line), line
    assert supervised.stop(signal.SIGTERM) == 0
    code, output, shown = on_terminal(words(supervised, "database", "restore", "--replace", file), NO_COLOR="1")
    assert code == 0
    assert "restored: " in output
    for line in re.findall(r"\r\x1b\[K([^\r\n]+)", shown):
        assert re.fullmatch(r"\d+ s  (reading the backup|making the indexes)|\[#*-*\] +\d+%  (.* left  )?reading the backup", line), line
    assert "reading the backup" in shown or "making the indexes" in shown
