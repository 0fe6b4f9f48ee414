"""The API with a database filled by LMTP: every route conforms to the contract (contract.py validates every answer), and its numbers are right."""

import contextlib
import csv
import http.client
import io
import json
import re
import socket
import subprocess
import urllib.parse
import xml.etree.ElementTree

import contract
import pytest
import reports
from conftest import BUILD, wait_until
from web_data import (
    FAILING,
    FORMULA_ORG,
    HOSTILE_ORG,
    MANY,
    MESSAGES,
    OTHERS,
    STORED,
    WINDOW,
    add_roles,
    deliver,
    editors_site,
    filled_database,
    report,
    running_site,
)

CSV_TYPE = "text/csv; charset=utf-8; header=present"
NAMESPACE = {"r": reports.NAMESPACE}
READ = [(path.removeprefix("/api/v1/"), operation) for method, path, operation in contract.operations() if method == "GET"]
LISTS = [resource for resource, operation in READ if contract.schema_of(operation, 200, "text/csv")]


@pytest.fixture(name="filled", scope="module")
def fixture_filled():
    with filled_database() as database:
        database.query("SELECT ruad.set_label('as:4200000000', 'not_mine', NULL, 'kim', 'cli')")  # of no address, for its log
        yield database


@pytest.fixture(name="site", scope="module")
def fixture_site(filled):
    with running_site(filled) as site:
        yield site


@pytest.fixture(name="editors", scope="module")
def fixture_editors(filled):
    with editors_site(filled) as site:
        yield site


def names(operation):
    return [parameter["name"] for parameter in contract.parameters(operation)]


def place(site, resource):
    """The resource with an existing value for its {place}."""
    if "{id}" in resource:
        (item, *_) = site.get(resource.split("/{")[0], **WINDOW).json()["items"]
        return resource.replace("{id}", item["id"])
    return resource.replace("{name}", "example.org").replace("{key}", "ip:192.0.2.1")


def window(resource):
    """The period of the samples; for Intake that of their receipt, which is now, as is the login in the audit log."""
    if resource == "audit":
        return {"action": "login"}
    return WINDOW if "from" in names(dict(READ)[resource]) and not resource.startswith("intake") else {}


# The contract


def test_the_contract_s_routes_are_those_of_the_program_with_their_parameters():
    listed = subprocess.run([BUILD / "tests" / "test_web_routes", "--list"], check=True, capture_output=True, text=True)
    routes = {tuple(line.split()[:2]): sorted(line.split()[2:]) for line in listed.stdout.splitlines()}
    assert len(routes) > 25
    assert routes == {(method, path): sorted(names(operation)) for method, path, operation in contract.operations()}


