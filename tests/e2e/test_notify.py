"""ruad-notify: each notice is sent once, by mail and webhook, whatever ends or refuses in between."""

import contextlib
import email
import email.policy
import os
import signal
import subprocess

import pytest
from conftest import PROGRAMS, wait_until
from mail_sink import Hook, Sink
from supervised import Supervised, free_port

ADMIN = "admin@example.com"


class Notify:
    """ruad-notify with its own settings, as role ruad_notify."""

    def __init__(self, folder, database, **settings):
        self.folder = folder
        self.database = database
        self.process = None
        self.settings = settings
        database.add_login("teller", "ruad_notify")

    def environment(self):
        settings = {"database_notify_url": self.database.conninfo("teller"), "notify_mail_to": ADMIN, **self.settings}
        return {**os.environ, "RUAD_CONFIG": "", **{"RUAD_" + key.upper(): str(value) for key, value in settings.items()}}

    def once(self):
        """One round; what it logged."""
        done = subprocess.run([PROGRAMS / "ruad-notify", "--once"], env=self.environment(), capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self):
        with open(self.folder / "notify.log", "ab") as log:
            self.process = subprocess.Popen([PROGRAMS / "ruad-notify"], env=self.environment(), stderr=log)

    def log(self):
        return (self.folder / "notify.log").read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(20) == -signal.SIGTERM, self.log()

    # conditions, and time

    def no_reports(self, days=5):
        self.database.query("UPDATE ruad.schema_version SET applied_at = now() - %s * interval '1 day'", days)

    def hours_pass(self, hours):
        self.database.query("UPDATE ruad.notice SET gone_since = gone_since - %s * interval '1 hour',"
                            " told_at = told_at - %s * interval '1 hour'", hours, hours)

    def retry_now(self):
        self.database.query("UPDATE ruad.outbox SET next_at = now()")

    def waiting(self):
        return self.database.value("SELECT count(*) FROM ruad.outbox WHERE content IS NOT NULL")


@pytest.fixture(name="sink")
def fixture_sink():
    with contextlib.closing(Sink()) as sink:
        yield sink


@pytest.fixture(name="hook")
def fixture_hook():
    with contextlib.closing(Hook()) as hook:
        yield hook


@pytest.fixture(name="notify")
def fixture_notify(folder, database, sink):
    with contextlib.closing(Notify(folder, database, notify_smtp=f"smtp://127.0.0.1:{sink.port}")) as notify:
        yield notify


def read(mail):
    return email.message_from_bytes(mail.data, policy=email.policy.default)


def test_a_notice_is_sent_once_when_it_is_new_and_once_when_it_is_over(notify, sink):
    notify.once()
    assert sink.mails == []
    notify.no_reports()
    notify.once()
    (mail,) = sink.mails
    message = read(mail)
    assert (mail.recipients, message["To"], message["Auto-Submitted"]) == ([ADMIN], ADMIN, "auto-generated")
    assert message["Subject"] == "[ruad] No reports arrive"
    assert "No aggregate report has arrived since ruad was set up" in message.get_content()
    notify.once()
    notify.once()
    assert len(sink.mails) == 1
    notify.no_reports(days=0)
    notify.once()
    notify.hours_pass(23)
    notify.once()
    assert len(sink.mails) == 1
    notify.hours_pass(2)
    notify.once()
    notify.once()
    assert [read(mail)["Subject"] for mail in sink.mails] == ["[ruad] No reports arrive", "[ruad] Resolved: No reports arrive"]
    assert len({read(mail)["Message-ID"] for mail in sink.mails}) == 2


def test_what_is_due_at_the_same_time_is_one_mail_to_each_address(notify, sink, hook):
    notify.settings |= {"notify_mail_to": f"{ADMIN} other@example.com", "notify_webhook": hook.url}
    notify.no_reports()
    notify.database.query("INSERT INTO ruad.raw (mail, sha256, raw) VALUES (1, '', decode(repeat('00', 200000), 'hex'))")
    notify.settings["retention_max_raw"] = "200K"
    notify.once()
    assert [mail.recipients for mail in sink.mails] == [[ADMIN], ["other@example.com"]]
    assert sink.mails[0].data == sink.mails[1].data
    assert read(sink.mails[0])["To"] == f"{ADMIN}, other@example.com"
    assert [notice["kind"] for notice in hook.requests[0].document["notices"]] == ["no_reports", "quota"]
    assert len(hook.requests) == 1


