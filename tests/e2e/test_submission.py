"""Notices and digests reach a real submission server over TLS with a password, and go nowhere without either."""

import contextlib
import re
import subprocess

import pytest
from conftest import wait_until
from imap_server import HOST, make_certificate
from submission import PASSWORD, USER, submission
from supervised import Supervised
from test_notify import Notify


@pytest.fixture(name="server", scope="module")
def fixture_server():
    with submission() as server:
        assert server.accepts()
        yield server


@pytest.fixture(name="password")
def fixture_password(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture(name="notify")
def fixture_notify(folder, database, server, password):
    settings = {"notify_smtp": f"smtps://{HOST}:{server.tls_port}", "notify_smtp_ca_file": server.certificate, "notify_smtp_user": USER,
                "notify_smtp_password_file": password, "notify_mail_to": f"{folder.name}@example.org", "notify_mail_from": "ruad@example.net"}
    with contextlib.closing(Notify(folder, database, **settings)) as notify:
        notify.no_reports()
        yield notify


def over_starttls(server):
    return {"notify_smtp": f"smtp://{HOST}:{server.port}", "notify_smtp_starttls": "on"}


def delivered(server, notify):
    """The only mail that arrived."""
    (mail,) = wait_until(lambda: server.mails(notify.settings["notify_mail_to"]), "the mail is delivered")
    return mail


@pytest.mark.parametrize("way", ["implicit", "starttls"])
def test_a_notice_arrives_over_tls_with_the_password_of_a_file(notify, server, way):
    notify.settings |= over_starttls(server) if way == "starttls" else {}
    log = notify.once()
    assert PASSWORD not in log and notify.waiting() == 0, log
    mail = delivered(server, notify)
    assert mail["Return-path"] == "<ruad@example.net>" and "No reports" in mail.get_content()
    assert re.search(r"with esmtpsa\s+\(TLS1\.[23]\)", mail["Received"]), mail["Received"]
    assert f"A=plain:{USER}" in server.log()


def test_a_digest_arrives_over_tls_with_its_pictures(notify, server):
    notify.settings |= {"digest_period": "weekly", "digest_hour": 0}
    notify.database.query("UPDATE ruad.schema_version SET applied_at = now()")  # no notice
    notify.once()
    mail = delivered(server, notify)
    assert mail["Subject"].startswith("DMARC digest: ")
    assert mail.get_body(("html",)) is not None


REFUSED = {
    "a certificate of nobody known": ({"notify_smtp_ca_file": ""}, "certificate"),
    "a certificate of nobody known after STARTTLS": ({"notify_smtp_ca_file": "", "starttls": True}, "certificate"),
    "another name than that of the certificate": ({"host": "localhost"}, "localhost"),
    "a wrong password": ({"notify_smtp_password_file": "wrong"}, 'the server said last: "535 Incorrect authentication data"'),
    "no password": ({"notify_smtp_user": "", "notify_smtp_password_file": "empty"}, 'the server said last: "550 sign in first"'),
    "a recipient that is refused": ({"notify_mail_to": "nobody@example.org"}, 'the server said last: "550 no such user"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_waits_with_one_line_that_says_why(notify, server, tmp_path, case):
    changes, words = REFUSED[case]
    changes = dict(changes)
    if changes.pop("starttls", False):
        notify.settings |= over_starttls(server)
    host = changes.pop("host", HOST)
    notify.settings["notify_smtp"] = notify.settings["notify_smtp"].replace(HOST, host)
    for name, content in ("wrong", "not-the-word\n"), ("empty", ""):
        (tmp_path / name).write_text(content)
        if changes.get("notify_smtp_password_file") == name:
            changes["notify_smtp_password_file"] = tmp_path / name
    before = len(server.log())
    notify.settings |= changes
    log = notify.once()
    assert words in log and log.count("\n") == 1, log
    assert notify.waiting() == 1 and "not-the-word" not in log and PASSWORD not in log
    if "certificate" in case:  # no password was sent
        assert "A=plain" not in server.log()[before:]


def test_no_password_is_sent_to_a_server_without_starttls(notify, password):
    with submission(starttls=False) as server:
        notify.settings |= over_starttls(server) | {"notify_smtp_ca_file": server.certificate}
        log = notify.once()
        assert "STARTTLS" in log and log.count("\n") == 1, log
        assert notify.waiting() == 1


def test_ruad_notify_tests_the_way_over_tls(notify, server, folder, password):
    settings = {key: value for key, value in notify.settings.items() if key.startswith("notify_")}
    password.chmod(0o644)
    copy = folder / "ca.pem"
    copy.write_bytes(server.certificate.read_bytes())
    ruad = Supervised(folder, **{**settings, "notify_smtp_ca_file": copy})
    code, said, _ = ruad.command("notify", "--test")
    assert (code, said.split(":")[0]) == (0, "mail") and "250 OK id=" in said
    other, _ = make_certificate(folder)
    ruad.settings["notify_smtp_ca_file"] = other
    code, said, _ = ruad.command("notify", "--test")
    assert code == 1 and "failed: " in said and "certificate" in said


def test_a_password_without_tls_is_a_wrong_setting(tmp_path):
    ruad = Supervised(tmp_path, notify_smtp_user=USER, notify_smtp_password=PASSWORD)
    code, _, errors = ruad.command("config")
    assert code == 78 and "notify.smtp_password: would be sent in the clear" in errors
