"""ruad import of what other programs keep: the JSON of parsedmarc, and a MySQL dump of dmarcts-report-parser."""

import base64
import gzip
import json

import pytest
from reports import DAY, aggregate, gzipped, mail, record
from test_import import fixture_imports  # noqa: F401 (a fixture)


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
    assert imports.run(sent)[1] == "imported 1 file: 0 reports stored, 1 duplicates, 0 conflicts, 0 quarantined\n"


def test_a_damaged_report_in_a_dump_is_quarantined_and_the_others_are_stored(imports):
    broken = base64.b64encode(gzip.compress(aggregate(report_id="r-1"), mtime=0)[:-30]).decode()
    imports.write("dump.sql", dump(broken, aggregate(report_id="r-2").decode()))
    assert imports.run(imports.files)[1] == "imported 1 file with 2 mails: 1 reports stored, 0 duplicates, 0 conflicts, 1 quarantined\n"
    assert imports.database.reports() == ["r-2"]
