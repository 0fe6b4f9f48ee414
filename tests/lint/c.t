#!/bin/bash
# The layout of our C, and what clang-tidy and cppcheck see in it.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

layout() {
	c_files | xargs clang-format --dry-run -Werror
}

# clang-format leaves comments alone.
narrow() {
	c_files | while read -r file; do
		expand -t 8 "$file" | awk -v file="$file" 'length > 110 { print file ":" NR ": " length " columns"; bad = 1 } END { exit bad }' || return 1
	done
}

# Sources that the build compiles.
compiled() {
	/usr/bin/python3 - "$RUAD_BUILD/compile_commands.json" <<-'EOF'
		import json, os, sys
		here = os.getcwd() + "/"
		for entry in json.load(open(sys.argv[1])):
		    path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
		    if path.startswith(here) and not path.startswith(here + "build"):
		        print(path[len(here):])
	EOF
}

tidy() {
	compiled | sort -u | xargs -P "$(nproc)" -n 2 clang-tidy --quiet -p "$RUAD_BUILD"
}

cpp_check() {
	c_files | cppcheck --file-list=- --quiet --error-exitcode=1 --enable=warning,portability,performance \
		--inline-suppr --std=c11 --library=gtk -j "$(nproc)" -I . -D _GNU_SOURCE -D 'G_GNUC_PRINTF(a,b)=' \
		-D G_GNUC_WARN_UNUSED_RESULT= -D G_GNUC_UNUSED= -D G_GNUC_NORETURN= \
		--suppressions-list=tests/lint/cppcheck.txt
}

check 'C is laid out as .clang-format says' layout
check 'no line of C is wider than 110 columns' narrow
check 'clang-tidy finds nothing' tidy
check 'cppcheck finds nothing' cpp_check
finish
