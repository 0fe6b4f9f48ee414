"""ruad check asks a real DNS server, with zones written for each test."""

import json
import subprocess

import pytest

from conftest import BUILD
from nameserver import Nsd, Unbound, program
from supervised import clean_environment

pytestmark = pytest.mark.skipif(not program("nsd") or not program("unbound"), reason="nsd or unbound is not installed")

ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 appendix A.2

# A domain as its admin wants it: strict, with its hosts in SPF, and reports that go elsewhere.
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

# What stands elsewhere: consent of the hosts of reports, names of the addresses.
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


class Dns:
    """A name server; check() asks it and returns the document."""

    def __init__(self, server):
        self.server = server

    def run(self, *words):
        return ruad_check("--resolver", self.server.address, *words)

    def check(self, domain, *words):
        done = self.run("--json", domain, *words)
        assert done.stderr == ""
        document = json.loads(done.stdout)
        errors = [one for one in document["findings"] if one["severity"] == "error"]
        assert document["ok"] == (errors == [])
        assert done.returncode == (1 if errors else 0)
        return document


@pytest.fixture(name="serve")
def fixture_serve(folder):
    """serve(lines, **zones): an authoritative server for the root zone, and for others."""
    servers = []

    def serve(lines, zones=None):
        servers.append(Nsd(folder, {"": lines, **(zones or {})}))
        return Dns(servers[-1])

    yield serve
    for server in servers:
        server.stop()


def codes(document, severity=None):
    return [one["code"] for one in document["findings"] if severity in (None, one["severity"])]


def finding(document, code):
    (found,) = [one for one in document["findings"] if one["code"] == code]
    return found


def test_a_good_domain_has_no_finding(serve):
    document = serve(ELSEWHERE, {"example.com": GOOD}).check("Example.COM.", "--selector=s1")
    assert document["findings"] == []
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
        {"domain": "example.com", "selector": "s1", "status": "ok", "key_type": "ed25519", "bits": 256, "testing": False}
    ]
    assert document["mx"] == [{"preference": 10, "host": "mail.example.com", "addresses": ["192.0.2.25"]}]
    assert document["tls_rpt"]["rua"] == ["mailto:tls-rpt@example.com"]
    assert [(one["ip"], one["name"], one["confirmed"]) for one in document["senders"]] == [
        ("192.0.2.25", "mail.example.com", True),
        ("192.0.2.26", "out.example.com", True),
        ("192.0.2.27", "backup.example.com", True),
    ]
