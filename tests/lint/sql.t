#!/bin/bash
# Each function, view and type stands once, in a file that CMakeLists.txt names.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

none() {
	local lines
	lines=$(cat)
	[ -z "$lines" ] || {
		echo "$lines"
		return 1
	}
}

sql_files() {
	files | grep '^sql/.*\.sql$'
}

# Name and types of the arguments of every function, name of every view, type and aggregate.
# shellcheck disable=SC2016
defined() {
	sql_files | xargs perl -0777 -ne '
		while (/^CREATE (?:OR REPLACE )?(FUNCTION|VIEW|TYPE|AGGREGATE|TABLE) ([a-z_.]+)(\s*\((.*?)\)\s*(?:RETURNS|\nLANGUAGE))?/gms) {
			my ($kind, $name, $arguments) = ($1, $2, $4 // "");
			$arguments =~ s/ DEFAULT [^,]*//g;
			$arguments =~ s/\s+/ /g;
			print "$kind $name", $kind eq "FUNCTION" ? "($arguments)" : "", "\n";
		}'
}

twice() {
	defined | sort | uniq -d | none
}

# All files of the folder are built in, none is named that is not there.
listed() {
	diff <(sql_files | sed 's,^sql/,,' | sort) <(grep -oE '[a-z0-9_/]+\.sql' sql/CMakeLists.txt | sort)
}

# Migrations make roles and tables; the only functions are those of triggers, which belong to their table.
migrations_hold_tables() {
	sql_files | grep '/migrations/' | xargs grep -nE '^CREATE (OR REPLACE )?(VIEW|TYPE|AGGREGATE|FUNCTION)' | grep -v 'RETURNS trigger' | none
}

# A file begins with what it is for.
headers() {
	local file
	for file in $(sql_files); do
		head -n 1 "$file" | grep -qE "^-- $(basename "$file" .sql)(\.sql)? - " || echo "$file: no header"
	done | none
}

check 'no function, view, type or table is defined twice' twice
check 'sql/CMakeLists.txt names every SQL file' listed
check 'migrations define no functions or views' migrations_hold_tables
check 'every SQL file says what it is for' headers
finish
