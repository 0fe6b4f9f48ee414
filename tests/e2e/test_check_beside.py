"""ruad check beside checkdmarc, another program with the same purpose: what it finds in a zone, ruad finds, too.

RUAD_CHECKDMARC names a Python that has the module (a virtual environment's bin/python); without it, the test is skipped.
"""

import json
import os
import subprocess

import pytest

from conftest import BUILD
from nameserver import NS_HOSTS, Nsd, free_host, program
from supervised import clean_environment

PYTHON = os.environ.get("RUAD_CHECKDMARC")
pytestmark = [
    pytest.mark.skipif(not program("nsd"), reason="nsd is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a name server needs port 53"),
    pytest.mark.skipif(not PYTHON, reason="RUAD_CHECKDMARC does not name a Python that has checkdmarc"),
]

# Prints what checkdmarc says of each domain: {domain: {part: [errors, warnings]}}. Files by HTTPS are not compared.
RUNNER = """\
import json, sys, checkdmarc, checkdmarc.mta_sts
def policy(domain, **_):
    return {"policy": f"version: STSv1\\nmode: testing\\nmax_age: 604800\\nmx: mail.{domain}\\n", "warnings": []}
checkdmarc.mta_sts.download_mta_sts_policy = policy
def said(part):
    return [[str(part["error"])] if "error" in part else [], part.get("warnings", [])]
found = {}
for domain in sys.argv[2:]:
    one = checkdmarc.check_domains([domain], nameservers=[sys.argv[1]], timeout=5)
    found[domain] = {name: said(one[name]) for name in ("dmarc", "spf", "mx", "mta_sts", "smtp_tls_reporting", "bimi", "ns")}
    found[domain]["dnssec"] = one["dnssec"]
print(json.dumps(found))
"""

# The codes of ruad that belong to a part of checkdmarc.
PARTS = {
    "dmarc": ("dmarc_", "report_", "dns_failed"), "spf": ("spf_", "dns_failed"), "mx": ("mx_", "sender_", "tlsa_", "dns_failed"),
    "mta_sts": ("mta_sts_",), "smtp_tls_reporting": ("tlsrpt_",), "bimi": ("bimi_",),
}

REST = {
    "dmarc": '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@{d}"', "spf": '@ TXT "v=spf1 mx -all"', "mx": "@ MX 10 mail",
    "smtp_tls_reporting": '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@{d}"',
}


def txt(name, *records):
    return "\n".join(f'{name} TXT "{record}"' for record in records)


def dmarc(*records, more=""):
    return "dmarc", txt("_dmarc", *records) + "\n" + more


def spf(*records, more=""):
    return "spf", txt("@", *records) + "\n" + more