def test_the_contract_is_served_as_it_was_built(site):
    answer = site.ask("/openapi.json", Accept_Encoding="identity")
    assert (answer.status, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == contract.document()
    assert answer.json()["openapi"].startswith("3.1.")


def test_each_operation_of_the_contract_has_a_name_of_its_own():
    names_of = [operation.get("operationId") for _, _, operation in contract.operations()]
    assert all(name and re.fullmatch("[a-z][A-Za-z]+", name) for name in names_of)
    assert len(set(names_of)) == len(names_of)


def test_the_contract_lets_nothing_pass_that_it_does_not_name():
    schema = {"$ref": "#/components/schemas/Me"}
    good = {"user": None, "roles": ["viewer"], "domains": None, "auth": "none", "logout": None}
    contract.check_schema(good, schema)
    for bad in {**good, "more": 1}, {"user": None, "roles": []}, {**good, "auth": "maybe"}, []:
        with pytest.raises(AssertionError):
            contract.check_schema(bad, schema)


@pytest.mark.parametrize("resource", dict(READ))
def test_every_resource_answers_with_what_there_is(editors, resource):
    needed = {"q": "example"} if resource == "search" else {}
    answer = editors.get(place(editors, resource), **window(resource), **needed)
    assert answer.status == 200
    assert answer["Cache-Control"] == "private, no-cache"
    if answer["Content-Type"] == "application/json" and "items" in answer.json():
        assert answer.json()["items"]


@pytest.mark.parametrize("resource", [resource for resource, _ in READ if "{" in resource])
def test_what_is_not_there_is_404(site, resource):
    for word in "999999999", "9223372036854775808", "-1", "0", "1'", "nobody.example", "ip:203.0.113.255", "\u202e", "x" * 500:
        if "{id}" not in resource and word in ("999999999", "0") or "{key}" in resource and word == "nobody.example":
            continue
        answer = site.get(re.sub(r"{\w+}", urllib.parse.quote(word, safe=""), resource))
        assert answer.status in ((404,) if "{id}" in resource else (400, 404))
        answer.problem()


# Numbers


def test_summary_counts_messages(site):
    totals = site.get("summary", **WINDOW).json()["totals"]
    assert totals["messages"] == sum(MESSAGES.values())
    assert totals["pass"] == totals["messages"] - FAILING


@pytest.mark.parametrize(
    "parameters, messages",
    [
        ({"domain": "example.org"}, 20),
        ({"domain": ["Example.ORG.", "mail.example.net"]}, 24),
        ({"domain": "nobody.example"}, 0),
        ({"domain": "example.net"}, 0),
        ({"domain": "example.net", "subdomains": "1"}, 4),
        ({"domain": "example.net", "subdomains": "0"}, 0),
        ({"domain": "example.org", "from_": "2026-01-06"}, 7),
        ({"domain": "example.org", "to": "2026-01-06"}, 13),
        ({"domain": "example.org", "result": "pass"}, 17),
        ({"domain": "example.org", "result": "fail"}, 3),
        ({"domain": "example.org", "class": "pass"}, 17),
        ({"domain": "example.org", "class": ["pass", "fail_unauthenticated", "fail_altered", "fail_unaligned"]}, 20),
        ({"domain": "example.org", "dkim": "pass"}, 15),
        ({"domain": "example.org", "spf": "fail"}, 8),
        ({"domain": "example.org", "dkim": "fail", "spf": "pass"}, 2),
        ({"domain": "example.org", "disposition": ["none", "reject"]}, 20),
        ({"domain": "example.org", "disposition": "reject"}, 0),
        ({"domain": "example.org", "override": "none"}, 20),
        ({"domain": "example.org", "override": "forwarded"}, 0),
        ({"domain": "example.org", "ip": "192.0.2.1"}, 15),
        ({"domain": "example.org", "ip": "2001:db8::/32"}, 2),
        ({"domain": "example.org", "source": "ip:192.0.2.1"}, 15),
        ({"domain": "example.org", "source": ["ip:198.51.100.7", "ip:2001:db8::25"]}, 5),
        ({"domain": "example.org", "asn": "none"}, 20),
        ({"domain": "example.org", "asn": "64496"}, 0),
        ({"domain": "example.org", "country": ["de", "none"]}, 20),
        ({"domain": "example.org", "rdns": "example.net"}, 0),
        ({"domain": "example.org", "label": "none"}, 20),
        ({"domain": "example.org", "label": ["mine", "not_mine"]}, 0),
        ({"header_from": "example.org"}, 20),
        ({"auth_domain": "nobody.example"}, 0),
        ({"q": "EXAMPLE.or"}, 20),
        ({"reporter": "Yahoo"}, 7),
        ({"reporter": ["Yahoo", "Google Inc."]}, 20),
        ({"reporter": HOSTILE_ORG}, 4),
        ({"reporter": "NULL"}, 0),
    ],
)
def test_filters_narrow_the_sum(site, parameters, messages):
    assert site.get("summary", **{**WINDOW, **parameters}).json()["totals"]["messages"] == messages


def test_sources_are_grouped_by_address(site):
    items = site.get("sources", **WINDOW, domain="example.org", group="ip").json()["items"]
    assert {item["key"]: item["messages"] for item in items} == {"192.0.2.1": 15, "198.51.100.7": 3, "2001:db8::25": 2}


@pytest.mark.parametrize("sort, first", [("-messages", "192.0.2.1"), ("messages", "2001:db8::25"), ("-fail", "198.51.100.7")])
def test_sources_are_sorted_as_asked(site, sort, first):
    assert site.get("sources", **WINDOW, domain="example.org", group="ip", sort=sort).json()["items"][0]["key"] == first


def test_timeseries_has_a_point_for_each_day(site):
    document = site.get("timeseries", **WINDOW, domain="example.org", bucket="day", by="class").json()
    assert len(document["points"]) == 31
    assert sum(sum(point["v"].values()) for point in document["points"]) == 20


def test_domains_and_records_hold_what_was_stored(site):
    items = site.get("domains", **WINDOW).json()["items"]
    assert {item["name"]: item["messages"] for item in items if item["kind"] == "policy"} == MESSAGES
    rows = site.get("records", **WINDOW, domain="example.org").json()["items"]
    assert sorted((row["source_ip"], row["count"]) for row in rows) == [
        ("192.0.2.1", 5),
        ("192.0.2.1", 10),
        ("198.51.100.7", 3),
        ("2001:db8::25", 2),
    ]


def test_a_report_of_the_list_is_found_by_its_id(site):
    (item,) = site.get("reports", **WINDOW, reporter=HOSTILE_ORG).json()["items"]
    document = site.get(f"reports/{item['id']}").json()
    assert document["report_metadata"]["org_name"] == HOSTILE_ORG
    assert [record["row"]["source_ip"] for record in document["record"]] == ["203.0.113.9"]
    assert [row["source_ip"] for row in site.get(f"reports/{item['id']}/records").json()["items"]] == ["203.0.113.9"]
    assert site.get(f"reports/{item['id']}/records", result="pass").json()["items"] == []


def test_intake_shows_what_could_not_be_read(site):
    (item,) = site.get("intake/events", status="quarantined").json()["items"]
    assert (item["status"], item["kind"], item["code"]) == ("quarantined", "unreadable", "xml")
    assert site.get("intake").json()["counts"] == {"stored": STORED, "duplicate": 1, "conflict": 0, "quarantined": 1}
    assert len(site.get("intake/events", status="stored", limit=500).json()["items"]) == STORED


@pytest.mark.parametrize("resource", ["sources", "records", "reports"])
def test_cursors_lead_through_every_row_once(site, resource):
    group = {"group": "ip"} if resource == "sources" else {}
    seen, cursor = [], {}
    for _ in range(10):
        document = site.get(resource, **WINDOW, domain="many.example", limit=25, **group, **cursor).json()
        assert len(document["items"]) <= 25
        seen += [json.dumps(item, sort_keys=True) for item in document["items"]]
        if document["next"] is None:
            break
        cursor = {"cursor": document["next"]}
    assert len(seen) == len(set(seen)) == MANY


# CSV and XML


def rows_of(answer):
    """The rows of a CSV, as dictionaries; checks its format."""
    assert answer.status == 200
    assert answer["Content-Type"] == CSV_TYPE
    assert re.fullmatch(r'attachment; filename="ruad-[a-z0-9.-]+\.csv"', answer["Content-Disposition"])
    text = answer.body.decode()
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in rows)  # each has every column
    return rows


