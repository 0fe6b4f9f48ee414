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

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "EXPECT.tsv").exists(), reason=f"no corpus in {CORPUS} (RUAD_CORPUS names it)"
)


def table(name):
    """The rows of INDEX.tsv or EXPECT.tsv."""
    with open(CORPUS / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def strict_aggregates():
    """The rows of EXPECT.tsv that strict XML could read."""
    return [row for row in table("EXPECT.tsv") if row["class"] == "aggregate" and not row["tolerant"]]


def really_a_report(row):
    """The index counts a report in a bare zlib stream as "other"; its note says that a report is there all the same."""
    return "aggregate report in " in row["note"]
