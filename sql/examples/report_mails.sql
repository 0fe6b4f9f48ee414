-- report_mails - each mail that contained one aggregate report, and what became of it: -v report=NUMBER, which is
-- dmarc.reports.id.
--
--  mail | item |      received_at       |  status   | source | envelope_from |          subject           | authentic
-- ------+------+------------------------+-----------+--------+---------------+----------------------------+-----------
--     1 |    1 | 2026-03-02 02:30:00+00 | stored    | lmtp   | a@b.example   | Report Domain: example.com | pass
--     2 |    1 | 2026-03-02 02:40:00+00 | duplicate | lmtp   | a@b.example   | Report Domain: example.com | pass
--     3 |    1 | 2026-03-04 10:00:00+00 | conflict  | lmtp   | a@b.example   | Corrected report           | none
-- (3 rows)
\if :{?report}
\else
\warn 'name the report: psql -v report=NUMBER'
\quit
\endif
SET timezone = 'UTC';

SELECT mail, item_no AS item, received_at, status, source, envelope_from, subject, authentic
FROM dmarc.intake
WHERE report = :'report' AND kind = 'aggregate'
ORDER BY mail, item_no;
