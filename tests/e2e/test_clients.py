"""swaks delivers to us. (Python's smtplib does in every other test; Exim and Postfix do in test_mta.py.)"""

import shutil
import subprocess

import pytest

import reports
from conftest import RECIPIENT

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
    assert result.stdout.count("250 2.0.0 stored as mail 1\n") == 2
    assert database.reports() == ["report-1"]