def next_of(answer):
    """The target of the header Link, relative to that of the request, or None."""
    if answer["Link"] is None:
        return None
    return re.fullmatch(r'<(\?[!-;=?-~]+)>; rel="next"', answer["Link"])[1]


@pytest.mark.parametrize("resource", LISTS)
def test_every_list_is_to_be_had_as_csv(editors, resource):
    path, parameters = place(editors, resource), window(resource)
    by_parameter = editors.get(path, **parameters, format="csv")
    assert rows_of(by_parameter)
    query = urllib.parse.urlencode({name.rstrip("_"): value for name, value in parameters.items()})
    by_header = editors.ask(f"/api/v1/{path}?{query}", Accept="text/csv")
    assert by_header.body == by_parameter.body
    assert by_header["Vary"].startswith("Accept")
    assert editors.ask(f"/api/v1/{path}?{query}&format=json", Accept="text/csv")["Content-Type"] == "application/json"
    assert editors.ask(f"/api/v1/{path}?{query}", Accept="*/*")["Content-Type"] == "application/json"


@pytest.mark.parametrize("resource", [resource for resource, _ in READ if resource not in LISTS])
def test_what_is_no_list_is_never_csv(site, resource):
    needed = {"q": "example"} if resource == "search" else {}
    answer = site.ask(f"/api/v1/{place(site, resource)}?{urllib.parse.urlencode(needed)}", Accept="text/csv")
    assert answer.status == 200
    assert "csv" not in answer["Content-Type"]
    assert list(site.get(place(site, resource), **needed, format="csv").problem()) == ["format"]


