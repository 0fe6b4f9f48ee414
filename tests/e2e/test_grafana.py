"""The dashboards of server/dist/grafana/: each query of each panel gives what the panel draws.

Grafana itself is not run. What it does to a query is done here: it replaces variables and macros.
"""

import contextlib
import datetime
import json
import pathlib
import re

import psycopg2
import psycopg2.extras
import pytest
from conftest import ROOT
from test_examples import fixture_filled  # noqa: F401
from test_metrics import fixture_busy, fixture_full, fixture_promtool, metrics  # noqa: F401

FOLDER = ROOT / "server" / "dist" / "grafana"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
KINDS = {"ruad-service": "prometheus", "ruad-dmarc": "grafana-postgresql-datasource"}
FROM, TO = "2026-03-01T00:00:00Z", "2026-03-31T23:59:59Z"


def panels(name):
    return [panel for panel in BOARDS[name]["panels"] if panel["type"] != "row"]


def targets(name):
    return [pytest.param(panel, target, id=f"{panel['title']}-{target['refId']}") for panel in panels(name) for target in panel["targets"]]


# -- the files --


def test_there_are_two_dashboards():
    assert {name: board["uid"] for name, board in BOARDS.items()} == {name: name for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_a_dashboard_takes_its_data_source_from_a_variable(name):
    board = BOARDS[name]
    (source,) = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]
    assert (source["name"], source["query"]) == ("datasource", KINDS[name])
    named = [thing["datasource"] for thing in (*board["templating"]["list"], *panels(name)) if "datasource" in thing]
    named += [target.get("datasource", panel["datasource"]) for panel in panels(name) for target in panel["targets"]]
    assert len(named) > 2 * len(panels(name))
    assert all(source == {"type": KINDS[name], "uid": "${datasource}"} for source in named)
    assert "id" not in board  # the number in somebody's Grafana


@pytest.mark.parametrize("name", KINDS)
def test_panels_have_numbers_and_places_of_their_own(name):
    everything = BOARDS[name]["panels"]
    assert sorted(panel["id"] for panel in everything) == list(range(1, len(everything) + 1))
    taken = {}
    for panel in everything:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            assert cell not in taken, (panel["title"], taken[cell])
            taken[cell] = panel["title"]
    assert len({panel["title"] for panel in everything}) == len(everything)
    for panel in panels(name):
        references = [target["refId"] for target in panel["targets"]]
        assert references == list("ABCDEF"[: len(references)])


# -- Prometheus --


def promql(expr):
    """What Grafana asks Prometheus for."""
    for variable, value in (("$job", "ruad"), ("$__rate_interval", "5m")):
        expr = expr.replace(variable, value)
    assert "$" not in expr
    return expr


@pytest.fixture(name="samples")
def fixture_samples(full):
    """The samples of /metrics of a ruad that has everything which the dashboard shows."""
    return dict(line.rsplit(" ", 1) for line in metrics(full).decode().splitlines() if not line.startswith("#"))


def with_job(sample):
    """The sample as Prometheus stores it."""
    name, brace, labels = sample.partition("{")
    return f'{name}{{job="ruad"{"," if brace else ""}{labels or "}"}'


def test_each_query_of_prometheus_has_an_answer(samples, promtool, folder):
    """Each series goes on for an hour from its number on; counters grow."""
    series = [{"series": with_job(sample), "values": f"{number}+{1 if re.search('_(total|bucket|count|sum)', sample) else 0}x60"} for sample, number in samples.items()]
    series.append({"series": 'up{job="ruad"}', "values": "1x60"})
    exprs = {promql(target["expr"]): panel["title"] for panel in panels("ruad-service") for target in panel["targets"]}
    assert len(exprs) > 20
    test = {
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [{"expr": f"count({expr}) > bool 0", "eval_time": "30m", "exp_samples": [{"labels": "{}", "value": 1}]} for expr in exprs],
            }
        ],
    }
    (folder / "dashboard.test.yml").write_text(json.dumps(test))  # JSON is YAML
    assert b"SUCCESS" in promtool("test", "rules", folder / "dashboard.test.yml")


