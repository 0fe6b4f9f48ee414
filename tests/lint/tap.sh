# tap.sh - what the checks in this folder share: a test is a command that is silent and ends well. Sourced.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export RUAD_BUILD=${RUAD_BUILD:-build}
checks=0

# check NAME COMMAND...: one line of TAP; what the command said goes to stderr, when it failed.
check() {
	local name=$1 said
	shift
	checks=$((checks + 1))
	if said=$("$@" 2>&1); then
		echo "ok $checks - $name"
	else
		echo "not ok $checks - $name"
		echo "# ${said//$'\n'/$'\n'# }" >&2
	fi
}

# skip NAME WHY
skip() {
	checks=$((checks + 1))
	echo "ok $checks - $1 # SKIP $2"
}

finish() {
	echo "1..$checks"
}

# Every file of the project, one a line; what was built or fetched is not of it. Works without git, too.
files() {
	git ls-files --cached --others --exclude-standard 2>/dev/null | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done | grep . ||
		find . -type f -not -path './.git*/*' -not -path './build*' -not -path '*/node_modules/*' \
			-not -path '*/__pycache__/*' -not -path './web/dist/*' -printf '%P\n'
}

# Our C sources and headers.
c_files() {
	files | grep -E '^(parser|server|tests)/.*\.[ch]$'
}
