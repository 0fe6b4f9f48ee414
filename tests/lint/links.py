#!/usr/bin/python3
"""Check that every relative link and anchor in the Markdown files leads somewhere.

    tests/lint/links.py FILE...            links of the files: a path in the project, a heading of a Markdown file
    tests/lint/links.py --paths FILE...    paths in code spans, from the top of the project: `server/web/`, `tests/sql/*.sql`
    tests/lint/links.py --reached FILE...  every file can be reached from README.md by links

Prints each fault as "file:line: what", and fails if there is one. FILE is a path from the top of the project; only files that
are given count as part of the project, so a link into a build folder is a fault. Code blocks and code spans have no links.
"""

import re
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^\s*(```|~~~)")
SPAN = re.compile(r"(`+)(?:(?!\1).)+?\1")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\](?:\([^()\s]*\))?)*\]\(([^()\s]*)(?:\s+\"[^\"]*\")?\)")
PICTURE = re.compile(r"!\[[^\[\]]*\]\(([^()\s]*)\)")
DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+(\S+)")
PATH = re.compile(r"^(?:parser|server|sql|web|tests|docker|\.github)/[a-z0-9_./*-]*$")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")


def lines_of(path):
    """(number, text) of the lines outside of code blocks."""
    is_code = False
    for number, text in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(text):
            is_code = not is_code
        elif not is_code:
            yield number, text


def targets_of(path):
    """(line number, target) of every link and picture."""
    for number, text in lines_of(path):
        text = SPAN.sub("code", text)
        for pattern in (LINK, PICTURE, DEFINITION):
            for match in pattern.finditer(text):
                yield number, match[1]


def anchors_of(path):
    """The anchors that GitHub gives to the headings of a file."""
    seen, anchors = {}, set()
    for _, text in lines_of(path):
        if match := HEADING.match(text):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
            anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors


def resolve(path, target):
    """The path from the top of the project to which a relative target of the file leads, or None if it leaves the project."""
    parts = []
    for part in (PurePosixPath(path).parent / target).parts if target else PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def fault_of(path, target, known):
    """What is wrong with a link, or None."""
    link = urlsplit(target)
    if link.scheme or link.netloc:
        return None
    place = resolve(path, unquote(link.path))
    if place is None or place not in known:
        return f'"{target}": no such file'
    if link.fragment and not place.endswith(".md"):
        return f'"{target}": only Markdown files have anchors'
    if link.fragment and unquote(link.fragment) not in anchors_of(place):
        return f'"{target}": no such heading'
    return None


def check_links(pages, known):
    for page in pages:
        for number, target in targets_of(page):
            if fault := fault_of(page, target, known):
                yield f"{page}:{number}: {fault}"


def check_paths(pages, known):
    for page in pages:
        for number, text in lines_of(page):
            for span in re.findall(r"`([^`]+)`", text):
                place = span.rstrip("/")
                if PATH.match(span) and not any(fnmatch(file, place) for file in known):
                    yield f'{page}:{number}: "{span}": no such file'


def check_reached(pages, known):
    reached, ahead = set(), ["README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.endswith(".md") and page in known:
            reached.add(page)
            places = (urlsplit(target) for _, target in targets_of(page))
            ahead += [resolve(page, unquote(place.path)) or "" for place in places if not place.scheme and place.path]
    for page in pages:
        if page not in reached:
            yield f"{page}:1: no link leads here from README.md"


def main():
    files = [word for word in sys.argv[1:] if not word.startswith("--")]
    known = set(files) | {parent.as_posix() for file in files for parent in PurePosixPath(file).parents}
    pages = [file for file in files if file.endswith(".md")]
    checks = {"--reached": check_reached, "--paths": check_paths}
    check = checks[sys.argv[1]] if sys.argv[1] in checks else check_links
    faults = list(dict.fromkeys(check(pages, known)))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
