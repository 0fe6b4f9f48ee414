"""ruad import of what other programs keep: the JSON and tables of parsedmarc, and dumps of dmarcts-report-parser and dmarc-srg."""

import base64
import gzip
import json
import subprocess

import pytest
from conftest import ROOT
from reports import DAY, aggregate, gzipped, mail, record
from test_import import WHY, fixture_imports  # noqa: F401 (a fixture)


def parsedmarc_record(source_ip, count, dkim="pass", spf="pass", begin="2026-01-01 00:00:00", end="2026-01-01 23:59:59"):
    return {
        "source": {"ip_address": source_ip, "country": None, "reverse_dns": None, "base_domain": None, "name": None, "type": None, "asn": None},
        "count": count,
        "alignment": {"spf": spf == "pass", "dkim": dkim == "pass", "dmarc": "pass" in (spf, dkim)},
        "policy_evaluated": {"disposition": "none", "dkim": dkim, "spf": spf, "policy_override_reasons": []},
        "identifiers": {"header_from": "example.com", "envelope_from": "example.com", "envelope_to": None},
        "auth_results": {
            "dkim": [{"domain": "example.com", "selector": "s1", "result": dkim, "human_result": None}],
            "spf": [{"domain": "example.com", "scope": "mfrom", "result": spf, "human_result": None}],
        },
        "normalized_timespan": False,
        "interval_begin": begin,
        "interval_end": end,
    }


def parsedmarc_report(number, records):
    return {
        "xml_schema": "1.0",
        "report_metadata": {
            "org_name": "reporter.example",
            "org_email": "dmarc@reporter.example",
            "org_extra_contact_info": None,
            "report_id": f"p-{number}",
            "begin_date": "2026-01-01 05:30:00",  # local time where parsedmarc ran
            "end_date": "2026-01-02 05:29:59",
            "errors": [],
        },
        "policy_published": {"domain": "example.com", "adkim": "r", "aspf": "r", "p": "none", "sp": "none", "pct": "100", "fo": "0"},
        "records": records,
    }


