"""ruad exclude and ruad include take reports out of every number and back, and log who did it."""

import getpass
import re

import pytest

from reports import aggregate, record
from supervised import Supervised

DAY = 86400
NOVEMBER = 1793491200  # 2026-11-01


class Excluded:
    """A database with four reports of two reporters, and the commands."""

    def __init__(self, folder, database):
        self.database = database
        self.ruad = Supervised(folder, database_url=database.conninfo())
        files = folder / "files"
        files.mkdir()
        for number, (org, count) in enumerate([("Good", 1), ("Bad", 20), ("Bad", 300), ("Bad", 4000)]):
            begin = NOVEMBER + number * DAY
            xml = aggregate(org_name=org, report_id=f"r-{number}", begin=begin, end=begin + DAY - 1, records=[record(count=count)])
            (files / f"{number}.xml").write_bytes(xml)
        assert self.ruad.command("import", "--quiet", str(files)) == (0, "", "")

    def run(self, *words):
        """(exit code, output, errors)."""
        return self.ruad.command(*words)

    def id_of(self, report_id):
        return str(self.database.value("SELECT id FROM api.any_report WHERE report_id = %s", report_id))

    def messages(self):
        """By each route, which must agree."""
        views = ("sum(count) FROM dmarc.records", "sum(messages) FROM dmarc.daily", "sum(messages) FROM dmarc.monthly",
                 "sum(messages) FROM dmarc.reports")
        (messages,) = {int(self.database.value(f"SELECT {view}")) for view in views}
        return messages


@pytest.fixture(name="excluded")
def fixture_excluded(folder, database):
    return Excluded(folder, database)


def test_a_report_is_excluded_and_included_again(excluded):
    number = excluded.id_of("r-2")
    assert excluded.messages() == 4321
    assert excluded.run("exclude", number, "--reason=forged") == (0, "excluded 1 report with 300 messages\n", "")
    assert excluded.messages() == 4021
    assert excluded.run("exclude", number) == (0, "excluded 0 reports with 0 messages\n", "")
    assert excluded.run("include", number) == (0, "included 1 report with 300 messages\n", "")
    assert excluded.messages() == 4321


def test_the_reports_of_a_reporter_since_a_day_are_excluded(excluded):
    words = ("--reporter=Bad", "--since=2026-11-03")
    assert excluded.run("exclude", *words)[:2] == (0, "excluded 2 reports with 4300 messages\n")
    assert excluded.messages() == 21
    assert excluded.run("include", "--reporter=Bad", "--since=2026-11-04")[:2] == (0, "included 1 report with 4000 messages\n")
    assert excluded.messages() == 4021


def test_the_log_says_who_what_and_why(excluded):
    number = excluded.id_of("r-1")
    excluded.run("exclude", number, "--reason=odd\033[2J")
    excluded.run("include", "--reporter=Bad", "--since=2026-11-01T00:00:00Z")
    code, words, errors = excluded.run("exclude", "--log")
    assert (code, errors) == (0, "")
    lines = [re.sub(r"^\S+Z ", "", line) for line in words.splitlines()]
    user = getpass.getuser()
    assert lines == [
        f"excluded 1: report {number} ({user}): odd\\u001b[2J",
        f"included 1: Bad since 2026-11-01T00:00:00Z ({user})",
    ]


def test_what_is_not_there_is_an_error_that_says_so(excluded):
    code, words, errors = excluded.run("exclude", excluded.id_of("r-0"), "999999")
    assert (code, words) == (1, "excluded 1 report with 1 message\n")
    assert errors.endswith("there is no aggregate report 999999\n") and errors.count("\n") == 1
    assert 'there is no reporter "Nobody"' in excluded.run("exclude", "--reporter=Nobody", "--since=2026-11-01")[2]


@pytest.mark.parametrize("words", [
    (), ("r-1",), ("0",), ("-1",), ("1", "--log"), ("1", "--reporter=Bad", "--since=2026-11-01"), ("--reporter=Bad",),
    ("--since=2026-11-01",), ("--reporter=Bad", "--since=soon"),
])
def test_a_wrong_command_line_changes_nothing(excluded, words):
    assert excluded.run("exclude", *words)[0] == 2
    assert excluded.messages() == 4321
