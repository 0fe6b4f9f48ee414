#!/usr/bin/python3
"""Check that every row of parser/DEVIATIONS.md names its tests, and that these exist.

A test is `FILE: NAME`, FILE as in tests/assertions.md; without FILE it is in the file named before it in the row. NAME is a function or
the name of a row, or the start of one with "…" after it.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = "parser/DEVIATIONS.md"
FILE = re.compile(r"^([a-z0-9]+/\w+(?:\.(?:py|sql))?): (.+)$")


def text_of(name):
    """The text of a file of tests, or None."""
    for path in (ROOT / "tests" / name, ROOT / "tests" / "unit" / f"{name}.c"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def rows():
    """(line number, cell with the tests) of every row."""
    for number, line in enumerate((ROOT / PAGE).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("| ") and not line.startswith("| rule |"):
            yield number, line.removesuffix(" |").rsplit(" | ", 1)[1]


def faults_of(cell):
    tests, file = re.findall(r"`([^`]+)`", cell), None
    if not tests:
        yield "no test"
    for test in tests:
        if match := FILE.match(test):
            file, test = match[1], match[2]
        text = text_of(file) if file else None
        name = test.removesuffix("…").rstrip()
        if text is None:
            yield f'"{test}": no such file of tests: {file}'
        elif not re.search(rf"(?<!\w){re.escape(name)}" + ("" if test.endswith("…") else r"(?!\w)"), text):
            yield f'"{test}": no such test in {file}'


def main():
    found = list(rows())
    faults = [f"{PAGE}:{number}: {fault}" for number, cell in found for fault in faults_of(cell)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults or len(found) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
