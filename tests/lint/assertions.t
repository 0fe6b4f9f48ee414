#!/bin/bash
# Every assertion about the standards has its test, and tests/assertions.md says which.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

check 'tests/assertions.md is up to date and complete' /usr/bin/python3 tests/lint/assertions.py --check
finish
