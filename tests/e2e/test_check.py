"""ruad check queries a real DNS server, with zones for each test."""

import json
import socket
import subprocess

import pytest

from conftest import BUILD
from nameserver import Nsd, Unbound, program
from supervised import clean_environment

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


def test_no_escape_of_the_dns_reaches_the_terminal(serve):
    hostile = 'www TXT "x"\n@ TXT "v=spf1 \\027[2J\\226\\128\\174 \\194\\1552J \\226\\128\\139 -all"\n'
    dns = serve(ELSEWHERE, {"example.com": hostile})
    for words in (["example.com"], ["--json", "example.com"], ["example.com\033[2J\u202e"]):
        done = dns.run(*words)
        assert not set(done.stdout + done.stderr) & set("\033\u009b\u202e\u200b"), words
    assert "\\u202e" in dns.run("example.com").stdout


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
        {"domain": "example.com", "selector": "s1", "status": "ok", "key_type": "ed25519", "bits": 256, "testing": False, "probed": False}
    ]
    assert document["mx"] == [{"preference": 10, "host": "mail.example.com", "addresses": ["192.0.2.25"]}]
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
    dns = serve(ELSEWHERE, {"example.com": GOOD, "broken.example": BROKEN})
    good = dns.run("example.com", "--selector", "s1")
    assert good.returncode == 0 and good.stderr == ""
    for words in ("policy reject", "rua dmarc-sum@reports.example.net: authorised", "look-ups: 3 (10 allowed), void: 0 (2 allowed)",
                  "+ 192.0.2.26/32", "ed25519, 256 bits", "10 mail.example.com 192.0.2.25", "192.0.2.25      mail.example.com: confirmed",
                  "nothing is wrong"):
        assert words in good.stdout
    bad = dns.run("broken.example")
    assert bad.returncode == 1
    assert "error" in bad.stdout and "spf_all_pass" in bad.stdout and "publish" in bad.stdout
    assert "\033" not in good.stdout + bad.stdout  # colour is for terminals


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
