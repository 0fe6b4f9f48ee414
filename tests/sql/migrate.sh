#!/bin/bash
# migrate.sh - ruad migrate: once, in order, by one of several, and never over what is not its own. Run by tests/sql/run.
if [ -z "${RUAD:-}" ]; then
	echo "1..0 # SKIP no ruad program was built (RUAD)"
	exit 0
fi
export PGOPTIONS='' RUAD_SERVER_USER=postgres RUAD_CONFIG=''
echo 1..16
number=0

# is WANT HAVE WORDS
is() {
	number=$((number + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $number - $3"
	else
		printf 'not ok %d - %s\n# want: %s\n# have: %s\n' "$number" "$3" "$1" "$2"
	fi
}
migrate() {
	RUAD_DATABASE_URL="host=$PGHOST user=${as:-postgres} dbname=m" "$RUAD" migrate "$@" 2>&1
}
sql() {
	psql -XAtqd m -v ON_ERROR_STOP=1 -c "$1" 2>&1
}
fresh() {
	PGOPTIONS='-c client_min_messages=warning' psql -Xqd postgres -c 'DROP DATABASE IF EXISTS m' -c "CREATE DATABASE m OWNER ${1:-postgres}"
}
files=("$here"/../../sql/migrations/[0-9]*.sql)
last=${#files[@]}

fresh
is "$last" "$(migrate --dry-run | grep -c '^would run')" 'a dry run names what it would run'
is '' "$(sql "SELECT nspname FROM pg_namespace WHERE nspname IN ('ruad', 'dmarc', 'api')")" 'and does nothing'
is "the schema is at version $last" "$(migrate | tail -n 1)" 'a migration ends at the last version'
is "$(sha256sum "${files[@]}" | cut -d' ' -f1)" "$(sql 'SELECT checksum FROM ruad.schema_version ORDER BY version')" 'each file is recorded with its checksum'
is "the schema is at version $last" "$(migrate)" 'a second run finds nothing to do'

sql "UPDATE ruad.schema_version SET checksum = 'x' WHERE version = 2"
words=$(migrate)
is 1 $? 'a migration whose text is another is refused'
is 'ruad migrate: migration 2 "tables" of the database is not migration 2 "tables" of this ruad' "${words% (*}" 'and named'
sql "UPDATE ruad.schema_version SET checksum = '$(sha256sum "${files[1]}" | cut -d' ' -f1)' WHERE version = 2"
sql "INSERT INTO ruad.schema_version VALUES ($((last + 1)), 'later', 'x', now(), '99')"
words=$(migrate)
is 1 $? 'the database of a newer ruad is refused'
is 'it was migrated by a newer one' "${words##*: }" 'in these words'

fresh
sql 'CREATE SCHEMA api' # in the way of the first migration
migrate >/dev/null
is 75 $? 'a migration that the database refuses says so'
is '' "$(sql "SELECT nspname FROM pg_namespace WHERE nspname IN ('ruad', 'dmarc')")" 'and leaves nothing behind'

fresh
pids=()
for _ in 1 2 3; do
	migrate >/dev/null &
	pids+=($!)
done
status=0
for pid in "${pids[@]}"; do
	wait "$pid" || status=$?
done
is 0 $status 'three at the same time all succeed'
is "$last" "$(sql 'SELECT count(*) FROM ruad.schema_version')" 'and each migration has run once'

psql -Xqd postgres -c 'CREATE ROLE m_login LOGIN CREATEROLE'
fresh m_login
is "the schema is at version $last" "$(as=m_login migrate | tail -n 1)" 'a login that is no superuser can migrate its own database'

# A database that an earlier ruad left at 0005; upgrade.sql looks at what becomes of its data.
fresh
for file in "${files[@]:0:5}"; do
	name=$(basename "$file" .sql)
	psql -Xq1d m -v ON_ERROR_STOP=1 -f "$file" -c "INSERT INTO ruad.schema_version (version, name, checksum, app_version)
		VALUES (${name%%_*}, '${name#*_}', '$(sha256sum "$file" | cut -d' ' -f1)', 'earlier')"
done
sql "SET ROLE ruad_owner; SELECT ruad.stage_open(); BEGIN;
	INSERT INTO stage_mail (mail_no, received_at, source, size, sha256) VALUES (1, now(), 'lmtp', 1, sha256('x'));
	INSERT INTO stage_item (mail_no, item_no, kind, domain, begin, \"end\", records, sha256)
		VALUES (1, 1, 'aggregate', 'd.example', '2026-01-01', '2026-01-02', 0, sha256('x'));
	SELECT FROM ruad.ingest(); COMMIT" >/dev/null
is "the schema is at version $last" "$(migrate | tail -n 1)" 'a database at an earlier version is brought to the last one'
is 'd.example|f|none' "$(sql 'SELECT domain, partial, authentic FROM dmarc.reports')" 'with its data'
