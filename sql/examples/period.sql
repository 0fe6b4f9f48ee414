-- period - the days that the queries in this folder are about: -v from=2026-03-01 -v to=2026-04-01 (the day after the
-- last), or this month. Days are UTC, as in the reports.
\set QUIET on
SET timezone = 'UTC';
\if :{?from}
\else
SELECT date_trunc('month', now())::date AS from \gset
\endif
\if :{?to}
\else
SELECT (date :'from' + interval '1 month')::date AS to \gset
\endif