def test_a_mail_server_that_is_away_gets_each_notice_once_when_it_is_back(notify):
    port = free_port()
    notify.settings["notify_smtp"] = f"smtp://127.0.0.1:{port}"
    notify.no_reports()
    assert f"messages to mail:{ADMIN} wait: " in notify.once()
    assert "wait" not in notify.once()  # not yet due
    notify.retry_now()
    notify.once()
    assert notify.database.query("SELECT attempts, failure LIKE '%%connect%%' FROM ruad.outbox") == [(2, True)]
    with contextlib.closing(Sink(port)) as sink:
        notify.retry_now()
        assert "sent" in notify.once()
        notify.retry_now()
        notify.once()
        assert len(sink.mails) == 1
    assert notify.waiting() == 0


def test_a_failure_is_logged_once(notify):
    notify.settings["notify_smtp"] = f"smtp://127.0.0.1:{free_port()}"
    notify.no_reports()
    notify.start()
    wait_until(lambda: notify.database.value("SELECT coalesce(max(attempts), 0) FROM ruad.outbox") == 1, "it tried")
    notify.retry_now()
    notify.process.send_signal(signal.SIGHUP)
    wait_until(lambda: notify.database.value("SELECT max(attempts) FROM ruad.outbox") == 2, "it tried again")
    assert notify.log().count("wait: ") == 1


def test_a_kill_before_the_mail_server_has_the_mail_loses_and_doubles_nothing(notify, sink):
    def kill(_mail):
        notify.kill()
        raise ConnectionError  # before 250

    sink.at_end = kill
    sink.server.handle_error = lambda *_: None
    notify.no_reports()
    notify.start()
    wait_until(lambda: notify.process.poll() is not None, "it was killed while it sent")
    sink.at_end = sink.mails.append
    notify.once()
    notify.once()
    assert len(sink.mails) == 1


def test_a_kill_between_250_and_the_commit_repeats_the_mail_with_its_message_id(notify, sink):
    connection = notify.database.connect()
    connection.autocommit = False

    def hold(mail):
        connection.cursor().execute("LOCK TABLE ruad.outbox IN SHARE MODE")  # it cannot mark what it sent
        sink.mails.append(mail)

    sink.at_end = hold
    notify.no_reports()
    # the row is locked by ruad-notify in ROW SHARE mode alone until it marks it
    notify.start()
    wait_until(lambda: notify.database.value("SELECT count(*) FROM pg_locks WHERE relation = 'ruad.outbox'::regclass AND NOT granted"),
               "it waits to mark the mail as sent")
    notify.kill()
    wait_until(lambda: not notify.database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ruad-notify'"
                                                 " AND wait_event_type IS DISTINCT FROM 'Lock'"), "its session ends")
    connection.close()
    sink.at_end = sink.mails.append
    wait_until(lambda: not notify.database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ruad-notify'"
                                                 " AND datname = current_database()"), "its session has ended")
    notify.once()
    notify.once()
    first, second = sink.mails
    assert first.data == second.data and read(first)["Message-ID"]


def test_two_at_the_same_time_send_one_mail(notify, sink):
    notify.no_reports()
    runs = [subprocess.Popen([PROGRAMS / "ruad-notify", "--once"], env=notify.environment(), stderr=subprocess.PIPE) for _ in range(3)]
    for run in runs:
        assert run.wait(60) == 0, run.stderr.read()
        run.stderr.close()
    assert len(sink.mails) == 1


def test_a_refused_recipient_does_not_hold_up_the_others(notify, sink):
    notify.settings["notify_mail_to"] = f"{ADMIN} gone@example.com"
    sink.refused = {"gone@example.com"}
    notify.no_reports()
    assert "no such user" in notify.once()
    notify.retry_now()
    notify.once()
    assert [mail.recipients for mail in sink.mails] == [[ADMIN]]
    notify.settings["notify_mail_to"] = ADMIN
    assert "1 messages are removed: [notify] no longer names their destination" in notify.once()
    assert notify.waiting() == 0


def test_a_webhook_is_tried_again_with_the_same_key(notify, hook):
    notify.settings |= {"notify_mail_to": "", "notify_webhook": hook.url + "/send/m.room.message", "notify_webhook_format": "matrix",
                        "notify_webhook_token": "secret"}
    hook.status = 500
    notify.no_reports()
    log = notify.once()
    assert "the web server answers with status 500" in log and "secret" not in log and hook.url not in log
    hook.status = 200
    notify.retry_now()
    notify.once()
    notify.once()
    first, second = hook.requests
    assert (first.method, first.headers["Authorization"]) == ("PUT", "Bearer secret")
    assert first.path == second.path and first.path.startswith("/hook/send/m.room.message/ruad-")
    assert first.document == second.document and first.document["msgtype"] == "m.text"


