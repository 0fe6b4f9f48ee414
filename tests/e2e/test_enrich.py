"""ruad-enrich with a real name server and MMDB files for the tests: the results for addresses in reports, and that it delays nobody."""

import contextlib
import datetime
import json
import os
import signal
import socket
import subprocess
import time

import contract
import psycopg2
import pytest
from conftest import PROGRAMS, ROOT, wait_until
from nameserver import Nsd, Unbound, program
from reports import aggregate, gzipped, mail, record
from supervised import Supervised
from web_data import add_roles, running_site

pytestmark = pytest.mark.skipif(not program("nsd") or not program("unbound"), reason="nsd or unbound is not installed")

WINDOW = {"from_": "2026-01-01", "to": "2026-01-02"}
DAY = datetime.timedelta(days=1)

# Each address is a case: forward-confirmed names, and others.
ZONE = """\
1.2.0.192.in-addr.arpa PTR Mail.Example.COM.
mail.example.com A 192.0.2.1
2.2.0.192.in-addr.arpa PTR other.example.com.
other.example.com A 192.0.2.99
3.2.0.192.in-addr.arpa PTR google.com.evil.example.
google.com.evil.example A 192.0.2.3
4.2.0.192.in-addr.arpa PTR mx.notgoogle.com.
mx.notgoogle.com A 192.0.2.4
5.2.0.192.in-addr.arpa PTR mail-wr1-f41.google.com.
mail-wr1-f41.google.com A 192.0.2.5
6.2.0.192.in-addr.arpa PTR fake.google.com.
fake.google.com A 192.0.2.5
7.2.0.192.in-addr.arpa PTR gone.example.net.
7.2.0.192.in-addr.arpa PTR b.example.net.
7.2.0.192.in-addr.arpa PTR a.example.org.
a.example.org A 192.0.2.77
b.example.net A 192.0.2.70
b.example.net A 192.0.2.7
8.2.0.192.in-addr.arpa CNAME 8.0-15.2.0.192.in-addr.arpa.
8.0-15.2.0.192.in-addr.arpa PTR leased.example.org.
leased.example.org CNAME real.example.org.
real.example.org A 192.0.2.8
%s
n5.many.example A 192.0.2.10
n6.many.example A 192.0.2.13
15.2.0.192.in-addr.arpa 259200 PTR long.tenant.example.
long.tenant.example 259200 A 192.0.2.15
16.2.0.192.in-addr.arpa 2592000 PTR longer.tenant.example.
longer.tenant.example 2592000 A 192.0.2.16
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example.org.
six.example.org AAAA 2001:db8::25
""" % "\n".join(f"{host}.2.0.192.in-addr.arpa PTR n{n}.many.example." for host in (10, 13) for n in (7, 1, 6, 2, 5, 3, 4))