RUA = "rua=mailto:d@{d}"
ZONES = {
    "good": ("dmarc", REST["dmarc"]),
    "dmarc-missing": ("dmarc", ""),
    "dmarc-two": dmarc(f"v=DMARC1; p=none; {RUA}", f"v=DMARC1; p=reject; {RUA}"),
    "dmarc-at-the-root": ("dmarc", txt("@", f"v=DMARC1; p=none; {RUA}")),
    "dmarc-also-at-the-root": dmarc(f"v=DMARC1; p=reject; {RUA}", more=txt("@", f"v=DMARC1; p=reject; {RUA}")),
    "dmarc-spf-there": dmarc("v=spf1 -all"),
    "dmarc-spf-beside": dmarc(f"v=DMARC1; p=reject; {RUA}", "v=spf1 -all"),
    "dmarc-blank-first": dmarc(f" v=DMARC1; p=reject; {RUA}"),
    "dmarc-version-lower": dmarc(f"v=dmarc1; p=reject; {RUA}"),
    "dmarc-no-version": dmarc(f"p=reject; {RUA}"),
    "dmarc-no-p": dmarc(f"v=DMARC1; {RUA}"),
    "dmarc-p-invalid": dmarc(f"v=DMARC1; p=rejekt; {RUA}"),
    "dmarc-p-invalid-no-rua": dmarc("v=DMARC1; p=rejekt"),
    "dmarc-sp-invalid": dmarc(f"v=DMARC1; p=reject; sp=x; {RUA}"),
    "dmarc-np-invalid": dmarc(f"v=DMARC1; p=reject; np=x; {RUA}"),
    "dmarc-p-none": dmarc(f"v=DMARC1; p=none; {RUA}"),
    "dmarc-sp-none": dmarc(f"v=DMARC1; p=reject; sp=none; {RUA}"),
    "dmarc-p-last": dmarc(f"v=DMARC1; {RUA}; p=reject"),
    "dmarc-pct": dmarc(f"v=DMARC1; p=reject; pct=50; {RUA}"),
    "dmarc-ri": dmarc(f"v=DMARC1; p=reject; ri=3600; {RUA}"),
    "dmarc-rf": dmarc(f"v=DMARC1; p=reject; rf=afrf; {RUA}"),
    "dmarc-unknown-tag": dmarc(f"v=DMARC1; p=reject; zz=1; {RUA}"),
    "dmarc-duplicate-tag": dmarc(f"v=DMARC1; p=reject; p=none; {RUA}"),
    "dmarc-adkim-invalid": dmarc(f"v=DMARC1; p=reject; adkim=x; {RUA}"),
    "dmarc-aspf-invalid": dmarc(f"v=DMARC1; p=reject; aspf=relaxed; {RUA}"),
    "dmarc-fo-invalid": dmarc(f"v=DMARC1; p=reject; fo=x; {RUA}; ruf=mailto:f@{{d}}"),
    "dmarc-fo-both": dmarc(f"v=DMARC1; p=reject; fo=0:1; {RUA}; ruf=mailto:f@{{d}}"),
    "dmarc-fo-twice": dmarc(f"v=DMARC1; p=reject; fo=d:d; {RUA}; ruf=mailto:f@{{d}}"),
    "dmarc-t-invalid": dmarc(f"v=DMARC1; p=reject; t=x; {RUA}"),
    "dmarc-psd-invalid": dmarc(f"v=DMARC1; p=reject; psd=x; {RUA}"),
    "dmarc-no-rua": dmarc("v=DMARC1; p=reject"),
    "dmarc-rua-without-mailto": dmarc("v=DMARC1; p=reject; rua=d@{d}"),
    "dmarc-rua-https": dmarc("v=DMARC1; p=reject; rua=https://{d}/"),
    "dmarc-rua-size": dmarc("v=DMARC1; p=reject; rua=mailto:d@{d}!10m"),
    "dmarc-rua-three": dmarc("v=DMARC1; p=reject; rua=mailto:a@{d},mailto:b@{d},mailto:c@{d}"),
    "dmarc-rua-without-consent": dmarc("v=DMARC1; p=reject; rua=mailto:a@reports.net"),
    "dmarc-rua-with-consent": dmarc("v=DMARC1; p=reject; rua=mailto:a@consents.net"),
    "dmarc-rua-no-mx": dmarc("v=DMARC1; p=reject; rua=mailto:a@nowhere.{d}"),
    "dmarc-separator": dmarc(f"v=DMARC1; p=reject {RUA}"),
    "dmarc-comma": dmarc(f"v=DMARC1, p=reject, {RUA}"),
    "dmarc-no-value": dmarc(f"v=DMARC1; p=; {RUA}"),
    "spf-missing": ("spf", ""),
    "spf-two": spf("v=spf1 mx -all", "v=spf1 a -all"),
    "spf-version": spf("v=spf1; mx -all"),
    "spf-glued": spf("v=spf1 mx-all"),
    "spf-unknown-mechanism": spf("v=spf1 mx foo:bar -all"),
    "spf-ipv4": spf("v=spf1 ipv4:192.0.2.1 -all"),
    "spf-ip4-is-ip6": spf("v=spf1 ip4:2001:db8::1 -all"),
    "spf-ip6-is-ip4": spf("v=spf1 ip6:192.0.2.1 -all"),
    "spf-ip4-octet": spf("v=spf1 ip4:192.0.2.256 -all"),
    "spf-ip4-prefix": spf("v=spf1 ip4:192.0.2.0/33 -all"),
    "spf-ip4-prefix-zero": spf("v=spf1 ip4:192.0.2.0/08 -all"),
    "spf-a-prefix": spf("v=spf1 a/33 -all"),
    "spf-include-empty": spf("v=spf1 include: -all"),
    "spf-include-missing": spf("v=spf1 include:none.{d} -all"),
    "spf-include-without-spf": spf("v=spf1 include:bare.{d} -all", more=txt("bare", "x")),
    "spf-include-loop": spf("v=spf1 include:{d} -all"),
    "spf-redirect-loop": spf("v=spf1 redirect={d}"),
    "spf-redirect-missing": spf("v=spf1 redirect=none.{d}"),
    "spf-redirect-and-all": spf("v=spf1 mx redirect=other.{d} -all", more=txt("other", "v=spf1 -all")),
    "spf-redirect-twice": spf("v=spf1 redirect=other.{d} redirect=other.{d}", more=txt("other", "v=spf1 -all")),
    "spf-lookups": spf("v=spf1 " + " ".join(f"a:m{i}.{{d}}" for i in range(11)) + " -all",
                       more="\n".join(f"m{i} A 192.0.2.{i + 1}" for i in range(11))),
    "spf-void-lookups": spf("v=spf1 a:v1.{d} a:v2.{d} a:v3.{d} -all"),
    "spf-void": spf("v=spf1 a:v1.{d} -all"),
    "spf-ptr": spf("v=spf1 ptr -all"),
    "spf-plus-all": spf("v=spf1 mx +all"),
    "spf-neutral-all": spf("v=spf1 mx ?all"),
    "spf-no-all": spf("v=spf1 mx"),
    "spf-after-all": spf("v=spf1 -all mx"),
    "spf-all-twice": spf("v=spf1 mx ~all -all"),
    "spf-all-value": spf("v=spf1 mx all:x"),
    "spf-macro": spf("v=spf1 exists:%{{x}}.{d} -all"),
    "spf-macro-good": spf("v=spf1 exists:%{{ir}}.list.{d} -all"),
    "spf-modifier": spf("v=spf1 mx foo=bar -all"),
    "spf-exp-missing": spf("v=spf1 mx exp=none.{d} -all"),
    "spf-sender-id": spf("v=spf1 mx -all", "spf2.0/pra mx -all"),
    "spf-duplicate-include": spf("v=spf1 include:other.{d} include:other.{d} -all", more=txt("other", "v=spf1 ip4:192.0.2.1 -all")),
    "spf-long": ("spf", '@ TXT "v=spf1 ' + '" "'.join(" ".join(f"ip4:198.51.100.{10 * i + j}" for j in range(9)) + " " for i in range(4)) + '-all"'),
    "spf-bare-name": spf("v=spf1 a:localhost -all"),
    "mx-missing": ("mx", ""),
    "mx-null": ("mx", "@ MX 0 ."),
    "mx-no-address": ("mx", "@ MX 10 gone"),
    "mx-alias": ("mx", "@ MX 10 also\nalso CNAME mail"),
    "mx-address": ("mx", "@ MX 10 192.0.2.1."),
    "mx-nameless": ("mx", "@ MX 10 bare\nbare A 192.0.2.200"),
    "tls-missing": ("smtp_tls_reporting", ""),
    "tls-two": ("smtp_tls_reporting", txt("_smtp._tls", "v=TLSRPTv1; rua=mailto:t@{d}", "v=TLSRPTv1; rua=mailto:u@{d}")),
    "tls-no-rua": ("smtp_tls_reporting", txt("_smtp._tls", "v=TLSRPTv1;")),
    "tls-version": ("smtp_tls_reporting", txt("_smtp._tls", "v=TLSRPTv2; rua=mailto:t@{d}")),
    "tls-rua-invalid": ("smtp_tls_reporting", txt("_smtp._tls", "v=TLSRPTv1; rua=t@{d}")),
    "tls-unknown-tag": ("smtp_tls_reporting", txt("_smtp._tls", "v=TLSRPTv1; rua=mailto:t@{d}; x=y")),
    "sts-good": ("mta_sts", txt("_mta-sts", "v=STSv1; id=1") + "\nmta-sts A 192.0.2.1"),
    "sts-two": ("mta_sts", txt("_mta-sts", "v=STSv1; id=1", "v=STSv1; id=2")),
    "sts-no-id": ("mta_sts", txt("_mta-sts", "v=STSv1;") + "\nmta-sts A 192.0.2.1"),
    "sts-id-invalid": ("mta_sts", txt("_mta-sts", "v=STSv1; id=a-b") + "\nmta-sts A 192.0.2.1"),
    "sts-id-long": ("mta_sts", txt("_mta-sts", "v=STSv1; id=" + "1" * 33) + "\nmta-sts A 192.0.2.1"),
    "sts-version": ("mta_sts", txt("_mta-sts", "v=STSv2; id=1") + "\nmta-sts A 192.0.2.1"),
    "sts-unknown-tag": ("mta_sts", txt("_mta-sts", "v=STSv1; id=1; x=y") + "\nmta-sts A 192.0.2.1"),
    "sts-duplicate": ("mta_sts", txt("_mta-sts", "v=STSv1; id=1; id=2") + "\nmta-sts A 192.0.2.1"),
    "bimi-no-location": ("bimi", txt("default._bimi", "v=BIMI1;")),
    "bimi-http": ("bimi", txt("default._bimi", "v=BIMI1; l=http://{d}/l.svg")),
    "bimi-two": ("bimi", txt("default._bimi", "v=BIMI1; l=", "v=BIMI1; l=; a=")),
    "bimi-version": ("bimi", txt("default._bimi", "v=BIMI2; l=https://{d}/l.svg")),
    "bimi-none": ("bimi", txt("default._bimi", "v=BIMI1; l=; a=;")),
    "bimi-unknown-tag": ("bimi", txt("default._bimi", "v=BIMI1; l=; a=; x=y")),
    "bimi-policy": ("bimi", txt("default._bimi", "v=BIMI1; l=https://{d}/l.svg") + "\n" + txt("_dmarc", f"v=DMARC1; p=none; {RUA}")),
    "bimi-policy-pct": ("bimi", txt("default._bimi", "v=BIMI1; l=https://{d}/l.svg") + "\n" + txt("_dmarc", f"v=DMARC1; p=quarantine; pct=50; {RUA}")),
}


