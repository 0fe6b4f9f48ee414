"""Every file of the corpus, delivered over LMTP as a reporter's mail would be, and found again by plain SQL."""

import contextlib
import sys
from collections import Counter

from conftest import RECIPIENT, ROOT, Database, Ingest
from reports import mail

sys.path.insert(0, str(ROOT / "tests" / "corpus"))
from corpus import (  # noqa: E402
    FILES,
    domains,
    expected,
    needs_corpus,
    remark,
    table,
    without_comment,
    without_reports,
)

pytestmark = needs_corpus

SENDER = "{}@corpus.example"  # which file a mail carried: its row in the index

# What a mail became, with the numbers of EXPECT.tsv computed from the records.
FOUND = """
SELECT split_part(i.envelope_from, '@', 1)::int, i.status, coalesce(i.place, ''), r.org_name, r.report_id, r.domain,
	extract(epoch FROM r.begin)::bigint, extract(epoch FROM r."end")::bigint, n.records, n.count, n.pass_records, n.pass_count
FROM dmarc.intake i
LEFT JOIN dmarc.reports r ON r.id = i.report
LEFT JOIN LATERAL (
	SELECT count(*) AS records, coalesce(sum(count), 0) AS count, count(*) FILTER (WHERE dmarc_pass) AS pass_records,
		coalesce(sum(count) FILTER (WHERE dmarc_pass), 0) AS pass_count
	FROM dmarc.records WHERE report = r.id AND begin = r.begin AND domain = r.domain) n ON true
ORDER BY i.mail, i.item_no"""

COLUMNS = (
    "org_name report_id policy_domain begin_epoch end_epoch records sum_count pass_records pass_count".split()
)


def content(row):
    """The file as the content of an LMTP transaction: a mail as it is, anything else as an attachment."""
    data = (FILES / row["path"]).read_bytes()
    if row["kind"].endswith("-mail") or row["kind"] == "mime-torture":
        return data
    return mail(("report", "application/octet-stream", data))


def deliver_all(ingest, index, numbers):
    """Send the files with these numbers on one connection; every reply must be 250 (assertion 70)."""
    refused = []
    with contextlib.closing(ingest.connect(unix=True)) as client:
        for number in numbers:
            assert client.mail(SENDER.format(number))[0] == 250
            assert client.rcpt(RECIPIENT)[0] == 250
            code, text = client.data(content(index[number]))
            if code != 250:
                refused.append(f"{index[number]['path']}: {code} {text.decode()}")
    assert not refused, refused[:20]


def delivered(postgres, folder, name, index, numbers):
    """The rows of FOUND by file number, after the files with these numbers went into a fresh database."""
    database = Database(postgres, name)
    (folder / name).mkdir()
    with contextlib.closing(Ingest(folder / name, database.conninfo("taker"))) as ingest:
        ingest.start()
        deliver_all(ingest, index, numbers)
    rows = {}
    for number, *rest in database.query(FOUND):
        rows.setdefault(number, []).append(rest)
    database.drop()
    return rows


def is_found(row, items):
    """Whether one item is the report (or, for a quarantined one, set aside) that row of EXPECT.tsv names."""
    if row["want"] == "quarantine":
        return all(status in ("quarantined", "duplicate") and report[0] is None for status, _, *report in items)
    want = [row[column] for column in COLUMNS]
    for status, place, *report in items:
        got = ["" if value is None else str(value) for value in report]
        if status in ("stored", "duplicate") and place.endswith(row["member"]) and got == want:
            return True
    return False


def conflicting(items):
    return any(status == "conflict" for status, *_ in items)


def test_every_expected_report_is_found_by_sql_after_delivery(shared_postgres, folder, capsys):
    index = table("INDEX.tsv")
    numbers = {row["path"]: number for number, row in enumerate(index)}
    rows_wanted = [row for row in expected("aggregate") if row["want"] != "either"]
    first = rows = delivered(shared_postgres, folder, "corpus_1", index, range(len(index)))
    left = [row for row in rows_wanted if not is_found(row, rows[numbers[row["path"]]])]
    rounds = 1
    # Reports that contradict one another (same key, other content) are kept raw. In a database without the others each is stored.
    while left and rounds < 10 and all(conflicting(rows[numbers[row["path"]]]) for row in left):
        rounds += 1
        rows = delivered(
            shared_postgres, folder, f"corpus_{rounds}", index, sorted({numbers[row["path"]] for row in left})
        )
        left = [row for row in left if not is_found(row, rows[numbers[row["path"]]])]
    with capsys.disabled():
        print(
            f"\ncorpus: {len(rows_wanted) - len(left)} of {len(rows_wanted)} aggregate rows matched by SQL in {rounds} rounds;"
            f" the first: {dict(Counter(item[0] for items in first.values() for item in items))}"
        )
    assert rows_wanted
    assert not left, f"{len(left)} wrong: {[row['path'] for row in left[:20]]}"
    assert set(first) == set(range(len(index))), "a mail without a line in the ledger"
    taken = [
        row["path"]
        for row in without_reports()
        if any(status == "stored" for status, *_ in first[numbers[row["path"]]])
    ]
    assert not taken
