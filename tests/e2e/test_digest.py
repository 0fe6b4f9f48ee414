"""ruad digest: its figures are those of the API, its mail is one that clients show, names of strangers harm nobody, and each is sent once."""

import contextlib
import datetime
import email
import email.policy
import html.parser
import re
import subprocess

import pytest
import reports
import senders
from conftest import PROGRAMS, Database
from mail_sink import Sink
from supervised import Supervised, free_port
from test_advice import store
from test_notify import Notify
from web_data import add_roles, running_site

HOSTILE = '<script src="//x.example/"></script><img src=x onerror=a()>\u202e\u001b[2J'
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
TAGS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "h1", "h2", "h3", "span", "div", "bdi", "img", "a"}


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def last_week():
    """The Monday of the last whole week, and that of this one."""
    monday = today() - datetime.timedelta(days=today().weekday())
    return monday - datetime.timedelta(days=7), monday


def day(date):
    return f"{date.day} {MONTHS[date.month - 1]}" + (f" {date.year}" if date.year != today().year else "")


def days(begin, end):
    return f"{day(begin)} – {day(end - datetime.timedelta(days=1))}"


def percent(part, whole):
    return "100%" if part == whole else "0%" if part == 0 else f"{int(part / whole * 1000 + 0.5) / 10:.1f}%"


