"""The image, from its build to its end: what compose.yaml says of ruad is what it is run with."""

import contextlib
import os
import pathlib
import shlex
import shutil
import smtplib
import subprocess
import sys
import urllib.request

import pytest
import yaml

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "bench"), str(TESTS / "package")]
from machine import wait_until  # noqa: E402
from server import Postgres, can_enter, free_port  # noqa: E402

ROOT = TESTS.parent
COMPOSE_FILE = ROOT / "docker" / "compose.yaml"
SERVICE = yaml.safe_load(COMPOSE_FILE.read_text())["services"]["ruad"]
SAMPLES = sorted((TESTS / "samples").glob("*.eml"))
MEGABYTES = 160  # of the image, at most


def words_of(name):
    return shlex.split(os.environ.get(name, ""))


def works(*words):
    return shutil.which(words[0]) is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture(name="engine", scope="module")
def fixture_engine():
    """The words of docker or podman, whichever works."""
    wanted = words_of("RUAD_ENGINE")
    for words in [wanted] if wanted else [["docker"], ["podman"]]:
        if works(*words, "info"):
            return words
    pytest.skip("neither docker nor podman works here")


@pytest.fixture(name="image", scope="module")
def fixture_image(engine):
    if "RUAD_IMAGE" in os.environ:
        return os.environ["RUAD_IMAGE"]
    options = ["-f", "docker/Dockerfile", "-t", "ruad-test", *words_of("RUAD_IMAGE_BUILD")]
    subprocess.run([*engine, "build", *options, "."], cwd=ROOT, check=True)
    return "ruad-test"


def said(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return answer.read().decode()


def is_ready(port):
    with contextlib.suppress(OSError):
        return get(port, "readyz")
    return None


def wait_until_ready(port):
    wait_until(lambda: is_ready(port), "it is ready", 120)


def deliver(port, sample):
    with smtplib.LMTP("127.0.0.1", port) as session:
        session.ehlo("test")
        session.mail("reports@reporter.example")
        session.rcpt("dmarc-sum@example.com")
        return session.data(sample.read_bytes())[0]


def first_page(lmtp, http):
    """From the samples to the page, the list and the records."""
    assert [deliver(lmtp, sample) for sample in SAMPLES] == [250] * len(SAMPLES)
    assert "<title>" in get(http, "")
    reports = get(http, "api/v1/reports?format=csv&from=2000-01-01&others=include").splitlines()
    assert len(reports) > 5 and reports[0].startswith("id,")


def test_it_is_small(engine, image):
    size = int(said(*engine, "image", "inspect", "--format", "{{.Size}}", image))
    print(f"{size / 1e6:.0f} MB")
    assert size <= MEGABYTES * 1e6


@pytest.fixture(name="postgres", scope="module")
def fixture_postgres(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    for above in [folder, *folder.parents[:2]]:
        above.chmod(0o755)
    can_enter(folder)
    with Postgres(folder) as postgres:
        postgres.create("ruad")
        yield postgres


class Container:
    """The image, run with the rights that compose.yaml gives it, on ports of its own."""

    def __init__(self, engine, image, postgres):
        self.engine, self.name = engine, f"ruad-test-{os.getpid()}"
        self.lmtp, self.http = free_port(), free_port()
        rights = ["--read-only"] if SERVICE["read_only"] else []
        rights += [f"--tmpfs={path}" for path in SERVICE["tmpfs"]] + [f"--cap-drop={name}" for name in SERVICE["cap_drop"]]
        rights += [f"--security-opt={option.removesuffix(':true')}" for option in SERVICE["security_opt"]]
        settings = {"RUAD_DATABASE_URL": "host=/database user=postgres dbname=ruad", "RUAD_LMTP_LISTEN": f"127.0.0.1:{self.lmtp}",
                    "RUAD_HTTP_LISTEN": f"127.0.0.1:{self.http}"}
        self.run("run", "--detach", "--name", self.name, "--network=host", *rights, f"--volume={postgres.socket}:/database",
                 *(f"--env={name}={value}" for name, value in settings.items()), *words_of("RUAD_IMAGE_RUN"), image)

    def run(self, *words):
        return said(*self.engine, *words)

    def within(self, script):
        return self.run("exec", self.name, "sh", "-c", script)


@pytest.fixture(name="container", scope="module")
def fixture_container(engine, image, postgres):
    container = Container(engine, image, postgres)
    try:
        wait_until_ready(container.http)
        yield container
    finally:
        print(container.run("logs", container.name))
        container.run("rm", "--force", "--volumes", container.name)


def test_it_takes_mail_and_shows_the_page(container):
    first_page(container.lmtp, container.http)
    container.within("ruad health")


def test_it_has_no_rights(container):
    status = dict(line.split(":\t", 1) for line in container.within("cat /proc/1/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["10001"] * 4
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    for path in ("/x", "/usr/x", "/etc/x"):
        assert container.within(f"touch {path} 2>/dev/null || echo refused") == "refused"
    assert container.within("touch /tmp/x /var/lib/ruad/x && echo written") == "written"


def test_it_ends_when_it_is_told_to(container):
    container.run("stop", container.name)
    assert container.run("inspect", "--format", "{{.State.ExitCode}}", container.name) == "0"


@pytest.fixture(name="compose", scope="module")
def fixture_compose(engine):
    """The words of a compose that works with the engine."""
    wanted = words_of("RUAD_COMPOSE")
    for words in [wanted] if wanted else [[*engine, "compose"], [f"{engine[0]}-compose"]]:
        if works(*words, "version"):
            return words
    pytest.skip("there is no compose here")


@pytest.fixture(name="project", scope="module")
def fixture_project(compose, image, tmp_path_factory):
    """A copy of compose.yaml with secrets as its head says, with the image, ports and names of its own."""
    folder = tmp_path_factory.mktemp("compose")
    lmtp, http = free_port(), free_port()
    text = COMPOSE_FILE.read_text()
    for old, new in {"127.0.0.1:2424:": f"127.0.0.1:{lmtp}:", "127.0.0.1:8080:": f"127.0.0.1:{http}:", "context: ..": f"context: {ROOT}",
                     "image: ruad\n": f"image: {image}\n", "name: ruad\n": f"name: ruad-test-{os.getpid()}\n"}.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "compose.yaml").write_text(text)
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o711)
    (secrets / "postgres_password").write_text("secret")
    (secrets / "database_url").write_text("postgresql://ruad:secret@db/ruad")
    if os.getuid() == 0:
        os.chown(secrets / "database_url", 10001, -1)
    return [*compose, "-f", str(folder / "compose.yaml")], lmtp, http


def test_compose_starts(project):
    words, lmtp, http = project
    try:
        subprocess.run([*words, "up", "--detach"], check=True)
        wait_until_ready(http)
        first_page(lmtp, http)
    finally:
        print(subprocess.run([*words, "logs"], capture_output=True, text=True, check=False).stdout[-5000:])
        subprocess.run([*words, "down", "--volumes"], check=True)
