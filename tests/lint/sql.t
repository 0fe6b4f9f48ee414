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

# All files of the folder but the examples are built in, none is named that is not there.
listed() {
	diff <(sql_files | grep -v '^sql/examples/' | sed 's,^sql/,,' | sort) <(grep -oE '[a-z0-9_/]+\.sql' sql/CMakeLists.txt | sort)
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

# The functions, as "file: name", for which CONDITION holds, in Perl; $body is without comments and literals.
functions() {
	# shellcheck disable=SC2016
	sql_files | xargs perl -e '
		my $condition = eval "sub { my (\$name, \$language, \$body) = \@_; $ENV{CONDITION} }" or die $@;
		for my $file (@ARGV) {
			open my $in, "<", $file or die "$file: $!";
			my $text = do { local $/; <$in> };
			while ($text =~ /^CREATE (?:OR REPLACE )?FUNCTION ([a-z_.0-9]+)\s*\((.*?)\nAS \$\$(.*?)\$\$;/gms) {
				my ($name, $head, $body) = ($1, $2, $3);
				my ($language) = $head =~ /LANGUAGE (\w+)/;
				$body =~ s/--.*//g;
				$body =~ s/\$q\$.*?\$q\$//gs;
				$body =~ s/\x27(?:[^\x27]|\x27\x27)*\x27//g;
				print "$file: $name\n" if $condition->($name, $language, $body);
			}
		}'
}

# A LANGUAGE sql function that reads a table or view may be put into its caller, and a distributed plan has no place for it.
# shellcheck disable=SC2016
sql_functions_read_nothing() {
	CONDITION='$language eq "sql" && $body =~ /\b(?:FROM|JOIN|,)\s+(?:ONLY\s+)?(?:ruad|dmarc)\.[a-z_]+\b(?!\s*\()/i' functions | none
}

# SELECT without columns.
no_select_from() {
	sql_files | xargs grep -nE '\bSELECT FROM\b' | none
}

# Temporary tables have no place in a join with distributed ones; none is made at all.
no_temporary_tables() {
	sql_files | xargs grep -niE '\bCREATE (LOCAL |GLOBAL )?TEMP(ORARY)? (TABLE|VIEW|SEQUENCE)\b' | none
}

# EXCEPTION makes a subtransaction, which a distributed INSERT ... SELECT must not. Functions that have such a block: none stands inside an
# INSERT ... SELECT, by name. (One that calls them from a function in between is not found.)
# shellcheck disable=SC2016
no_subtransaction_in_insert() {
	local names
	names=$(CONDITION='$body =~ /\bEXCEPTION\s+WHEN\b/' functions | sed 's/.*: //' | sort -u | paste -sd '|' | sed 's/\./\\./g')
	sql_files | xargs perl -0777 -ne '
		s/--.*//g;
		while (/\b(INSERT\s+INTO\b[^;]*?\bSELECT\b[^;]*);/gs) {
			my $insert = $1;
			print "$ARGV: $1\n" while $insert =~ /\b('"$names"')\s*\(/g;
		}' | none
}

# Lines have at most 120 columns, with tabs of 4. The first migrations are frozen (databases store their checksums);
# api/help.sql consists of texts.
# shellcheck disable=SC2016
narrow() {
	sql_files | grep -vE '^sql/migrations/000[12]_|^sql/api/help\.sql$' | xargs perl -CSD -ne '
		chomp;
		1 while s/\t+/" " x (4 * length($&) - length($`) % 4)/e;
		print "$ARGV:$.: ", length, " columns\n" if length > 120;
		close ARGV if eof' | none
}

check 'no function, view, type or table is defined twice' twice
check 'sql/CMakeLists.txt names every SQL file' listed
check 'migrations define no functions or views' migrations_hold_tables
check 'every SQL file says what it is for' headers
check 'no line of SQL is wider than 120 columns' narrow
check 'no LANGUAGE sql function reads a table or a view' sql_functions_read_nothing
check 'no SELECT without columns' no_select_from
check 'no temporary tables' no_temporary_tables
check 'no function with an EXCEPTION block is called in an INSERT ... SELECT' no_subtransaction_in_insert
finish