def section(text, heading):
    """The lines below a heading, up to the next."""
    found = re.search(rf"^{heading}\n-+\n(.*?)(?=\n\n\S[^\n]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no {heading} in\n{text}"
    return found[1]


class Tags(html.parser.HTMLParser):
    """The names of tags and the attributes in a document, and its text."""

    def __init__(self, document):
        super().__init__()
        self.names, self.attributes, self.text = set(), [], ""
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture(name="filled", scope="module")
def fixture_filled(shared_postgres, tmp_path_factory):
    world = senders.World()
    database = Database(shared_postgres, "digest")
    add_roles(database)
    store(world, database, tmp_path_factory.mktemp("digest"))
    yield database
    database.drop()
    database.query("DROP ROLE reader; DROP ROLE labeller", database="postgres")


@pytest.fixture(name="digest")
def fixture_digest(filled, tmp_path):
    """digest(WORD...): what ruad digest prints."""

    def run(*words, database=filled):
        code, words, errors = Supervised(tmp_path, database_url=database.conninfo()).command("digest", *words)
        assert (code, errors) == (0, "")
        return words

    return run


@pytest.fixture(name="api", scope="module")
def fixture_api(filled):
    with running_site(filled) as site:
        yield lambda path: site.ask(f"/api/v1/{path}").document()


def test_its_figures_are_those_of_the_api(digest, api):
    begin, end = last_week()
    summary = api(f"summary?from={begin}&to={end}")
    now, before = summary["totals"], summary["previous"]
    text = digest()
    assert text.startswith(f"All domains, {days(begin, end)}\n\n{now['messages']:,} messages reported, {percent(now['pass'], now['messages'])} passed DMARC")
    rows = [re.split(r"  +", line) for line in section(text, "Totals").splitlines()]
    share = [[name, *(percent(tally[key], tally["messages"]) for tally in (now, before))] for name, key in
             [("Passed", "pass"), ("DKIM aligned", "dkim_aligned"), ("SPF aligned", "spf_aligned")]]
    number = [[name, *(f"{value(tally):,}" for tally in (now, before))] for name, value in [
        ("Failed", lambda tally: tally["messages"] - tally["pass"]),
        ("Quarantined", lambda tally: tally["by_disposition"]["quarantine"]),
        ("Rejected", lambda tally: tally["by_disposition"]["reject"])]]
    assert rows == [
        ["", days(begin, end), days(begin - datetime.timedelta(days=7), begin)],
        ["Messages", f"{now['messages']:,}", f"{before['messages']:,}"], *share, *number,
        [f"{summary['reports']:,} reports from {summary['reporters']} reporters."]]
    assert f"{summary['sources']['new']} new sources: " in section(text, "What changed")


def test_what_to_do_is_what_overview_says(digest, api):
    begin, end = last_week()
    advice = api(f"advice?from={begin}&to={end}")
    text = section(digest(), "What to do")
    heads = re.findall(r"^[*+!] (.*)$", text, re.MULTILINE)
    assert heads == [point["name"] if point["source"] else point["domain"] or point["name"] for point in advice["items"]]
    assert f"\n{advice['total'] - len(advice['items'])} more, less urgent.\n" in text
    words = " ".join(text.split())
    texts = {topic["term"]: topic["text"] for topic in api("help?lang=en")["actions"]}
    for point in advice["items"]:
        assert re.search(rf"\b{point[('rejected', 'messages')[point['rejected'] is None]] or point['messages']:,}\b", words) or point["since"]
        if point["action"]:
            assert texts[point["action"]].replace("{domain}", point["domain"] or "") in words
        if point["fix"]:
            assert point["fix"] in words


def test_domains_are_those_of_the_api(digest, api):
    begin, end = last_week()
    items = [item for item in api(f"domains?from={begin}&to={end}")["items"] if item["kind"] == "policy"]
    assert len(items) == 3
    text = section(digest(), "Domains")
    for item in items:
        assert f"{item['name']} (p={item['policy']['p']})\n{item['messages']:,} messages reported, {percent(item['pass'], item['messages'])} passed" in text


def test_a_month_is_the_last_calendar_month_and_until_goes_back(digest, api):
    end = today().replace(day=1)
    begin = (end - datetime.timedelta(days=1)).replace(day=1)
    text = digest("--month")
    assert text.startswith(f"All domains, {days(begin, end)}")
    assert f"{api(f'summary?from={begin}&to={end}')['totals']['messages']:,} messages reported" in text
    begin, end = last_week()
    assert digest(f"--until={end - datetime.timedelta(days=1)}") == digest()
    begin, end = (one - datetime.timedelta(days=7) for one in (begin, end))
    assert digest(f"--until={end + datetime.timedelta(days=5)}").startswith(f"All domains, {days(begin, end)}")


def test_nothing_to_say_takes_two_lines_and_no_report_one(digest):
    begin, end = last_week()
    lines = digest(f"--domain={senders.PARKED}").splitlines()
    assert lines[0].startswith(f"{senders.PARKED}, {days(begin, end)}. ")
    assert lines[1:] == [f"Nothing to do, according to the reports until {day(end - datetime.timedelta(days=1))}."]
    assert digest("--domain=none.example") == f"none.example, {days(begin, end)}. No report covers these days.\n"


def test_the_mail_has_the_text_and_the_html_with_its_charts(digest):
    mail = email.message_from_string(digest("--eml"), policy=email.policy.default)
    plain, related = mail.iter_parts()
    page, *pictures = related.iter_parts()
    assert [part.get_content_type() for part in (mail, plain, related, page)] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html"]
    assert plain.get_content() == digest()
    sources = [value for name, value in Tags(page.get_content()).attributes if name == "src"]
    assert len(sources) == 4
    assert sources == [f"cid:{part['Content-ID'][1:-1]}" for part in pictures]
    for part in pictures:
        assert part.get_content_type() == "image/png"
        assert part.get_content().startswith(b"\x89PNG")
        assert len(part.get_content()) < 4096
    assert mail["Subject"].startswith("DMARC digest: All domains, ")
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_document_loads_nothing(digest):
    tags = Tags(digest("--html"))
    assert tags.names <= TAGS
    assert {value.split(",")[0] for name, value in tags.attributes if name == "src"} == {"data:image/png;base64"}
    assert all(value.startswith("https://") for name, value in tags.attributes if name == "href")


def test_names_of_strangers_are_text(digest, database, tmp_path):
    begin, _ = last_week()
    since = int(datetime.datetime.combine(begin, datetime.time(), datetime.timezone.utc).timestamp())
    for week in 0, 1:
        record = reports.record(f"192.0.2.{week + 1}", 50, header_from="own.example", auth_dkim=(("own.example", "s1", "pass"),))
        (tmp_path / f"{week}.xml").write_bytes(
            reports.aggregate("own.example", HOSTILE, report_id=HOSTILE + str(week), begin=since - 7 * 86400 * (1 - week),
                              end=since - 7 * 86400 * (1 - week) + 86399, records=[record]))
        done = Supervised(tmp_path, database_url=database.conninfo()).command("import", str(tmp_path / f"{week}.xml"))
        assert done[0] == 0, done
    database.query("INSERT INTO ruad.service VALUES ('hostile', %s, 'marketing')", HOSTILE)
    database.query("INSERT INTO ruad.address (source_ip, service, service_basis) VALUES ('192.0.2.2', 'hostile', 'dkim')")
    text = digest(database=database)
    assert HOSTILE[:20] in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    tags = Tags(digest("--html", database=database))
    assert HOSTILE[:20] in tags.text
    assert tags.names <= TAGS
    assert not [name for name, _ in tags.attributes if name.startswith("on")]


@pytest.mark.parametrize("words", [["--week", "--month"], ["--html", "--eml"], ["--until=yesterday"], ["--until=2026-02-30"], ["--year"], ["own.example"], ["--user=ann", "--domain=own.example"]])
def test_a_wrong_command_line_is_refused(words, tmp_path):
    code, said, errors = Supervised(tmp_path).command("digest", *words)
    assert (code, said) == (2, "")
    assert errors.startswith("ruad digest: ") or "nknown option" in errors


# -- sent by ruad-notify --


@pytest.fixture(name="sink")
def fixture_sink():
    with contextlib.closing(Sink()) as sink:
        yield sink


@pytest.fixture(name="notify")
def fixture_notify(folder, database, sink):
    settings = {"notify_smtp": f"smtp://127.0.0.1:{sink.port}", "digest_period": "weekly", "digest_hour": 0,
                "notify_mail_to": "admin@example.com other@example.com"}
    with contextlib.closing(Notify(folder, database, **settings)) as notify:
        yield notify


def test_a_digest_is_sent_once_to_each_address(notify, sink, digest, database):
    for _ in range(3):
        notify.once()
    assert sorted(mail.recipients[0] for mail in sink.mails) == ["admin@example.com", "other@example.com"]
    (message, copy) = (email.message_from_bytes(mail.data, policy=email.policy.default) for mail in sink.mails)
    assert message["To"] == "admin@example.com, other@example.com"
    assert message["Message-ID"] == copy["Message-ID"]
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == digest(f"--until={today() - datetime.timedelta(days=2)}", database=database)
    assert not re.search(rb"(?<!\r)\n", sink.mails[0].data)


def test_digests_of_a_week_and_of_a_month_are_each_sent(notify, sink):
    notify.settings["notify_mail_to"] = "admin@example.com"
    notify.once()
    notify.settings["digest_period"] = "monthly"
    notify.once()
    notify.once()
    assert len(sink.mails) == 2
    notify.settings["digest_period"] = "none"
    notify.database.query("DELETE FROM ruad.digest")
    notify.once()
    assert len(sink.mails) == 2


def test_a_digest_waits_for_a_mail_server_that_is_away(notify, sink):
    notify.settings |= {"notify_mail_to": "admin@example.com", "notify_smtp": f"smtp://127.0.0.1:{free_port()}"}
    notify.once()
    assert notify.waiting() == 1
    notify.settings["notify_smtp"] = f"smtp://127.0.0.1:{sink.port}"
    notify.retry_now()
    notify.once()
    assert (len(sink.mails), notify.waiting()) == (1, 0)


def test_two_programs_at_the_same_time_send_one_digest(notify, sink):
    notify.settings["notify_mail_to"] = "admin@example.com"
    running = [subprocess.Popen([PROGRAMS / "ruad-notify", "--once"], env=notify.environment()) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert len(sink.mails) == 1


def store_domain(database, folder, domain, count):
    """A report about the last whole week whose reports have arrived."""
    end = today() - datetime.timedelta(days=2)
    begin = end - datetime.timedelta(days=(end.weekday() + 1) % 7 + 6)  # a week that ends on this day is whole
    since = int(datetime.datetime.combine(begin, datetime.time(), datetime.timezone.utc).timestamp())
    record = reports.record("192.0.2.1", count, header_from=domain, dkim="fail", spf="fail")
    file = folder / f"{domain}.xml"
    file.write_bytes(reports.aggregate(domain, "Receiver", report_id=domain, begin=since, end=since + 86399, records=[record]))
    code, _, errors = Supervised(folder, database_url=database.conninfo()).command("import", str(file))
    assert code == 0, errors


@pytest.fixture(name="tenants")
def fixture_tenants(notify, folder):
    """Three domains of two tenants, and the settings of digests for each."""
    for domain, count in ("a.tenant.example", 11), ("b.tenant.example", 12), ("other.example", 13):
        store_domain(notify.database, folder, domain, count)
    notify.database.query("SELECT ruad.set_label('ip:192.0.2.1', 'mine', NULL, 'root', 'cli')")  # so that there is something to do
    notify.settings |= {
        "notify_mail_to": "admin@example.com",
        "digest_tenant_period": "weekly", "digest_tenant_hour": 0, "digest_tenant_mail_to": "ann@tenant.example bob@tenant.example",
        "digest_tenant_domains": "*.tenant.example",
        "digest_other_period": "weekly", "digest_other_hour": 0, "digest_other_mail_to": "cyd@other.example", "digest_other_user": "cyd"}
    code, _, errors = Supervised(folder, database_url=notify.database.conninfo()).command(
        "user", "add", "cyd", "--role=viewer", "--domains=other.example")
    assert code == 0, errors
    return notify


def sent(sink):
    """The digests by their recipients, each of whom has one; notices left out."""
    mails = [(mail.recipients[0], email.message_from_bytes(mail.data, policy=email.policy.default)) for mail in sink.mails]
    digests = [(address, mail) for address, mail in mails if mail["Subject"].startswith("DMARC digest: ")]
    assert len(dict(digests)) == len(digests)
    return dict(digests)


def test_each_recipient_gets_a_digest_of_their_domains_only(tenants, sink):
    for _ in range(2):
        tenants.once()
    mails = sent(sink)
    whole = {address: mail.as_string() for address, mail in mails.items()}
    assert sorted(whole) == ["admin@example.com", "ann@tenant.example", "bob@tenant.example", "cyd@other.example"]
    text = {address: mail.get_body(("plain",)).get_content() for address, mail in mails.items()}
    assert text["admin@example.com"].startswith("All domains, ") and "36 messages reported" in text["admin@example.com"]
    for name in "a.tenant.example", "b.tenant.example", "other.example":
        assert name in text["admin@example.com"]
    assert text["ann@tenant.example"].startswith("2 domains, ") and "23 messages reported" in text["ann@tenant.example"]
    assert "a.tenant.example" in text["ann@tenant.example"] and "b.tenant.example" in text["ann@tenant.example"]
    assert text["cyd@other.example"].startswith("other.example, ") and "13 messages reported" in text["cyd@other.example"]
    assert "other.example" not in whole["ann@tenant.example"] and "tenant.example" not in whole["cyd@other.example"]
    assert mails["ann@tenant.example"]["To"] == "ann@tenant.example, bob@tenant.example"
    assert text["ann@tenant.example"] == text["bob@tenant.example"]


def test_a_digest_that_cannot_be_made_is_logged_once_and_stops_no_other(tenants, sink):
    tenants.settings["digest_other_user"] = "nobody"
    log = tenants.once()
    assert log.count('[digest other] is not sent: database: ERROR:  parameter "user": "nobody" has no role: see ruad user') == 1, log
    assert sorted(sent(sink)) == ["admin@example.com", "ann@tenant.example", "bob@tenant.example"]
    tenants.settings["digest_other_user"] = "cyd"
    tenants.once()
    assert "cyd@other.example" in sent(sink)


def test_a_digest_is_sent_without_any_address_for_notices(tenants, sink):
    tenants.settings |= {"notify_mail_to": "", "digest_period": "none"}
    tenants.no_reports()
    tenants.once()
    assert sorted(sent(sink)) == ["ann@tenant.example", "bob@tenant.example", "cyd@other.example"]
    assert len(sink.mails) == 3


def test_ruad_digest_prints_what_a_tenant_gets(tenants, sink, digest):
    tenants.once()
    until = f"--until={today() - datetime.timedelta(days=2)}"
    for address, option in ("ann@tenant.example", "--domain=*.tenant.example"), ("cyd@other.example", "--user=cyd"):
        text = sent(sink)[address].get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert text == digest(until, option, database=tenants.database)


@pytest.mark.parametrize("settings, words", [
    ({"digest_period": "weekly"}, "digest.mail_to: empty, as is notify.mail_to: name who gets the digest"),
    ({"digest_a.mail_to": "a@b.example"}, "[digest a]: digest.period: write weekly or monthly"),
    ({"digest_a.period": "weekly"}, "[digest a]: digest.mail_to: empty, as is notify.mail_to"),
    ({"digest_a.period": "weekly", "digest_a.mail_to": "ann"}, '[digest a]: digest.mail_to: "ann": not an address'),
    ({"digest_a.period": "weekly", "digest_a.mail_to": "a@b.example", "digest_a.domains": "a@b.example"},
     '[digest a]: digest.domains: "a@b.example": not a domain'),
    ({"digest_a.period": "weekly", "digest_a.mail_to": "a@b.example", "digest_a.domains": "b.example", "digest_a.user": "ann"},
     "[digest a]: digest.user: does not go with digest.domains"),
    ({"digest_a.period": "daily"}, 'digest.a.period "daily": none of: none weekly monthly'),
])
def test_a_digest_that_cannot_be_sent_is_a_wrong_setting(settings, words, tmp_path):
    code, _, errors = Supervised(tmp_path, **settings).command("config")
    assert code == 78
    assert words in errors
