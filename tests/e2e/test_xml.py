"""A report that was rebuilt as XML from its rows is the same report: imported into another database it gives the same rows."""

import contextlib
import sys

import pytest
from conftest import ROOT, Database
from supervised import Supervised

sys.path.insert(0, str(ROOT / "tests" / "corpus"))
from corpus import FILES, needs_corpus  # noqa: E402

# All values of a report, by its key. Not compared: time of receipt, its bytes, notes about its format.
SAID = """
SELECT r.domain, r.org_name, r.email, r.report_id, r.begin, r."end",
	(to_jsonb(r) - '{id,mail,received_at,sha256,notes,record_notes,partial,authentic,xmlns,domain_id}'::text[]) || jsonb_build_object('record', (
		SELECT jsonb_agg(to_jsonb(d) - '{report,notes,domain_id,reporter_id,facet,evaluation}'::text[] ORDER BY d.record_no)
		FROM dmarc.records d WHERE d.domain = r.domain AND d.begin = r.begin AND d.report = r.id))
FROM dmarc.reports r"""


def said(database):
    return {row[:-1]: row[-1] for row in database.query(SAID)}


def imported(folder, database, path):
    code, words, errors = Supervised(folder, database_url=database.conninfo()).command("import", "--quiet", str(path))
    assert code in (0, 1), words + errors


@pytest.mark.parametrize("files", [ROOT / "tests" / "samples", pytest.param(FILES, marks=needs_corpus)], ids=["samples", "corpus"])
def test_a_report_built_again_makes_the_same_rows(shared_postgres, database, folder, files):
    imported(folder, database, files)
    first = said(database)
    assert len(first) > 5
    again = folder / "again"
    again.mkdir()
    for number, xml in database.query("SELECT id, api.report_xml(id) FROM dmarc.reports"):
        (again / f"{number}.xml").write_text(xml, encoding="utf-8", newline="")
    second_database = Database(shared_postgres, "built_again")
    with contextlib.ExitStack() as stack:
        stack.callback(second_database.drop)
        imported(folder, second_database, again)
        second = said(second_database)
    assert second.keys() == first.keys()
    differing = [(first[key], second[key]) for key in first if first[key] != second[key]]
    assert not differing, f"{len(differing)} of {len(first)}: {differing[:3]}"
