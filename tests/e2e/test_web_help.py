"""api/v1/help: its texts in the language that the client asks for, and what the database adds."""

import json
import os
import subprocess

import contract
import pytest
from conftest import ROOT, Database
from web_data import add_roles, running_site

TEXTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "web" / "texts").glob("*.json")}
HELP = "/api/v1/help"


@pytest.fixture(name="database", scope="module")
def fixture_database(shared_postgres):
    database = Database(shared_postgres, "web_help")
    add_roles(database)
    yield database
    database.drop()
    database.query("DROP ROLE reader; DROP ROLE labeller", database="postgres")


@pytest.fixture(name="site", scope="module")
def fixture_site(database):
    with running_site(database) as site:
        yield site


def test_each_file_of_texts_is_a_language_of_the_api():
    operation = contract.find("GET", HELP)
    (lang,) = (parameter["schema"]["enum"] for parameter in contract.parameters(operation) if parameter["name"] == "lang")
    assert sorted(lang) == sorted(TEXTS)
    assert lang[0] == "en"


@pytest.mark.parametrize("lang", TEXTS)
def test_the_texts_are_those_of_the_file_in_its_order(site, lang):
    answer = site.get("help", lang=lang).json()
    assert answer["lang"] == lang
    for topic, texts in TEXTS[lang].items():
        wanted = [(text["term"], text["text"]) if isinstance(text, dict) else (key, text) for key, text in texts.items()]
        assert [(item["term"], item["text"]) for item in answer[topic]] == wanted


def test_what_the_database_adds_is_the_same_in_each_language(site):
    added = []
    for lang in TEXTS:
        answer = site.get("help", lang=lang, domain="example.org", from_="2026-01-01", to="2026-02-01").json()
        added.append({name: value for name, value in answer.items() if name not in TEXTS[lang] and name != "lang"})
        assert [item["term"] for item in answer["numbers"]] == [query["number"] for query in answer["queries"]]
        assert len(answer["onboarding"]) == len(answer["onboarding_samples"])
    assert all(one == added[0] for one in added)
    assert added[0]["window"] == {"from": "2026-01-01", "to": "2026-02-01"}
    assert "'{example.org}'" in added[0]["queries"][0]["sql"]


def samples(site):
    return {one["term"]: one["text"] for one in site.get("help").json()["onboarding_samples"]}


def test_psql_and_the_test_mail_use_the_settings_in_force(site, database):
    with running_site(database, lmtp_listen="unix:/run/mail/lmtp [::1]:24",
                      database_url=database.conninfo("reader") + " password=hidden") as other:
        assert "hidden" not in other.get("help").body.decode()
        assert samples(other)["test"] == "swaks --socket /run/mail/lmtp --protocol LMTP --to dmarc-sum@{host}"
    assert samples(site)["test"] == "swaks --server 127.0.0.1:2424 --protocol LMTP --to dmarc-sum@{host}"
    psql = site.get("help").json()["psql"]
    said = subprocess.run(psql + " -XAtqc 'SELECT current_database()'", shell=True, check=True, capture_output=True, text=True,
                          env={**os.environ, "PGUSER": "reader"})
    assert said.stdout == "web_help\n"
    assert "user" not in psql and "password" not in psql


@pytest.mark.parametrize(
    "query, header, want",
    [
        ("", None, "en"),
        ("", "de", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "de;q=0.8, en;q=0.9", "en"),
        ("", "fr", "en"),
        ("", "fr, de;q=0.1", "de"),
        ("", "\xff", "en"),
        ("?lang=en", "de", "en"),
        ("?lang=de", None, "de"),
        ("?lang=de", "en", "de"),
    ],
)
def test_the_parameter_chooses_the_language_or_else_the_header_or_else_it_is_english(site, query, header, want):
    headers = {} if header is None else {"Accept_Language": header}
    answer = site.ask(HELP + query, **headers)
    assert answer.status == 200
    assert answer.json()["lang"] == answer["Content-Language"] == want
    assert answer["Vary"] == "Accept-Language, Accept-Encoding"


@pytest.mark.parametrize("query", ["lang=fr", "lang=DE", "lang=de-AT", "lang=", "lang=de&lang=en"])
def test_a_language_that_there_is_not_is_refused(site, query):
    answer = site.ask(f"{HELP}?{query}", Accept_Language="de")
    assert answer.status == 400
    assert list(answer.problem()) == ["lang"]
    assert answer["Content-Language"] is None


def test_each_language_has_a_tag_of_its_own(site):
    english, german = (site.get("help", lang=lang) for lang in ("en", "de"))
    assert english["ETag"] != german["ETag"]
    again = site.ask(HELP, Accept_Language="de", If_None_Match=german["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert (again["Content-Language"], again["Vary"]) == (german["Content-Language"], german["Vary"])
    assert site.ask(HELP, Accept_Language="de", If_None_Match=english["ETag"]).status == 200
