"""Three months of mail of a firm, as its receivers report it, with the truth about each sender.

    world = senders.World()          # always the same mail
    world.reports()                  # the XML of each report: (file name, bytes)
    world.names(), world.checks()    # what the DNS says of the addresses, and of the domains
    world.truth                      # (domain, address) -> (whose, kind)

The firm has hosts of its own, among them one whose signature breaks, an application that does not sign and two forgotten printers.
It uses services that pass, one that does not, and a new one. Lists and forwarders change or pass on its mail. Spoofers send in bursts,
some with SPF of their own, some from a service that anyone can use, some from the network in which the firm rents a server. Of some senders the
reports prove little. Its policy
becomes reject in the third month, and a reporter falls silent. A second domain is parked, a third one belongs to a small shop.
"""

import collections
import dataclasses
import datetime
import json
import random
import typing

import reports

DAYS = 88
SILENT_FOR = 14  # days without a report of the reporter that fell silent
REPORTERS = [("google.com", 50), ("Enterprise Outlook", 25), ("Yahoo", 15), ("GMX", 10)]
SILENT = "Yahoo"
QUARANTINE_FROM, REJECT_FROM = 40, 65  # days after the begin on which firm.example changes its policy
FIRM, SHOP, PARKED = "firm.example", "shop.example", "parked.example"
SELECTOR = "s1"


@dataclasses.dataclass(frozen=True)
class Result:
    """How a receiver sees a message: the evaluation and what it rests on."""

    dkim: str
    spf: str
    auth_dkim: tuple = ()
    auth_spf: tuple = ()
    reason: tuple = ()


def passes(domain, spf=None, dkim=True):
    """Signed by the domain, and with SPF of it or of another one (spf); dkim False: not signed."""
    return Result(
        "pass" if dkim else "fail",
        "fail" if spf else "pass",
        ((domain, SELECTOR, "pass"),) if dkim else (),
        ((spf or domain, "pass"),),
    )


def altered(domain, by=None, reason=()):
    """A signature of the domain that broke on the way, with that of the list or forwarder."""
    others = ((by, "l", "pass"),) if by else ()
    return Result("fail", "fail", ((domain, SELECTOR, "fail"), *others), ((by or domain, "pass" if by else "fail"),), reason)


def unaligned(by, signed=True):
    return Result("fail", "fail", ((by, "e", "pass"),) if signed else (), ((by, "pass"),))


def nothing(domain):
    return Result("fail", "fail", (), ((domain, "softfail"),))


@dataclasses.dataclass
class Sender:
    kind: str
    whose: str  # own, service, forwarder, stranger
    domain: str
    addresses: list  # of (address, confirmed name or None)
    results: list  # of (share, Result)
    volume: float  # messages a day of all addresses
    days: typing.Iterable[int]
    header_from: str = None


def organisational(name):
    return ".".join(name.split(".")[-2:]) if name else None