def test_csv_has_the_rows_of_json(site):
    rows = rows_of(site.get("sources", **WINDOW, group="ip", format="csv"))
    items = site.get("sources", **WINDOW, group="ip", limit=500).json()["items"]
    assert [(row["key"], int(row["messages"]), int(row["pass"])) for row in rows] == [
        (item["key"], item["messages"], item["pass"]) for item in items
    ]


def test_csv_is_read_page_by_page_with_link(site):
    seen, query = [], "?" + urllib.parse.urlencode({"from": "2026-01-01", "to": "2026-02-01", "domain": "many.example", "limit": 25})
    while query:
        answer = site.ask("/api/v1/records" + query, Accept="text/csv")
        seen += [row["source_ip"] for row in rows_of(answer)]
        query = next_of(answer)
    assert len(seen) == len(set(seen)) == MANY


def test_csv_may_be_longer_than_json(site):
    assert site.get("records", limit=501).status == 400
    assert site.get("records", limit=501, format="csv").status == 200
    assert list(site.get("records", limit=10001, format="csv").problem()) == ["limit"]


def test_cells_of_csv_are_no_formulas(editors):
    (row,) = rows_of(editors.get("reports", **WINDOW, domain="formula.example", format="csv"))
    assert row["org_name"] == "'" + FORMULA_ORG
    (row,) = rows_of(editors.get("reports", **WINDOW, reporter=HOSTILE_ORG, format="csv"))
    assert row["org_name"] == HOSTILE_ORG
    for resource in LISTS:
        for row in rows_of(editors.get(place(editors, resource), **window(resource), format="csv")):
            for cell in row.values():
                assert not cell.startswith(("=", "+", "@", "\t", "\r")) and (cell[:1] != "-" or cell[1:].isdigit()), cell


def test_csv_refuses_as_json_does(site):
    answer = site.get("records", format="csv", ip="10.1")
    assert answer.status == 400
    assert list(answer.problem()) == ["ip"]


# Lists that are streamed

LONG = 40000  # rows: about ten megabytes, more than sockets hold
LONG_CSV = "/api/v1/records?from=2025-06-01&to=2025-07-01&format=csv"


@pytest.fixture(name="long", scope="module")
def fixture_long():
    """A database and its site, with one more report of many records."""
    records = [(f"2001:db8::{n:x}", 1, "pass", "pass") for n in range(1, LONG + 1)]
    with filled_database() as database:
        deliver(database, [(report(900, -200, "Long", "long.example", records), "dmarc-sum@example.com")])
        with running_site(database, http_threads=1) as site:
            yield database, site


def begun_download(site):
    """A response whose body is not read yet; the buffer of its socket is small."""
    client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    client.sock = socket.socket()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client.sock.settimeout(60)
    client.sock.connect(("127.0.0.1", site.port))
    client.request("GET", LONG_CSV)
    response = client.getresponse()
    assert response.status == 200
    return client, response


def test_a_long_list_is_streamed_without_a_limit(long):
    answer = long[1].ask(LONG_CSV)
    rows = rows_of(answer)
    assert [row["record_no"] for row in rows] == [str(n) for n in range(1, LONG + 1)]
    assert answer["Transfer-Encoding"] == "chunked"
    assert answer["ETag"] is answer["Link"] is answer["Content-Encoding"] is None
    assert answer["Cache-Control"] == "no-store"
    assert answer["Vary"] == "Accept"


def test_head_of_a_long_list_has_its_headers_alone(long):
    answer = long[1].ask(LONG_CSV, method="HEAD")
    assert (answer.status, answer["Content-Type"], answer.body) == (200, CSV_TYPE, b"")


def test_pages_of_a_long_list_make_the_whole(long):
    site = long[1]
    pages, query = [], LONG_CSV + "&limit=10000"
    while query:
        answer = site.ask(query)
        pages.append(answer.body.split(b"\r\n", 1)[1])
        query = next_of(answer) and "/api/v1/records" + next_of(answer)
    assert len(pages) == LONG // 10000
    assert b"".join(pages) == site.ask(LONG_CSV).body.split(b"\r\n", 1)[1]


