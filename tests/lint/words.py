"""Prints each place that has a word of words.txt."""

import re
import sys
from pathlib import Path

LINT = Path(__file__).parent
# What continues a sentence on the next line: the end of a string or comment line, and the beginning of the next.
BREAK = re.compile(r"[\"']?\n[ \t]*(?:\*(?!/)|--|//|#|[\"'])?")


def entries(name):
    """The lines of a list, split at tabs, without comments."""
    for line in (LINT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def places(path, patterns):
    """(line, words) of each match; line breaks within sentences become blanks of the same length."""
    text = path.read_text(encoding="utf-8", errors="replace")
    flat = BREAK.sub(lambda match: " " * len(match[0]), text)
    for pattern, instead in patterns:
        for match in pattern.finditer(flat):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), instead


def main(paths):
    patterns = [
        (re.compile(rf"\b(?:{words.replace(' ', ' +')})\b", re.IGNORECASE), instead)
        for words, instead in entries("words.txt")
    ]
    for path in paths:
        for line, words, instead in places(Path(path), patterns):
            print(f'{path}:{line}: "{words}": write {instead}')


main(sys.argv[1:])