class World:
    def __init__(self, seed=13):
        self.random = random.Random(seed)
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        self.begin = int(today.timestamp()) - DAYS * 86400
        self.senders = [*self.own(), *self.services(), *self.forwarders(), *self.spoofers(), *self.others(), *self.hard()]
        self.truth = {(s.domain, address): (s.whose, s.kind) for s in self.senders for address, _ in s.addresses}

    # who sends

    def own(self):
        every, works = range(DAYS), [d for d in range(DAYS) if d % 7 < 5]
        yield Sender("own host", "own", FIRM, [("192.0.2.10", "mx1.firm.example"), ("192.0.2.11", "mx2.firm.example")],
                     [(1, passes(FIRM))], 400, every)
        yield Sender("own host, rented", "own", FIRM, [("198.51.100.5", "static-5.hoster.example")], [(1, passes(FIRM, dkim=False))], 60, every)
        yield Sender("own host, broken signature", "own", FIRM, [("192.0.2.80", "news.firm.example")], [(1, altered(FIRM))], 45, every)
        yield Sender("own application", "own", FIRM, [("203.0.113.20", "app.firm.example")], [(1, nothing(FIRM))], 12, every)
        yield Sender("forgotten printer", "own", FIRM, [("192.0.2.40", None)], [(1, nothing("printer.local"))], 3, works)
        yield Sender("forgotten printer", "own", FIRM, [("203.0.113.77", "dyn-77.isp.example")], [(1, nothing(FIRM))], 2, works)

    def services(self):
        google = [(f"209.85.128.{n}", f"mail-wm1-f{n}.google.com") for n in range(40, 52)]
        yield Sender("service, passes", "service", FIRM, google, [(0.97, passes(FIRM)), (0.03, altered(FIRM, "lists.firm-users.example"))],
                     350, range(DAYS))
        yield Sender("service, signs only", "service", FIRM, [(f"198.2.130.{n}", f"mail{n}.atl11.rsgsv.net") for n in range(4)],
                     [(1, passes(FIRM, "mcsv.net"))], 120, range(2, DAYS, 7))
        yield Sender("service, not aligned", "service", FIRM, [(f"54.174.52.{n}", f"bid{n}.hubspotemail.net") for n in range(3)],
                     [(1, unaligned("hubspotemail.net"))], 60, range(DAYS))
        yield Sender("service, new", "service", FIRM, [(f"13.110.78.{n}", f"smtp{n}.mta.salesforce.com") for n in range(3)],
                     [(1, passes(FIRM, "salesforce.com"))], 40, range(DAYS - 9, DAYS))
        yield Sender("service, unknown", "service", FIRM, [(f"192.0.2.{n}", f"out{n}.esp.example") for n in range(200, 203)],
                     [(0.9, passes(FIRM)), (0.1, unaligned("esp.example"))], 30, range(DAYS))
        yield Sender("service, passes", "service", SHOP, [(f"149.72.200.{n}", f"o{n}.ptr.sendgrid.net") for n in range(2)],
                     [(1, passes(SHOP))], 50, range(DAYS))

    def forwarders(self):
        for n in range(6):
            name = f"lists{n}.example"
            yield Sender("list", "forwarder", FIRM, [(f"198.18.{n}.1", f"mail.{name}")],
                         [(0.7, altered(FIRM, name, (("mailing_list", ""),))), (0.3, altered(FIRM, name))], 4, range(n, DAYS, 2))
        for n in range(12):
            name = f"university{n}.example"
            yield Sender("forwarder", "forwarder", FIRM, [(f"198.18.{n + 20}.{k}", f"mx{k}.{name}") for k in (1, 2)],
                         [(0.85, passes(FIRM, name)), (0.15, altered(FIRM, name))], 3, range(n % 3, DAYS, 3))
        outlook = [(f"40.107.{n}.9", f"mail-{n}.outbound.protection.outlook.com") for n in range(8)]
        yield Sender("forwarder, mailbox provider", "forwarder", FIRM, outlook,
                     [(0.8, passes(FIRM, "outlook.com")), (0.2, altered(FIRM, "outlook.com", (("local_policy", "arc=pass"),)))], 20, range(DAYS))
        for n in range(6):
            yield Sender("forwarder, no name", "forwarder", FIRM, [(f"198.19.{n}.1", None)],
                         [(0.9, passes(FIRM, f"alumni{n}.example")), (0.1, altered(FIRM, f"alumni{n}.example"))], 2, range(n, DAYS, 5))

    def spoofers(self):
        burst = self.random.choice
        for n in range(90):
            first = self.random.randrange(DAYS - 3)
            name = burst([None, None, f"host-{n}.cable{n % 9}.example"])
            yield Sender("spoofer, burst", "stranger", FIRM, [(f"100.64.{n}.7", name)], [(1, nothing(FIRM))],
                         self.random.randint(2, 30), range(first, first + self.random.randint(1, 3)))
        for n in range(12):
            first = self.random.randrange(DAYS - 6)
            name = f"cheap{n}.example"
            yield Sender("spoofer, SPF of its own", "stranger", FIRM, [(f"100.65.{n}.{k}", f"m{k}.{name}") for k in (1, 2)],
                         [(1, unaligned(name, n % 2 == 0))], 20, range(first, first + 5))
        for n in range(4):
            first = self.random.randrange(DAYS - 3)
            yield Sender("spoofer, forged signature", "stranger", FIRM, [(f"100.66.{n}.1", None)], [(1, altered(FIRM))], 15, range(first, first + 2))
        for n in range(3):
            yield Sender("spoofer, same hoster", "stranger", FIRM, [(f"198.51.100.{90 + n}", f"static-{90 + n}.hoster.example")],
                         [(1, nothing(FIRM))], 20, range(30 + n, 33 + n))
        yield Sender("spoofer, by a service", "stranger", FIRM, [("149.72.1.5", "o5.ptr.sendgrid.net")], [(1, unaligned("sendgrid.net"))], 40, range(50, 53))

    def others(self):
        for n in range(20):
            first = self.random.randrange(DAYS - 3)
            yield Sender("spoofer, parked domain", "stranger", PARKED, [(f"100.67.{n}.1", None)], [(1, nothing(PARKED))], 12, range(first, first + 2))
        yield Sender("spoofer, parked domain", "stranger", PARKED, [("100.67.99.1", "vps1.bulk.example")], [(1, unaligned("bulk.example"))], 9,
                     range(DAYS - 6, DAYS))
        yield Sender("own host", "own", SHOP, [("203.0.113.9", "www.shop.example")], [(1, passes(SHOP))], 20, range(DAYS))

    def hard(self):
        """Those of which the reports prove little."""
        last = range(DAYS - 5, DAYS)
        yield Sender("own host, just set up", "own", FIRM, [("203.0.113.140", None)], [(1, nothing(FIRM))], 6, last)
        yield Sender("service, just begun", "service", FIRM, [("168.245.1.1", "o1.ptr.mktomail.com")], [(1, unaligned("mktomail.com"))], 15, last)
        for n in range(3):
            yield Sender("forwarder that breaks all", "forwarder", FIRM, [(f"198.19.{n + 50}.1", f"relay.town{n}.example")],
                         [(1, altered(FIRM))], 1.5, range(n, DAYS, 6))
            yield Sender("forwarder, once", "forwarder", FIRM, [(f"198.19.{n + 60}.1", None)], [(1, passes(FIRM, f"once{n}.example"))], 2, [20 + n])
            yield Sender("spoofer, steady", "stranger", FIRM, [(f"100.68.{n}.1", None)], [(1, nothing(FIRM))], 2, range(n, DAYS, 2))

    # what receivers report

    def policy(self, domain, day):
        if domain == FIRM:
            return "reject" if day >= REJECT_FROM else "quarantine" if day >= QUARANTINE_FROM else "none"
        return "reject" if domain == PARKED else "none"

    def disposition(self, result, policy):
        return "none" if "pass" in (result.dkim, result.spf) or result.reason else policy

    def reporter_of(self, day):
        names, weights = zip(*(one for one in REPORTERS if one[0] != SILENT or day < DAYS - SILENT_FOR))
        return self.random.choices(names, weights)[0]

    def counts(self):
        """Messages by (domain, reporter, day) and (address, From domain, result)."""
        found = collections.defaultdict(collections.Counter)
        for sender in self.senders:
            for day in sender.days:
                whole = sender.volume * self.random.uniform(0.7, 1.3)
                for address, _ in sender.addresses:
                    for share, result in sender.results:
                        part = whole * share / len(sender.addresses)
                        left = int(part) + (self.random.random() < part % 1)
                        while left > 0:
                            some = min(left, max(1, left // 3 + 1))
                            key = (address, sender.header_from or sender.domain, result)
                            found[sender.domain, self.reporter_of(day), day][key] += some
                            left -= some
        return found

    def reports(self):
        for number, ((domain, reporter, day), counts) in enumerate(sorted(self.counts().items(), key=lambda item: item[0])):
            policy = self.policy(domain, day)
            records = [
                reports.record(
                    address,
                    count,
                    self.disposition(result, policy),
                    result.dkim,
                    result.spf,
                    header_from,
                    result.auth_spf[0][0],
                    result.auth_dkim,
                    result.auth_spf,
                    result.reason,
                )
                for (address, header_from, result), count in counts.items()
            ]
            begin = self.begin + day * 86400
            yield f"{number}.xml", reports.aggregate(domain, reporter, f"dmarc@{reporter.split()[0].lower()}", f"r{number}", begin, begin + 86399, policy, records)

    # what the DNS says

    def names(self):
        """As ruad-enrich hands it to ruad.enrich_store()."""
        return json.dumps([
            {"source_ip": address, "rdns": name, "rdns_domain": organisational(name), "keep": 86400}
            for sender in self.senders for address, name in sender.addresses
        ])

    def checks(self):
        """Pairs of a domain and its check, as ruad-enrich keeps it."""

        def spf(*ranges, end="-"):
            made = [{"range": r, "qualifier": "+", "term": term, "via": via} for r, term, via in ranges]
            return {"result": "ok", "record": "v=spf1", "all": end, "lookups": 2, "unlisted": [], "ranges": made}

        own = [("192.0.2.0/26", "ip4:192.0.2.0/26", FIRM), ("198.51.100.5/32", "ip4:198.51.100.5", FIRM)]
        used = [("209.85.128.0/17", "ip4:209.85.128.0/17", "_netblocks.google.com"), ("192.0.2.200/30", "ip4:192.0.2.200/30", "spf.esp.example")]
        mx = [{"host": "mx1.firm.example", "preference": 10, "addresses": ["192.0.2.10"]}]
        base = {"ok": True, "solicited": True, "findings": [], "dkim": []}
        yield FIRM, json.dumps({**base, "spf": spf(*own, *used, end="~"), "mx": mx})
        yield SHOP, json.dumps({**base, "spf": spf(("203.0.113.9/32", "a", SHOP), ("149.72.200.0/24", "ip4:149.72.200.0/24", "sendgrid.net")), "mx": []})
        yield PARKED, json.dumps({**base, "spf": spf(), "mx": []})
