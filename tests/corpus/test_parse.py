"""ruad parse as a command, on reports made here: its exit codes, its operands, and that memory does not grow."""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUAD = Path(os.environ.get("RUAD_BUILD") or ROOT / "build").resolve() / "bin" / "ruad"

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<feedback><report_metadata><org_name>Example</org_name><email>d@example.com</email><report_id>{id}</report_id>
<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><pct>100</pct></policy_published>
"""
RECORD = """<record><row><source_ip>10.{a}.{b}.{c}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><envelope_from>bounce.example.org</envelope_from><header_from>example.org</header_from></identifiers>
<auth_results><dkim><domain>example.org</domain><selector>s{c}</selector><result>pass</result></dkim>
<spf><domain>bounce.example.org</domain><scope>mfrom</scope><result>fail</result></spf></auth_results></record>
"""


def report(records, number=1):
    yield HEAD.format(id=number)
    for i in range(records):
        yield RECORD.format(a=i >> 16 & 255, b=i >> 8 & 255, c=i & 255, count=i % 9 + 1)
    yield "</feedback>\n"


def write_report(path, records):
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.writelines(report(records))


def ruad_parse(*files, stdin=b""):
    result = subprocess.run([RUAD, "parse", *files], input=stdin, capture_output=True, timeout=60, check=False)
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()], result.stderr.decode()


def test_readable_files_exit_0_in_order(tmp_path):
    files = []
    for number in range(40):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_text("".join(report(1 + number % 3 * 700, number)))
    code, lines, words = ruad_parse(*files)
    assert (code, words) == (0, "")
    assert [line["report_metadata"]["report_id"] for line in lines] == [str(number) for number in range(40)]
    assert [line["records"] for line in lines] == [1 + number % 3 * 700 for number in range(40)]


def test_a_dash_is_standard_input():
    code, lines, _ = ruad_parse("-", stdin="".join(report(2)).encode())
    assert code == 0
    assert (lines[0]["kind"], lines[0]["file"], len(lines[0]["record"])) == ("aggregate", "-", 2)


def test_an_unreadable_file_exits_1_and_the_others_are_printed(tmp_path):
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text("".join(report(1)))
    bad.write_text("hello")
    code, lines, _ = ruad_parse(bad, good)
    assert code == 1
    assert [line["kind"] for line in lines] == ["unreadable", "aggregate"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    good = tmp_path / "good.xml"
    good.write_text("".join(report(1)))
    code, lines, words = ruad_parse(tmp_path / "none.xml", good)
    assert code == 1
    assert "none.xml" in words and "No such file" in words
    assert [line["kind"] for line in lines] == ["aggregate"]


FAILURE = b"""Authentication-Results: mx.example.com; dmarc=pass header.from=reporter.example
From: dmarc@reporter.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=x

--x
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: Test/1.0
Version: 1
Auth-Failure: dmarc

--x
Content-Type: message/rfc822

From: billing@example.com
Subject: hello

the body
--x--
"""


def test_bodies_of_failure_reports_are_printed_only_where_that_is_set():
    for words, body in ((), None), (("-o", "retention.failure_bodies=on"), "the body"):
        code, (line,), errors = ruad_parse(*words, "-", stdin=FAILURE)
        assert (code, errors, line["kind"], line["original_body"]) == (0, "", "failure", body)


def test_what_our_own_mta_said_is_printed_once_it_is_named():
    for name, verdict in ("mx.example.com", "pass"), ("mx.other.example", None), ("", None):
        code, (line,), _ = ruad_parse("-o", f"lmtp.authserv_id={name}", "-", stdin=FAILURE)
        assert (code, line.get("authentic")) == (0, verdict)


def test_no_file_is_a_wrong_command_line():
    code, lines, words = ruad_parse()
    assert (code, lines) == (2, [])
    assert "ruad parse: " in words


def test_a_missing_worker_is_a_system_error(tmp_path, monkeypatch):
    monkeypatch.setenv("RUAD_LIBEXEC", str(tmp_path))
    code, lines, words = ruad_parse("-", stdin=b"x")
    assert (code, lines) == (75, [])
    assert "ruad-parse" in words


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")
def test_a_worker_where_one_may_not_look_is_named():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "bin").mkdir()
        Path(folder, "libexec").mkdir(0o700)
        ruad = shutil.copy(RUAD, Path(folder, "bin"))
        done = subprocess.run([ruad, "parse", "-"], input="x", capture_output=True, text=True, user=65534, group=65534, check=False)
    assert done.returncode == 75
    assert f"{folder}/libexec/ruad/ruad-parse" in done.stderr


def peaks(path, out):
    """Run ruad parse on path; peak resident KiB of (ruad, its worker), and the last line printed."""
    process = subprocess.Popen([RUAD, "parse", path], stdout=out)
    high = {"ruad": 0, "ruad-parse": 0}
    while process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            pids = [process.pid, *map(int, children.read_text().split())]
        except OSError:
            continue
        for pid in pids:
            look_at(pid, high)
        try:
            process.wait(0.005)
        except subprocess.TimeoutExpired:
            pass
    assert process.returncode == 0
    return high


def look_at(pid, high):
    """VmHWM only ever rises: the last look at a process tells its peak."""
    try:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    except OSError:
        return
    name = status["Name"].strip()
    if name in high and "VmHWM" in status:
        high[name] = max(high[name], int(status["VmHWM"].split()[0]))


@pytest.mark.parametrize("small, large", [(10_000, 300_000)])
def test_assertion_24_memory_does_not_grow_with_the_report(tmp_path, capsys, small, large):
    measured = {}
    for records in (small, large):
        path, output = tmp_path / f"{records}.xml.gz", tmp_path / f"{records}.json"
        write_report(path, records)
        with open(output, "wb") as out:
            measured[records] = peaks(path, out)
        with open(output, "rb") as out:
            out.seek(-200, os.SEEK_END)
            assert f'"records":{records},'.encode() in out.read()
        measured[records]["packed"] = path.stat().st_size // 1024
    with capsys.disabled():
        print(f"\nmemory: peak KiB by records: {measured}")
    for program in ("ruad", "ruad-parse"):
        # The packed document itself is held once by each; 4 MiB more is what chunks and the allocator sway by.
        allowed = measured[small][program] + measured[large]["packed"] + 4096
        assert 1000 < measured[large][program] <= allowed, program
