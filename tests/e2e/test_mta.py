"""Debian's Exim and Postfix, set up as server/doc/mail-servers.md says, deliver reports: over TCP and over a Unix socket of group ruad-lmtp.

Each line of counts that a test tells (sent, waiting, stored, ...) is repeated at the end of pytest's output.
"""

import base64
import concurrent.futures
import contextlib
import functools
import hashlib
import os
import re
import smtplib
import subprocess
import time

import dkim
import pytest
import reports
from conftest import Ingest, wait_until
from mail_servers import DOMAIN, GROUP, MAILBOX, PAGE, SENDER, Exim, Postfix, mail_server
from nameserver import Nsd, free_host
from test_outages import held_up, wait_for_lock
from web_site import WebSite

BURST = 1000
WAYS = [(Exim, "tcp"), (Exim, "unix"), (Postfix, "tcp"), (Postfix, "unix")]


class Set:
    """A mail server, the ruad-ingest behind it, and its database."""

    def __init__(self, server, database, way, **settings):
        self.server = server
        self.database = database
        self.ingest = Ingest(server.run_folder, database.conninfo("taker"), server.socket, **settings)
        self.ingest.path.chmod(0o660)  # as ruad serve makes it
        os.chown(self.ingest.path, 0, GROUP)
        self.way = "unix" if way == "unix" else self.ingest.port

    def start(self, **set_up):
        self.ingest.start()
        self.server.set_up(self.way, **set_up)
        self.server.start()

    def statuses(self):
        """The number of items by status: {"stored": 3, "duplicate": 1}."""
        return dict(self.database.query("SELECT status, count(*)::int FROM dmarc.intake GROUP BY 1"))

    def counts(self):
        """The same as text, for tell()."""
        found = {"stored": 0, "duplicate": 0, **self.statuses()}
        return ", ".join(f"{status} {count}" for status, count in found.items())

    def reports(self, seconds=60):
        """The report_id of each row, once no mail waits any more."""
        self.server.wait_until_empty(seconds)
        return self.database.reports()


@contextlib.contextmanager
def behind(kind, way, database, **settings):
    with mail_server(kind) as server:
        made = Set(server, database, way, **settings)
        try:
            yield made
        finally:
            made.ingest.close()


@pytest.fixture(name="way", params=WAYS, ids=lambda way: f"{way[0].name.lower()}-{way[1]}")
def fixture_way(request):
    return request.param


@pytest.fixture(name="fresh")
def fixture_fresh(way, database):
    """A Set that is not started yet."""
    with behind(*way, database) as made:
        yield made


@pytest.fixture(name="mta")
def fixture_mta(fresh):
    fresh.start()
    return fresh


@pytest.fixture(name="own_mta")
def fixture_own_mta(way, own_database):
    """One whose PostgreSQL the test may stop."""
    with behind(*way, own_database) as made:
        made.start()
        yield made


def numbers(count):
    return sorted(f"report-{number}" for number in range(count))


def test_a_report_sent_by_smtp_ends_in_the_api(mta):
    mta.server.send(reports.report_mail(1))
    assert mta.reports() == ["report-1"]
    assert mta.database.value("SELECT envelope_from FROM dmarc.intake") == SENDER
    mta.database.add_login("reader", "ruad_web")
    site = WebSite(mta.server.run_folder, mta.database.conninfo("reader"))
    try:
        site.start()
        site.wait_ready()
        (item,) = site.get("reports", from_="2026-01-01", to="2026-02-01").json()["items"]
    finally:
        site.close()
    assert (item["report_id"], item["domain"], item["messages"]) == ("report-1", "example.com", 1)


def test_the_logs_of_the_mail_server_and_of_ruad_lead_to_each_other(mta):
    for number in (1, 2):
        mta.server.send(reports.report_mail(number))
    mta.server.wait_until_empty()
    mails = mta.database.query("SELECT mail, report_id FROM dmarc.reports")
    assert sorted(report_id for _, report_id in mails) == ["report-1", "report-2"]
    ids = dict.fromkeys(re.findall(r'mail (\d+) from .*: 1 stored, queue id "(\S+)", Message-ID "(\S+)"', mta.ingest.log()))
    assert len({queue_id for _, queue_id, _ in ids}) == 2
    for number, queue_id, message_id in ids:
        said = [line for line in mta.server.log().splitlines() if queue_id in line]
        assert any(f"stored as mail {number}" in line for line in said)
        assert any(message_id in line for line in said)
        assert message_id == dict(mails)[int(number)].removeprefix("report-") + "@reporter.example"
    assert sorted(int(number) for number, _, _ in ids) == sorted(dict(mails))


