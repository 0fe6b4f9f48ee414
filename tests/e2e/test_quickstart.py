"""server/quickstart with an existing build; installing and building is tested in a bare chroot."""

import email
import io
import pathlib
import re
import signal
import socket
import subprocess
import zipfile
import zlib

import pytest
from conftest import ROOT, wait_until
from supervised import USER, clean_environment, free_port, is_alive, processes_of, reachable_programs

SAMPLES = sorted((ROOT / "tests" / "samples").glob("*.eml"))
# their content: kind, status, number
BECAME = [("aggregate", "stored", 7), ("failure", "stored", 1), ("tls", "stored", 1), ("unreadable", "quarantined", 1)]


class Quickstart:
    def __init__(self, folder):
        self.folder = folder
        self.state = folder / "state"
        self.lmtp_port = free_port()
        self.http_port = free_port()
        self.environment = clean_environment(
            RUAD_BUILD=str(reachable_programs(folder).parents[1]),
            RUAD_NO_INSTALL="1",
            RUAD_STATE_DIR=str(self.state),
            RUAD_SERVER_USER=USER,
            RUAD_LMTP_LISTEN=f"127.0.0.1:{self.lmtp_port}",
            RUAD_HTTP_LISTEN=f"127.0.0.1:{self.http_port}",
        )

    def start(self, *arguments):
        # As from a terminal: if the tests run in the background of a script, SIGINT is ignored, also in bash.
        return subprocess.Popen(
            ["env", "--default-signal=INT", ROOT / "server" / "quickstart", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments):
        """(exit code, complete output)."""
        with self.start(*arguments) as process:
            said = process.communicate(timeout=180)[0]
        return process.returncode, said

    def running(self):
        return [pid for pid in processes_of(self.state) if is_alive(pid)]


@pytest.fixture(name="quickstart")
def fixture_quickstart(folder):
    folder.chmod(0o755)
    return Quickstart(folder)


def test_once_shows_the_samples_and_a_second_run_knows_them(quickstart):
    code, said = quickstart.run("--once")
    assert code == 0, said
    assert len(SAMPLES) >= 8
    for sample in SAMPLES:
        assert re.search(rf"^{re.escape(sample.name)} +250 2\.0\.0 ", said, re.MULTILINE), said
    for kind, status, things in BECAME:
        assert re.search(rf"^ {kind} +\| {status} +\| +{things} \|", said, re.MULTILINE), said
    assert "duplicate" not in said.partition("Result of the mails")[2]
    assert re.search(r"^ example\.com \| 203\.0\.113\.66 +\| +325 \| +0 \| +325$", said, re.MULTILINE)
    assert re.search(r"^ example\.com \| 203\.0\.113\.66 \| dmarc +\| reject +\| \*\*\*@spam\.example\.net ", said, re.MULTILINE)
    assert re.search(r"^ example\.com +\| Alpine Mail +\| sts +\| +1204 \| +9$", said, re.MULTILINE)
    assert f"http://127.0.0.1:{quickstart.http_port}/" in said
    assert f'psql "host={quickstart.state}/run user=ruad_auditor dbname=ruad"' in said
    assert not quickstart.running()

    code, said = quickstart.run("--once")
    assert code == 0, said
    for kind, status, things in BECAME:
        assert re.search(rf"^ {kind} +\| {status} +\| +{things} \|", said, re.MULTILINE), said
        assert re.search(rf"^ {kind} +\| duplicate +\| +{things} \|", said, re.MULTILINE), said
    assert re.search(r"^ example\.com \| 203\.0\.113\.66 +\| +325 \| +0 \| +325$", said, re.MULTILINE)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_told_to_stop(quickstart, how):
    with quickstart.start() as process:
        for line in process.stdout:
            if line.startswith("== Running."):
                break
        else:
            pytest.fail("it ended")
        assert quickstart.running()
        process.send_signal(how)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    assert process.returncode == 0
    wait_until(lambda: not quickstart.running(), "all have ended")


@pytest.mark.parametrize("port", ["lmtp_port", "http_port"])
def test_a_taken_port_is_said_with_what_to_do(quickstart, port):
    number = getattr(quickstart, port)
    with socket.create_server(("127.0.0.1", number)):
        code, said = quickstart.run("--once")
    assert code == 1
    assert f'address "127.0.0.1:{number}": cannot listen: Address already in use' in said
    assert "RUAD_LMTP_LISTEN=127.0.0.1:12424 RUAD_HTTP_LISTEN=127.0.0.1:18080" in said
    assert not quickstart.running()


def test_a_misspelt_argument_is_refused(quickstart):
    code, said = quickstart.run("--onec")
    assert code == 2
    assert '"--onec": did you mean --once?' in said


def unpacked(data):
    """What a packed file has in it: another zlib packs it into other bytes."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [(member.filename, archive.read(member)) for member in archive.infolist()]
    if data.startswith(b"\x1f\x8b"):
        gzip = zlib.decompressobj(31)
        text = gzip.decompress(data)
        return text if gzip.eof else text[:100]  # one sample is cut off
    return data


def content(path):
    """Header fields of a mail and of its parts, and what these have in them."""
    parts = email.message_from_bytes(path.read_bytes()).walk()
    return [(part.items(), part.is_multipart() or unpacked(part.get_payload(decode=True))) for part in parts]


def test_the_samples_are_what_their_script_makes(folder):
    script = folder / "make.py"
    script.write_bytes((ROOT / "tests" / "samples" / "make.py").read_bytes())
    subprocess.run(["/usr/bin/python3", script], check=True)
    made = {path.name: content(path) for path in pathlib.Path(folder).glob("*.eml")}
    assert made == {path.name: content(path) for path in SAMPLES}
