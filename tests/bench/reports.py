"""Reports for the bench, made from a seed: the same on every machine."""
import base64
import gzip
import ipaddress
import random

BEGIN = 1735689600  # 2025-01-01T00:00:00Z
DAY = 86400
DOMAINS = ["example.com", "example.net", "example.org", "shop.example", "mail.example"]

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>{org}</org_name>
    <email>noreply@{org}</email>
    <report_id>{id}</report_id>
    <date_range><begin>{begin}</begin><end>{end}</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>{domain}</domain><adkim>s</adkim><aspf>r</aspf><p>reject</p><sp>reject</sp><pct>100</pct><fo>1</fo>
  </policy_published>
"""
RECORD = """  <record>
    <row>
      <source_ip>{ip}</source_ip>
      <count>{count}</count>
      <policy_evaluated><disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated>
    </row>
    <identifiers>
      <header_from>{domain}</header_from>
      <envelope_from>bounce.{domain}</envelope_from>
    </identifiers>
    <auth_results>
      <dkim><domain>{domain}</domain><selector>s{selector}</selector><result>{dkim}</result></dkim>
      <spf><domain>bounce.{domain}</domain><scope>mfrom</scope><result>{spf}</result></spf>
    </auth_results>
  </record>
"""


def record(rng, domain):
    dkim, spf = rng.choice(["pass", "fail"]), rng.choice(["pass", "fail"])
    return RECORD.format(
        ip=ipaddress.ip_address(0x20000000 | rng.getrandbits(29)), count=rng.randint(1, 500), domain=domain,
        selector=rng.randint(1, 4), dkim=dkim, spf=spf, disposition="reject" if "pass" not in (dkim, spf) else "none")


def report(rng, number, records):
    """Pieces of one report's XML; its identity follows from number."""
    domain = DOMAINS[number % len(DOMAINS)]
    begin = BEGIN + DAY * (number % 50)
    yield HEADER.format(org=f"reporter{number % 40}.example", id=f"bench-{number}", begin=begin, end=begin + DAY - 1,
                        domain=domain)
    for _ in range(records):
        yield record(rng, domain)
    yield "</feedback>\n"


def mail(rng, number, records):
    """One report as a reporter's mail."""
    packed = base64.encodebytes(gzip.compress("".join(report(rng, number, records)).encode(), 6, mtime=0)).decode()
    name = f"reporter{number % 40}.example!{DOMAINS[number % len(DOMAINS)]}!{number}.xml.gz"
    return (
        f"From: noreply@reporter{number % 40}.example\nTo: dmarc-sum@bench.example\n"
        f"Subject: Report domain: {DOMAINS[number % len(DOMAINS)]} Report-ID: <bench-{number}>\n"
        f"Message-ID: <{number}@bench.example>\nDate: Wed, 01 Jan 2025 00:00:00 +0000\nMIME-Version: 1.0\n"
        f'Content-Type: application/gzip; name="{name}"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="{name}"\n\n{packed}')


def write_mails(folder, mails, records):
    rng = random.Random(20250101)
    for number in range(mails):
        (folder / f"{number:06}.eml").write_text(mail(rng, number, records))


def write_report(path, records):
    with open(path, "w") as out:
        out.writelines(report(random.Random(7), 0, records))