def zone_of(name):
    """A domain with one part as the zone says, and the others without fault."""
    domain, (part, lines) = name + ".com", ZONES[name]
    rest = [] if part not in REST else [line for other, line in REST.items() if other != part]
    if part not in REST:
        rest = [line for other, line in REST.items() if not (other == "dmarc" and "_dmarc" in lines)]
    text = "\n".join([lines, *rest]).replace("{{", "\0").replace("{d}", domain).replace("\0", "{").replace("}}", "}")
    return f"$ORIGIN {domain}.\n{text}\nmail A 192.0.2.1\n$ORIGIN .\n"


# Zones of their own, and what is in the zone above.
DNSSEC = {"unsigned.com": "", "keyless.com": "keyless.com. DS 1 13 2 " + "ab" * 32 + "\n"}


@pytest.fixture(name="found", scope="module")
def fixture_found(tmp_path_factory):
    """What both say of each domain: {domain: (of checkdmarc, of ruad)}."""
    lines = "".join(zone_of(name) for name in ZONES)
    lines += '1.2.0.192.in-addr.arpa PTR mail.good.com.\nreports.net MX 1 mail.good.com.\nconsents.net MX 1 mail.good.com.\n'
    lines += '*._report._dmarc.consents.net TXT "v=DMARC1;"\n'
    lines += "".join(f"{domain}. NS a.ns-test.\n{above}" for domain, above in DNSSEC.items())
    domains = [*(name + ".com" for name in ZONES), *DNSSEC]
    server = Nsd(tmp_path_factory.mktemp("beside"), {"": NS_HOSTS + lines, **{domain: "@ MX 0 ." for domain in DNSSEC}}, free_host(), 53)
    try:
        other = subprocess.run([PYTHON, "-c", RUNNER, server.host, *domains], capture_output=True, text=True, timeout=500, check=True)
        own = subprocess.run([BUILD / "bin" / "ruad", "check", "--json", "--no-https", "--resolver", server.address, *domains],
                             env=clean_environment(), capture_output=True, text=True, timeout=500, check=False)
    finally:
        server.stop()
    theirs = json.loads(other.stdout)
    documents = {document["domain"]: document for document in map(json.loads, own.stdout.splitlines())}
    return {domain: (theirs[domain], documents[domain]) for domain in domains}


