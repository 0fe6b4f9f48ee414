"""The queries of sql/examples/, run by psql as an auditor's login on data with known answers (examples.sql).

The comment at the head of each file ends with an example of its output. The output must be exactly that, so the examples stay true. A
line that ends with "…" is the beginning of one.
"""

import contextlib
import re
import subprocess

import psycopg2
import pytest
from conftest import ROOT, Database

FOLDER = ROOT / "sql" / "examples"
QUERIES = sorted(path for path in FOLDER.glob("*.sql") if path.name != "period.sql")
MARCH = ("from=2026-03-01", "to=2026-04-01")
NEED = {"report_mails": ("report=1",), "address_history": ("ip=192.0.2.1",)}  # a variable in place of the period
OTHERS = {**NEED, "counts": ()}


@pytest.fixture(name="filled", scope="module")
def fixture_filled(shared_postgres, migrated):
    database = Database(shared_postgres, "examples", migrated)
    database.query("DO $$ BEGIN CREATE ROLE test_auditor LOGIN IN ROLE ruad_auditor; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    for path in (ROOT / "tests/sql/lib/helpers.sql", ROOT / "tests/e2e/examples.sql"):
        psql(database, "-f", path, user="postgres")
    yield database
    database.drop()


def psql(database, *words, user="test_auditor", **environment):
    command = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", *map(str, words), database.conninfo(user)]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "PGTZ": "America/St_Johns", **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def run(database, name, *variables):
    words = [word for variable in variables for word in ("-v", variable)]
    return psql(database, *words, "-f", FOLDER / f"{name}.sql")


def head(path):
    """The comment at the head of a file: what the query answers, and the example."""
    comment = re.match(r"(?:--.*\n)+", path.read_text())[0]
    lines = [line.removeprefix("--").removeprefix(" ") for line in comment.splitlines()]
    return " ".join(lines[: lines.index("")]), "\n".join(lines[lines.index("") + 1 :])


def assert_output(output, example):
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    wanted = example.splitlines()
    for i, want in enumerate(wanted):
        if want.endswith("…") and i < len(lines):
            wanted[i] = want[:-1] + lines[i][len(want) - 1 :]
    assert lines == wanted


def test_there_are_twenty_queries():
    assert len(QUERIES) >= 20


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_says_what_it_answers_and_returns_its_example(filled, path):
    what, example = head(path)
    assert what.startswith(f"{path.stem} - ")
    assert example
    assert_output(run(filled, path.stem, *OTHERS.get(path.stem, MARCH)).stdout, example)


def test_the_period_is_this_month_or_the_month_from_a_day_on(filled):
    def period(*variables):
        words = [word for variable in variables for word in ("-v", variable)]
        return psql(filled, *words, "-f", FOLDER / "period.sql", "-c", r"\echo :from :to").stdout

    (today,) = filled.query("SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date::text, "
        "(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month')::date::text")
    assert period() == "{} {}\n".format(*today)
    assert period("from=2026-03-01") == "2026-03-01 2026-04-01\n"
    assert period(*MARCH) == "2026-03-01 2026-04-01\n"
    assert run(filled, "failing_sources", "from=2026-03-04", "to=2026-03-11").stdout.count("203.0.113") == 1


@pytest.mark.parametrize("name", NEED)
def test_a_query_names_the_variable_that_it_needs(filled, name):
    done = run(filled, name)
    assert done.stdout == ""
    assert re.fullmatch(rf"name the \w+: psql -v {NEED[name][0].partition('=')[0]}=[A-Z]+\n", done.stderr)


def test_the_evidence_of_one_domain_has_its_records_alone(filled):
    assert len(run(filled, "evidence", *MARCH).stdout.splitlines()) == 1 + 10
    lines = run(filled, "evidence", *MARCH, "domain=example.net").stdout.splitlines()
    assert len(lines) == 1 + 1
    assert lines[1].startswith("2026-03-03,example.net,reporter.example,r-3,1,203.0.113.66,12,example.net,")


def test_the_numbers_of_the_queries_agree_with_the_views(filled):
    """Each sum of messages is the one that dmarc.records has."""
    with contextlib.closing(psycopg2.connect(filled.conninfo("test_auditor"))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT sum(count) FROM dmarc.records WHERE day >= '2026-03-01' AND day < '2026-04-01'")
        total = cursor.fetchone()[0]
    assert total == 100 + 40 + 5 + 3 + 30 + 50 + 8 + 20 + 10 + 12
    for name in ("alignment", "networks", "reporters"):
        lines = [[cell.strip() for cell in line.split("|")] for line in run(filled, name, *MARCH).stdout.splitlines()]
        column = lines[0].index("messages")
        assert sum(int(line[column]) for line in lines[2:] if len(line) > column) == total, name


def test_each_query_is_listed_in_the_page_of_the_database():
    listed = re.findall(r"^\| \[(\w+)\]\(examples/\1\.sql\) \|", (ROOT / "sql" / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [path.stem for path in QUERIES]


def test_a_failure_report_without_incidents_counts_as_one_message_everywhere(filled):
    ((reports, silent, said),) = filled.query("SELECT count(*), count(*) FILTER (WHERE incidents IS NULL), sum(incidents) FROM dmarc.failure_reports")
    assert (reports, silent, said) == (4, 3, 3)
    assert re.search(r"(?m)^ failure reports +\| +4 \| +6$", run(filled, "counts").stdout)
    lines = [[cell.strip() for cell in line.split("|")] for line in run(filled, "failure_reports", "from=2000-01-01", "to=2100-01-01").stdout.splitlines()]
    column = lines[0].index("messages")
    assert sum(int(line[column]) for line in lines[2:] if len(line) > column) == 6