def test_a_download_that_nobody_reads_holds_up_no_thread(long):
    site = long[1]  # which has one thread
    client, _ = begun_download(site)
    with contextlib.closing(client):
        assert site.get("summary").status == 200


def test_a_lost_connection_truncates_the_download(long):
    database, site = long
    client, response = begun_download(site)
    with contextlib.closing(client):
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ruad-web' AND state = 'idle in transaction'"
        assert wait_until(lambda: database.query(end), "a transaction that waits for the reader") == [(True,)]
        with pytest.raises(http.client.IncompleteRead):
            response.read()
    assert site.get("summary").status == 200


def test_more_downloads_at_once_than_may_be_are_refused(long):
    site = long[1]
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(contextlib.closing(begun_download(site)[0]))
        answer = site.ask(LONG_CSV)
        assert (answer.status, answer["Retry-After"]) == (503, "30")
        assert answer["Content-Type"] == "application/problem+json"
    wait_until(lambda: site.ask(LONG_CSV).status == 200, "downloads that were cancelled make room")


def test_a_report_is_to_be_had_as_xml(site):
    (item,) = site.get("reports", **WINDOW, reporter=HOSTILE_ORG).json()["items"]
    answer = site.get(f"reports/{item['id']}/xml")
    assert answer.status == 200
    assert answer["Content-Type"] == "application/xml"
    assert answer["Content-Disposition"] == f'attachment; filename="ruad-report-{item["id"]}.xml"'
    assert answer["Content-Security-Policy"] == "sandbox"
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert root.findtext(".//r:org_name", namespaces=NAMESPACE) == HOSTILE_ORG
    assert root.findtext(".//r:source_ip", namespaces=NAMESPACE) == "203.0.113.9"


# For machines


def metrics(site):
    """{sample: value}; checks the format (text exposition format 0.0.4)."""
    answer = site.ask("/metrics")
    assert answer.status == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    samples, typed = {}, set()
    for line in answer.body.decode().splitlines():
        if typed_line := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
            assert (typed_line[2] == "counter") == typed_line[1].endswith("_total")
            typed.add(typed_line[1])
        elif not re.fullmatch(r"# HELP \w+ .+", line):
            sample, name, value = re.fullmatch(r'((\w+)(?:{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*})?) (\d+)', line).groups()
            assert name in typed
            samples[sample] = int(value)
    return samples


def test_metrics_count_mails_and_requests(site, filled):
    before, after = metrics(site), None
    assert site.get("nosuch").status == 404
    after = metrics(site)
    assert after["ruad_database_up"] == 1
    assert after["ruad_mails"] == filled.value("SELECT count(*) FROM dmarc.mails") == STORED + len(OTHERS) - 2
    assert after['ruad_items{kind="aggregate",status="stored"}'] == STORED - 2
    assert after['ruad_items{kind="aggregate",status="duplicate"}'] == 1
    assert after['ruad_items{kind="unreadable",status="quarantined"}'] == 1
    assert abs(after['ruad_last_report_timestamp_seconds{kind="aggregate"}'] - filled.value("SELECT extract(epoch FROM now())")) < 600
    assert after['ruad_http_requests_total{code="4xx"}'] == before['ruad_http_requests_total{code="4xx"}'] + 1
    assert after['ruad_http_requests_total{code="2xx"}'] == before['ruad_http_requests_total{code="2xx"}'] + 1
    version = filled.value("SELECT max(version) FROM dmarc.schema_version")
    assert any(re.fullmatch(rf'ruad_build_info{{version="[\d.]+",schema="{version}"}}', sample) for sample in after)


def test_metrics_are_there_without_the_database(own_database):
    add_roles(own_database)
    with running_site(own_database) as site:
        assert metrics(site)["ruad_mails"] == 0
        own_database.postgres.stop()
        samples = metrics(site)
        assert samples["ruad_database_up"] == 0
        assert "ruad_mails" not in samples
        assert any(sample.startswith("ruad_build_info{") for sample in samples)
