"""Clients that generators make of the contract: they read what the API answers.

openapi-python-client comes from PyPI, where that can be had. RUAD_OPENAPI_GENERATOR is the JAR of openapi-generator-cli; its
client for TypeScript also has to please the compiler.
"""

import json
import os
import re
import shutil
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


TYPESCRIPT = """
import { Configuration, DefaultApi } from './client';
const api = new DefaultApi(new Configuration({ basePath: process.argv[2]! }));
const answers = [await api.getAdvice({}), await api.getReports({}), await api.getSources({}), await api.getTlsTimeseries({})];
if (answers.some((answer) => !answer)) throw new Error('no answer');
console.log((await api.getSummary({})).totals.messages);
"""
COMPILE = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom", "--module", "esnext",
           "--moduleResolution", "bundler", "client/index.ts"]


def test_a_client_of_openapi_generator_reads_the_answers(supervised, folder):
    jar, modules = os.environ.get("RUAD_OPENAPI_GENERATOR"), ROOT / "web" / "node_modules" / ".bin"
    if not jar or not shutil.which("java") or not (modules / "tsc").exists():
        pytest.skip("RUAD_OPENAPI_GENERATOR is not set, or Java or web/node_modules is missing")
    (folder / "openapi.json").write_text(json.dumps(contract.document()))
    (folder / "ask.ts").write_text(TYPESCRIPT)

    def run(*words):
        done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("java", "-jar", jar, "generate", "-g", "typescript-fetch", "-i", "openapi.json", "-o", "client")
    run(modules / "tsc", *COMPILE)
    run(modules / "esbuild", "ask.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=ask.mjs", "--log-level=error")
    supervised.started()
    assert supervised.command("import", "--quiet", str(ROOT / "tests" / "samples"))[0] == 0
    url = f"http://127.0.0.1:{supervised.http_port}"
    said = run("node", "ask.mjs", url)
    with urllib.request.urlopen(f"{url}/api/v1/summary", timeout=20) as answer:
        assert int(said) == json.load(answer)["totals"]["messages"]
