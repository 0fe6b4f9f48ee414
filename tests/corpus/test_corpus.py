"""ruad parse over the real reports, mails and attacks of ../shared/corpus (or RUAD_CORPUS), against its EXPECT.tsv.

RUAD_BUILD names the build folder (default: build).
"""

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from corpus import FILES, NOT_REPORTS, ROOT, needs_corpus, really_a_report, strict_aggregates, table

RUAD = Path(os.environ.get("RUAD_BUILD") or ROOT / "build").resolve() / "bin" / "ruad"

# Classes of rows that are reports, but not aggregate ones.
OTHER_REPORTS = {"failure", "tlsrpt", "arf-not-dmarc"}

pytestmark = needs_corpus


@pytest.fixture(scope="module")
def index():
    return table("INDEX.tsv")


@pytest.fixture(scope="module")
def expected():
    return table("EXPECT.tsv")


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


def aggregates(lines, path):
    return [line for line in lines[path] if line["kind"] == "aggregate"]


def summary(report):
    """A report as the columns of EXPECT.tsv."""
    counts, passes = [], []
    for record in report["record"]:
        evaluated = record["row"]["policy_evaluated"]
        counts.append(record["row"]["count"] or 0)
        passes.append("pass" in (evaluated["dkim"], evaluated["spf"]))
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


def differences(row, lines):
    """What is wrong with the reports found where row expects one; "" when it matches."""
    reports = aggregates(lines, row["path"])
    if row["want"] == "quarantine":
        return f"{len(reports)} reports, wanted none" if reports else ""
    if row["member"]:
        reports = [report for report in reports if report["place"].endswith(row["member"])]
    if len(reports) != 1:
        reasons = [line["reason"] for line in lines[row["path"]] if line["kind"] == "unreadable"]
        return f"{len(reports)} reports, wanted one {reasons}"
    if reports[0]["records"] != len(reports[0]["record"]):
        return "records is not the number of records"
    got = summary(reports[0])
    return ", ".join(f"{key} {got[key]!r}, wanted {row[key]!r}" for key in got if got[key] != row[key])


def fail_with(problems):
    if problems:
        pytest.fail(f"{len(problems)} wrong:\n" + "\n".join(problems[:50]), pytrace=False)


def test_every_expected_aggregate_report_is_read_field_for_field(run, capsys):
    rows = strict_aggregates()
    problems = [f"{row['path']}: {why}" for row in rows if (why := differences(row, run[1]))]
    quarantine = sum(row["want"] == "quarantine" for row in rows)
    with capsys.disabled():
        print(
            f"\ncorpus: {len(rows) - len(problems)} of {len(rows)} aggregate rows matched field for field"
            f" ({quarantine} of them belong in quarantine)"
        )
    assert rows
    fail_with(problems)


# Damaged reports that parser/repair.h mends, and the notes that say so.
MENDED = {
    "domainaware+parsedmarc/samples/aggregate/ikea.com!example.de!1538690400!1538776800.xml": {("X8", "feedback")},
    "domainaware+parsedmarc/samples/aggregate/invalid_utf_8.xml": {("X7", "identifiers/header_from")},
    "domainaware+parsedmarc/samples/aggregate/invalid_xml.xml": {
        ("X5", "report_metadata/email"),
        ("X5", "identifiers/header_from"),
    },
}


def mends(report):
    notes = [note for part in (report, *report["record"]) for note in part.get("notes", [])]
    return {(note["code"], note["path"]) for note in notes if note["code"] in ("X5", "X6", "X7", "X8", "X9")}


def test_damaged_reports_are_mended_field_for_field(expected, run, capsys):
    rows = [row for row in expected if row["class"] == "aggregate" and row["tolerant"] and row["want"] == "report"]
    mended = [row for row in rows if row["path"] in MENDED]
    with capsys.disabled():
        print(f"corpus: {len(mended)} of {len(rows)} damaged reports are mended")
    assert len(mended) == len(MENDED)
    fail_with([f"{row['path']}: {why}" for row in mended if (why := differences(row, run[1]))])
    for row in mended:
        assert mends(aggregates(run[1], row["path"])[0]) == MENDED[row["path"]], row["path"]


def test_only_damaged_reports_are_mended(expected, run):
    sound = {row["path"] for row in expected if row["class"] == "aggregate" and not row["tolerant"]}
    assert sound
    fail_with([f"{path}: {mends(line)}" for path in sorted(sound) for line in aggregates(run[1], path) if mends(line)])


def test_reports_cut_to_pieces_give_one_report_or_a_reason(expected, run):
    rows = [row for row in expected if row["class"] == "aggregate" and row["tolerant"] and row["want"] == "either"]
    fail_with([row["path"] for row in rows if len(run[1][row["path"]]) != 1])


def test_no_file_makes_a_report_that_is_not_there(index, run, capsys):
    rows = [row for row in index if row["kind"] in NOT_REPORTS]
    assert rows
    taken = [row for row in rows if aggregates(run[1], row["path"])]
    there = [row for row in taken if really_a_report(row)]
    with capsys.disabled():
        print(f"corpus: {len(rows)} files without a report, taken for one: {len(taken) - len(there)}")
        for row in there:
            print(f"corpus: kind {row['kind']}, but read: {row['path']} ({row['note']})")
    fail_with([f"{row['kind']}: {row['path']}" for row in taken if row not in there])


def test_other_reports_make_no_aggregate_report(expected, run):
    rows = [row for row in expected if row["class"] in OTHER_REPORTS]
    assert rows
    fail_with([f"{row['class']}: {row['path']}" for row in rows if aggregates(run[1], row["path"])])


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
