"""/metrics as Prometheus reads it, and the alerts of server/dist/prometheus/."""

import contextlib
import functools
import pathlib
import re
import shutil
import subprocess
import urllib.request

import pytest
from conftest import BUILD, ROOT
from reports import aggregate, gzipped, mail, record

RULES = ROOT / "server/dist/prometheus/ruad.rules.yml"


@functools.cache
def unpacked():
    """The folder of Debian's Prometheus, of which only promtool is used."""
    (package,) = (BUILD / "tests" / "packages").glob("prometheus_*.deb")
    folder = BUILD / "tests" / "prometheus"
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


@pytest.fixture(name="promtool", scope="session")
def fixture_promtool():
    """promtool(words, input): what it prints; the test fails if it finds fault."""
    program = unpacked() / "usr/bin/promtool"

    def run(*words, **more):
        done = subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def metrics(running):
    with urllib.request.urlopen(f"http://127.0.0.1:{running.http_port}/metrics", timeout=20) as answer:
        return answer.read()


def samples(running):
    """{sample: number}."""
    lines = metrics(running).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", records=[record(count=number)])))


def test_what_ruad_ingest_does_is_counted(running):
    before = samples(running)
    assert before["ruad_mails_written_total"] == 0
    assert running.deliver(report(1))[0] == running.deliver(report(2))[0] == 250
    after = samples(running)
    assert after["ruad_mails_written_total"] == after['ruad_lmtp_replies_total{code="354"}'] == 2
    assert after["ruad_lmtp_sessions_total"] == after['ruad_lmtp_replies_total{code="220"}'] >= 2  # ruad health connects, too
    assert after['ruad_lmtp_replies_total{code="250"}'] == 6  # MAIL, RCPT and the content
    assert after["ruad_write_duration_seconds_count"] == after['ruad_write_duration_seconds_bucket{le="+Inf"}'] == 2
    assert 0 < after["ruad_write_duration_seconds_sum"] < 60
    assert after["ruad_mails_waiting"] == after["ruad_mails_not_stored_seconds"] == after["ruad_writes_failed_total"] == 0
    assert after["ruad_mails"] == after['ruad_items{kind="aggregate",status="stored"}'] == 2


def test_mail_that_cannot_be_stored_is_counted(running):
    assert running.deliver(report(1))[0] == 250
    with contextlib.closing(running.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("REVOKE EXECUTE ON FUNCTION ruad.ingest FROM ruad_ingest")
    assert running.deliver(report(2))[0] == 451
    after = samples(running)
    assert after['ruad_lmtp_replies_total{code="451"}'] == 1
    assert after["ruad_writes_failed_total"] >= 1
    assert after["ruad_mails_written_total"] == 1


def test_promtool_finds_no_fault_in_the_metrics(running, promtool):
    assert running.deliver(report(1))[0] == 250
    assert promtool("check", "metrics", input=metrics(running)) == b""


def test_every_alert_fires_when_it_must_and_only_then(promtool, folder):
    for path in (RULES, pathlib.Path(__file__).with_name("ruad.rules.test.yml")):
        shutil.copy(path, folder)
    assert b"SUCCESS" in promtool("check", "rules", folder / RULES.name)
    assert b"SUCCESS" in promtool("test", "rules", folder / "ruad.rules.test.yml")


def test_alerts_name_metrics_that_are_there(running):
    running.deliver(report(1))
    there = metrics(running).decode()
    named = set(re.findall(r"\bruad_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", RULES.read_text()))))
    assert named
    assert [name for name in named if f"\n{name}" not in there] == []
