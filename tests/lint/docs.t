#!/bin/bash
# The Markdown files: their links lead somewhere, and the tests that they name exist.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

links() {
	files | xargs -d '\n' /usr/bin/python3 tests/lint/links.py "$@"
}

check 'every relative link and anchor in a Markdown file leads somewhere' links
check 'every row of parser/DEVIATIONS.md names tests that exist' /usr/bin/python3 tests/lint/deviations.py
finish