def test_reports_of_every_kind_have_their_mailbox(mta):
    mta.server.send(reports.report_mail(1), MAILBOX)
    mta.server.send(reports.failure_mail(1), f"dmarc-full@{DOMAIN}")
    mta.server.send(reports.tls_mail(1), f"tls-rpt@{DOMAIN}")
    mta.server.wait_until_empty()
    kinds = mta.database.query("SELECT kind, status FROM dmarc.intake ORDER BY 1")
    assert kinds == [("aggregate", "stored"), ("failure", "stored"), ("tls", "stored")]


def test_single_addresses_of_a_domain_that_has_other_mailboxes(fresh):
    """example.net is the server's own domain."""
    server = fresh.server
    commands = server.single_addresses("example.net")
    fresh.start(commands=commands)
    server.send(reports.report_mail(1), "dmarc-sum@example.net")
    server.send(reports.report_mail(2), "colleague@example.net")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.send(reports.report_mail(3), "nosuch@example.net")
    assert [code for code, _ in refused.value.recipients.values()] == [550]
    assert fresh.reports() == ["report-1"]
    assert b"<2@reporter.example>" in server.local_mailbox("colleague")


def test_an_unknown_mailbox_is_refused_by_the_mail_server(mta):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        mta.server.send(reports.report_mail(1), f"nosuch@{DOMAIN}")
    assert [code for code, _ in refused.value.recipients.values()] == [550]
    assert mta.reports() == []
    assert mta.statuses() == {}
    assert "lmtp" not in mta.ingest.log()


def test_what_is_larger_than_ruad_takes_is_refused_by_the_mail_server(mta):
    """The mail server's limit is lower than ruad's, so that nothing is queued that ruad answers 552."""
    with mta.server.connect() as client:
        assert 0 < int(client.esmtp_features["size"]) < 50 << 20
        assert client.mail(SENDER, [f"SIZE={50 << 20}"])[0] == 552


def test_two_recipients_in_one_mail_are_one_delivery(mta):
    mta.server.send(reports.report_mail(1), MAILBOX, f"dmarc-full@{DOMAIN}")
    assert mta.reports() == ["report-1"]
    assert mta.statuses() == {"stored": 1}
    assert sorted(mta.database.value("SELECT recipients FROM dmarc.intake")) == [f"dmarc-full@{DOMAIN}", MAILBOX]


def test_what_cannot_be_stored_waits_in_the_queue(own_mta, tell):
    own_mta.server.send(reports.report_mail(0))
    assert own_mta.reports() == numbers(1)
    before = own_mta.counts()
    own_mta.database.postgres.stop()
    for number in range(1, 26):
        own_mta.server.send(reports.report_mail(number))
    wait_until(lambda: own_mta.server.log().count("451 4.3.0") >= 25, "each was answered 451")
    own_mta.server.flush()
    waiting = wait_until(lambda: (count := own_mta.server.queued()) == 25 and count, "all 25 wait")
    own_mta.database.postgres.start()
    time.sleep(1.1)  # an attempt to connect that failed is not repeated within a second
    assert own_mta.reports() == numbers(26)
    assert own_mta.statuses() == {"stored": 26}
    tell(f"before: {before}; PostgreSQL away: sent 25 more, waiting {waiting}; back: {own_mta.counts()}")


@functools.cache
def large_report(count):
    """All of it but the declaration is one line."""
    records = [reports.record(f"2001:db8::{number:x}") for number in range(1, count + 1)]
    return reports.aggregate(org_name="M\u00fcller GmbH", records=records)


def test_a_report_of_20_mb_comes_whole(mta):
    xml = large_report(46000)
    sent = reports.mail(("report.gz", "application/gzip", reports.stored_gzip(xml)))
    assert len(sent) > 20_000_000
    mta.server.send(sent)
    mta.server.wait_until_empty()
    ((records, digest),) = mta.database.query("SELECT records, sha256 FROM dmarc.reports")
    assert (records, bytes(digest)) == (46000, hashlib.sha256(xml).digest())


def test_assertion_68_a_report_of_20_mb_in_one_line_comes_whole(mta):
    """Neither packed nor encoded, and with characters of 8 bits."""
    xml = large_report(64000).replace(b"\n", b"\r\n")
    assert max(map(len, xml.splitlines())) > 20_000_000
    head = f"From: a@reporter.example\r\nTo: {MAILBOX}\r\nMIME-Version: 1.0\r\n"
    head += "Content-Type: text/xml\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    mta.server.send(head.encode() + xml, options=["BODY=8BITMIME"])
    mta.server.wait_until_empty()
    ((records, org_name, digest),) = mta.database.query("SELECT records, org_name, sha256 FROM dmarc.reports")
    assert (records, org_name) == (64000, "M\u00fcller GmbH")
    assert bytes(digest) == hashlib.sha256(xml).digest()