# Where checkdmarc has an error and ruad a lesser finding, and why.
MILDER = {
    "dmarc-spf-beside": "other records are discarded, and the policy applies (RFC 9989 section 4.10)",
    "dmarc-fo-invalid": "the default applies, and only failure reports depend on it (RFC 9989 section 4.8)",
    "tls-missing": "nobody must ask for reports (RFC 8460 section 3)",
    "bimi-no-location": "without a logo, mail is delivered all the same",
    "bimi-http": "without a logo, mail is delivered all the same",
    "bimi-two": "without a logo, mail is delivered all the same",
    "bimi-version": "without a logo, mail is delivered all the same",
}
# Where checkdmarc has a warning and ruad nothing, and why.
SILENT = {
    "mx-null": "this is how a domain says that it takes no mail (RFC 7505 section 3)",
}


@pytest.mark.parametrize("name", ZONES)
def test_ruad_finds_what_checkdmarc_finds(found, name):
    (theirs, document), part = found[name + ".com"], ZONES[name][0]
    errors, warnings = theirs[part]
    mine = [one for one in document["findings"] if one["code"].startswith(PARTS[part])]
    if name in SILENT:
        assert not errors and warnings and not mine
    elif errors or warnings:
        assert mine, (errors, warnings)
    severe = [one for one in mine if one["severity"] == "error"]
    assert bool(severe) or not errors or name in MILDER, (errors, mine)
    assert not (severe and name in MILDER)  # an exception that is none


def test_a_zone_without_fault_has_no_finding_of_either(found):
    theirs, document = found["good.com"]
    assert [one["code"] for one in document["findings"]] == []
    assert [theirs[part] for part in PARTS if part not in ("mta_sts", "bimi")] == [[[], []]] * 4


def test_dnssec_of_a_zone_without_keys(found):
    for domain, signed, codes in (("unsigned.com", False, []), ("keyless.com", True, ["dnssec_broken"])):
        theirs, document = found[domain]
        assert theirs["dnssec"] is False
        assert document["dnssec"] == {"signed": signed, "validated": None}
        assert [one["code"] for one in document["findings"] if one["code"].startswith("dnssec")] == codes
