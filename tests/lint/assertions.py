#!/usr/bin/python3
"""tests/assertions.md: which test shows which assertion about the standards, made from the names of the tests.

    tests/lint/assertions.py          writes it
    tests/lint/assertions.py --check  fails when it would be another one, or an assertion has no test

A test says so by its name: assertion_NN_... (C, also as the name of a row), test_assertion_NN_... (Python), or, in C files
whose first lines say that numbers in names are those of the assertions, a row "NN ..." (or "NN NN ...").
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "tests" / "assertions.md"

FUNCTION = re.compile(r"\b(?:test_)?assertion_(\d{1,2})_\w+")
ROW = re.compile(r'\{\s*"((?:\d{1,2},? )*\d{1,2}) ([^"]+)"')
SAYS_SO = "umbers in names are those of the assertions"

SECTIONS = {
    "Aggregate reports": {
        1: "`version` may be absent; 2.0 is accepted and noted",
        2: "no namespace, 0.1, dmarc-2.0 and a prefixed root give the same rows; the namespace is kept",
        3: "an unknown namespace is only noted",
        4: "children in any order",
        5: "SPF before DKIM is accepted and noted",
        6: "two `error`s are both kept; a language changes no value",
        7: "what is absent stays NULL",
        8: "`pct` in the namespace of RFC 9990 is noted",
        9: "disposition `pass` is accepted; the result still comes from dkim and spf",
        10: "tokens in any case and with blanks; unknown ones are kept",
        11: "all override types in all dialects, several in order",
        12: "a reason without a type is no error",
        13: "no SPF, no DKIM, or several of each",
        14: "a signature without a selector is noted only where RFC 9990 asks for it",
        15: "an empty `envelope_from` is not an absent one",
        16: "domain names are normalised, and kept as sent",
        17: "addresses are normalised; an invalid one is NULL in its row, and the report stays",
        18: "counts that are 0, negative, fractions, huge or empty",
        19: "extensions and foreign elements are ignored",
        20: "a foreign `count` does not count",
        21: "a report without records is a report",
        22: "two policies or two ranges are quarantined",
        23: "odd ranges are accepted and noted",
        24: "100,000 records in bounded memory",
        25: "DTD, entities, depth and huge values are refused",
        26: "windows-1252, UTF-16, byte order marks, bytes that are not UTF-8",
    },
    "Containers and MIME": {
        27: "kinds by their bytes, never by names",
        28: "every member of a zip; encrypted members and wrong sizes are quarantined",
        29: "bombs end early",
        30: "gzip: truncated, wrong checksum, trailing bytes, several members",
        31: "a body that is the archive; quoted-printable; octet-stream",
        32: "reports in forwarded mails, up to a depth",
        33: "file name and Subject may disagree: the XML counts, and it is noted",
        34: "file names are text, never paths",
        35: "the Subject in all its forms",
    },
    "Duplicates": {
        36: "the same mail twice is one report, and 250 for all",
        37: "the same key with different content is a conflict",
        38: "the same ID from two reporters is two reports",
        39: "two sessions at once insert it once",
        40: "killed between commit and reply: no second row",
    },
    "Alignment": {
        41: "strict and relaxed",
        42: "public suffixes",
        43: "tree walk: `psd=y` at the top",
        44: "tree walk: `psd=n`, and the fewest labels",
        45: "tree walk: eight queries at most",
        46: "tree walk: two records at one name count as none",
        47: "a pass without evidence is noted, and counts",
        48: "a failure that was delivered without a reason is noted",
        49: "test mode explains a weaker disposition",
    },
    "Failure reports": {
        50: "third part: message, header or absent",
        51: "identified by the part, not by report-type",
        52: "`Incidents`",
        53: "`Source-IP` in all its forms",
        54: "`Arrival-Date` and `Received-Date`",
        55: "`Identity-Alignment` stays as sent",
        56: "lists are kept; of repeated single fields, the first",
        57: "no byte of a body leaves the parser unless asked for",
        58: "other feedback is no failed authentication",
    },
    "SMTP TLS reports": {
        59: "members that are absent, null or of another type",
        60: "unknown results are kept; totals need not agree",
        61: "every media type; duplicate names and depth are refused",
    },
    "LMTP": {
        62: "extensions of LHLO, the reply to HELO, and short replies",
        63: "a reply for each recipient, in order",
        64: "dots, and what ends a mail",
        65: "the size limit",
        66: "parameters of MAIL",
        67: "database unavailable: 451, and nothing stored in part",
        68: "long lines, many recipients, slow and fast writers",
        69: "CHUNKING is not offered, and BDAT is unknown",
        70: "the content of a mail never makes it bounce",
    },
    "Check of the DNS": {
        71: "consent of the host that receives reports: missing, by a wildcard, not needed within an organization",
        72: "records without `p`, and records that are nearly valid",
        73: "SPF: ten lookups, two void lookups",
        74: "sizes after addresses, and removed tags",
    },
}


def place_of(path):
    """tests/unit/parser/test_mail.c as parser/test_mail."""
    name = path.relative_to(ROOT / "tests").as_posix()
    return name.removeprefix("unit/").removesuffix(".c")


def tests_of(path):
    """(number, name) of each test in the file that has a number."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for match in FUNCTION.finditer(text):
        yield int(match[1]), match[0]
    if path.suffix == ".c" and SAYS_SO in text:
        for match in ROW.finditer(text):
            for number in re.findall(r"\d+", match[1]):
                yield int(number), f"{match[1]} {match[2]}"


def all_tests():
    found = defaultdict(dict)
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix in (".c", ".py") and path != Path(__file__).resolve():
            for number, name in tests_of(path):
                found[number].setdefault(place_of(path), {})[name] = True
    return found


def printed(found):
    lines = ["# Assertions", "", "What the standards require of a reader of reports, and the tests that verify it. Generated by "
             "`tests/lint/assertions.py`", "from the names of the tests; the lint checks that it is up to date.", ""]
    for title, words in SECTIONS.items():
        lines += [f"## {title}", ""]
        for number, what in words.items():
            lines.append(f"- **{number}** {what}")
            for place, names in found[number].items():
                lines.append(f"  - {place}: " + "; ".join(f"`{name}`" for name in names))
        lines.append("")
    return "\n".join(lines)


def main():
    found = all_tests()
    text = printed(found)
    if "--check" not in sys.argv[1:]:
        LIST.write_text(text, encoding="utf-8")
    numbers = {number for words in SECTIONS.values() for number in words}
    missing = sorted(numbers - {number for number in numbers if found[number]})
    stale = not LIST.exists() or LIST.read_text(encoding="utf-8") != text
    if missing:
        print("no test for assertion", ", ".join(map(str, missing)))
    if stale:
        print("tests/assertions.md is not what the tests say: run tests/lint/assertions.py")
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.exit(main())
