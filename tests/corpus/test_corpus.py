"""ruad parse over the real reports, mails and attacks of ../shared/corpus (or RUAD_CORPUS), against its EXPECT.tsv.

RUAD_BUILD names the build folder (default: build).
"""

import json
import os
import subprocess
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import pytest
from corpus import FILES, KINDS, ROOT, expected, needs_corpus, table, wanted, without_reports

RUAD = Path(os.environ.get("RUAD_BUILD") or ROOT / "build").resolve() / "bin" / "ruad"

pytestmark = needs_corpus


@pytest.fixture(scope="module")
def index():
    return table("INDEX.tsv")


@pytest.fixture(scope="module")
def run(index):
    """One run over every file: its result, and the lines by file."""
    paths = [row["path"] for row in index]
    result = subprocess.run(
        [RUAD, "parse", "--", *paths], cwd=FILES, capture_output=True, timeout=600, check=False
    )
    lines = defaultdict(list)
    for line in result.stdout.decode("utf-8").splitlines():
        document = json.loads(line)
        lines[document["file"]].append(document)
    return result, lines


def aggregate_summary(report):
    """An aggregate report as the columns of EXPECT.tsv."""
    counts, passes = [], []
    for record in report["record"]:
        evaluated = record["row"]["policy_evaluated"]
        counts.append(record["row"]["count"] or 0)
        passes.append("pass" in (evaluated["dkim"], evaluated["spf"]))
    assert report["records"] == len(counts)
    metadata = report["report_metadata"]
    return {
        "org_name": metadata["org_name"] or "",
        "report_id": metadata["report_id"] or "",
        "policy_domain": report["policy_published"]["domain"],
        "begin_epoch": str(metadata["date_range"]["begin"]),
        "end_epoch": str(metadata["date_range"]["end"]),
        "records": str(len(counts)),
        "sum_count": str(sum(counts)),
        "pass_records": str(sum(passes)),
        "pass_count": str(sum(count for count, good in zip(counts, passes) if good)),
    }


def failure_summary(report):
    """A failure or feedback report likewise."""
    return {
        "feedback_type": report["feedback_type"] or "",
        "reported_domain": ",".join(report["reported_domain"]),
        "source_ip": report["source_ip"] or "",
        "arrival_date": report["arrival_date"] or "",
        "Auth-Failure": report["auth_failure"] or "",
        "User-Agent": report["user_agent"] or "",
    }


def tls_summary(report):
    def total(key):
        return str(sum(max(policy["summary"][key] or 0, 0) for policy in report["policies"]))

    def epoch(key):
        return str(int(datetime.fromisoformat(report["date_range"][key].replace("Z", "+00:00")).timestamp()))

    return {
        "org_name": report["organization_name"] or "",
        "report_id": report["report_id"] or "",
        "policy_domain": [policy["policy"]["policy_domain"] or "(none)" for policy in report["policies"]],
        "begin_epoch": epoch("start_datetime"),
        "end_epoch": epoch("end_datetime"),
        "tls_policies": str(len(report["policies"])),
        "tls_success": total("total_successful_session_count"),
        "tls_failure": total("total_failure_session_count"),
    }


SUMMARIES = {
    "aggregate": aggregate_summary,
    "failure": failure_summary,
    "feedback": failure_summary,
    "tls": tls_summary,
}


def reports(lines, row):
    """The reports that were read where the row expects one."""
    return [
        line
        for line in lines[row["path"]]
        if line["kind"] == KINDS[row["class"]] and line["place"].endswith(row["member"])
    ]


def differences(row, lines):
    """What is wrong with the reports found where row expects one; "" when it matches."""
    found = reports(lines, row)
    if row["want"] == "quarantine":
        return f"{len(found)} reports, wanted none" if found else ""
    if row["want"] == "either" and not found:
        return "" if [line["kind"] for line in lines[row["path"]]] == ["unreadable"] else "neither report nor reason"
    if len(found) != 1:
        reasons = [line["reason"] for line in lines[row["path"]] if line["kind"] == "unreadable"]
        return f"{len(found)} reports, wanted one {reasons}"
    got, want = SUMMARIES[found[0]["kind"]](found[0]), wanted(row)
    return ", ".join(f"{key} {got[key]!r}, wanted {want[key]!r}" for key in got if got[key] != want[key])


def fail_with(problems):
    if problems:
        pytest.fail(f"{len(problems)} wrong:\n" + "\n".join(problems[:50]), pytrace=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_expected_report_is_read_field_for_field(kind, run, capsys):
    rows = expected(kind)
    problems = [f"{row['path']}: {why}" for row in rows if (why := differences(row, run[1]))]
    with capsys.disabled():
        wants = ", ".join(f"{n} {want}" for want, n in Counter(row["want"] for row in rows).items())
        print(f"\ncorpus: {len(rows) - len(problems)} of {len(rows)} {kind} rows matched field for field ({wants})")
    assert rows
    fail_with(problems)


def test_what_is_repaired_or_truncated_says_so(run):
    """No row that strict XML choked on is read without a note."""
    rows = [row for row in expected("aggregate", "failure") if row["tolerant"] and row["want"] == "report"]
    assert rows
    silent = [
        row["path"]
        for row in rows
        for report in reports(run[1], row)
        if not report["notes"] and not any(record["notes"] for record in report.get("record", []))
    ]
    fail_with(silent)


def test_no_file_makes_a_report_that_is_not_there(run, capsys):
    rows = without_reports()
    assert rows
    taken = [row for row in rows if any(line["kind"] != "unreadable" for line in run[1][row["path"]])]
    with capsys.disabled():
        print(f"corpus: {len(rows)} files without a report, taken for one: {len(taken)}")
    fail_with([f"{row['kind']}: {row['path']}" for row in taken])


def test_no_file_has_more_reports_than_are_expected(run):
    wants = Counter(row["path"] for row in expected(*KINDS) if row["want"] != "quarantine")
    found = {row["path"]: [line for line in run[1][row["path"]] if line["kind"] != "unreadable"] for row in expected(*KINDS)}
    fail_with([f"{path}: {len(lines)}, wanted {wants[path]}" for path, lines in found.items() if len(lines) > wants[path]])


def test_every_report_in_a_file_is_expected_there(run):
    """A file with an expected report has no other kind of report."""
    kinds = defaultdict(set)
    for row in expected(*KINDS):
        kinds[row["path"]].add(KINDS[row["class"]])
    fail_with(
        [
            f"{path}: {line['kind']}"
            for path, known in kinds.items()
            for line in run[1][path]
            if line["kind"] not in known | {"unreadable"}
        ]
    )


def test_every_file_is_answered_and_every_unreadable_has_its_reason(index, run):
    problems = []
    for row in index:
        lines = run[1][row["path"]]
        if not lines:
            problems.append(f"{row['path']}: no answer")
        for line in lines:
            if line["kind"] == "unreadable" and not (line["code"] and line["reason"]):
                problems.append(f"{row['path']}: no reason")
    fail_with(problems)


def test_no_worker_died_hung_or_lied(run):
    result, lines = run
    dead = [line for found in lines.values() for line in found if line.get("code") == "worker"]
    fail_with([f"{line['file']}: {line['reason']}" for line in dead])
    assert result.stderr.decode() == ""
    assert result.returncode == 1  # there are unreadable files


def test_the_order_is_that_of_the_command_line(index, run):
    order = {row["path"]: number for number, row in enumerate(index)}
    files = [json.loads(line)["file"] for line in run[0].stdout.decode().splitlines()]
    assert [order[file] for file in files] == sorted(order[file] for file in files)
