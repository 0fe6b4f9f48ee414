"""ruad check queries a real DNS server, with zones for each test."""

import ctypes
import csv
import http.server
import io
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import jsonschema
import pytest

from conftest import BUILD, ROOT
from nameserver import NS_HOSTS, Nsd, Unbound, free_host, program
from reports import aggregate, record
from supervised import Supervised, clean_environment

pytestmark = pytest.mark.skipif(not program("nsd") or not program("unbound"), reason="nsd or unbound is not installed")

ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 appendix A.2

# A domain without faults: strict, with its hosts in SPF, and reports that go to another domain.
GOOD = """\
@ MX 10 mail
@ TXT "v=spf1 mx a:out.example.com a:backup.example.com -all"
mail A 192.0.2.25
out A 192.0.2.26
backup A 192.0.2.27
_dmarc TXT "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s; rua=mailto:dmarc-sum@reports.example.net; ruf=mailto:dmarc-full@failures.example.org; fo=1"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls-rpt@example.com"
s1._domainkey TXT "v=DKIM1; k=ed25519; p=%s"
""" % ED25519

# Records of other domains: consent of the hosts of reports, names of the addresses.
ELSEWHERE = """\
reports.example.net MX 10 mx.reports.example.net
example.com._report._dmarc.reports.example.net TXT "v=DMARC1"
failures.example.org A 198.51.100.9
*._report._dmarc.failures.example.org TXT "v=DMARC1;"
25.2.0.192.in-addr.arpa PTR mail.example.com.
26.2.0.192.in-addr.arpa PTR out.example.com.
27.2.0.192.in-addr.arpa PTR backup.example.com.
"""


