"""Two hosts with ruad serve on one database, as server/doc/sizing.md says: mail goes to either, and the counts are exact."""

import concurrent.futures

import pytest
from conftest import STORED, wait_until
from reports import DAY, aggregate, gzipped, mail, record
from supervised import Supervised

EACH = 20  # mails that only one host gets
BOTH = 5  # mails that both get


@pytest.fixture(name="hosts")
def fixture_hosts(folder, database):
    """Two running ruad serve, each with a state directory and ports of its own."""
    hosts = []
    try:
        for name in ("one", "two"):
            (folder / name).mkdir()
            hosts.append(Supervised(folder / name, database_url=database.conninfo()))
            hosts[-1].start()  # both migrate at the same time
        for host in hosts:
            host.wait_until_ready()
        yield hosts
    finally:
        for host in hosts:
            host.close()


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", begin=DAY, records=[record(source_ip=f"192.0.2.{n}", count=n) for n in (1, 2, 3)])))


def test_two_hosts_store_each_report_once(hosts, database):
    numbers = [list(range(EACH)) + list(range(100, 100 + BOTH)), list(range(50, 50 + EACH)) + list(range(100, 100 + BOTH))]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(host.deliver, report(number)) for host, own in zip(hosts, numbers, strict=True) for number in own]
        for reply in replies:
            assert reply.result() == STORED
    expected = 2 * EACH + BOTH
    assert database.query("SELECT count(*), sum(messages) FROM dmarc.reports") == [(expected, 6 * expected)]
    assert database.query("SELECT count(*), sum(count) FROM dmarc.records") == [(3 * expected, 6 * expected)]
    assert database.query("SELECT status, count(*) FROM dmarc.intake GROUP BY 1 ORDER BY 1") == [("duplicate", BOTH), ("stored", expected)]
    wait_until(lambda: database.value("SELECT count(*) FROM ruad.unsummed") == 0, "one of both has summed up", 40)
    assert database.query("SELECT sum(messages) FROM dmarc.daily") == [(6 * expected,)]
    assert database.query("SELECT sum(messages) FROM dmarc.monthly") == [(6 * expected,)]


def test_two_hosts_may_prune_at_the_same_time(hosts, database):
    for number, host in enumerate(hosts):
        assert host.deliver(report(number)) == STORED
        host.settings["retention_reports"] = 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda host: host.command("prune"), hosts))
    for code, _, errors in done:
        assert code == 0 or "another ruad prune or ruad reprocess is running on this database" in errors, done
    assert 0 in [code for code, _, _ in done]
    assert database.value("SELECT count(*) FROM dmarc.reports") == 0
    assert database.value("SELECT count(*) FROM dmarc.records") == 0
