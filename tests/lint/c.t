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

# Sources that the build compiles, the largest first. $1 is a folder for a compile_commands.json that has each of them once:
# what several programs are built from would be examined as often.
compiled() {
	/usr/bin/python3 - "$RUAD_BUILD/compile_commands.json" "$1/compile_commands.json" <<-'EOF'
		import json, os, sys
		here = os.getcwd() + "/"
		once = {}
		for entry in json.load(open(sys.argv[1])):
		    path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
		    if path.startswith(here) and not path.startswith(here + "build"):
		        once.setdefault(path[len(here):], entry)
		json.dump(list(once.values()), open(sys.argv[2], "w"))
		print(*sorted(once, key=os.path.getsize, reverse=True), sep="\n")
	EOF
}

tidy() {
	local folder status=0
	folder=$(mktemp -d)
	compiled "$folder" | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$folder" || status=$?
	rm -r "$folder"
	return $status
}

cpp_check() {
	c_files | cppcheck --file-list=- --quiet --error-exitcode=1 --enable=warning,portability,performance \
		--inline-suppr --std=c11 --library=gtk -j "$(nproc)" -I . -D _GNU_SOURCE -D 'G_GNUC_PRINTF(a,b)=' \
		-D G_GNUC_WARN_UNUSED_RESULT= -D G_GNUC_UNUSED= -D G_GNUC_NORETURN= \
		--suppressions-list=tests/lint/cppcheck.txt
}

# Layout and findings differ from version to version: the C has the layout of clang-format 14, and nothing that clang-tidy 14
# and cppcheck of Debian 12 find. Those of Debian 13 have many new checks, most of which dislike the casts of GLib.
tools=14
check 'no line of C is wider than 110 columns' narrow
if clang-tidy --version | grep -q "version $tools\."; then
	check 'C is laid out as .clang-format says' layout
	check 'clang-tidy finds nothing' tidy
	check 'cppcheck finds nothing' cpp_check
else
	for name in 'C is laid out as .clang-format says' 'clang-tidy finds nothing' 'cppcheck finds nothing'; do
		skip "$name" "by the tools of LLVM $tools and Debian 12 only"
	done
fi
finish