def ruad_check(*words):
    return subprocess.run(
        [BUILD / "bin" / "ruad", "check", *words],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


SCHEMA = json.loads((ROOT / "server" / "web" / "check.schema.json").read_text())


def check_members(value, schema, place="document"):
    """Each member is described: consumers may allow others, since members are added."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict):
        assert set(value) == set(schema["properties"]), place
        for name, member in value.items():
            check_members(member, schema["properties"][name], f"{place}.{name}")
    elif isinstance(value, list):
        for one in value:
            check_members(one, schema["items"], f"{place}[]")


def check_document(document, schema=SCHEMA):
    whole = {**schema, "$defs": SCHEMA["$defs"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(document)
    check_members(document, schema)


class Dns:
    """A name server; check() queries it and returns the document."""

    def __init__(self, server):
        self.server = server

    def run(self, *words):
        return ruad_check("--resolver", self.server.address, *words)

    def check(self, domain, *words):
        done = self.run("--json", domain, *words)
        assert done.stderr == ""
        document = json.loads(done.stdout)
        check_document(document)
        errors = [one for one in document["findings"] if one["severity"] == "error"]
        assert document["ok"] == (errors == [])
        assert done.returncode == (1 if errors else 0)
        return document


@pytest.fixture(name="serve")
def fixture_serve(folder):
    """serve(lines, **zones): an authoritative server for the root zone, and for others."""
    servers = []

    def serve(lines, zones=None):
        servers.append(Nsd(folder, {"": NS_HOSTS + lines, **(zones or {})}))
        return Dns(servers[-1])

    yield serve
    for server in servers:
        server.stop()


def shown(document):
    """The findings, without the note that the name servers of the test zones do not answer."""
    return [one for one in document["findings"] if one["code"] != "ns_blocked"]


def codes(document, severity=None):
    return [one["code"] for one in shown(document) if severity in (None, one["severity"])]


def finding(document, code):
    (found,) = [one for one in document["findings"] if one["code"] == code]
    return found


def test_no_escape_of_the_dns_reaches_the_terminal(serve):
    hostile = 'www TXT "x"\n@ TXT "v=spf1 \\027[2J\\226\\128\\174 \\194\\1552J \\226\\128\\139 -all"\n'
    dns = serve(ELSEWHERE, {"example.com": hostile})
    for words in (["example.com"], ["--json", "example.com"], ["example.com\033[2J\u202e"]):
        done = dns.run(*words)
        assert not set(done.stdout + done.stderr) & set("\033\u009b\u202e\u200b"), words
    assert "\\u202e" in dns.run("example.com").stdout


def test_a_good_domain_has_no_finding(serve):
    document = serve(ELSEWHERE, {"example.com": GOOD}).check("Example.COM.", "--selector=s1")
    assert shown(document) == []
    assert document["domain"] == "example.com"
    dmarc = document["dmarc"]
    assert dmarc["name"] == "_dmarc.example.com"
    assert [dmarc[tag] for tag in ("p", "sp", "np", "adkim", "aspf", "fo", "psd", "t")] == [
        "reject", "reject", None, "s", "s", "1", None, None,
    ]
    assert dmarc["effective"] == {"domain": "reject", "subdomains": "reject", "nonexistent_subdomains": "reject"}
    assert [(one["tag"], one["address"], one["external"], one["authorised"]) for one in document["reports"]] == [
        ("rua", "dmarc-sum@reports.example.net", True, True),
        ("ruf", "dmarc-full@failures.example.org", True, True),
    ]
    spf = document["spf"]
    assert (spf["result"], spf["lookups"], spf["void_lookups"], spf["all"]) == ("ok", 3, 0, "-")
    assert [(one["range"], one["qualifier"], one["term"], one["via"]) for one in spf["ranges"]] == [
        ("192.0.2.25/32", "+", "mx", "example.com"),
        ("192.0.2.26/32", "+", "a:out.example.com", "example.com"),
        ("192.0.2.27/32", "+", "a:backup.example.com", "example.com"),
    ]
    assert document["dkim"] == [
        {"domain": "example.com", "selector": "s1", "record": f"v=DKIM1; k=ed25519; p={ED25519}", "status": "ok", "key_type": "ed25519",
         "bits": 256, "testing": False, "probed": False}
    ]
    assert document["mx"] == [{"preference": 10, "host": "mail.example.com", "addresses": ["192.0.2.25"], "tlsa": [], "tlsa_authentic": None}]
    assert document["tls_rpt"]["rua"] == ["mailto:tls-rpt@example.com"]
    assert [(one["ip"], one["name"], one["confirmed"]) for one in document["senders"]] == [
        ("192.0.2.25", "mail.example.com", True),
        ("192.0.2.26", "out.example.com", True),
        ("192.0.2.27", "backup.example.com", True),
    ]


# A faulty domain: each line has a fault or two.
BROKEN = """\
@ MX 10 mail
@ MX 20 gone
@ TXT "v=spf1 mx a:void1.example.com a:void2.example.com a:void3.example.com ip4:198.51.100.0/24 +all"
mail A 192.0.2.25
_dmarc TXT "v=DMARC1; p=none; pct=50; sp=nothing; rua=mailto:a@reports.example.net!10m,mailto:b@nowhere.invalid; fo=0:1"
_smtp._tls TXT "v=TLSRPTv1"
old._domainkey TXT "v=DKIM1; p="
"""


def test_a_broken_domain_has_its_findings_with_place_and_fix(serve):
    dns = serve("reports.example.net MX 10 mx.reports.example.net\n", {"example.com": BROKEN})
    document = dns.check("example.com", "--selector=old", "--selector=none:example.org")
    assert codes(document, "error") == [
        "mx_host", "dmarc_value", "dmarc_as_none", "report_unauthorised", "report_unauthorised", "report_host", "spf_void_lookups",
        "spf_all_pass", "dkim_missing", "tlsrpt_invalid",
    ]
    assert sorted(codes(document, "warning")) == [
        "dkim_revoked", "dmarc_fo", "dmarc_fo", "dmarc_removed_tag", "dmarc_uri_size", "sender_nameless", "spf_void", "spf_void", "spf_void",
    ]
    assert codes(document, "info") == ["dmarc_p_none"]
    fixed = '_dmarc.example.com. TXT "v=DMARC1; p=none; rua=mailto:a@reports.example.net,mailto:b@nowhere.invalid"'
    assert finding(document, "dmarc_removed_tag")["fix"] == fixed
    assert finding(document, "dmarc_value")["place"] == "_dmarc.example.com TXT: sp"
    assert document["spf"]["result"] == "permerror"
    assert [one["range"] for one in document["spf"]["ranges"]] == ["192.0.2.25/32"]  # those before the third void look-up
    assert finding(document, "sender_nameless")["fix"] == "25.2.0.192.in-addr.arpa. PTR mail.example.com."


def test_text_for_people_says_the_same(serve):
    here = f"$ORIGIN example.com.\n{GOOD}$ORIGIN .\n"  # in the root zone: nobody asks its name servers
    dns = serve(ELSEWHERE + here, {"broken.example": BROKEN})
    good = dns.run("example.com", "--selector", "s1")
    assert good.returncode == 0 and good.stderr == ""
    for words in ("policy reject", "rua dmarc-sum@reports.example.net: authorised", "look-ups: 3 (10 allowed), void: 0 (2 allowed)",
                  "+ 192.0.2.26/32", "ed25519, 256 bits", "10 mail.example.com 192.0.2.25", "192.0.2.25      mail.example.com: confirmed",
                  "nothing is wrong"):
        assert words in good.stdout
    bad = dns.run("broken.example")
    assert bad.returncode == 1
    assert "error" in bad.stdout and "spf_all_pass" in bad.stdout and "publish" in bad.stdout
    assert bad.stdout.startswith("broken.example: 9 errors, 7 warnings\n")
    severities = [line.split()[0] for line in bad.stdout.splitlines() if line.split()[:1] in (["error"], ["warning"], ["info"])]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert bad.stdout.index("spf_all_pass") < bad.stdout.index("look-ups:")  # what is wrong comes before the records
    assert "\033" not in good.stdout + bad.stdout  # colour is for terminals


def test_findings_that_are_alike_make_one_block(serve):
    terms = " ".join(f"ip4:192.0.2.{i}" for i in range(12))
    said = serve(f'example. TXT "v=spf1 a:void.example a:void2.example {terms} -all"\nexample. MX 0 .\n').run("example").stdout
    assert said.count("sender_nameless") == 1 and said.count("spf_void") == 1
    assert "sender_nameless  12 times\n" in said and "spf_void  2 times\n" in said
    assert "1.2.0.192.in-addr.arpa PTR: 192.0.2.1 has no name" in said
    assert "and 2 more (--json has all)" in said


def test_each_tag_is_explained(serve):
    dns = serve(ELSEWHERE, {"example.com": GOOD})
    said = dns.run("--explain", "-s", "s1", "example.com").stdout
    for tag, words in (("p=reject", "mail that fails is refused"), ("sp=reject", "the same for subdomains that exist"),
                       ("aspf=s", "the domain that passes SPF must be the one in From"), ("fo=1", "when a report on a message is wanted"),
                       ("a:out.example.com", "pass: the addresses of out.example.com"), ("-all", "fail: all others"),
                       ("k=ed25519", "the kind of key"), ("rua=mailto:tls-rpt@example.com", "where reports on failed TLS are sent")):
        assert [line for line in said.splitlines() if line.split()[:1] == [tag] and words in line], tag
    assert "mail that fails is refused" not in dns.run("example.com").stdout


def test_many_domains_are_lines_of_csv(serve):
    dns = serve(ELSEWHERE, {"example.com": GOOD, "broken.example": BROKEN, "evil.example": '_dmarc TXT "v=DMARC1; p=none, \\"=x"\n@ TXT "=1"'})
    done = dns.run("--csv", "example.com", "broken.example", "evil.example", "192.0.2.1")
    assert (done.returncode, "an IP address, not a domain" in done.stderr) == (2, True)
    good, bad, evil = csv.DictReader(io.StringIO(done.stdout, newline=""), strict=True)
    assert (good["domain"], good["ok"], good["errors"], good["policy"], good["rua"]) == (
        "example.com", "true", "0", "reject", "dmarc-sum@reports.example.net")
    assert (good["spf_lookups"], good["mx"]) == ("3", "mail.example.com")
    assert (bad["ok"], bad["errors"]) == ("false", "9")
    assert "spf_all_pass" in bad["error_codes"].split() and "spf_void" in bad["warning_codes"].split()
    assert evil["dmarc"].startswith('v=DMARC1; p=none, "')


@pytest.mark.parametrize("words", ["joe@example.com", "mailto:joe@example.com", "https://example.com/x?y", "http://u:p@example.com:80/", "example.com/"])
def test_addresses_and_urls_are_understood(serve, words):
    assert serve(ELSEWHERE, {"example.com": GOOD}).check(words)["domain"] == "example.com"


@pytest.mark.parametrize("words", ["192.0.2.1", "2001:db8::1", "http://[2001:db8::1]/", "joe@192.0.2.1"])
def test_an_ip_address_is_no_domain(words):
    done = ruad_check(words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "an IP address, not a domain" in done.stderr


def test_usual_selectors_are_looked_for(serve):
    zone = "@ MX 0 .\ndefault._domainkey TXT \"v=DKIM1; k=ed25519; p=%s\"\n" % ED25519
    dns = serve("", {"example.com": zone, "example.org": "@ MX 0 .\n"})
    assert [(one["selector"], one["probed"]) for one in dns.check("example.com")["dkim"]] == [("default", True)]
    assert "no key under the usual selectors" in dns.run("example.org").stdout


def test_without_a_database_it_is_said_that_selectors_of_reports_are_unknown(serve):
    dns = serve("", {"example.com": "@ MX 0 .\n"})
    assert dns.check("example.com")["dkim_selectors"] == "usual"
    assert dns.check("example.com", "--selector=x")["dkim_selectors"] == "given"
    assert "selectors that reports name were not looked for: the database is not running" in dns.run("example.com").stdout
    assert "not looked for" not in dns.run("example.com", "--selector=x").stdout


def test_selectors_that_reports_name_are_looked_for(serve, folder, database):
    dns = serve("", {"example.com": f'@ MX 0 .\n2026a._domainkey TXT "v=DKIM1; k=ed25519; p={ED25519}"\n'})
    ruad = Supervised(folder, database_url=database.conninfo())
    begin = int(time.time()) - 86400
    signed = [record(auth_dkim=[("example.com", "2026a", "pass"), ("example.com", "gone", "fail")])]
    (folder / "report.xml").write_bytes(aggregate(begin=begin, end=begin + 3600, records=signed))
    assert ruad.command("import", "--quiet", str(folder / "report.xml")) == (0, "", "")
    code, said, _ = ruad.command("check", "--json", "--resolver", dns.server.address, "example.com")
    document = json.loads(said)
    assert document["dkim_selectors"] == "reports"
    assert {(one["selector"], one["status"], one["probed"]) for one in document["dkim"]} == {
        ("2026a", "ok", False), ("gone", "missing", False),
    }
    assert code == 1


def test_each_question_and_answer_is_shown(serve):
    dns = serve(ELSEWHERE, {"example.com": GOOD})
    said = dns.run("-v", "example.com").stderr
    assert "MX example.com: 10 mail.example.com\n" in said
    assert 'TXT example.com._report._dmarc.reports.example.net: "v=DMARC1"\n' in said
    assert "AAAA mail.example.com: no such record\n" in said
    assert dns.run("example.com").stderr == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="a DNS server of the system needs port 53 and a mount")
def test_a_zone_is_checked_before_it_is_published(serve, folder):
    """The server has the zone alone; the rest comes from the system's server, which has an older zone."""
    zone = GOOD + "key._domainkey CNAME key.example.net.\nsub NS ns.sub\n"
    own, system = folder / "own", folder / "system"
    own.mkdir(), system.mkdir()
    server = Nsd(own, {"example.com": zone})
    rest = Nsd(system, {"": NS_HOSTS + ELSEWHERE + f'key.example.net TXT "k=ed25519; p={ED25519}"\n', "example.com": "@ MX 0 ."}, free_host(), 53)
    (folder / "resolv.conf").write_text(f"nameserver {rest.host}\n")
    command = [BUILD / "bin" / "ruad", "check", "--resolver", server.address, "-s", "key", "example.com"]
    words = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', folder / "resolv.conf", *command]
    try:
        done = subprocess.run([*words, "--json"], env=clean_environment(), capture_output=True, text=True, timeout=120, check=False)
        text = subprocess.run(words, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False)
    finally:
        server.stop()
        rest.stop()
    document = json.loads(done.stdout)
    assert shown(document) == []
    assert document["dkim"][0]["status"] == "ok"
    assert {"TXT key.example.net", "TXT example.com._report._dmarc.reports.example.net", "PTR 25.2.0.192.in-addr.arpa"} <= set(
        document["elsewhere"])
    own = [one for one in document["elsewhere"] if one.split()[1] == "example.com"]
    assert own == ["DS example.com"]  # which is in the zone above
    assert "the system's were asked" in text.stdout and "TXT key.example.net" in text.stdout


# Block lists: some that answer, and some that do not as they should.
LISTS = """\
2.0.0.127.zen.spamhaus.org A 127.0.0.2
2.0.0.127.bl.spamcop.net A 127.0.0.2
26.2.0.198.zen.spamhaus.org A 127.0.0.11
26.2.0.198.zen.spamhaus.org TXT "https://check.example/query/198.0.2.26"
*.b.barracudacentral.org A 127.255.255.254
*.psbl.surriel.com A 127.0.0.2
*.all.spamrats.com A 203.0.113.1
surbl-org-permanent-test-point.com.multi.surbl.org A 127.0.0.254
example.com.multi.surbl.org A 127.0.0.24
*.multi.uribl.com A 127.0.0.1
dbltest.com.dbl.spamhaus.org A 127.0.1.2
"""
LISTED = '@ MX 10 mail\n@ TXT "v=spf1 mx a:out.example.com ip4:10.0.0.1 -all"\nmail A 198.0.2.25\nout A 198.0.2.26\n'


def test_block_lists_are_asked_on_request_only(serve):
    dns = serve(LISTS, {"example.com": LISTED})
    assert dns.check("example.com")["blocklists"] == []
    document = dns.check("example.com", "--blocklists")
    lists = {one["zone"]: one for one in document["blocklists"]}
    assert {zone: one["status"] for zone, one in lists.items()} == {
        "zen.spamhaus.org": "ok", "bl.spamcop.net": "ok", "b.barracudacentral.org": "refused", "psbl.surriel.com": "unusable",
        "dnsbl-1.uceprotect.net": "unusable", "all.spamrats.com": "unusable", "dnsbl.dronebl.org": "unusable",
        "dbl.spamhaus.org": "ok", "multi.surbl.org": "ok", "multi.uribl.com": "refused",
    }
    zen = lists["zen.spamhaus.org"]
    assert zen["asked"] == 2  # not 10.0.0.1
    assert zen["found"] == [{
        "subject": "198.0.2.26", "codes": "127.0.0.11", "text": "https://check.example/query/198.0.2.26",
        "words": "PBL: an address for customers, which should not send mail directly",
    }]
    assert (zen["url"], "public DNS servers" in zen["terms"]) == ("https://check.spamhaus.org/", True)
    assert lists["bl.spamcop.net"]["found"] == []
    assert lists["multi.surbl.org"]["found"] == [
        {"subject": "example.com", "codes": "127.0.0.24", "words": "phishing; malware", "text": None}]
    assert "asked too often" in lists["multi.uribl.com"]["why"]
    assert "lists everything" in lists["psbl.surriel.com"]["why"]
    assert "outside of 127.0.0.0/8" in lists["all.spamrats.com"]["why"]
    assert "does not have the test entry" in lists["dnsbl-1.uceprotect.net"]["why"]
    assert codes(document, "warning").count("blocklisted") == 2
    assert codes(document, "info").count("blocklist_silent") == 6
    said = dns.run("--blocklists", "example.com").stdout
    assert "SpamCop: not listed" in said and "Spamhaus ZEN: 198.0.2.26 listed" in said and "URIBL: unknown (refused: " in said
    (line,) = csv.DictReader(io.StringIO(dns.run("--csv", "--blocklists", "example.com").stdout, newline=""))
    assert line["blocklists"] == "zen.spamhaus.org multi.surbl.org"


def test_one_address_is_looked_for_in_block_lists(serve):
    dns = serve(LISTS, {"example.com": LISTED})
    done = dns.run("--json", "--blocklists", "--ip=198.0.2.26", "example.com")
    verdict = json.loads(done.stdout)
    check_document(verdict, SCHEMA["$defs"]["verdict"])
    assert (done.returncode, verdict["result"]) == (0, "pass")
    assert {one["zone"]: [entry["subject"] for entry in one["found"]] for one in verdict["blocklists"] if one["found"]} == {
        "zen.spamhaus.org": ["198.0.2.26"]}
    assert "Spamhaus ZEN: 198.0.2.26 listed" in dns.run("--blocklists", "--ip=198.0.2.26", "example.com").stdout


def test_block_lists_of_a_file_are_asked_instead(serve, folder):
    dns = serve("2.0.0.127.bl.test A 127.0.0.2\n26.2.0.198.bl.test A 127.0.0.9\n", {"example.com": LISTED})
    file = folder / "lists.ini"
    file.write_text("[bl.test]\nof = ip4\n127.0.0.9 = known for it\n")
    (only,) = dns.check("example.com", f"--blocklist-file={file}")["blocklists"]
    assert [(one["subject"], one["words"]) for one in only["found"]] == [("198.0.2.26", "known for it")]
    for text, said in (("[bl.test]\n", 'missing: "of"'), ("[bl.test]\nof = ip4\nx = y\n", 'unknown key: "x"'),
                       ("[bl]\nof = ip4\n", "not the name of a zone"), ("of = ip4\n", "")):
        file.write_text(text)
        bad = ruad_check(f"--blocklist-file={file}", "example.com")
        assert (bad.returncode, bad.stdout) == (2, "") and said in bad.stderr and str(file) in bad.stderr
    assert ruad_check(f"--blocklist-file={folder}/none", "example.com").returncode == 2


@pytest.mark.parametrize(("zone", "errors", "sts"), [
    ('_mta-sts TXT "v=STSv1; id=20261130T1;"\nmta-sts A 192.0.2.80', [], ("20261130T1", True)),
    ('_mta-sts TXT "v=STSv1; id=1"', ["mta_sts_host"], ("1", False)),
    ('_mta-sts TXT "v=STSv1; id=no-good"\nmta-sts A 192.0.2.80', ["mta_sts_invalid"], (None, True)),
    ('_mta-sts TXT "v=STSv1; id=1"\n_mta-sts TXT "v=STSv1; id=2"', ["mta_sts_invalid"], (None, None)),
    ('_mta-sts TXT "v=sts1"', ["mta_sts_invalid"], (None, None)),
    ("", [], (None, None)),
])
def test_the_record_of_mta_sts(serve, zone, errors, sts):
    dns = serve(ELSEWHERE, {"example.com": GOOD + zone})
    document = dns.check("example.com", "-s", "s1", "--no-https")
    assert codes(document) == errors
    assert document["mta_sts"]["policy"] is None
    assert (document["mta_sts"]["id"], document["mta_sts"]["policy_host"]) == sts


class Policy(http.server.BaseHTTPRequestHandler):
    """A web server that only has the policy of MTA-STS."""

    protocol_version = "HTTP/1.1"
    text = b"version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mail.example.com\n"

    def do_GET(self):
        there = self.path == "/.well-known/mta-sts.txt" and self.headers["Host"] == "mta-sts.example.com" and self.text
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(self.text or b"")))
        self.end_headers()
        self.wfile.write(self.text or b"")

    def log_message(self, *words):
        pass