def test_a_sender_beyond_ascii(fresh):
    """SMTPUTF8 (RFC 6531)."""
    sender = "m\u00fcller@reporter.example"
    fresh.server.allow_smtputf8()
    fresh.start()
    fresh.server.send(reports.report_mail(1), sender=sender, options=["SMTPUTF8", "BODY=8BITMIME"])
    assert fresh.reports() == ["report-1"]
    assert fresh.database.value("SELECT envelope_from FROM dmarc.intake") == sender


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_mail_server_that_is_restarted_in_the_middle_of_a_delivery(mta, how, tell):
    with held_up(mta.database):
        mta.server.send(reports.report_mail(1))
        wait_for_lock(mta.database)
        getattr(mta.server, how)()
        mta.server.start()
    assert mta.reports() == ["report-1"]
    assert mta.database.value("SELECT count(*) FROM dmarc.records") == 1
    assert mta.statuses() in ({"stored": 1}, {"stored": 1, "duplicate": 1})  # a duplicate, where the first 250 was not heard
    tell(f"restarted ({how}): sent 1, {mta.counts()}")


def test_exim_without_the_split_configuration(database):
    with behind(Exim, "tcp", database) as made:
        made.start(commands=made.server.without_split())
        made.server.send(reports.report_mail(1))
        assert made.reports() == ["report-1"]


@pytest.fixture(name="judging")
def fixture_judging(database):
    """Exim that writes Authentication-Results as the page says, before a ruad that believes it; not started yet."""
    (line,) = re.findall(r"^ *(warn +add_header = .*authresults.*)$", PAGE.read_text(), re.MULTILINE)
    with behind(Exim, "tcp", database, lmtp_authserv_id="mx.example.net") as made:
        made.server.write_authentication_results(line)
        yield made


def verdicts(made):
    """What each mail was found to be, by the report that it brought."""
    made.server.wait_until_empty()
    return dict(made.database.query("SELECT report_id, authentic FROM dmarc.reports"))


def test_exim_says_whether_a_mail_is_authentic_whatever_its_sender_says(judging):
    judging.start()
    judging.server.send(reports.report_mail(1))
    forged = "Authentication-Results: mx.example.net; dkim=pass header.d=reporter.example; dmarc=pass"
    judging.server.send(reports.with_fields(reports.report_mail(2), forged))
    assert verdicts(judging) == {"report-1": "none", "report-2": "none"}


def dkim_key(folder):
    """A private key, and the record that publishes its public half."""
    private = folder / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], capture_output=True, check=True)
    command = ["openssl", "rsa", "-in", private, "-pubout", "-outform", "DER"]
    public = base64.b64encode(subprocess.run(command, capture_output=True, check=True).stdout).decode()
    return private.read_bytes(), f'"v=DKIM1; k=rsa; p={public[:200]}" "{public[200:]}"'


def test_exim_vouches_for_a_mail_that_its_sender_signed(judging, tmp_path):
    private, record = dkim_key(tmp_path)
    zones = {name: f"s1._domainkey TXT {record}" for name in ("reporter.example", "stranger.example")}
    server = Nsd(tmp_path, zones, free_host(), 53)
    try:
        judging.server.ask(server.host)
        judging.start()
        for number, domain in enumerate(["reporter.example", "stranger.example", "reporter.example"], 1):
            mail = reports.report_mail(number)
            signed = dkim.sign(mail, b"s1", domain.encode(), private) + mail
            if number == 3:  # on the way
                signed = signed.replace(b"A DMARC report is attached.", b"A DMARC report was attached.")
            judging.server.send(signed)
        assert verdicts(judging) == {"report-1": "pass", "report-2": "fail", "report-3": "fail"}
    finally:
        server.stop()


def send_all(server, mails):
    """One after another, ten to a connection: Exim puts off what is more."""
    for start in range(0, len(mails), 10):
        with server.connect() as client:
            for mail in mails[start : start + 10]:
                assert client.sendmail(SENDER, [MAILBOX], mail) == {}


def test_a_thousand_mails_in_a_burst_are_stored_once_each(mta, tell):
    mails = [reports.report_mail(number) for number in range(BURST)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for sent in [clients.submit(send_all, mta.server, mails[part::8]) for part in range(8)]:
            sent.result()
    taken = time.monotonic() - began
    waiting = mta.server.queued()
    assert mta.reports(180) == numbers(BURST)
    passed = time.monotonic() - began
    assert mta.statuses() == {"stored": BURST}
    assert mta.database.value("SELECT count(*) FROM dmarc.records") == BURST
    tell(f"burst: sent {BURST} in {taken:.1f} s, then waiting {waiting}; all after {passed:.1f} s: {mta.counts()}")