class Enrich:
    """ruad-enrich with its own settings, as role ruad_enrich."""

    def __init__(self, folder, database, **settings):
        self.folder = folder
        self.database = database
        self.process = None
        self.settings = {"enrich_check_every": 0, **settings}
        database.add_login("looker", "ruad_enrich")

    def environment(self, **more):
        settings = {"database_enrich_url": self.database.conninfo("looker"), **self.settings, **more}
        return {**os.environ, "RUAD_CONFIG": "", **{"RUAD_" + key.upper(): str(value) for key, value in settings.items()}}

    def once(self, **more):
        """Run it until nothing is left; (exit code, output)."""
        done = subprocess.run(
            [PROGRAMS / "ruad-enrich", "--once"],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stderr

    def run(self, **more):
        code, said = self.once(**more)
        assert code == 0, said
        return said

    def start(self):
        with open(self.folder / "enrich.log", "ab") as log:
            self.process = subprocess.Popen([PROGRAMS / "ruad-enrich"], env=self.environment(), stderr=log)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        return (self.folder / "enrich.log").read_text()

    def says(self, words, times=1):
        wait_until(lambda: self.log().count(words) >= times, f"{words} is said", 30)
        assert self.log().count(words) == times

    def stop(self):
        """SIGTERM, which ends it at once; returns how long that took."""
        if self.process is None or self.process.poll() is not None:
            return None
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(20) == -signal.SIGTERM, self.log()
        return time.monotonic() - began

    # what the database knows

    def expire(self, source_ip=None):
        """Have it looked up again the next time."""
        self.database.query(
            "UPDATE ruad.address SET expires_at = '-infinity' WHERE source_ip = coalesce(%s::inet, source_ip)", source_ip
        )

    def address(self, source_ip):
        ((rdns, source, basis, asn, country),) = self.database.query(
            "SELECT rdns, source, name_basis, asn, country FROM dmarc.addresses WHERE source_ip = %s", source_ip
        )
        return rdns, source, basis, asn, country

    def rdns(self, source_ip):
        return self.address(source_ip)[0]

    def source(self, source_ip):
        return " ".join(self.address(source_ip)[1:3])

    def looked_up(self):
        return self.database.value("SELECT count(*) FROM dmarc.addresses WHERE looked_up_at IS NOT NULL")

    def keeps(self, source_ip):
        return self.database.value(
            "SELECT expires_at - looked_up_at FROM dmarc.addresses WHERE source_ip = %s", source_ip
        )

    def add(self, *addresses):
        for source_ip in addresses:
            self.database.query("INSERT INTO ruad.address (source_ip) VALUES (%s)", source_ip)


@pytest.fixture(name="start_enrich")
def fixture_start_enrich(folder, database):
    """start_enrich(**settings): an Enrich, which is not running yet."""
    with contextlib.ExitStack() as stack:

        def start(of=database, **settings):
            enrich = Enrich(folder, of, **settings)
            stack.callback(enrich.stop)
            return enrich

        yield start


@pytest.fixture(name="names")
def fixture_names(folder):
    """The address of a name server with ZONE; one network has a zone that it cannot load."""
    server = Nsd(folder, {"": ZONE, "113.0.203.in-addr.arpa": "1 PTR ("})
    yield server.address
    server.stop()


@pytest.fixture(name="mute")
def fixture_mute():
    """The address of a server that accepts queries and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % server.getsockname()[1]


def report(*records, report_id="1"):
    """A mail; a record is (source_ip, more of record())."""
    made = [record(source_ip=source_ip, **more) for source_ip, more in records]
    return mail(gzipped(aggregate(report_id=report_id, records=made)))


def reported(ingest, *addresses, **more):
    assert ingest.deliver(report(*((source_ip, {}) for source_ip in addresses), **more))[0][0] == 250


def mmdb(path, kind, networks):
    """Write it to another file, and rename that."""
    document = json.dumps({"type": kind, "networks": networks})
    new = path.with_suffix(".new")
    subprocess.run(["perl", ROOT / "tests" / "e2e" / "mmdb.pl", new], input=document, text=True, check=True)
    new.rename(path)
    return path


def replace(path, text):
    """The same for a file of services."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


# -- names --


def test_a_name_counts_when_it_leads_back(ingest, start_enrich, names):
    addresses = [f"192.0.2.{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13)] + ["2001:db8::25"]
    reported(ingest, *addresses)
    enrich = start_enrich(enrich_resolver=names)
    enrich.run()
    assert {source_ip: (enrich.rdns(source_ip), enrich.source(source_ip)) for source_ip in addresses} == {
        "192.0.2.1": ("mail.example.com", "domain:example.com rdns"),
        "192.0.2.2": (None, "ip:192.0.2.2 ip"),
        "192.0.2.3": ("google.com.evil.example", "domain:evil.example rdns"),
        "192.0.2.4": ("mx.notgoogle.com", "domain:notgoogle.com rdns"),
        "192.0.2.5": ("mail-wr1-f41.google.com", "service:google rdns"),
        "192.0.2.6": (None, "ip:192.0.2.6 ip"),
        "192.0.2.7": ("b.example.net", "domain:example.net rdns"),
        "192.0.2.8": ("leased.example.org", "domain:example.org rdns"),
        "192.0.2.9": (None, "ip:192.0.2.9 ip"),
        "192.0.2.10": ("n5.many.example", "domain:many.example rdns"),
        "192.0.2.13": (None, "ip:192.0.2.13 ip"),  # the sixth, which is one too many
        "2001:db8::25": ("six.example.org", "domain:example.org rdns"),
    }
    assert enrich.looked_up() == len(addresses)


def test_what_was_found_is_kept_as_long_as_its_records_say_within_bounds(ingest, start_enrich, names):
    reported(ingest, "192.0.2.1", "192.0.2.9", "192.0.2.15", "192.0.2.16")
    enrich = start_enrich(enrich_resolver=names, enrich_keep=7)
    enrich.run()
    assert enrich.keeps("192.0.2.1") == DAY  # 300 seconds
    assert enrich.keeps("192.0.2.9") == DAY
    assert enrich.keeps("192.0.2.15") == 3 * DAY
    assert enrich.keeps("192.0.2.16") == 7 * DAY  # a month
    enrich.database.query("UPDATE ruad.address SET rdns = 'stale.example', rdns_domain = 'stale.example'")
    enrich.run()
    assert enrich.rdns("192.0.2.1") == "stale.example"
    enrich.expire("192.0.2.1")
    enrich.run()
    assert (enrich.rdns("192.0.2.1"), enrich.rdns("192.0.2.9")) == ("mail.example.com", "stale.example")


def test_a_failure_takes_nothing_away_and_is_tried_again(folder, ingest, start_enrich, names, mute):
    networks = mmdb(folder / "asn.mmdb", "GeoLite2-ASN", {"203.0.113.0/24": {"autonomous_system_number": 64500}})
    reported(ingest, "192.0.2.1", "203.0.113.1")
    enrich = start_enrich(enrich_resolver=names, enrich_mmdb=networks)
    enrich.run()
    assert enrich.address("203.0.113.1") == (None, "as:64500", "asn", 64500, None)  # SERVFAIL
    assert enrich.keeps("203.0.113.1") == DAY / 24
    enrich.expire()

    code, said = enrich.once(enrich_resolver=mute)
    assert (code, said.count("no DNS server answers")) == (1, 1)
    assert enrich.source("192.0.2.1") == "domain:example.com rdns"
    assert enrich.keeps("192.0.2.1") < DAY / 24
    enrich.expire()

    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    fixed = Nsd(elsewhere, {"": ZONE + "1.113.0.203.in-addr.arpa PTR back.example.com.\nback.example.com A 203.0.113.1"})
    try:
        enrich.run(enrich_resolver=fixed.address)
    finally:
        fixed.stop()
    assert (enrich.rdns("192.0.2.1"), enrich.rdns("203.0.113.1")) == ("mail.example.com", "back.example.com")


def test_a_label_survives_a_new_look_up(ingest, start_enrich, names):
    reported(ingest, "192.0.2.1", "192.0.2.5")
    enrich = start_enrich(enrich_resolver=names)
    enrich.run()
    enrich.database.query("SELECT ruad.set_label('domain:example.com', 'mine', 'ours', 'kim', 'cli')")
    enrich.database.query("SELECT ruad.set_label('ip:192.0.2.5', 'not_mine', NULL, 'kim', 'cli')")
    enrich.expire()
    enrich.run()
    assert enrich.database.query("SELECT host(source_ip), label FROM dmarc.addresses ORDER BY 1") == [
        ("192.0.2.1", "mine"), ("192.0.2.5", "not_mine"),
    ]


def test_no_more_addresses_are_looked_up_than_allowed(start_enrich, names):
    enrich = start_enrich(enrich_resolver=names, enrich_lookups=18)
    enrich.add(*(f"192.0.2.{n}" for n in range(100, 130)))
    began = time.monotonic()
    enrich.start()
    counts = []
    while time.monotonic() < began + 15:
        counts.append((enrich.looked_up(), time.monotonic() - began))
        time.sleep(0.1)
    assert [n for n, at in counts if at < 9][-1] == 3
    assert counts[-1][0] == 6
    assert {n for n, at in counts} == {0, 3, 6} or {n for n, at in counts} == {3, 6}


def test_few_look_ups_a_minute_are_few_from_the_first_on(start_enrich, names):
    enrich = start_enrich(enrich_resolver=names, enrich_lookups=1)
    enrich.add("192.0.2.1", "192.0.2.2", "192.0.2.3")
    enrich.start()
    wait_until(enrich.looked_up, "an address is looked up")
    time.sleep(13)
    assert enrich.looked_up() == 1


def test_the_questions_of_a_day_are_bounded_also_over_restarts(start_enrich, names):
    enrich = start_enrich(enrich_resolver=names, enrich_lookups=6, enrich_questions=1)
    enrich.add("192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert "today's 1 questions to the DNS are spent" in enrich.run()
    assert enrich.looked_up() == 1
    enrich.run()
    assert enrich.looked_up() == 1
    enrich.database.query("UPDATE ruad.enrich_state SET questions_day = questions_day - 1")
    enrich.run()
    assert enrich.looked_up() == 2
    assert enrich.database.value("SELECT questions BETWEEN 1 AND 5 FROM ruad.enrich_state")


def test_the_second_half_of_the_questions_is_for_own_domains(ingest, start_enrich, names):
    reported(ingest, "192.0.2.1")
    enrich = start_enrich(enrich_resolver=names, enrich_lookups=600, enrich_questions=1000)
    enrich.run()  # collects the address and the domain
    enrich.expire()
    enrich.add("192.0.2.5")
    enrich.database.query("UPDATE ruad.enrich_state SET questions = 500")
    enrich.database.query("UPDATE ruad.dns_check SET result = '{\"solicited\": true}'")
    wait_until(lambda: enrich.database.value("SELECT count(*) FROM ruad.seen") == 2, "the sums know the address")
    enrich.run()
    assert enrich.database.query("SELECT host(source_ip) FROM ruad.address WHERE expires_at > now()") == [("192.0.2.1",)]


def test_without_look_ups_networks_and_rules_remain(folder, ingest, start_enrich, mute):
    networks = mmdb(folder / "asn.mmdb", "GeoLite2-ASN", {"192.0.2.0/24": {"autonomous_system_number": 64500}})
    assert ingest.deliver(
        report(("192.0.2.1", {}), ("192.0.2.2", {"auth_spf": (("tenant.onmicrosoft.com", "pass"),)}))
    )[0][0] == 250
    enrich = start_enrich(enrich_resolver=mute, enrich_mmdb=networks, enrich_lookups=0)
    enrich.run()
    assert (enrich.source("192.0.2.1"), enrich.source("192.0.2.2")) == ("as:64500 asn", "service:microsoft spf")


# -- networks and services --

MAXMIND_ASN = {
    "192.0.2.0/28": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"},
    "192.0.2.16/28": {"autonomous_system_number": 714, "autonomous_system_organization": "APPLE"},
    "2001:db8::/32": {"autonomous_system_number": 4200000000, "autonomous_system_organization": "Six GmbH \u00fc"},
}
MAXMIND_COUNTRY = {
    "192.0.2.0/27": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "registered_country": {"iso_code": "US"}},
    "2001:db8::/32": {"registered_country": {"iso_code": "NL"}},
}
IPINFO = {
    "192.0.2.0/28": {
        "asn": "AS64500", "as_name": "Example Net", "as_domain": "example.net", "country": "Germany", "country_code": "DE",
    },
    "192.0.2.16/28": {"asn": "AS714", "name": "APPLE", "country": "DE"},  # an older layout
    "2001:db8::/32": {"asn": "AS4200000000", "as_name": "Six GmbH \u00fc", "country_code": "NL"},
}
LAYOUTS = {
    "MaxMind": [("GeoLite2-ASN", MAXMIND_ASN), ("GeoLite2-Country", MAXMIND_COUNTRY)],
    "IPinfo": [("ipinfo generic_bundle_free.mmdb", IPINFO)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_kind_of_rule_ends_in_views_and_api(layout, folder, database, ingest, start_enrich, names):
    files = [mmdb(folder / f"{n}.mmdb", kind, networks) for n, (kind, networks) in enumerate(LAYOUTS[layout])]
    assert ingest.deliver(
        report(
            ("192.0.2.5", {"count": 60}),
            ("192.0.2.11", {"count": 50, "auth_spf": (("tenant.onmicrosoft.com", "pass"),)}),
            ("192.0.2.17", {"count": 40}),
            ("192.0.2.33", {"count": 30, "auth_dkim": (("gmail.com", "x", "pass"),)}),
            ("192.0.2.34", {"count": 20, "auth_dkim": (("gmail.com", "x", "fail"),)}),
            ("192.0.2.12", {"count": 10}),
            ("2001:db8::25", {"count": 5}),
        )
    )[0][0] == 250
    enrich = start_enrich(enrich_resolver=names, enrich_mmdb=" ".join(map(str, files)))
    said = enrich.run()
    assert said.count("is open") == len(files)
    rows = enrich.database.query(
        "SELECT host(source_ip), source, name_basis, asn, as_name, country FROM dmarc.addresses ORDER BY source_ip"
    )
    assert rows == [
        ("192.0.2.5", "service:google", "rdns", 64500, "Example Net", "DE"),
        ("192.0.2.11", "service:microsoft", "spf", 64500, "Example Net", "DE"),
        ("192.0.2.12", "as:64500", "asn", 64500, "Example Net", "DE"),
        ("192.0.2.17", "service:apple", "asn", 714, "APPLE", "DE"),
        ("192.0.2.33", "service:google", "dkim", None, None, None),
        ("192.0.2.34", "ip:192.0.2.34", "ip", None, None, None),
        ("2001:db8::25", "domain:example.org", "rdns", 4200000000, "Six GmbH \u00fc", "NL"),
    ]

    with contextlib.suppress(psycopg2.errors.DuplicateObject):
        add_roles(database)
    with running_site(database) as site:

        def groups(group):
            items = site.get("sources", group=group, sort="-messages", **WINDOW).json()["items"]
            return [(item["key"], item["name"], item["messages"]) for item in items]

        assert groups("source") == [
            ("service:google", "Google", 90),
            ("service:microsoft", "Microsoft 365 and Outlook", 50),
            ("service:apple", "Apple iCloud", 40),
            ("ip:192.0.2.34", None, 20),
            ("as:64500", "Example Net", 10),
            ("domain:example.org", "example.org", 5),
        ]
        assert [(key, messages) for key, _, messages in groups("rdns")] == [
            (None, 150), ("google.com", 60), ("example.org", 5),
        ]
        assert groups("asn") == [
            ("64500", "Example Net", 120), (None, None, 50), ("714", "APPLE", 40), ("4200000000", "Six GmbH \u00fc", 5),
        ]
        assert [(key, messages) for key, _, messages in groups("country")] == [("DE", 160), (None, 50), ("NL", 5)]


def test_a_replaced_mmdb_file_is_used_and_a_broken_one_is_not(folder, ingest, start_enrich, names):
    path = mmdb(folder / "asn.mmdb", "GeoLite2-ASN", {"192.0.2.0/24": {"autonomous_system_number": 64500}})
    enrich = start_enrich(enrich_resolver=names, enrich_mmdb=path)
    reported(ingest, "192.0.2.9")
    enrich.start()
    wait_until(lambda: enrich.looked_up() == 1, "it is looked up")
    assert enrich.source("192.0.2.9") == "as:64500 asn"

    mmdb(path, "GeoLite2-ASN", {"192.0.2.0/24": {"autonomous_system_number": 64501}})
    enrich.hang_up()
    wait_until(lambda: enrich.source("192.0.2.9") == "as:64501 asn", "all addresses have their new network")

    replace(path, "no database")
    for again in range(2):
        enrich.add(f"192.0.2.20{again}")
        enrich.hang_up()
        wait_until(lambda: enrich.looked_up() == 2 + again, "a round goes on")
        assert enrich.source(f"192.0.2.20{again}") == "as:64501 asn"
    path.unlink()
    enrich.hang_up()
    enrich.says(f'"{path}": No such file')
    assert enrich.log().count(f'"{path}": ') == 2
    mmdb(path, "GeoLite2-ASN", {"192.0.2.0/24": {"autonomous_system_number": 64502}})
    enrich.hang_up()
    wait_until(lambda: enrich.source("192.0.2.9") == "as:64502 asn", "the fixed file is used")


def test_the_admin_s_services_go_before_ours_and_a_broken_file_changes_nothing(folder, ingest, start_enrich, names):
    services = folder / "services.ini"
    services.write_text("[acme]\nname = Acme Mail\ntype = marketing\nrdns = mail.example.com\n")
    enrich = start_enrich(enrich_resolver=names, enrich_services=services)
    reported(ingest, "192.0.2.1", "192.0.2.5")
    enrich.start()
    wait_until(lambda: enrich.looked_up() == 2, "they are looked up")
    assert (enrich.source("192.0.2.1"), enrich.source("192.0.2.5")) == ("service:acme rdns", "service:google rdns")

    replace(services, "[google]\nname = Our Google\ntype = mailbox\nrdns = google.com\n")
    enrich.hang_up()
    wait_until(lambda: enrich.source("192.0.2.1") == "domain:example.com rdns", "the new list is used")
    assert enrich.database.value("SELECT source_name FROM dmarc.addresses WHERE source_ip = '192.0.2.5'") == "Our Google"

    replace(services, "[google]\nname = Broken\ntype = mailbox\nrdns = com\n")
    enrich.add("192.0.2.3")
    for _ in range(2):
        enrich.hang_up()
        time.sleep(1)
    enrich.says(f'{services}: [google] rdns: "com" is not a domain below a top-level domain; the list that was read before stays')
    wait_until(lambda: enrich.looked_up() == 3, "look-ups go on")
    assert enrich.database.value("SELECT source_name FROM dmarc.addresses WHERE source_ip = '192.0.2.5'") == "Our Google"
    services.unlink()
    enrich.hang_up()
    enrich.says("No such file")

    replace(services, "[evil]\nname = Evil\ntype = marketing\nrdns = evil.example\n")
    enrich.hang_up()
    wait_until(lambda: enrich.source("192.0.2.3") == "service:evil rdns", "the fixed file is used")
    assert enrich.database.value("SELECT source_name FROM dmarc.addresses WHERE source_ip = '192.0.2.5'") == "Google"


WRONG = {
    "[a]\nname=A\ntype=x\nrdns=com\n": '{path}: [a] rdns: "com" is not a domain below a top-level domain',
    "[a]\nname=A\ntype=x\nasn=AS1\n": '{path}: [a] asn: "AS1" is not the number of an autonomous system',
    "[a]\nname=A\ntype=x\nspf=a.example\nrdsn=b.example\n": "{path}: [a] rdsn: unknown key",
    "nonsense\n": "{path}: ",
    None: "enrich.services: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_list_of_services_is_exit_code_78(text, folder, start_enrich, mute):
    path = folder / "services.ini"
    if text is not None:
        path.write_text(text)
    code, said = start_enrich(enrich_resolver=mute, enrich_services=path).once()
    assert code == 78
    assert WRONG[text].format(path=path) in said
    assert str(path) in said


def test_a_wrong_resolver_is_exit_code_78(start_enrich):
    code, said = start_enrich(enrich_resolver="dns.example.com").once()
    assert code == 78
    assert "enrich.resolver: " in said
    assert "dns.example.com" in said


# -- failures --


def test_the_database_may_go_away_and_come_back(own_database, start_enrich, names):
    enrich = start_enrich(own_database, enrich_resolver=names)
    enrich.add("192.0.2.1")
    enrich.start()
    wait_until(lambda: enrich.looked_up() == 1, "it is looked up")
    own_database.postgres.stop()
    before = enrich.log()

    def said():
        return enrich.log()[len(before) :].count("ruad-enrich: ")

    enrich.hang_up()
    wait_until(said, "it says so")
    for _ in range(3):
        enrich.hang_up()
        time.sleep(1)
    assert enrich.process.poll() is None
    assert said() == 1
    own_database.postgres.start()
    enrich.add("192.0.2.5")
    enrich.hang_up()
    wait_until(lambda: enrich.looked_up() == 2, "it goes on")
    assert enrich.source("192.0.2.5") == "service:google rdns"


def test_it_ends_at_once_whatever_it_does(start_enrich, names, mute):
    enrich = start_enrich(enrich_resolver=mute, enrich_check_every=1)
    enrich.add(*(f"192.0.2.{n}" for n in range(1, 100)))
    for pause in (0, 0.02, 0.1, 0.5, 1.5):
        enrich.start()
        time.sleep(pause)
        assert enrich.stop() < 1
    enrich.expire()
    enrich.run(enrich_resolver=names, enrich_lookups=1000)
    assert (enrich.looked_up(), enrich.rdns("192.0.2.1")) == (99, "mail.example.com")


def test_neither_mail_nor_pages_wait_for_the_dns(database, ingest, start_enrich, mute):
    enrich = start_enrich(enrich_resolver=mute, enrich_check_every=1)
    reported(ingest, *(f"192.0.2.{n}" for n in range(1, 50)))
    with contextlib.suppress(psycopg2.errors.DuplicateObject):
        add_roles(database)
    enrich.start()
    slowest = 0
    with running_site(database) as site:
        for number in range(20):
            began = time.monotonic()
            reported(ingest, "198.51.100.%d" % number, report_id=f"while-{number}")
            assert site.get("sources", **WINDOW).status == 200
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.3)  # all in all as long as a question takes
    enrich.says("no DNS server answers")
    assert slowest < 2


# -- under ruad serve --


@pytest.fixture(name="counted")
def fixture_counted(folder):
    """A resolver that logs its queries, in front of a name server."""
    for part in ("authority", "resolver"):
        (folder / part).mkdir()
    zones = {"2.0.192.in-addr.arpa": "1 PTR mail.example.com.", "example.com": "mail A 192.0.2.1\n@ TXT \"v=spf1 mx -all\""}
    server = Nsd(folder / "authority", zones)
    resolver = Unbound(folder / "resolver", {name: server.address for name in ("2.0.192.in-addr.arpa", "example.com")})
    yield resolver
    resolver.stop()
    server.stop()


@pytest.fixture(name="serve")
def fixture_serve(folder):
    """serve(**settings): a ruad serve that is ready."""
    with contextlib.ExitStack() as stack:

        def serve(**settings):
            (folder / "serve").mkdir()
            supervised = Supervised(folder / "serve", **{"enrich_enabled": "on", **settings})
            stack.callback(supervised.close)
            return supervised.started()

        yield serve


def paths(supervised):
    """The paths of all GET operations of the API, with values for their parameters."""
    with contextlib.closing(supervised.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM dmarc.reports")
        ((number,),) = cursor.fetchall()
    places = {"{name}": "example.com", "{key}": "ip:192.0.2.1", "{id}": str(number)}
    for method, path, operation in contract.operations():
        for place, value in places.items():
            path = path.replace(place, value)
        if method == "GET":
            yield path + ("?q=192.0.2" if path.endswith("/search") else "")
            yield path + "?domain=unknown.example&ip=192.0.2.77"


def test_ruad_serve_runs_it_and_no_request_of_a_browser_causes_a_question(serve, counted):
    running = serve(enrich_resolver=counted.address)
    assert running.deliver(report(("192.0.2.1", {})))[0] == 250
    os.kill(running.process.pid, signal.SIGHUP)  # now, not within a minute
    rdns = "SELECT rdns FROM dmarc.addresses"
    wait_until(lambda: running.query(rdns) == [("mail.example.com",)], "the address has its name", 30)
    checks = "SELECT domain, result -> 'answered' FROM dmarc.dns_checks"
    wait_until(lambda: running.query(checks) == [("example.com", True)], "its domain is checked", 60)
    before = counted.asked()
    assert ("1.2.0.192.in-addr.arpa", "PTR") in before
    assert ("_dmarc.example.com", "TXT") in before

    pid = running.child("ruad-enrich")
    os.kill(pid, signal.SIGSTOP)  # what is asked now, somebody else asked for
    statuses = {path: running.get(path) for path in ["/", *paths(running)]}
    os.kill(pid, signal.SIGCONT)
    assert len(statuses) > 40
    assert sum(status == 200 for status in statuses.values()) > 25
    assert counted.asked() == before
    linked = subprocess.run(["readelf", "-d", PROGRAMS / "ruad-web"], check=True, capture_output=True, text=True).stdout
    assert "libpq" in linked
    assert "libcares" not in linked

    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: running.child("ruad-enrich") not in (None, pid), "it is started again")
    assert running.stop() == 0


def test_ruad_serve_does_not_run_it_where_it_is_off(serve):
    running = serve(enrich_enabled="off")
    assert running.child("ruad-web")
    assert running.child("ruad-enrich") is None
    os.kill(running.process.pid, signal.SIGHUP)
    assert running.stop() == 0


def test_its_role_reads_nothing(serve):
    running = serve(enrich_enabled="off")
    for sql in ("SELECT * FROM dmarc.records", "SELECT * FROM ruad.address", "SELECT * FROM dmarc.addresses", "CREATE TEMP TABLE t (a int)"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            running.query(sql, role="ruad_enrich")
    assert running.query("SELECT host(source_ip) FROM ruad.enrich_wanted(1)", role="ruad_enrich") == []