def certificate(folder, name):
    """A file with a key and a certificate for the name, signed by itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    f"subjectAltName=DNS:{name}", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


@pytest.mark.skipif(os.geteuid() != 0, reason="a policy server needs port 443 and a mount")
@pytest.mark.parametrize(("name", "text", "errors", "said"), [
    ("mta-sts.example.com", Policy.text, [], "policy: mode enforce, max_age 86400 s"),
    ("mta-sts.example.com", Policy.text.replace(b"mail.", b"other."), ["mta_sts_mx"], "senders that obey it do not deliver to it"),
    ("mta-sts.example.com", None, ["mta_sts_policy"], "404"),
    ("mta-sts.example.com", b"x" * 70000, ["mta_sts_policy"], "it has more than 65536 bytes"),
    ("another.example.com", Policy.text, ["mta_sts_policy"], "cannot be fetched"),
])
def test_the_policy_of_mta_sts_is_fetched(serve, folder, name, text, errors, said):
    host = free_host()
    server = http.server.ThreadingHTTPServer((host, 443), type("Its", (Policy,), {"text": text}))
    server.socket = certificate(folder, name).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dns = serve(ELSEWHERE, {"example.com": GOOD + f'_mta-sts TXT "v=STSv1; id=1"\nmta-sts A {host}\n'})
    trusted = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"', folder / "certificate.pem"]
    command = [*trusted, BUILD / "bin" / "ruad", "check", "--resolver", dns.server.address, "-s", "s1", "example.com"]
    try:
        done, shown = (subprocess.run([*command, *more], env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
                       for more in (["--json"], []))
        untrusted = dns.check("example.com", "-s", "s1")
    finally:
        server.shutdown()
        server.server_close()
    document = json.loads(done.stdout)
    check_document(document)
    assert codes(document) == errors
    assert said in shown.stdout
    assert document["mta_sts"]["policy"] == (
        None if "mta_sts_policy" in errors else {"mode": "enforce", "max_age": 86400, "mx": [text.decode().split()[-1]]})
    assert codes(untrusted) == ["mta_sts_policy"]  # by the certificates of the system


def test_the_mailbox_of_tls_reports_must_take_mail(serve):
    zone = '@ MX 10 mail\nmail A 198.0.2.1\n_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@gone.example,https://gone.example/,mailto:t@example.com"\n'
    document = serve("", {"example.com": zone}).check("example.com")
    assert finding(document, "tlsrpt_host")["place"] == "gone.example MX"


@pytest.mark.skipif(os.geteuid() != 0, reason="a name server needs port 53")
def test_each_name_server_of_the_zone_is_asked(serve, folder):
    (folder / "own").mkdir()
    host = free_host()
    own = Nsd(folder / "own", {"example.com": GOOD}, host, 53)
    try:
        dns = serve(ELSEWHERE, {"example.com": GOOD + f"@ NS ns\n@ NS gone\nns A {host}\n"})
        document = dns.check("example.com", "-s", "s1")
        said = dns.run("example.com").stdout
    finally:
        own.stop()
    assert document["ns"]["zone"] == "example.com"
    assert {one["host"]: (one["answers"], one["serial"]) for one in document["ns"]["servers"]} == {
        "a.ns-test": (False, None), "b.ns-test": (False, None), "ns.example.com": (True, "1"), "gone.example.com": (None, None)}
    assert sorted(codes(document)) == ["ns_host", "ns_silent", "ns_silent"]
    assert f"ns.example.com {host}: answers, serial 1" in said and "a.ns-test 127.77.77.1: does not answer" in said


def test_blocked_questions_to_name_servers_are_said_once(serve):
    dns = serve(ELSEWHERE, {"example.com": GOOD})
    document = dns.check("example.com", "-s", "s1")
    (only,) = document["findings"]
    assert (only["code"], only["severity"], only["place"]) == ("ns_blocked", "info", "example.com NS")
    assert [one["answers"] for one in document["ns"]["servers"]] == [None, None]
    assert "seem to be blocked here" in dns.run("example.com", "-s", "s1").stdout


KEY_HASH = "ab" * 32
DANE = f"""\
_25._tcp.mail TLSA 3 1 1 {KEY_HASH}
_25._tcp.mail TLSA 1 1 1 {KEY_HASH}
default._bimi TXT "v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/vmc.pem"
"""


def test_tlsa_dnssec_and_bimi_are_shown(serve):
    dns = serve(ELSEWHERE + "example.com NS a.ns-test.\n", {"example.com": GOOD + DANE})
    document = dns.check("example.com", "-s", "s1")
    assert document["dnssec"] == {"signed": False, "validated": None}  # nsd validates nothing
    (mx,) = document["mx"]
    assert mx["tlsa_authentic"] is None
    assert sorted((one["usage"], one["selector"], one["matching_type"], one["data"], one["usable"]) for one in mx["tlsa"]) == [
        (1, 1, 1, KEY_HASH, False), (3, 1, 1, KEY_HASH, True)]
    assert codes(document) == ["tlsa_invalid"]
    assert document["bimi"] == {"record": "v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/vmc.pem",
                                "location": "https://example.com/logo.svg", "authority": "https://example.com/vmc.pem"}
    said = dns.run("--explain", "-s", "s1", "example.com").stdout
    for words in ("DNSSEC    example.com: not signed", "TLSA of mail.example.com: the DNS server asked has not validated them",
                  "3 1 1 abababababababab...  the host itself: its public key, by SHA-256", "for the web only", "BIMI      v=BIMI1",
                  "a=https://example.com/vmc.pem where the evidence is"):
        assert words in said, words
    (line,) = csv.DictReader(io.StringIO(dns.run("--csv", "example.com").stdout, newline=""))
    assert (line["dnssec"], line["tlsa"], line["bimi"][:7]) == ("unsigned", "mail.example.com", "v=BIMI1")
    plain = serve(ELSEWHERE, {"example.net": GOOD}).run("example.net").stdout
    assert "BIMI" not in plain and "TLSA" not in plain


def test_a_zone_whose_key_is_not_that_of_its_ds_is_broken(serve):
    above = f"example.com. DS 1 13 2 {KEY_HASH}\n"
    keyed = GOOD + "@ DNSKEY 257 3 13 YWJjZA==\n"
    document = serve(ELSEWHERE + "example.com NS a.ns-test.\n" + above, {"example.com": keyed}).check("example.com", "-s", "s1")
    assert codes(document) == ["dnssec_broken"]
    assert finding(document, "dnssec_broken")["place"] == "example.com DS"
    assert document["dnssec"] == {"signed": True, "validated": None}


def test_what_a_validating_server_says_is_believed(folder):
    signed_zone = pytest.importorskip("signed", reason="zones cannot be signed without dnspython and cryptography").signed_zone
    dane = f"_25._tcp.mail TLSA 3 1 1 {KEY_HASH}\n"
    good, ds = signed_zone("example.com.", GOOD + dane)  # its reports go to domains that are not there
    broken, _ = signed_zone("example.org.", "@ MX 0 .\n")
    cuts = "".join(f"{name} NS a.ns-test.\n" for name in ("example.com", "example.net", "example.org"))
    above = f"{ds}\n{ds.replace('example.com.', 'example.org.')}\n"
    root, anchor = signed_zone(".", NS_HOSTS + cuts + above)
    zones = {"": root, "example.com": good, "example.net": '@ MX 10 mail.example.com.\n@ TXT "v=spf1 -all"\n', "example.org": broken}
    (folder / "nsd").mkdir(), (folder / "unbound").mkdir()
    nsd = Nsd(folder / "nsd", zones)
    unbound = Unbound(folder / "unbound", {name or ".": nsd.address for name in zones}, anchor)
    try:
        dns = Dns(unbound)
        safe, unsigned, bogus = (dns.check(name, "-s", "s1") for name in ("example.com", "example.net", "example.org"))
        said = dns.run("example.com", "-s", "s1").stdout
        (line,) = csv.DictReader(io.StringIO(dns.run("--csv", "example.com").stdout, newline=""))
    finally:
        unbound.stop()
        nsd.stop()
    assert safe["dnssec"] == {"signed": True, "validated": True}
    assert safe["mx"][0]["tlsa_authentic"] is True
    assert [code for code in codes(safe) if code.startswith(("dnssec", "tlsa"))] == []
    assert "signed, and validated by the DNS server asked" in said and "TLSA of mail.example.com: validated by DNSSEC" in said
    assert (line["dnssec"], line["tlsa"]) == ("validated", "mail.example.com")
    assert unsigned["dnssec"] == {"signed": False, "validated": False}
    assert [code for code in codes(unsigned) if code.startswith(("dnssec", "tlsa"))] == ["tlsa_mx"]
    assert "dns_failed" in codes(bogus, "error")


def test_look_ups_behind_a_macro_of_the_mail_are_a_lower_bound(serve):
    dns = serve('example. TXT "v=spf1 mx include:%{l}.example -all"\nexample. MX 1 m.example.\nm.example. A 192.0.2.1\n')
    spf = dns.check("example")["spf"]
    assert (spf["lookups"], spf["more_lookups"]) == (2, True)
    assert "look-ups: at least 2 (10 allowed)" in dns.run("example").stdout


def cares_version():
    """(major, minor); from 1.20 on it refuses to ask for names that no host can have."""
    library = ctypes.CDLL("libcares.so.2")
    library.ares_version.restype = ctypes.c_char_p
    return tuple(int(part) for part in library.ares_version(None).decode().split(".")[:2])


def test_a_name_with_blanks_is_asked_for(serve):
    dns = serve('example. TXT "v=spf1 exists:%{l}%_%%%-x.ok.example -all"\njoe\\032\\037\\03720x.ok.example. A 127.0.0.2\n')
    done = dns.run("--ip=192.0.2.1", "--from=joe@example", "example")
    if cares_version() < (1, 20):
        assert done.returncode == 0
    else:
        assert "temperror for 192.0.2.1" in done.stdout and "the DNS library asks only for names of letters" in done.stdout


def test_a_name_that_does_not_exist_gets_no_advice(serve):
    document = serve("", {"example.com": GOOD}).check("exmaple.org")
    assert codes(document) == ["domain_missing"]


@pytest.mark.parametrize(("ip", "code", "result", "term"), [
    ("192.0.2.26", 0, "pass", "a:out.example.com"),
    ("192.0.2.99", 1, "fail", "-all"),
])
def test_spf_of_one_address(serve, ip, code, result, term):
    dns = serve(ELSEWHERE, {"example.com": GOOD})
    done = dns.run("--json", f"--ip={ip}", "example.com")
    verdict = json.loads(done.stdout)
    check_document(verdict, SCHEMA["$defs"]["verdict"])
    assert (done.returncode, verdict["result"], verdict["term"], verdict["via"]) == (code, result, term, "example.com")
    text = dns.run(f"--ip={ip}", "example.com")
    assert f"{result} for {ip}" in text.stdout and f'because of "{term}" of example.com' in text.stdout


def test_spf_of_an_ipv6_address_has_its_void_look_ups(serve):
    done = serve(ELSEWHERE, {"example.com": GOOD}).run("--json", "--ip=2001:db8::1", "example.com")
    verdict = json.loads(done.stdout)
    assert (verdict["result"], verdict["term"], verdict["void_lookups"]) == ("permerror", None, 3)
    assert verdict["reason"]


def test_spf_of_one_sender_uses_its_names(serve):
    dns = serve('example. TXT "v=spf1 exists:%{l}.%{h}.ok.example -all"\njoe.mail.test.ok.example. A 127.0.0.2\n')
    good = dns.run("--ip=192.0.2.1", "--from=joe@example", "--helo=mail.test", "example")
    bad = dns.run("--ip=192.0.2.1", "--from=eve@example", "--helo=mail.test", "example")
    none = dns.run("--ip=192.0.2.1", "other.test")
    assert (good.returncode, bad.returncode, none.returncode) == (0, 1, 1)
    assert "none for 192.0.2.1" in none.stdout


def test_several_domains_are_several_documents(serve):
    dns = serve(ELSEWHERE, {"example.com": GOOD, "broken.example": BROKEN})
    done = dns.run("--json", "example.com", "broken.example", "example.com")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["domain"] for one in documents] == ["example.com", "broken.example", "example.com"]
    assert [one["ok"] for one in documents] == [True, False, True]
    assert done.returncode == 1


def consent(serve, lines, record="v=DMARC1; p=reject; rua=mailto:x@h.example.net"):
    dns = serve(f'_dmarc.example.com TXT "{record}"\nexample.com TXT "v=spf1 -all"\nh.example.net A 192.0.2.9\n{lines}')
    document = dns.check("example.com")
    return document, document["reports"][0]


def test_assertion_71_an_external_mailbox_that_does_not_agree_is_an_error(serve):
    document, report = consent(serve, "")
    assert (report["external"], report["authorised"]) == (True, False)
    error = finding(document, "report_unauthorised")
    assert error["severity"] == "error"
    assert error["place"] == "example.com._report._dmarc.h.example.net TXT"
    assert "the administrator of h.example.net must publish this record" in error["text"]
    assert "a mailbox in example.com itself needs none" in error["text"]
    assert error["fix"] == report["expected_record"] == 'example.com._report._dmarc.h.example.net. TXT "v=DMARC1"'


def test_assertion_71_consent_in_the_own_zone_has_no_effect(serve):
    document, report = consent(serve, 'example.com._report._dmarc.example.com TXT "v=DMARC1"')
    assert report["authorised"] is False
    misplaced = finding(document, "report_misplaced")
    assert misplaced["place"] == "example.com._report._dmarc.example.com TXT"
    assert misplaced["fix"] == report["expected_record"]


def test_an_invalid_sp_makes_the_record_act_as_none(serve):
    dns = serve('_dmarc.a.example. TXT "v=DMARC1; p=reject; sp=rejct; rua=mailto:x@a.example"\na.example. MX 0 .\n'
                '_dmarc.b.example. TXT "v=DMARC1; p=reject; np=rejct"\nb.example. MX 0 .\n')
    a, b = dns.check("a.example"), dns.check("b.example")
    assert set(a["dmarc"]["effective"].values()) == {"none"} and "dmarc_as_none" in codes(a, "error")
    assert b["dmarc"]["effective"] is None and "dmarc_no_policy" in codes(b, "error")


@pytest.mark.parametrize("name", ["example.com", "*"])
def test_assertion_71_a_record_or_a_wildcard_agrees(serve, name):
    document, report = consent(serve, f'{name}._report._dmarc.h.example.net TXT "v=DMARC1;"')
    assert (report["external"], report["authorised"]) == (True, True)
    assert "report_unauthorised" not in codes(document)


@pytest.mark.parametrize("address", ["y@h.example.net", "y@elsewhere.example"])
def test_assertion_71_another_address_must_be_at_the_same_host(serve, address):
    document, report = consent(serve, f'example.com._report._dmarc.h.example.net TXT "v=DMARC1; rua=mailto:{address}"')
    same = address.endswith("@h.example.net")
    assert report["authorised"] is same
    assert report["override"] == ([f"mailto:{address}"] if same else [])
    assert ("report_override" if same else "report_unauthorised") in codes(document)


def test_assertion_72_records_that_are_none_or_nearly(serve):
    dns = serve(
        'a.example. TXT "v=spf1 -all"\n_dmarc.a.example. TXT "v=DMARC1; rua=mailto:a@b"\nb. A 192.0.2.9\n'
        '_dmarc.b.example. TXT "v=DMARC1; sp=reject"\n'
        '_dmarc.c.example. TXT "V=dmarc1; p=reject"\n'
        '*._report._dmarc.b. TXT "v=DMARC1"\n'
    )
    without_p = dns.check("a.example")
    assert without_p["dmarc"]["effective"]["domain"] == "none"
    assert finding(without_p, "dmarc_p_missing")["severity"] == "info"
    assert without_p["reports"][0]["authorised"] is True
    without_rua = dns.check("b.example")
    assert without_rua["dmarc"]["effective"] is None
    assert "dmarc_no_policy" in codes(without_rua, "error")
    ignored = dns.check("c.example")
    assert ignored["dmarc"]["record"] is None
    assert finding(ignored, "dmarc_ignored")["fix"] == '_dmarc.c.example. TXT "v=DMARC1; p=reject"'


def nested(lookups):
    """Includes one in another, and an a at the end; exp is not counted."""
    lines = "".join(f'n{i}.example. TXT "v=spf1 include:n{i + 1}.example -all"\n' for i in range(lookups - 1))
    return lines + f'n{lookups - 1}.example. TXT "v=spf1 a:last.example -all exp=x.example"\nlast.example. A 192.0.2.1\nx.example. TXT "why"\n'


@pytest.mark.parametrize("lookups", [9, 10, 11])
def test_assertion_73_ten_look_ups_are_allowed(serve, lookups):
    spf = serve(nested(lookups)).check("n0.example")["spf"]
    assert spf["lookups"] == lookups
    assert spf["result"] == ("ok" if lookups <= 10 else "permerror")
    assert [one["range"] for one in spf["ranges"]] == (["192.0.2.1/32"] if lookups <= 10 else [])


def test_the_tree_of_includes_has_the_cost_of_each_branch(serve):
    dns = serve('example. TXT "v=spf1 mx include:a.example -all"\nexample. MX 1 m.example.\nm.example. A 192.0.2.1\n'
                'a.example. TXT "v=spf1 include:b.example a:m.example -all"\nb.example. TXT "v=spf1 ip4:192.0.2.3 -all"\n')
    spf = dns.check("example")["spf"]
    assert [(one["depth"], one["term"], one["lookups"]) for one in spf["tree"]] == [
        (0, "mx", 1), (0, "include:a.example", 3), (1, "include:b.example", 1), (1, "a:m.example", 1),
    ]
    said = dns.run("example").stdout
    assert " 3 look-ups: include:a.example\n" in said and " 1 look-up:    include:b.example\n" in said


@pytest.mark.parametrize("voids", [1, 2, 3])
def test_assertion_73_two_void_look_ups_are_allowed(serve, voids):
    terms = " ".join(f"a:void{i}.example" for i in range(voids))
    spf = serve(f'example. TXT "v=spf1 {terms} ip4:192.0.2.1 -all"\n').check("example")["spf"]
    assert spf["void_lookups"] == voids
    assert spf["result"] == ("ok" if voids <= 2 else "permerror")


def test_assertion_74_leftovers_of_rfc_7489_are_named_and_the_address_is_used(serve):
    document, report = consent(
        serve, '*._report._dmarc.h.example.net TXT "v=DMARC1"', "v=DMARC1; p=reject; pct=50; rua=mailto:x@h.example.net!10m"
    )
    assert report["address"] == "x@h.example.net"
    assert {"dmarc_uri_size", "dmarc_removed_tag"} <= set(codes(document, "warning"))


def test_assertion_43_a_public_suffix_says_so(serve):
    dns = serve('_dmarc.com TXT "v=DMARC1; p=reject; psd=y"\na.mail.example.com TXT "v=spf1 -all"\n')
    dmarc = dns.check("a.mail.example.com")["dmarc"]
    assert (dmarc["name"], dmarc["organizational_domain"], dmarc["policy_tag"]) == ("_dmarc.com", "example.com", "sp")


@pytest.mark.parametrize(("psd", "org"), [("; psd=n", "mail.example.com"), ("", "example.com")])
def test_assertion_44_psd_n_or_the_fewest_labels(serve, psd, org):
    dns = serve(f'_dmarc.mail.example.com TXT "v=DMARC1; p=none{psd}"\n_dmarc.example.com TXT "v=DMARC1; p=reject"\n'
                'a.mail.example.com TXT "v=spf1 -all"\n')
    dmarc = dns.check("a.mail.example.com")["dmarc"]
    assert (dmarc["organizational_domain"], dmarc["name"]) == (org, f"_dmarc.{org}")


def test_assertion_46_two_records_are_none_and_the_walk_goes_on(serve):
    dns = serve('_dmarc.mail.example.com TXT "v=DMARC1; p=none"\n_dmarc.mail.example.com TXT "v=DMARC1; p=reject"\n'
                '_dmarc.example.com TXT "v=DMARC1; p=none; sp=reject"\nmail.example.com TXT "v=spf1 -all"\n')
    document = dns.check("mail.example.com")
    assert "dmarc_several" in codes(document, "error")
    assert document["dmarc"]["name"] == "_dmarc.example.com"
    assert document["dmarc"]["effective"]["domain"] == "reject"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_bombs_and_loops_end(serve):
    dns = serve(
        '*.bomb.example TXT "v=spf1 include:a.%{d} include:b.%{d} include:c.%{d} include:d.%{d} -all"\n'
        'bomb.example TXT "v=spf1 include:a.bomb.example -all"\n'
        'loop.example TXT "v=spf1 include:pool.example -all"\npool.example TXT "v=spf1 redirect=loop.example"\n'
        'long.example TXT "v=spf1 ' + '" "'.join(f" ip4:198.51.{i}.0/24" for i in range(200)) + ' -all"\n'
    )
    bomb = dns.check("bomb.example")
    assert bomb["spf"]["result"] == "permerror" and bomb["spf"]["lookups"] == 40
    assert "spf_lookups" in codes(bomb, "error")
    loop = dns.check("loop.example")
    assert loop["spf"]["result"] == "permerror" and "spf_loop" in codes(loop, "error")
    long = dns.check("long.example")  # does not fit into a datagram
    assert len(long["spf"]["ranges"]) == 200 and "spf_long" in codes(long, "warning")


# -- a resolver that logs its queries, and zones whose server is unavailable --


@pytest.fixture(name="resolve")
def fixture_resolve(folder, serve):
    """resolve(lines, stubs): a resolver for a root with these lines; stubs: zones that are at other addresses."""
    servers = []

    def resolve(lines, stubs=None):
        (folder / "unbound").mkdir()
        root = serve(lines).server.address
        servers.append(Unbound(folder / "unbound", {".": root, **(stubs or {})}))
        return Dns(servers[-1])

    yield resolve
    for server in servers:
        server.stop()


def test_assertion_71_the_same_organization_is_not_asked_and_nothing_is_asked_twice(resolve):
    dns = resolve('_dmarc.example.com TXT "v=DMARC1; p=reject; rua=mailto:x@r.example.com,mailto:y@r.example.com"\n'
                  'example.com TXT "v=spf1 a:r.example.com a:r.example.com -all"\nr.example.com A 192.0.2.1\n'
                  "1.2.0.192.in-addr.arpa PTR r.example.com.\n")
    document = dns.check("example.com")
    assert [one["external"] for one in document["reports"]] == [False, False]
    asked = dns.server.asked()
    assert ("_dmarc.example.com", "TXT") in asked
    assert not [name for name, _ in asked if "_report" in name]
    assert len(asked) == len(set(asked))


def test_assertion_45_a_name_of_13_labels_takes_eight_questions(resolve):
    name = "a.b.c.d.e.f.g.h.i.j.mail.example.com"
    dns = resolve(f'{name} TXT "v=spf1 -all"\n_dmarc.example.com TXT "v=DMARC1; p=reject"\n')
    document = dns.check(name)
    assert document["dmarc"]["name"] == "_dmarc.example.com"
    asked = [name for name, kind in dns.server.asked() if kind == "TXT" and name.startswith("_dmarc.")]
    assert len(asked) == 8
    assert "_dmarc.g.h.i.j.mail.example.com" in asked and "_dmarc.b.c.d.e.f.g.h.i.j.mail.example.com" not in asked


def test_aliases_are_followed(resolve):
    dns = resolve('example.com MX 10 mail.example.com\nmail.example.com CNAME host.example.net\nhost.example.net A 192.0.2.1\n'
                  'example.com TXT "v=spf1 include:_spf.example.com -all"\n_spf.example.com CNAME spf.example.net\n'
                  'spf.example.net TXT "v=spf1 ip4:192.0.2.0/28 -all"\n'
                  's1._domainkey.example.com CNAME key.example.net\n'
                  f'key.example.net TXT "k=ed25519; p={ED25519}"\n')
    document = dns.check("example.com", "--selector=s1")
    assert document["spf"]["ranges"] == [
        {"range": "192.0.2.0/28", "qualifier": "+", "term": "ip4:192.0.2.0/28", "via": "_spf.example.com"}
    ]
    assert document["dkim"][0]["status"] == "ok"
    assert finding(document, "mx_alias")["place"] == "example.com MX: mail.example.com"


def test_a_zone_whose_server_is_away_is_told_and_the_rest_is_checked(resolve):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:  # takes questions, and says nothing
        mute.bind(("127.0.0.1", 0))
        dns = resolve('example.com TXT "v=spf1 ip4:192.0.2.0/24 include:slow.example -all"\n'
                      '_dmarc.example.com TXT "v=DMARC1; p=reject; rua=mailto:x@slow.example"\n',
                      {"slow.example": f"127.0.0.1:{mute.getsockname()[1]}"})
        document = dns.check("example.com")
    assert document["answered"] is True
    assert document["spf"]["result"] == "temperror"
    assert [one["range"] for one in document["spf"]["ranges"]] == ["192.0.2.0/24"]
    assert document["reports"][0]["authorised"] is None
    assert document["dmarc"]["effective"]["domain"] == "reject"
    assert {one["place"] for one in document["findings"] if one["code"] == "dns_failed"} >= {
        "slow.example", "example.com._report._dmarc.slow.example TXT",
    }


# -- no answer, and wrong arguments --


def test_a_resolver_that_is_away_is_exit_code_75():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % mute.getsockname()[1]
        silent = ruad_check("--resolver", address, "--json", "example.com")
        mute.connect(mute.getsockname())  # it takes from itself only: for others, the port is closed
        closed = ruad_check("--resolver", address, "example.com")
    assert (silent.returncode, closed.returncode) == (75, 75)
    assert json.loads(silent.stdout)["answered"] is False
    assert "no DNS server answered in time" in silent.stdout
    assert "no DNS server could be reached" in closed.stdout


@pytest.mark.parametrize(
    "words",
    [[], ["--resolver=localhost", "example.com"], ["--resolver=127.0.0.1:0", "example.com"], ["a..b"], ["--none", "example.com"],
     ["--csv", "--json", "example.com"], ["--explain", "--csv", "example.com"], ["--csv", "--ip=192.0.2.1", "example.com"],
     ["--ip=x", "example.com"], ["--ip=192.0.2.1", "a..b"], ["--from=a@b", "example.com"]],
)
def test_a_wrong_command_line_is_exit_code_2(words):
    done = ruad_check(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ruad check: ")


def test_texts_of_the_dns_drive_no_terminal(serve):
    dns = serve(r'_dmarc.example.com TXT "v=DMARC1; p=none; \027[31m\007x\194\133=y"' + "\n"
                r'example.com TXT "v=spf1 -all"' + "\n" r'example.com MX 10 a\027[31m.example.com.' + "\n")
    done = dns.run("example.com")
    assert done.returncode in (0, 1)
    assert "v=DMARC1" in done.stdout
    assert not [sign for sign in done.stdout if sign != "\n" and not sign.isprintable()]
