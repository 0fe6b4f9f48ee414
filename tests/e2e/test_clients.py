"""Programs that others wrote deliver to us: swaks and Debian's Exim. (Python's smtplib does in every other test.)"""

import pwd
import os
import shutil
import subprocess

import pytest

import reports
from conftest import RECIPIENT, wait_until

SENDER = "noreply@reporter.example"


def swaks(ingest, folder, mail, *recipients, unix=False):
    data = folder / "mail"
    data.write_bytes(mail.replace(b"\r\n", b"\n"))
    where = ["--socket", ingest.path] if unix else ["--server", "127.0.0.1", "--port", str(ingest.port)]
    command = ["swaks", "--protocol", "LMTP", *where, "--from", SENDER, "--to", ",".join(recipients)]
    return subprocess.run([*command, "--data", f"@{data}"], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(not shutil.which("swaks"), reason="swaks is not installed")
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_swaks_delivers(ingest, database, folder, unix):
    result = swaks(ingest, folder, reports.report_mail(1), RECIPIENT, "dmarc-sum@example.org", unix=unix)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("250 2.0.0 stored") == 2
    assert database.reports() == ["report-1"]


class Exim:
    """Debian's Exim with a configuration of its own; mail is handed in as by a local user and delivered at once."""

    CONFIGURATION = """\
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
primary_hostname = mx.example
qualify_domain = example.com
message_size_limit = 50M
keep_environment =
disable_ipv6
begin routers
report_mailboxes:
  driver = accept
  domains = example.com
  local_parts = dmarc-sum : dmarc-full : tls-rpt
  transport = ruad_{transport}
begin transports
ruad_unix:
  driver = lmtp
  socket = {socket}
  batch_max = 50
  timeout = 5m
  user = Debian-exim
  return_path_add
  envelope_to_add
  delivery_date_add
ruad_tcp:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  port = {port}
  allow_localhost
  hosts_try_dane =
  hosts_avoid_tls = *
  message_linelength_limit = 10M
begin retry
* * F,2h,1s
"""

    def __init__(self, folder, ingest, transport):
        self.folder = folder
        self.configuration = folder / "exim.conf"
        self.configuration.write_text(
            self.CONFIGURATION.format(folder=folder, socket=ingest.path, port=ingest.port, transport=transport)
        )
        account = pwd.getpwnam("Debian-exim")
        (folder / "spool").mkdir()
        os.chown(folder / "spool", account.pw_uid, account.pw_gid)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(self, *arguments, mail=None):
        command = ["/usr/sbin/exim4", "-C", self.configuration, *arguments]
        result = subprocess.run(command, input=mail, capture_output=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout.decode()

    def send(self, mail, *recipients):
        self.run("-odf", "-oi", "-f", SENDER, *recipients, mail=mail.replace(b"\r\n", b"\n"))

    def queued(self):
        return int(self.run("-bpc"))

    def log(self):
        return (self.folder / "mainlog").read_text()


@pytest.fixture(name="exim", params=["unix", "tcp"])
def fixture_exim(request, folder, ingest):
    if os.geteuid() != 0 or not os.path.exists("/usr/sbin/exim4"):
        pytest.skip("needs root and exim4-daemon-light")
    home = folder / "exim"
    home.mkdir()
    return Exim(home, ingest, request.param)


def test_exim_delivers_to_the_database(exim, database):
    exim.send(reports.report_mail(1), RECIPIENT)
    assert exim.queued() == 0, exim.log()
    assert database.reports() == ["report-1"], exim.log()
    assert database.value("SELECT envelope_from FROM dmarc.intake") == SENDER


def test_exim_delivers_to_two_recipients(exim, database):
    exim.send(reports.report_mail(1), RECIPIENT, "dmarc-full@example.com")
    assert exim.queued() == 0, exim.log()
    assert database.reports() == ["report-1"]
    assert sorted(database.value("SELECT recipients FROM dmarc.intake")) == ["dmarc-full@example.com", RECIPIENT]


def test_exim_keeps_what_we_cannot_take_and_delivers_it_later(exim, ingest, database):
    database.query("ALTER SCHEMA ruad RENAME TO away")
    exim.send(reports.report_mail(1), RECIPIENT)
    assert exim.queued() == 1, exim.log()
    assert "451 4.3.0" in exim.log()
    database.query("ALTER SCHEMA away RENAME TO ruad")

    def delivered():
        exim.run("-qff")
        return exim.queued() == 0

    wait_until(delivered, "Exim's queue is empty")
    assert database.reports() == ["report-1"]
    assert ingest.process.poll() is None


def test_a_line_of_a_megabyte_passes_exim(exim, database):
    """Assertion 68: a report on one line, neither packed nor encoded."""
    xml = reports.aggregate(records=[reports.record(f"2001:db8::{n:x}") for n in range(1, 2501)])
    assert max(map(len, xml.splitlines())) > 1 << 20
    head = b"From: a@b.example\r\nTo: %s\r\nContent-Type: text/xml\r\n\r\n" % RECIPIENT.encode()
    exim.send(head + xml.replace(b"\n", b"\r\n"), RECIPIENT)
    assert database.query("SELECT records FROM dmarc.reports") == [(2500,)], exim.log()
