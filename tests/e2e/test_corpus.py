"""Every file of the corpus, delivered over LMTP like a reporter's mail, and found by plain SQL."""

import contextlib
import sys
from collections import Counter

from conftest import RECIPIENT, ROOT, Database, Ingest
from reports import mail

sys.path.insert(0, str(ROOT / "tests" / "corpus"))
from corpus import FILES, KINDS, expected, needs_corpus, table, wanted, without_reports  # noqa: E402

pytestmark = needs_corpus

SENDER = "{}@corpus.example"  # which file a mail carried: its row in the index

# The result of a mail, a row for each item, with the columns of EXPECT.tsv.
FOUND = """
SELECT split_part(i.envelope_from, '@', 1)::int, i.status, i.kind, coalesce(i.place, ''), coalesce(r.found, f.found, t.found, '{}')
FROM dmarc.intake i
LEFT JOIN LATERAL (
	SELECT jsonb_build_object('org_name', r.org_name, 'report_id', r.report_id, 'policy_domain', r.domain,
		'begin_epoch', extract(epoch FROM r.begin)::bigint, 'end_epoch', extract(epoch FROM r."end")::bigint, 'records', n.records,
		'sum_count', n.count, 'pass_records', n.pass_records, 'pass_count', n.pass_count) AS found
	FROM dmarc.reports r,
		LATERAL (SELECT count(*) AS records, coalesce(sum(count), 0) AS count, count(*) FILTER (WHERE dmarc_pass) AS pass_records,
			coalesce(sum(count) FILTER (WHERE dmarc_pass), 0) AS pass_count
			FROM dmarc.records WHERE report = r.id AND begin = r.begin AND domain = r.domain) n
	WHERE r.id = i.report) r ON i.kind = 'aggregate'
LEFT JOIN LATERAL (
	SELECT jsonb_build_object('feedback_type', feedback_type, 'reported_domain', reported_domain ->> 0, 'source_ip', host(source_ip),
		'arrival_date', arrival_date, 'Auth-Failure', auth_failure, 'User-Agent', user_agent) AS found
	FROM ruad.failure WHERE id = i.report AND kind = i.kind) f ON true
LEFT JOIN LATERAL (
	SELECT jsonb_build_object('org_name', o.org_name, 'report_id', t.report_id, 'policy_domain', p.domains,
		'begin_epoch', extract(epoch FROM t.begin)::bigint, 'end_epoch', extract(epoch FROM t."end")::bigint, 'tls_policies', p.n,
		'tls_success', p.success, 'tls_failure', p.failure) AS found
	FROM ruad.tls t LEFT JOIN ruad.reporter o ON o.id = t.reporter_id,
		LATERAL (SELECT count(*) AS n, jsonb_agg(coalesce(nullif(d.name, ''), '(none)') ORDER BY policy_no) AS domains,
			coalesce(sum(total_successful_session_count), 0) AS success, coalesce(sum(total_failure_session_count), 0) AS failure
			FROM ruad.tls_policy LEFT JOIN ruad.domain d ON d.id = domain_id AND domain_id <> 0 WHERE report = t.id) p
	WHERE t.id = i.report) t ON i.kind = 'tls'
ORDER BY i.mail, i.item_no"""


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
    """The rows of FOUND by file number, after the files with these numbers were delivered to a fresh database."""
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


def text(value):
    return value if isinstance(value, list) else "" if value is None else str(value)


def is_found(row, items):
    """Whether one item is the report in the row of EXPECT.tsv, or is quarantined if it should be."""
    if row["want"] != "report" and all(kind == "unreadable" for _, kind, _, _ in items):
        return True
    want = wanted(row)
    return row["want"] != "quarantine" and any(
        status in ("stored", "duplicate")
        and kind == KINDS[row["class"]]
        and place.endswith(row["member"])
        and found
        and all(text(value) == want[column] for column, value in found.items())
        for status, kind, place, found in items
    )


def conflicting(items):
    return any(status == "conflict" for status, *_ in items)


def test_every_expected_report_is_found_by_sql_after_delivery(shared_postgres, folder, capsys):
    index = table("INDEX.tsv")
    numbers = {row["path"]: number for number, row in enumerate(index)}
    rows_wanted = expected(*KINDS)
    first = rows = delivered(shared_postgres, folder, "corpus_1", index, range(len(index)))
    left = [row for row in rows_wanted if not is_found(row, rows[numbers[row["path"]]])]
    rounds = 1
    # Reports that contradict each other (same key, other content) are quarantined. In separate databases each is stored.
    while left and rounds < 10 and all(conflicting(rows[numbers[row["path"]]]) for row in left):
        rounds += 1
        rows = delivered(
            shared_postgres, folder, f"corpus_{rounds}", index, sorted({numbers[row["path"]] for row in left})
        )
        left = [row for row in left if not is_found(row, rows[numbers[row["path"]]])]
    with capsys.disabled():
        print(
            f"\ncorpus: {len(rows_wanted) - len(left)} of {len(rows_wanted)} rows matched by SQL in {rounds} rounds;"
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
