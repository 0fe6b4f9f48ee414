#!/bin/bash
# What may lie where, and what no file may name.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

# none_of LINES: fails and prints them when there are any.
none() {
	local lines
	lines=$(cat)
	[ -z "$lines" ] || {
		echo "$lines"
		return 1
	}
}

top_level() {
	files | cut -d / -f 1 | sort -u |
		grep -vxE 'CMakeLists\.txt|README\.md|LICENSE|server|parser|sql|web|tests|docker|\..+' | none
}

# Folders of one machine have no place in what others check out.
own_machine() {
	files | grep -v '^tests/samples/' | xargs grep -InE '(^|[^[:alnum:]_.])/(work|home|root)/[[:alnum:].]' | none
}

# A lock file names no mirror.
registries() {
	files | grep 'package-lock\.json$' | xargs -r grep -nE '"resolved": "' |
		grep -vF '"https://registry.npmjs.org/' | none
}

# What was built, or is larger than any source, is not committed.
binaries() {
	files | grep -E '\.(o|a|so|pyc|min\.js)$|^web/dist/' | none
}

# The parser knows nothing of the server, nor of files, sockets, the clock or the database.
parser_includes() {
	files | grep -E '^parser/.*\.[ch]$' |
		xargs grep -nE '#include [<"](server/|libpq|microhttpd|systemd/|sys/socket|fcntl|unistd|stdio\.h|time\.h)' | none
}

# Who looks for a file by its name finds one: each program has its own main.c, and server/ingest/ and server/web/ their answers.
one_name() {
	files | grep -E '^(parser|server)/.*\.[ch]$' | sed 's|.*/||' | sort | uniq -d | grep -vxE 'main\.c|answer\.[ch]' | none
}

check 'the top level holds the known folders only' top_level
check 'no file names a folder of one machine' own_machine
check 'lock files name no mirror' registries
check 'nothing built is committed' binaries
check 'parser/ includes nothing of the outside world' parser_includes
check 'no two sources have one name' one_name
finish
