#!/bin/bash
# migrate.sh - ruad migrate: once, in order, by one of several, and never over what is not its own. Run by tests/sql/run.
export PGOPTIONS='' RUAD_SERVER_USER=postgres RUAD_CONFIG=''
bases=("$here"/base/*.sql.gz)
echo 1..$((35 + 3 * ${#bases[@]}))
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
is $((last + 1)) "$(migrate --dry-run | grep -c '^would run')" 'a dry run names what it would run'
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
is 'a newer ruad migrated it' "${words##*: }" 'in these words'

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

# Logins that are no superuser. From PostgreSQL 16 on CREATEROLE gives no right to roles that another login made.
psql -Xqd postgres -c 'CREATE ROLE m_login LOGIN CREATEROLE' -c 'CREATE ROLE m_plain LOGIN' -c 'CREATE ROLE m_other LOGIN'
asked() { # what a refusal says that a superuser must run
	sed -n 's/.*a superuser must run: //p' <<<"$1"
}
fresh m_login
words=$(as=m_login migrate)
if [ "$(psql -XAtqd postgres -c "SELECT current_setting('server_version_num')::integer >= 160000")" = t ]; then
	is 5 "$(asked "$words" | grep -o 'GRANT ruad_[a-z]* TO m_login WITH INHERIT TRUE, SET TRUE' | grep -vc auditor)" 'of roles that another login made, the rights are asked for'
	sql "$(asked "$words")"
	words=$(as=m_login migrate)
	sql "$(asked "$words")" # a role of a later migration
	words=$(as=m_login migrate)
else
	is '' "$(asked "$words")" 'a login with CREATEROLE gives itself the rights'
fi
is "the schema is at version $last" "$(tail -n 1 <<<"$words")" 'a login that is no superuser can migrate its own database'
is t "$(psql -XAtqd m -U m_login -c 'SET ROLE ruad_ingest' -c 'SET ROLE ruad_web' -c 'SET ROLE ruad_editor' -c 'SET ROLE ruad_enrich' -c 'SET ROLE ruad_notify' -c 'SET ROLE ruad_owner' -c 'SELECT true')" 'and may act as every role'

fresh
words=$(as=m_plain migrate)
is 75 $? 'a login that may do nothing is refused'
is 1 "$(asked "$words" | grep -c 'GRANT CREATE ON DATABASE m TO m_plain;$')" 'and what it lacks is said'
is '' "$(sql "SELECT nspname FROM pg_namespace WHERE nspname = 'ruad'")" 'nothing was done'
sql "$(asked "$words")"
words=$(as=m_plain migrate)
is 1 "$(asked "$words" | grep -cE '^GRANT ruad_notify TO m_plain( WITH INHERIT TRUE, SET TRUE)?;$')" 'and so is what it lacks for a role of a later migration'
sql "$(asked "$words")"
is "the schema is at version $last" "$(as=m_plain migrate | tail -n 1)" 'once a superuser has run that, it migrates'
words=$(as=m_other migrate)
is 75 $? 'another login is refused on a database that was migrated'
is 1 "$(asked "$words" | grep -cE '^GRANT ruad_owner TO m_other( WITH INHERIT TRUE, SET TRUE)?;$')" 'and what it lacks is said'
sql "$(asked "$words")"
is "the schema is at version $last" "$(as=m_other migrate | tail -n 1)" 'once a superuser has run that, it is served'

# No outsider can stop a migration by the lock of the first one.
sql "UPDATE ruad.definitions SET checksum = 'x'"
psql -XAtqd m -c 'SELECT pg_advisory_lock(1920295268), pg_sleep(60)' >/dev/null 2>&1 &
holder=$!
ours="locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = 'm')"
until [ "$(sql "SELECT count(*) FROM pg_locks WHERE $ours")" = 1 ]; do sleep 0.05; done
is "the schema is at version $last" "$(PGOPTIONS='-c lock_timeout=5s' migrate | tail -n 1)" 'an advisory lock holds up no later migration'
sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE $ours" >/dev/null
wait $holder

fresh
migrate >/dev/null

# Functions and views of another ruad, and what users built on them.
sql "CREATE ROLE m_user; CREATE SCHEMA users; CREATE VIEW users.mine AS SELECT domain, sum(count) FROM dmarc.records GROUP BY domain; GRANT SELECT ON dmarc.records TO m_user;
	SET ROLE ruad_owner; CREATE FUNCTION api.of_yesterday() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE FUNCTION api.today() RETURNS date LANGUAGE sql AS 'SELECT NULL::date';
	UPDATE ruad.definitions SET checksum = 'x'" >/dev/null
is 'would run functions and views' "$(migrate --dry-run)" 'a dry run names functions and views that are not ours'
is 'running functions and views' "$(migrate | head -n 1)" 'they are replaced'
is t "$(sql "SELECT to_regprocedure('api.of_yesterday()') IS NULL AND api.today() IS NOT NULL AND has_function_privilege('ruad_web', 'api.today()', 'EXECUTE')")" 'none of theirs stays'
is t "$(sql "SELECT has_table_privilege('m_user', 'dmarc.records', 'SELECT') AND count(*) = 0 FROM users.mine")" 'grants on views stay, and views that users built on them'
sql "CREATE VIEW users.theirs AS SELECT api.today(); UPDATE ruad.definitions SET checksum = 'x'" >/dev/null
words=$(migrate)
is 75 $? 'a view that calls a function of ours prevents the replacement'
is 1 "$(grep -c 'functions and views: .*view users.theirs depends' <<<"$words")" 'and is named'
sql 'DROP VIEW users.theirs; DROP OWNED BY m_user; DROP ROLE m_user' >/dev/null
migrate >/dev/null

# Replacing functions and views leaves what a first migration makes. A dump's order differs, so its lines are compared sorted; the second of two
# dumps gives columns that have no name their type's.
dumped() {
	pg_dump -s -n ruad -n dmarc -n api m | grep -v '^\\\(un\)\?restrict ' | sed -E 's/^( +(SELECT )?.*::(integer|text)) AS (int4|text),$/\1,/' | sort
}
fresh
migrate >/dev/null
first=$(dumped)
sql "SET ROLE ruad_owner; CREATE FUNCTION api.of_yesterday() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE FUNCTION api.today() RETURNS date LANGUAGE sql AS 'SELECT NULL::date';
	CREATE TYPE ruad.of_yesterday AS (x integer); COMMENT ON VIEW dmarc.records IS 'old';
	GRANT EXECUTE ON FUNCTION api.today() TO ruad_ingest; UPDATE ruad.definitions SET checksum = 'x'" >/dev/null
words=$(migrate)
is "the schema is at version $last" "$(tail -n 1 <<<"$words")" 'functions and views of another ruad are replaced'
is '' "$(diff <(echo "$first") <(dumped) | head -n 20)" 'and the schema is that of a database that never had them'

# 0009: a class stored for want of a word; what came later is undone. Facet 3 is that of evaluations 1 and 2; only the first says nothing.
sql "DELETE FROM ruad.schema_version WHERE version >= 9; DROP TABLE ruad.dns_version CASCADE; DROP TABLE ruad.notice, ruad.notice_state, ruad.outbox, ruad.digest, ruad.gate CASCADE; ALTER TABLE ruad.report ADD PRIMARY KEY (domain_id, day, id); ALTER TABLE ruad.service DROP COLUMN setup CASCADE;
	UPDATE ruad.definitions SET checksum = 'x'; INSERT INTO ruad.domain (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'a.example');
	INSERT INTO ruad.facet (id, domain_id, hash, dkim_aligned, spf_aligned, class) VALUES (3, 1, gen_random_uuid(), false, false, 'fail_unauthenticated');
	INSERT INTO ruad.evaluation (id, facet, day, domain_id, hash, class, dkim, spf)
	VALUES (1, 3, '2026-01-01', 1, gen_random_uuid(), 'fail_unauthenticated', 'n/a', ''), (2, 3, '2026-01-01', 1, gen_random_uuid(), 'fail_unauthenticated', 'n/a', 'none')"
is "the schema is at version $last" "$(migrate | tail -n 1)" 'a database with classes of failures for want of a word is migrated'
is '1 unknown unknown,2 fail_unauthenticated fail_unauthenticated|2026-01-01' "$(sql "SELECT (SELECT string_agg(concat_ws(' ', e.id, e.class, f.class), ',' ORDER BY e.id)
	FROM ruad.evaluation e JOIN ruad.facet f ON f.id = e.facet AND (f.class = 'unknown') = (f.hash = ruad.hash_of(ROW(f.dkim_aligned, f.spf_aligned, f.class, f.disposition,
	f.header_from, f.auth_domain, f.override)::text))), (SELECT string_agg(day::text, ',') FROM ruad.stale)")" 'their class is unknown, and their month is summed again'

# base/VERSION.sql.gz is what pg_dump wrote (but \restrict) of a database at that version into which one report of ten records was imported. Made once
# for each version that was released, and never again.
for base in "${bases[@]}"; do
	fresh
	zcat "$base" | psql -Xqd m -v ON_ERROR_STOP=1 >/dev/null
	words=$(migrate)
	is "the schema is at version $last" "$(tail -n 1 <<<"$words")" "a database of version $(basename "$base" .sql.gz) is migrated"
	is '' "$(diff <(echo "$first") <(dumped) | sed -n 1,20p)" 'and has the schema of a new one'
	is '10|10' "$(sql "SELECT (SELECT count(*) FROM dmarc.records WHERE report = (SELECT id FROM dmarc.reports WHERE records = 10)), (SELECT sum(records) FROM dmarc.monthly)")" 'and its report'
done