REPORTS = [
    parsedmarc_report(1, [parsedmarc_record("192.0.2.1", 7), parsedmarc_record("192.0.2.2", 3, "fail", "fail")]),
    parsedmarc_report(2, [parsedmarc_record("2001:db8::1", 5, "fail")]),
]
SHAPES = {
    "a list": json.dumps(REPORTS, indent=2),
    "one object": json.dumps({"aggregate_reports": REPORTS, "failure_reports": [], "smtp_tls_reports": []}),
    "lines": "".join(json.dumps(report) + "\n" for report in REPORTS),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_json_of_parsedmarc_is_stored_once(imports, shape):
    path = imports.write("aggregate.json", SHAPES[shape].encode())
    code, words, errors = imports.run(imports.files)
    assert (code, errors) == (0, "")
    assert words.endswith(": 2 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.run(path)[1].endswith(": 0 reports stored, 2 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.database.query("SELECT report_id, extract(epoch FROM begin)::bigint, records, messages, pass FROM dmarc.reports ORDER BY 1") == [
        ("p-1", DAY, 2, 10, 7),
        ("p-2", DAY, 1, 5, 5),
    ]
    assert imports.database.query("SELECT DISTINCT code, raw FROM dmarc.notes WHERE code = 'K1'") == [("K1", "parsedmarc")]
    assert imports.database.query("SELECT host(source_ip), count, class FROM dmarc.records ORDER BY count DESC") == [
        ("192.0.2.1", 7, "pass"),
        ("2001:db8::1", 5, "pass"),
        ("192.0.2.2", 3, "fail_altered"),
    ]


def test_parse_prints_the_reports_of_parsedmarc(imports):
    path = imports.write("aggregate.json", SHAPES["a list"].encode())
    code, words, errors = imports.ruad.command("parse", str(path))
    assert (code, errors) == (0, "")
    assert [json.loads(line)["report_metadata"]["report_id"] for line in words.splitlines()] == ["p-1", "p-2"]


# -- dmarcts-report-parser --


def quoted(text):
    """A text as mysqldump writes it."""
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0"), ("\x1a", "\\Z")):
        text = text.replace(plain, escaped)
    return f"'{text}'"


def dump(*raw_xml):
    rows = [
        f"({number},'2026-01-01 00:00:00','2026-01-01 23:59:59','example.com','Reporter Inc.','r-{number}','<dmarc@reporter.example>',NULL,'r','r',"
        f"'none','none',100,{quoted(text)})"
        for number, text in enumerate(raw_xml, 1)
    ]
    return (
        "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: it's dmarc\n"
        "/*!40101 SET NAMES utf8mb4 */;\nDROP TABLE IF EXISTS `report`;\nCREATE TABLE `report` (\n  `serial` int unsigned NOT NULL,\n"
        "  `raw_xml` mediumtext\n) ENGINE=InnoDB COMMENT='reports';\nINSERT INTO `report` VALUES " + ",".join(rows) + ";\n"
        "INSERT INTO `rptrecord` VALUES (1,1,3221225985,NULL,7,'none','<none>','example.com','pass','example.com','pass','pass','pass','example.com');\n"
    ).encode()


def test_a_dump_of_dmarcts_report_parser_has_the_reports_as_they_were_sent(imports):
    first = aggregate(report_id="r-1", org_name="O'Reilly \\ \"Co\"", records=[record(count=7)])
    second = aggregate(report_id="r-2", records=[record(count=3)])
    packed = base64.b64encode(gzip.compress(second, mtime=0)).decode()
    path = imports.write("dump.sql", dump(first.decode(), packed, ""))
    code, words, errors = imports.run(imports.files)
    assert (code, errors) == (0, "")
    assert words == "imported 1 file with 2 mails: 2 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n"
    assert imports.run(path)[1].endswith(": 0 reports stored, 2 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.database.query("SELECT report_id, org_name, messages FROM dmarc.reports ORDER BY 1") == [
        ("r-1", "O'Reilly \\ \"Co\"", 7),
        ("r-2", "Reporter Inc.", 3),
    ]
    names = imports.database.query("SELECT DISTINCT i.name FROM dmarc.intake i JOIN dmarc.reports r ON r.id = i.report WHERE r.report_id = 'r-2'")
    assert names == [(f"{path}: report 2",)]
    sent = imports.write("sent.eml", mail(gzipped(second)))  # the mail with this report
    assert imports.run(sent)[1] == "imported 1 file: 0 reports stored, 1 duplicate, 0 conflicts, 0 quarantined\n"


def test_a_damaged_report_in_a_dump_is_quarantined_and_the_others_are_stored(imports):
    broken = base64.b64encode(gzip.compress(aggregate(report_id="r-1"), mtime=0)[:-30]).decode()
    imports.write("dump.sql", dump(broken, aggregate(report_id="r-2").decode()))
    assert imports.run(imports.files)[1] == f"imported 1 file with 2 mails: 1 report stored, 0 duplicates, 0 conflicts, 1 quarantined\n{WHY}"
    assert imports.database.reports() == ["r-2"]


# -- parsedmarc's other kinds --

TLS_REPORT = {
    "organization_name": "Reporter Inc.",
    "begin_date": "2026-01-01T00:00:00Z",
    "end_date": "2026-01-01T23:59:59Z",
    "contact_info": "tls@reporter.example",
    "report_id": "t-1",
    "policies": [{
        "policy_domain": "example.com", "policy_type": "sts", "policy_strings": ["version: STSv1", "mode: testing"],
        "mx_host_patterns": ["*.example.com"], "successful_session_count": 5, "failed_session_count": 3,
        "failure_details": [
            {"result_type": "validation-failure", "failed_session_count": 2, "sending_mta_ip": "192.0.2.1", "receiving_mx_hostname": "mx.example.com"},
            {"result_type": "certificate-expired", "failed_session_count": 1, "sending_mta_ip": "192.0.2.2", "receiving_ip": "192.0.2.3"}]}],
}  # fmt: skip
FAILURE_REPORT = {
    "feedback_type": "auth-failure", "user_agent": "Agent/1.0", "version": "1", "original_envelope_id": None,
    "original_mail_from": "bounce@example.com", "original_rcpt_to": "peter@example.org",
    "arrival_date": "Fri, 02 Jan 2026 11:20:27 +0200", "arrival_date_utc": "2026-01-02 09:20:27", "message_id": "<1@example.com>",
    "authentication_results": "dmarc=fail (p=none) header.from=example.com", "delivery_result": "delivered", "auth_failure": ["dmarc"],
    "authentication_mechanisms": [], "dkim_domain": None, "reported_domain": "example.com",
    "source": {"ip_address": "192.0.2.77", "country": None, "reverse_dns": None, "base_domain": None, "name": None, "type": None},
    "sample_headers_only": True, "sample": "From: Ann <ann@example.com>\nTo: peter@example.org\nSubject: Hello\nMessage-ID: <1@example.com>\n\n",
    "parsed_sample": {"subject": "Hello", "headers": {"Subject": "Hello"}, "attachments": []},
}  # fmt: skip


def check_other_kinds(database):
    assert database.query("SELECT organization_name, report_id, extract(epoch FROM start_datetime)::bigint, total_successful_session_count::int,"
                          " total_failure_session_count::int FROM dmarc.tls_reports") == [("Reporter Inc.", "t-1", DAY, 5, 3)]
    assert database.query("SELECT result_type, failed_session_count::int, host(sending_mta_ip) FROM dmarc.tls_failures ORDER BY 1") == [
        ("certificate-expired", 1, "192.0.2.2"), ("validation-failure", 2, "192.0.2.1")]
    assert database.query("SELECT domain, host(source_ip), extract(epoch FROM arrival_time)::bigint, delivery_result, subject"
                          " FROM dmarc.failure_reports") == [("example.com", "192.0.2.77", 1767345627, "delivered", "Hello")]


@pytest.mark.parametrize("shape", ["one object", "files"])
def test_tls_and_failure_reports_of_parsedmarc_are_stored_once(imports, shape):
    if shape == "files":
        imports.write("smtp_tls.json", json.dumps([TLS_REPORT], indent=2).encode())
        imports.write("failure.json", json.dumps([FAILURE_REPORT], indent=2).encode())
    else:
        imports.write("all.json", json.dumps({"aggregate_reports": [], "failure_reports": [FAILURE_REPORT], "smtp_tls_reports": [TLS_REPORT]}).encode())
    code, words, errors = imports.run(imports.files)
    assert (code, errors) == (0, "")
    assert ": 2 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n" in words
    assert ": 0 reports stored, 2 duplicates, 0 conflicts, 0 quarantined\n" in imports.run(imports.files)[1]
    check_other_kinds(imports.database)
    assert imports.database.query("SELECT DISTINCT raw FROM dmarc.notes WHERE code = 'K1'") == [("parsedmarc",)]


# -- parsedmarc's tables --

TABLES = """
CREATE TABLE dmarc_aggregate_report (id bigserial PRIMARY KEY, xml_schema text, org_name text NOT NULL, org_email text,
    org_extra_contact_info text, report_id text NOT NULL, begin_date timestamptz NOT NULL, end_date timestamptz NOT NULL, errors text[],
    domain text NOT NULL, adkim text, aspf text, policy text, subdomain_policy text, pct text, fo text);
CREATE TABLE dmarc_aggregate_record (id bigserial PRIMARY KEY, report_id bigint NOT NULL, interval_begin timestamptz, interval_end timestamptz,
    source_ip_address inet, message_count integer NOT NULL, disposition text, policy_dkim text, policy_spf text, header_from text,
    envelope_from text, envelope_to text);
CREATE TABLE dmarc_aggregate_record_dkim (id bigserial PRIMARY KEY, record_id bigint, domain text, selector text, result text, human_result text);
CREATE TABLE dmarc_aggregate_record_spf (id bigserial PRIMARY KEY, record_id bigint, domain text, scope text, result text, human_result text);
CREATE TABLE dmarc_aggregate_record_policy_override (id bigserial PRIMARY KEY, record_id bigint, override_type text, comment text);
CREATE TABLE smtp_tls_report (id bigserial PRIMARY KEY, organization_name text NOT NULL, begin_date timestamptz NOT NULL,
    end_date timestamptz NOT NULL, contact_info text, report_id text NOT NULL);
CREATE TABLE smtp_tls_policy (id bigserial PRIMARY KEY, report_id bigint, policy_domain text, policy_type text, policy_strings text[],
    mx_host_patterns text[], successful_session_count integer, failed_session_count integer);
CREATE TABLE smtp_tls_failure_detail (id bigserial PRIMARY KEY, policy_id bigint, result_type text, failed_session_count integer,
    sending_mta_ip inet, receiving_ip inet, receiving_mx_hostname text, receiving_mx_helo text, additional_info_uri text, failure_reason_code text);
CREATE TABLE dmarc_failure_report (id bigserial PRIMARY KEY, feedback_type text, user_agent text, version text, original_envelope_id text,
    original_mail_from text, original_rcpt_to text, arrival_date timestamptz, arrival_date_utc timestamptz, authentication_results text,
    delivery_result text, auth_failure text[], authentication_mechanisms text[], dkim_domain text, reported_domain text,
    sample_headers_only boolean, source_ip_address inet, sample text);
INSERT INTO dmarc_aggregate_report (xml_schema, org_name, org_email, report_id, begin_date, end_date, errors, domain, adkim, aspf, policy)
    VALUES ('1.0', 'reporter.example', 'dmarc@reporter.example', 'p-1', '2026-01-01 05:30:00+05:30', '2026-01-02 05:29:59+05:30', '{}', 'example.com', 'r', 'r', 'none'),
    ('1.0', 'reporter.example', 'dmarc@reporter.example', E'p-"\\n2', '2026-01-01 00:00Z', '2026-01-01 23:59:59Z', '{x}', 'example.com', 'r', 'r', 'none');
INSERT INTO dmarc_aggregate_record (report_id, source_ip_address, message_count, disposition, policy_dkim, policy_spf, header_from)
    VALUES (1, '192.0.2.1', 7, 'none', 'pass', 'pass', 'example.com'), (1, '192.0.2.2', 3, 'none', 'fail', 'fail', 'example.com'),
    (2, '2001:db8::1', 5, 'none', 'fail', 'pass', 'example.com');
INSERT INTO dmarc_aggregate_record_dkim (record_id, domain, selector, result) VALUES (1, 'example.com', 's1', 'pass');
INSERT INTO dmarc_aggregate_record_spf (record_id, domain, scope, result) VALUES (1, 'example.com', 'mfrom', 'pass');
INSERT INTO dmarc_aggregate_record_policy_override (record_id, override_type, comment) VALUES (2, 'forwarded', 'a list');
INSERT INTO smtp_tls_report (organization_name, begin_date, end_date, contact_info, report_id)
    VALUES ('Reporter Inc.', '2026-01-01 00:00Z', '2026-01-01 23:59:59Z', 'tls@reporter.example', 't-1');
INSERT INTO smtp_tls_policy (report_id, policy_domain, policy_type, policy_strings, mx_host_patterns, successful_session_count, failed_session_count)
    VALUES (1, 'example.com', 'sts', '{"version: STSv1"}', '{*.example.com}', 5, 3);
INSERT INTO smtp_tls_failure_detail (policy_id, result_type, failed_session_count, sending_mta_ip)
    VALUES (1, 'validation-failure', 2, '192.0.2.1'), (1, 'certificate-expired', 1, '192.0.2.2');
INSERT INTO dmarc_failure_report (feedback_type, arrival_date, arrival_date_utc, delivery_result, auth_failure, reported_domain, source_ip_address, sample)
    VALUES ('auth-failure', '2026-01-02 09:20:27Z', '2026-01-02 09:20:27Z', 'delivered', '{dmarc}', 'example.com', '192.0.2.77',
    E'From: Ann <ann@example.com>\\nSubject: Hello\\nMessage-ID: <1@example.com>\\n\\n');
"""


def test_the_tables_of_parsedmarc_are_stored_once(imports):
    imports.database.query("CREATE DATABASE parsedmarc", database="postgres")
    try:
        psql = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", imports.database.postgres.conninfo("parsedmarc")]
        subprocess.run(psql, input=TABLES, text=True, check=True, capture_output=True)
        done = subprocess.run([*psql, "-f", ROOT / "server/dist/import/parsedmarc.sql"], text=True, check=True, capture_output=True)
    finally:
        imports.database.query("DROP DATABASE parsedmarc", database="postgres")
    assert len(json.loads(done.stdout)) == 5  # four reports and null
    path = imports.write("reports.json", done.stdout.encode())
    code, words, errors = imports.run(imports.files)
    assert (code, errors) == (0, "")
    assert words.endswith(": 4 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.run(path)[1].endswith(": 0 reports stored, 4 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.database.query("SELECT report_id, extract(epoch FROM begin)::bigint, records, messages, pass FROM dmarc.reports ORDER BY 1 DESC") == [
        ("p-1", DAY, 2, 10, 7),
        ('p-" 2', DAY, 1, 5, 5),
    ]
    assert imports.database.query("SELECT type, comment FROM dmarc.record_overrides") == [("forwarded", "a list")]
    check_other_kinds(imports.database)


# -- dmarc-srg --


def srg_dump(prefix="", binary=lambda raw: "0x" + raw.hex(), complete=False):
    """As mysqldump writes it, with what matters of dmarc-srg's tables."""
    def insert(table, columns, rows):
        names = f" ({', '.join(f'`{name}`' for name in columns)})" if complete else ""
        return f"INSERT INTO `{prefix}{table}`{names} VALUES {','.join('(' + ','.join(row) + ')' for row in rows)};\n"

    def create(table, columns):
        lines = "".join(f"  `{name}` varchar(255) NOT NULL DEFAULT ',(',\n" for name in columns)
        return f"DROP TABLE IF EXISTS `{prefix}{table}`;\nCREATE TABLE `{prefix}{table}` (\n{lines}  PRIMARY KEY (`id`),\n  KEY `k` (`id`)\n) ENGINE=InnoDB;\n"

    domains = ["id", "fqdn", "active", "description"]
    reports = ["id", "domain_id", "begin_time", "end_time", "loaded_time", "org", "external_id", "email", "extra_contact_info", "error_string",
               "policy_adkim", "policy_aspf", "policy_p", "policy_sp", "policy_np", "policy_pct", "policy_fo", "seen"]
    records = ["id", "report_id", "ip", "rcount", "disposition", "reason", "dkim_auth", "spf_auth", "dkim_align", "spf_align", "envelope_to",
               "envelope_from", "header_from"]
    head = "'2026-01-01 00:00:00','2026-01-01 23:59:59','2026-01-03 00:00:00'"
    passed = [quoted('[{"domain":"example.com","selector":"s1","result":"pass"}]'), quoted('[{"domain":"example.com","scope":"mfrom","result":"pass"}]')]
    return (
        "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\n--\n-- Host: localhost    Database: it's\n/*!40101 SET NAMES utf8mb4 */;\n"
        + create("domains", domains) + insert("domains", domains, [["3", "'example.com'", "1", "'it\\'s (1,2);'"], ["4", "'other.example'", "1", "NULL"]])
        + create("reports", reports)
        + insert("reports", reports, [
            ["11", "3", head, "'O\\'Reilly'", "'s-1'", "'dmarc@reporter.example'", "NULL", "NULL", "'r'", "'r'", "'reject'", "'none'", "NULL", "'100'", "'0'", "0"],
            ["12", "4", head, "'Reporter'", "'s-2'", "'dmarc@reporter.example'", "''", quoted('["too \\"late\\""]'), "NULL", "NULL", "'none'", "NULL", "NULL", "NULL", "NULL", "1"]])
        + create("rptrecords", records)
        + insert("rptrecords", records, [
            ["1", "11", binary(bytes([192, 0, 2, 1])), "7", "2", "NULL", *passed, "2", "2", "NULL", "NULL", "'example.com'"],
            ["2", "12", binary(bytes.fromhex("20010db8000000000000000000000001")), "5", "2", "NULL", "NULL", "NULL", "1", "2", "NULL", "NULL", "'other.example'"],
            ["3", "11", binary(bytes([39, 92, 0, 10])), "3", "0", quoted('[{"type":"forwarded","comment":"a [ list"}]'), "NULL", quoted('"],"count":9'),
             "0", "0", "NULL", "NULL", "'example.com'"]])
    ).encode("latin-1")


BINARY = {
    "hexadecimal": lambda raw: "0x" + raw.hex().upper(),
    "escaped": lambda raw: quoted(raw.decode("latin-1")),
    "introduced": lambda raw: "_binary " + quoted(raw.decode("latin-1")),
}


@pytest.mark.parametrize("binary", BINARY)
@pytest.mark.parametrize("prefix, complete", [("", False), ("srg_", True)])
def test_a_dump_of_dmarc_srg_is_stored_once(imports, binary, prefix, complete):
    path = imports.write("srg.sql", srg_dump(prefix, BINARY[binary], complete))
    code, words, errors = imports.run(imports.files)
    assert (code, errors) == (0, "")
    assert words == "imported 1 file with 2 mails: 2 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n"
    assert imports.run(path)[1].endswith(": 0 reports stored, 2 duplicates, 0 conflicts, 0 quarantined\n")
    assert imports.database.query("SELECT report_id, org_name, domain, p, extract(epoch FROM begin)::bigint, records, messages, pass FROM dmarc.reports ORDER BY 1") == [
        ("s-1", "O'Reilly", "example.com", "reject", DAY, 2, 10, 7), ("s-2", "Reporter", "other.example", "none", DAY, 1, 5, 5)]
    assert imports.database.query("SELECT host(source_ip), count, disposition, dkim, spf FROM dmarc.records ORDER BY count") == [
        ("39.92.0.10", 3, "reject", "fail", "fail"), ("2001:db8::1", 5, "none", None, "pass"), ("192.0.2.1", 7, "none", "pass", "pass")]
    assert imports.database.query("SELECT type, comment FROM dmarc.record_overrides") == [("forwarded", "a [ list")]
    assert imports.database.query("SELECT DISTINCT raw FROM dmarc.notes WHERE code = 'K1'") == [("dmarc-srg",)]


def test_a_report_of_dmarc_srg_that_also_came_by_mail_does_not_count_twice(imports):
    imports.write("sent.eml", mail(gzipped(aggregate(report_id="s-2", org_name="Reporter", domain="other.example", begin=DAY, end=DAY + 86399,
                                                     records=[record(source_ip="2001:db8::1", count=5, header_from="other.example")]))))
    assert imports.run(imports.files)[1].endswith(": 1 report stored, 0 duplicates, 0 conflicts, 0 quarantined\n")
    path = imports.write("srg.sql", srg_dump())
    assert imports.run(path)[1].endswith(": 1 report stored, 0 duplicates, 1 conflict, 0 quarantined\n")
    assert imports.database.query("SELECT report_id, messages FROM dmarc.reports ORDER BY 1") == [("s-1", 10), ("s-2", 5)]


HOSTILE = {
    "it ends in a value": srg_dump()[:-200],
    "a long value": srg_dump().replace(b"'O\\'Reilly'", b"'" + b"x" * 2_000_000 + b"'"),
    "records without a report": srg_dump().replace(b"INSERT INTO `reports`", b"INSERT INTO `elsewhere`"),
    "rows with too many values": srg_dump().replace(b"(1,11,", b"(" + b"1," * 5000),
    "a table twice": srg_dump() + srg_dump(),
    "brackets without end": srg_dump() + b"INSERT INTO `reports` VALUES " + b"(" * 100_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_dump_costs_nothing_else(imports, case):
    imports.write("srg.sql", HOSTILE[case])
    imports.write("z.eml", mail(gzipped(aggregate(report_id="after"))))
    code, words, errors = imports.run(imports.files)
    assert code == 0 and errors == "", (words, errors)
    assert "after" in imports.database.reports()
