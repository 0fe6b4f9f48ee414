#!/bin/bash
# The Markdown files: their links lead somewhere, and the tests that they name exist.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

links() {
	files | xargs -d '\n' /usr/bin/python3 tests/lint/links.py "$@"
}

short() {
	[ "$(wc -w <README.md)" -le 700 ]
}

check 'README.md is two screens long' short
check 'every relative link and anchor in a Markdown file leads somewhere' links
check 'every path in a Markdown file exists' links --paths
check 'every Markdown file can be reached from README.md' links --reached
check 'every row of parser/DEVIATIONS.md names tests that exist' /usr/bin/python3 tests/lint/deviations.py
finish
