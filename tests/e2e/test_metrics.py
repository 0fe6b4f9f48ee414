"""/metrics as Prometheus reads it, and the alerts of server/dist/prometheus/."""

import contextlib
import functools
import pathlib
import re
import shutil
import smtplib
import subprocess
import time
import urllib.request

import pytest
from conftest import BUILD, ROOT, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import USER

RULES = ROOT / "server/dist/prometheus/ruad.rules.yml"


@functools.cache
def unpacked():
    """The folder of Debian's promtool: a package, or a part of prometheus."""
    folder = BUILD / "tests" / "prometheus"
    for package in (BUILD / "tests" / "packages").glob("prom*_*.deb"):
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
    stored = 'ruad_items{kind="aggregate",status="stored"}'
    wait_until(lambda: samples(running).get(stored) == samples(running)["ruad_mails"] == 2, "the database is counted again")


def test_mail_that_cannot_be_stored_is_counted(running):
    assert running.deliver(report(1))[0] == 250
    with contextlib.closing(running.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("REVOKE EXECUTE ON FUNCTION ruad.ingest FROM ruad_ingest")
    assert running.deliver(report(2))[0] == 451
    after = samples(running)
    assert after['ruad_lmtp_replies_total{code="451"}'] == 1
    assert after["ruad_writes_failed_total"] >= 1
    assert after["ruad_mails_written_total"] == 1


def test_what_became_of_reports_is_counted(running):
    for sent in (report(1), report(1), mail(("report.xml", "text/xml", b"<feedback>"))):
        assert running.deliver(sent)[0] == 250
    after = samples(running)
    found = {name: after[f'ruad_ingested_total{{outcome="{name}"}}'] for name in ("stored", "duplicate", "conflict", "unreadable")}
    assert found == {"stored": 1, "duplicate": 1, "conflict": 0, "unreadable": 1}


def test_the_time_of_the_last_backup_is_known(running):
    assert "ruad_last_backup_timestamp_seconds" not in samples(running)
    before = int(time.time())
    assert running.command("database", "dump", str(running.folder / "ruad.dump"))[0] == 0
    name = "ruad_last_backup_timestamp_seconds"
    assert before <= wait_until(lambda: samples(running).get(name), "the database is counted again") <= time.time()


@pytest.fixture(name="busy")
def fixture_busy(supervised):
    """A ruad with a Maildir, an account at a server that is away, and a destination of notices that is away."""
    maildir = supervised.folder / "Maildir"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    (maildir / "new" / "1").write_bytes(report(1))
    for path in (maildir, *maildir.rglob("*")):
        shutil.chown(path, USER)
    supervised.settings.update(maildir_path=maildir, imap_url="imap://127.0.0.1:1", imap_user="x", imap_password="x", imap_tls="none")
    supervised.settings.update(notify_webhook="http://127.0.0.1:1/")
    return supervised.started()


def test_fetching_and_notices_are_counted(busy):
    wait_until(lambda: 'ruad_fetch_mails_total{source="maildir"} 1\n' in metrics(busy).decode(), "the mail is counted", 60)
    now = time.time()
    wait_until(lambda: samples(busy)['ruad_fetch_failures_total{source="imap"}'] >= 1, "the failure is counted", 60)
    found = samples(busy)
    assert found["ruad_mails_written_total"] == 1
    assert found['ruad_fetch_failures_total{source="maildir"}'] == found['ruad_fetch_mails_refused_total{source="maildir"}'] == 0
    assert abs(found['ruad_fetch_last_success_timestamp_seconds{source="maildir"}'] - now) < 120
    assert 'ruad_fetch_last_success_timestamp_seconds{source="imap"}' not in found
    wait_until(lambda: "ruad_notify_last_success_timestamp_seconds" in samples(busy), "a round of ruad-notify", 90)
    assert samples(busy)["ruad_notify_failures_total"] == samples(busy)["ruad_notify_messages_total"] == 0


@pytest.fixture(name="full")
def fixture_full(busy):
    """One that has every metric."""
    assert busy.deliver(report(7))[0] == 250
    assert busy.deliver(mail(("report.xml", "text/xml", b"<feedback>")))[0] == 250
    with contextlib.closing(smtplib.LMTP("127.0.0.1", busy.lmtp_port)) as client:
        client.ehlo()
        client.mail("a@reporter.example")
        assert client.rcpt("nobody@example.com")[0] == 550
    assert busy.command("database", "dump", str(busy.folder / "ruad.dump"))[0] == 0
    with contextlib.closing(busy.connect("postgres")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result) SELECT domain_id, now(), now(), '{\"ok\": false}' FROM dmarc.domains")
    wanted = ["ruad_last_backup_", "ruad_oldest_domain_check_", "ruad_notify_last_success_", 'ruad_fetch_mails_total{source="maildir"} 1', 'kind="unreadable"']
    wait_until(lambda: all(word in metrics(busy).decode() for word in wanted), "everything was counted", 120)
    return busy


def test_promtool_finds_no_fault_in_the_metrics(full, promtool):
    assert promtool("check", "metrics", input=metrics(full)) == b""


def test_every_alert_fires_when_it_must_and_only_then(promtool, folder):
    for path in (RULES, pathlib.Path(__file__).with_name("ruad.rules.test.yml")):
        shutil.copy(path, folder)
    assert b"SUCCESS" in promtool("check", "rules", folder / RULES.name)
    assert b"SUCCESS" in promtool("test", "rules", folder / "ruad.rules.test.yml")


def test_alerts_name_metrics_that_are_there(full):
    there = metrics(full).decode()
    named = set(re.findall(r"\bruad_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", RULES.read_text()))))
    assert named
    assert [name for name in named if f"\n{name}" not in there] == []
