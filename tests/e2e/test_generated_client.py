"""A client that openapi-python-client makes of the contract, where PyPI can be had: it reads what the API answers."""

import json
import re
import subprocess
import sys
import urllib.request

import contract
import pytest
from conftest import ROOT

PROGRAM = """
import sys
from ruad_client import Client
from ruad_client.api.default import get_advice, get_reports, get_sources, get_summary, get_tls_timeseries
client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
for operation in get_advice, get_reports, get_sources, get_summary, get_tls_timeseries:
    assert operation.sync(client=client) is not None, operation
print(get_summary.sync(client=client).totals.messages)
"""


def test_a_generated_client_reads_the_answers(supervised, folder):
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, capture_output=True)
    python = folder / "venv" / "bin" / "python"
    got = subprocess.run([python, "-m", "pip", "install", "-q", "openapi-python-client"], check=False, capture_output=True)
    if got.returncode != 0:
        pytest.skip("openapi-python-client cannot be had")
    (folder / "openapi.json").write_text(json.dumps(contract.document()))
    made = subprocess.run(
        [python.parent / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "ruad_client"],
        cwd=folder, check=False, capture_output=True, text=True)
    words = made.stdout + made.stderr
    assert made.returncode == 0, words
    assert re.findall(r"(?:WARNING|ERROR) parsing (\S+ \S+)", words) == ["GET /api/v1/reports/{id}/xml"]  # it has no XML
    supervised.started()
    assert supervised.command("import", "--quiet", str(ROOT / "tests" / "samples"))[0] == 0
    url = f"http://127.0.0.1:{supervised.http_port}"
    said = subprocess.run([python, "-c", PROGRAM, url], cwd=folder, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    with urllib.request.urlopen(f"{url}/api/v1/summary", timeout=20) as answer:
        assert int(said.stdout) == json.load(answer)["totals"]["messages"]