def test_queries_and_legends_name_metrics_and_labels_that_are_there(samples):
    there = {}
    for sample in samples:
        name, _, labels = sample.partition("{")
        there.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    for panel in panels("ruad-service"):
        for target in panel["targets"]:
            named = set(re.findall(r"\bruad_\w+", target["expr"]))
            assert named <= set(there), panel["title"]
            labels = set.union(*(there[name] for name in named)) if named else set()
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, panel["title"]
            selected = set(re.findall(r"[{,](\w+)=~?\"", target["expr"])) - {"job"}
            assert selected <= labels, panel["title"]
    (job,) = [variable for variable in BOARDS["ruad-service"]["templating"]["list"] if variable["name"] == "job"]
    assert re.fullmatch(r"label_values\((\w+), job\)", job["query"]["query"])[1] in there


# -- PostgreSQL --


def expanded(sql, domains):
    """What Grafana asks PostgreSQL for."""
    sql = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN '{FROM}' AND '{TO}'", sql)
    sql = sql.replace("${domain:sqlstring}", ",".join(f"'{domain}'" for domain in domains))
    assert "$" not in sql
    return sql


@pytest.fixture(name="auditor", scope="module")
def fixture_auditor(filled):
    finding = {"severity": "error", "code": "x", "text": "bad", "fix": "better", "place": "dmarc"}
    result = psycopg2.extras.Json({"ok": False, "findings": [finding]})
    with contextlib.closing(psycopg2.connect(filled.conninfo("postgres"))) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result) SELECT domain_id, now(), now(), %s FROM dmarc.domains WHERE domain = 'example.com' "
            "ON CONFLICT (domain_id) DO UPDATE SET checked_at = now(), result = excluded.result", [result])
    with contextlib.closing(psycopg2.connect(filled.conninfo("test_auditor"))) as connection:
        yield connection


def ask(auditor, sql):
    """The names of the columns, and the rows."""
    with auditor, auditor.cursor() as cursor:
        cursor.execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


@pytest.fixture(name="domains", scope="module")
def fixture_domains(auditor):
    (variable,) = [variable for variable in BOARDS["ruad-dmarc"]["templating"]["list"] if variable["name"] == "domain"]
    domains = [domain for (domain,) in ask(auditor, variable["query"])[1]]
    assert {"example.com", "example.net"} <= set(domains)
    return domains


@pytest.mark.parametrize(("panel", "target"), targets("ruad-dmarc"))
def test_each_query_of_postgresql_gives_what_its_panel_draws(auditor, domains, panel, target):
    names, rows = ask(auditor, expanded(target["rawSql"], domains))
    assert rows
    assert len(set(names)) == len(names)
    assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= set(names)
    if panel["type"] == "table":
        assert target["format"] == "table"
        return
    times = names[0] == "time"
    assert (panel["type"], target["format"]) == (("timeseries", "time_series") if times else ("stat", "table"))
    for row in rows:
        assert all(value is None or float(value) >= 0 for value in row[times:])
    if times:
        at = [row[0] for row in rows]
        assert at == sorted(set(at))
        assert all(time.astimezone(datetime.UTC if hasattr(datetime, "UTC") else datetime.timezone.utc).strftime("%H:%M") == "00:00" for time in at)
    else:
        assert len(rows) == len(names) == 1


def numbers(auditor, domains, title):
    (panel,) = [panel for panel in panels("ruad-dmarc") if panel["title"] == title]
    names, rows = ask(auditor, expanded(panel["targets"][0]["rawSql"], domains))
    return [dict(zip(names, row)) for row in rows]


def test_the_numbers_are_those_of_the_reports(auditor, domains):
    """examples.sql has 278 messages in March, of which 60 failed."""
    assert numbers(auditor, domains, "Messages") == [{"messages": 278}]
    by_day = numbers(auditor, domains, "Result")
    failed = sum(row[name] for row in by_day for name in row if name.startswith("fail_"))
    assert sum(row["pass"] for row in by_day) + failed == 278
    assert numbers(auditor, domains, "Fail DMARC") == [{"messages": failed}]
    assert numbers(auditor, ["example.net"], "Messages") == [{"messages": 12}]
    assert sum(row["fail"] for row in numbers(auditor, domains, "Sources that fail")) == failed
    assert sum(row["messages"] for row in numbers(auditor, domains, "Domains")) == 278
    assert sum(row["messages"] for row in numbers(auditor, domains, "Reporters")) == 278


# -- where they are --


def test_they_are_installed_and_documented():
    cmake = (ROOT / "server/dist/CMakeLists.txt").read_text()
    assert re.search(r"install\(DIRECTORY [^)]*\bgrafana\b", cmake)
    page = (ROOT / "server/doc/operations.md").read_text()
    assert all(f"dist/grafana/{name}.json" in page for name in BOARDS)
    assert pathlib.Path(FOLDER).is_dir()