def command(notify, folder, *words):
    settings = {"database_url": notify.database.conninfo(), "notify_mail_to": ADMIN, **notify.settings}
    return Supervised(folder, **settings).command("notify", *words)


def test_a_silenced_notice_is_not_sent(notify, sink, folder):
    notify.no_reports()
    port = notify.settings["notify_smtp"]
    notify.settings["notify_smtp"] = f"smtp://127.0.0.1:{free_port()}"
    notify.once()
    code, words, errors = command(notify, folder, "--list")
    assert (code, errors) == (0, "") and "told     error   no_reports No reports arrive" in words
    assert command(notify, folder, "--silence=no_reports", "--until=2999-01-01")[0] == 0
    assert "silenced until 2999-01-01T00:00:00Z" in command(notify, folder, "--list")[1]
    notify.settings["notify_smtp"] = port
    notify.retry_now()
    notify.once()
    notify.no_reports(days=0)
    notify.once()
    notify.hours_pass(30)
    notify.once()
    assert len(sink.mails) == 1  # the one that was queued before
    assert command(notify, folder, "--unsilence=no_reports")[0] == 0
    notify.no_reports()
    notify.once()
    assert len(sink.mails) == 2
    code, _, errors = command(notify, folder, "--silence=nosuch")
    assert code == 1 and 'no notice has the key "nosuch"' in errors
    for words in ((), ("--list", "--test"), ("--list", "--until=2999-01-01"), ("--silence=x", "--until=soon"), ("more",)):
        assert command(notify, folder, *words)[0] == 2


def test_the_test_notice_goes_to_all_destinations_and_says_what_each_answered(notify, sink, hook, folder):
    notify.settings |= {"notify_webhook": hook.url, "notify_webhook_format": "slack", "notify_mail_to": f"{ADMIN} gone@example.com"}
    sink.refused = {"gone@example.com"}
    code, words, errors = command(notify, folder, "--test")
    assert (code, errors) == (1, "")
    lines = words.splitlines()
    assert lines[0] == f"mail:{ADMIN}: 250 2.0.0 queued as 4711"
    assert lines[1].startswith("mail:gone@example.com: failed: ") and "550 5.1.1 no such user" in lines[1]
    assert lines[2] == 'webhook: status 200: "thanks"'
    assert read(sink.mails[0])["Subject"] == "[ruad] Test of notices"
    assert "Test of notices" in hook.requests[0].document["text"]
    assert command(notify, folder, "-o", "notify.mail_to=", "--test")[0] == 1
    notify.settings |= {"notify_webhook": "", "notify_mail_to": ""}
    assert command(notify, folder, "--test")[0] == 78


@pytest.mark.parametrize(("key", "value", "words"), [
    ("mail_to", "Ann<ann@example.com>", 'notify.mail_to: "Ann<ann@example.com>": not an address'),
    ("mail_to", "ann", "not an address"),
    ("mail_from", "ruad@example.com\nBcc:x@y.example", "not an address"),
    ("smtp", "localhost:25", "write smtp://HOST:PORT"),
    ("smtp_user", "ann", "needs notify.smtp_password"),
    ("webhook", "file:///etc/passwd", "not a URL that begins with https://"),
    ("webhook_format", "irc", "none of: generic slack teams matrix"),
])
def test_wrong_settings_are_refused(folder, key, value, words):
    code, _, errors = Supervised(folder, **{"notify_" + key: value}).command("config")
    assert code == 78 and words in errors, errors


def test_a_password_is_not_sent_in_the_clear(folder):
    settings = {"notify_smtp_user": "ann", "notify_smtp_password": "word", "notify_smtp": "smtp://mail.example.com:587"}
    code, _, errors = Supervised(folder, **settings).command("config")
    assert code == 78 and "notify.smtp_password: would be sent in the clear" in errors
    assert Supervised(folder, **settings, notify_smtp_starttls="on").command("config")[0] == 0


def test_serve_runs_it_only_with_a_destination(folder, sink):
    with contextlib.closing(Supervised(folder)) as running:
        running.started()
        wait_until(lambda: ": ready" in running.log(), "it is ready")
        assert running.child("ruad-notify") is None
        running.stop()
        running.settings |= {"notify_mail_to": ADMIN, "notify_smtp": f"smtp://127.0.0.1:{sink.port}"}
        running.started()
        pid = wait_until(lambda: running.child("ruad-notify"), "ruad-notify runs")
        with contextlib.closing(running.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE ruad.schema_version SET applied_at = now() - interval '5 days'")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: sink.mails, "it is started again, and sends")
        assert running.query("SELECT application_name FROM pg_stat_activity WHERE usename = 'ruad_notify'") == [("ruad-notify",)]
