#!/bin/bash
# Shell and Python scripts are without the usual faults.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

shell_files() {
	files | while read -r file; do
		[ -f "$file" ] && head -c 64 "$file" | head -n 1 | grep -aqE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh' && echo "$file"
		case $file in *.sh) echo "$file" ;; esac
	done | sort -u
}

shells() {
	shell_files | xargs shellcheck -x
}

pythons() {
	files | grep '\.py$' | xargs -r /usr/bin/python3 -c '
import ast, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as source:
        ast.parse(source.read(), path)
'
}

check 'shellcheck finds nothing' shells
check 'Python files parse with Debian'\''s Python' pythons
finish
