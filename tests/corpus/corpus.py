"""Where the corpus of real reports, mails and attacks lies, and what its tables say: ../shared/corpus, or RUAD_CORPUS."""

import csv
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("RUAD_CORPUS") or ROOT.parent / "shared" / "corpus")
FILES = CORPUS / "files"

# Kinds of files in which no report is.
NOT_REPORTS = {"other", "mime-torture", "archive-attack", "xml-attack"}

# What ruad calls the classes of EXPECT.tsv.
KINDS = {"aggregate": "aggregate", "failure": "failure", "arf-not-dmarc": "feedback", "tlsrpt": "tls"}

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "EXPECT.tsv").exists(), reason=f"no corpus in {CORPUS} (RUAD_CORPUS names it)"
)


def table(name):
    """The rows of INDEX.tsv or EXPECT.tsv."""
    with open(CORPUS / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def expected(*classes):
    """The rows of EXPECT.tsv of these classes."""
    return [row for row in table("EXPECT.tsv") if row["class"] in classes]


def without_reports():
    """The rows of INDEX.tsv in which no report is, of whatever kind."""
    there = {row["path"] for row in table("EXPECT.tsv")}
    return [row for row in table("INDEX.tsv") if row["kind"] in NOT_REPORTS and row["path"] not in there]


def remark(row, name):
    """What the remarks of a row say of a field: "Auth-Failure: dmarc; User-Agent: Lua/1.0"; "" for nothing."""
    for piece in row["remarks"].split("; "):
        field, _, value = piece.partition(": ")
        if field == name:
            return value
    return ""


def without_comment(address):
    """EXPECT.tsv has the field as it was sent: "192.0.2.1 (host.example)"."""
    return address.split(" ")[0]


def domains(names):
    """The names of a column as ruad keeps them: lower case, no final dot; (none) is that of a policy that names none."""
    return [name.lower().rstrip(".") for name in names.split(",")]


def wanted(row):
    """The row in the form of the summaries: names of fields that are remarks, addresses without their comment."""
    want = dict(row, source_ip=without_comment(row["source_ip"]))
    for field in ("Auth-Failure", "User-Agent"):
        want[field] = remark(row, field)
    if row["class"] == "tlsrpt":
        want["policy_domain"] = domains(row["policy_domain"])
    return want
