"""ruad-fetch takes mail out of a real Dovecot and out of Maildirs: each mail is stored once, and marked only after that."""

import contextlib
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import BUILD, PROGRAMS, wait_until
from imap_server import HOST, PASSWORD, Proxy, dovecot
from reports import aggregate, gzipped, mail
from supervised import clean_environment

MAILS = int(os.environ.get("RUAD_FETCH_MAILS", "500"))
STORED = {"$RuadStored", "\\Seen"}
REFUSED = {"$RuadRefused"}
LOGIN = "(Login|Logged in):"  # in the log of Dovecot 2.3, of 2.4


def report_mail(number, **more):
    return mail(gzipped(aggregate(report_id=str(number), **more)))


class Fetch:
    """ruad-fetch, with settings given as imap_url="x" for imap.url."""

    def __init__(self, folder, ingest, source, **settings):
        self.folder = folder
        self.ingest = ingest
        self.source = source
        self.settings = settings
        self.process = None

    def start(self):
        settings = {"RUAD_" + key.upper(): str(value) for key, value in self.settings.items()}
        with open(self.folder / "fetch.log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "ruad-fetch", f"--lmtp=127.0.0.1:{self.ingest.port}", self.source],
                env=clean_environment(**settings),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        return self

    def log(self):
        return (self.folder / "fetch.log").read_text()

    def says(self, words, seconds=20):
        wait_until(lambda: words in self.log(), f"{words} is said", seconds)

    def hang_up(self):
        """Have it look again at once."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def memory(self):
        """The largest memory that it had, in KiB."""
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def close(self):
        if self.process:
            assert self.process.poll() is None, self.log()
            self.process.terminate()
            assert self.process.wait(20) == -signal.SIGTERM
        print(self.log())  # shown where a test fails


@pytest.fixture(name="start_fetch")
def fixture_start_fetch(folder):
    """start_fetch(ingest, source, **settings): a running ruad-fetch."""
    with contextlib.ExitStack() as stack:

        def start(ingest, source, **settings):
            fetch = Fetch(folder, ingest, source, **settings)
            stack.callback(fetch.close)
            return fetch.start()

        yield start


@pytest.fixture(name="daemon", scope="module")
def fixture_daemon():
    with dovecot() as daemon:
        yield daemon


@pytest.fixture(name="account")
def fixture_account(daemon):
    account = daemon.account()
    yield account
    print(account.log())  # shown where a test fails


@pytest.fixture(name="proxy")
def fixture_proxy(daemon):
    proxy = Proxy(daemon.port)
    yield proxy
    proxy.close()


def over_tls(account, **more):
    return {
        "imap_url": f"imaps://{HOST}:{account.server.tls_port}",
        "imap_ca_file": account.server.certificate,
        "imap_user": account.user,
        "imap_password": PASSWORD,
        **more,
    }


def through(proxy, account, **more):
    """Without TLS, so that the proxy can read along."""
    return over_tls(account, imap_url=f"imap://{HOST}:{proxy.port}", imap_tls="none", **more)


def is_marked(account, count, flags=STORED):
    return wait_until(lambda: account.flags() == [flags] * count, f"{count} mails have {flags}, not {account.flags()}")


# marks


def test_mail_is_stored_and_marked_and_stays_in_the_mailbox(account, ingest, database, start_fetch):
    account.add(*map(report_mail, range(3)))
    fetch = start_fetch(ingest, "imap", **over_tls(account))
    is_marked(account, 3)
    assert database.reports() == ["0", "1", "2"]
    fetch.says(f"{account.user} at {HOST}: 3 mails stored, 0 refused, 0 to be tried again")


def test_new_mail_is_announced_and_marked_mail_is_not_fetched_again(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    start_fetch(ingest, "imap", **over_tls(account, imap_poll="1d"))
    is_marked(account, 1)
    account.add(report_mail(2))
    is_marked(account, 2)
    assert database.reports() == ["1", "2"]
    assert database.query("SELECT status, count(*)::int FROM dmarc.intake GROUP BY 1") == [("stored", 2)]


def test_mail_that_a_person_has_opened_is_stored_all_the_same(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    with account.connect() as client:
        client.store("1", "+FLAGS", "(\\Seen)")
    start_fetch(ingest, "imap", **over_tls(account))
    is_marked(account, 1)
    assert database.reports() == ["1"]


def test_a_server_without_keywords_gets_the_mark_seen(account, proxy, ingest, database, start_fetch):
    proxy.rewrite = lambda data: data.replace(b" \\*)", b")")
    account.add(report_mail(1))
    start_fetch(ingest, "imap", **through(proxy, account))
    is_marked(account, 1, {"\\Seen"})
    assert database.reports() == ["1"]


@pytest.mark.parametrize("able", [True, False])
def test_stored_mail_is_moved_when_told(account, proxy, ingest, database, start_fetch, able):
    """Also by a server that has neither MOVE nor IDLE."""
    proxy.rewrite = None if able else lambda data: data.replace(b" MOVE", b"").replace(b" IDLE", b"")
    account.add(report_mail(1), report_mail(2))
    with account.connect() as client:
        client.create('"Stored reports"')
    start_fetch(ingest, "imap", **through(proxy, account, imap_after="move:Stored reports"))
    wait_until(lambda: account.flags() == [], "INBOX is empty")
    assert len(account.flags('"Stored reports"')) == 2
    assert database.reports() == ["1", "2"]


def test_nothing_is_fetched_when_the_folder_to_move_to_is_missing(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    fetch = start_fetch(ingest, "imap", **over_tls(account, imap_after="move:Nowhere"))
    fetch.says('STATUS refused: "')
    assert database.reports() == [] and account.flags() == [set()]


def test_stored_mail_is_deleted_only_when_told(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    with account.connect() as client:  # what somebody else has marked is not for us to delete
        client.append("INBOX", "(\\Deleted)", None, b"Subject: theirs\r\n\r\n")
    start_fetch(ingest, "imap", **over_tls(account, imap_after="delete"))
    wait_until(lambda: account.flags() == [{"\\Deleted"}], "only the other mail is left")
    assert database.reports() == ["1"]


def test_without_uidplus_mail_is_marked_deleted_and_nothing_is_expunged(account, proxy, ingest, database, start_fetch):
    proxy.rewrite = lambda data: data.replace(b" UIDPLUS", b"")
    account.add(report_mail(1))
    start_fetch(ingest, "imap", **through(proxy, account, imap_after="delete"))
    is_marked(account, 1, {"\\Deleted"})
    assert database.reports() == ["1"]


# OAuth 2


class TokenServer:
    """Knows one access token, as RFC 7662 says: whose it is."""

    def __init__(self, token, user):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = {"active": True, "username": user} if f"token={token}" in asked else {"active": False}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="oauth_account")
def fixture_oauth_account():
    """An account of a Dovecot that takes access tokens only."""
    with contextlib.closing(TokenServer("good-token-1", "reports1")) as tokens, dovecot(tokens.port) as daemon:
        account = daemon.account()
        yield account
        print(account.log())


def by_token(account, token):
    return over_tls(account, imap_password="", imap_token_command=f"sh -c 'echo {token}'")


def test_an_access_token_that_a_command_prints_signs_in(oauth_account, ingest, database, start_fetch):
    oauth_account.add(report_mail(1))
    start_fetch(ingest, "imap", **by_token(oauth_account, "good-token-1"))
    wait_until(lambda: database.reports() == ["1"], "the mail is stored")
    wait_until(lambda: re.search(rf"{LOGIN} user=<reports1>, method=(OAUTHBEARER|XOAUTH2)", oauth_account.log()), "Dovecot says so")


def test_an_access_token_that_is_refused_is_one_line_without_the_token(oauth_account, ingest, start_fetch):
    fetch = start_fetch(ingest, "imap", **by_token(oauth_account, "old-token-2"))
    fetch.says("IMAP server: ")
    time.sleep(2)
    assert fetch.log().count("\n") == 1 and "old-token" not in fetch.log()


# what is not stored


def test_a_mail_that_is_too_large_is_marked_refused_and_the_others_are_stored(account, ingest, database, start_fetch):
    account.add(report_mail(1), b"Subject: large\r\n\r\n" + b"x" * 5000 + b"\r\n")
    fetch = start_fetch(ingest, "imap", **over_tls(account, lmtp_max_message_size="4K"))
    wait_until(lambda: sorted(map(sorted, account.flags())) == [sorted(REFUSED), sorted(STORED)], "both are marked")
    fetch.says("is larger than lmtp.max_message_size")
    assert database.reports() == ["1"]
    fetch.hang_up()
    time.sleep(2)
    assert fetch.log().count("larger") == 1


def test_a_mail_that_ruad_refuses_is_marked_and_logged_once(account, start_ingest, database, start_fetch):
    ingest = start_ingest(database, lmtp_max_message_size="2K")
    account.add(b"Subject: large\r\n\r\n" + b"x\r\n" * 1000, report_mail(1))
    fetch = start_fetch(ingest, "imap", **over_tls(account))
    wait_until(lambda: sorted(map(sorted, account.flags())) == [sorted(REFUSED), sorted(STORED)], "both are marked")
    assert fetch.log().count("552 ") == 1


def test_mail_is_kept_while_the_database_is_away(account, own_database, start_ingest, start_fetch):
    ingest = start_ingest(own_database)
    account.add(*map(report_mail, range(3)))
    own_database.postgres.stop()
    fetch = start_fetch(ingest, "imap", **over_tls(account))
    fetch.says("is tried again later: 451 ", 60)
    assert account.flags() == [set()] * 3
    own_database.postgres.start()

    def marked():
        fetch.hang_up()
        time.sleep(0.5)
        return account.flags() == [STORED] * 3

    wait_until(marked, "all are stored", 90)
    assert own_database.reports() == ["0", "1", "2"]


# connections


def test_starttls_is_required_and_used(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    start_fetch(ingest, "imap", **over_tls(account, imap_url=f"imap://{HOST}:{account.server.port}"))
    is_marked(account, 1)
    assert re.search(rf"{LOGIN} .*TLS", account.log())


def test_a_certificate_of_nobody_known_is_an_error_in_one_line(account, ingest, database, start_fetch):
    account.add(report_mail(1))
    fetch = start_fetch(ingest, "imap", **over_tls(account, imap_ca_file=""))
    fetch.says("certificate")
    fetch.hang_up()
    time.sleep(1)
    assert fetch.log().count("\n") == 1 and account.flags() == [set()] and database.reports() == []
    assert "method=PLAIN" not in account.log().partition("Error")[2]


def test_without_starttls_no_password_is_sent(account, proxy, ingest, start_fetch):
    proxy.rewrite = lambda data: data.replace(b" STARTTLS", b"")
    fetch = start_fetch(ingest, "imap", **over_tls(account, imap_url=f"imap://{HOST}:{proxy.port}"))
    fetch.says("IMAP server: ")
    assert fetch.log().count("\n") == 1 and proxy.connections == 1


def test_a_wrong_password_is_tried_once_and_logged_once(account, ingest, start_fetch):
    fetch = start_fetch(ingest, "imap", **over_tls(account, imap_password="wrong"))
    fetch.says("IMAP server: ")
    time.sleep(3)
    assert fetch.log().count("\n") == 1
    assert len(re.findall("auth failed, 1 attempts", account.log())) == 1
    assert "wrong" not in fetch.log()


def test_a_connection_that_is_cut_anywhere_costs_nothing(account, proxy, ingest, database, start_fetch):
    account.add(*map(report_mail, range(5)), mail(gzipped(aggregate(report_id="5")), ("x.txt", "text/plain", b"x\n" * 50000)))
    fetch = start_fetch(ingest, "imap", **through(proxy, account, imap_poll="1d"))
    for limit in (400, 900, 3000, 8000, 40000, 90000, None):
        proxy.limit = limit
        proxy.cut()
        time.sleep(0.3)
        fetch.hang_up()
        time.sleep(0.7)
    is_marked(account, 6)
    assert database.reports() == list("012345")
    assert "works again" in fetch.log()


def test_a_kill_between_the_250_and_the_mark_neither_loses_nor_doubles(account, proxy, ingest, database, start_fetch):
    account.add(report_mail(1))
    proxy.hold = b"STORE"
    fetch = start_fetch(ingest, "imap", **through(proxy, account))
    assert proxy.held.wait(20)
    fetch.kill()
    assert database.reports() == ["1"] and account.flags() == [set()]
    proxy.hold = None
    proxy.held.clear()
    fetch.start()
    is_marked(account, 1)
    assert database.reports() == ["1"]
    assert database.query("SELECT status FROM dmarc.intake ORDER BY mail") == [("stored",), ("duplicate",)]


def test_kills_at_any_time_neither_lose_nor_double(account, ingest, database, start_fetch):
    account.add(*map(report_mail, range(100, 150)))
    fetch = start_fetch(ingest, "imap", **over_tls(account))
    for _ in range(12):
        time.sleep(random.uniform(0.05, 0.4))
        fetch.kill()
        fetch.start()
    is_marked(account, 50)
    assert database.reports() == list(map(str, range(100, 150)))


def test_many_mails_are_stored_in_little_memory(account, ingest, database, start_fetch, tell):
    account.add(report_mail(0))
    fetch = start_fetch(ingest, "imap", **over_tls(account))
    is_marked(account, 1)
    before = fetch.memory()
    account.add(*map(report_mail, range(1, MAILS)))
    began = time.monotonic()
    wait_until(lambda: database.value("SELECT count(*) FROM dmarc.reports") == MAILS, "all are stored", 60 + MAILS / 10)
    wait_until(lambda: account.flags() == [STORED] * MAILS, "all are marked", 60)
    tell(f"{MAILS} mails in {time.monotonic() - began:.1f} s, {before} KiB before, {fetch.memory()} KiB after")
    assert fetch.memory() < before + 4096
    assert database.query("SELECT DISTINCT status FROM dmarc.intake") == [("stored",)]


# Maildirs


class Maildir:
    """A Maildir in the test's folder."""

    def __init__(self, path):
        self.path = path
        for name in ("new", "cur", "tmp"):
            (path / name).mkdir(parents=True)

    def put(self, place, content):
        """Deliver a file: complete from its first moment."""
        (self.path / "tmp" / "delivery").write_bytes(content)
        (self.path / "tmp" / "delivery").rename(self.path / place)

    def names(self):
        return sorted(str(path.relative_to(self.path)) for path in self.path.glob("[nct]*/*"))

    def becomes(self, *names):
        wait_until(lambda: self.names() == sorted(names), f"{names} are there, not {self.names()}")


@pytest.fixture(name="maildir")
def fixture_maildir(folder):
    return Maildir(folder / "Maildir")


def test_mail_in_new_and_unseen_mail_in_cur_is_stored_and_marked(maildir, ingest, database, start_fetch):
    maildir.put("new/1.host", report_mail(1))
    maildir.put("cur/2.host:2,F", report_mail(2))
    maildir.put("cur/3.host:2,S", report_mail(3))
    maildir.put("tmp/4.host", report_mail(4))
    start_fetch(ingest, "maildir", maildir_path=maildir.path)
    maildir.becomes("cur/1.host:2,S", "cur/2.host:2,FS", "cur/3.host:2,S", "tmp/4.host")
    assert database.reports() == ["1", "2"]


def test_new_mail_in_a_maildir_is_stored_at_once(maildir, ingest, database, start_fetch, folder):
    other = Maildir(folder / "other")
    start_fetch(ingest, "maildir", maildir_path=f"{maildir.path} {other.path}")
    for number, place in enumerate((maildir, other, maildir)):
        place.put(f"new/{number}", report_mail(number))
        wait_until(lambda: f"cur/{number}:2,S" in place.names(), "it is marked", 10)
    assert database.reports() == ["0", "1", "2"]


def test_files_of_a_maildir_are_deleted_only_when_told(maildir, ingest, database, start_fetch):
    maildir.put("new/1", report_mail(1))
    start_fetch(ingest, "maildir", maildir_path=maildir.path, maildir_after="delete")
    maildir.becomes()
    assert database.reports() == ["1"]


def test_links_and_pipes_in_a_maildir_are_not_read(maildir, ingest, database, start_fetch, folder):
    (folder / "secret").write_bytes(report_mail(1))
    (maildir.path / "new" / "link").symlink_to(folder / "secret")
    os.mkfifo(maildir.path / "new" / "pipe")
    (maildir.path / "new" / "folder").mkdir()
    maildir.put("new/x", report_mail(2))
    fetch = start_fetch(ingest, "maildir", maildir_path=maildir.path)
    maildir.becomes("cur/x:2,S", "new/folder", "new/link", "new/pipe")
    fetch.says("is not a file that can be read: skipped")
    assert database.reports() == ["2"]


def test_a_file_that_is_too_large_is_flagged_and_the_others_are_stored(maildir, ingest, database, start_fetch):
    maildir.put("new/1", b"Subject: large\r\n\r\n" + b"x" * 5000)
    maildir.put("new/2", report_mail(2))
    fetch = start_fetch(ingest, "maildir", maildir_path=maildir.path, lmtp_max_message_size="4K")
    maildir.becomes("cur/1:2,FS", "cur/2:2,S")
    assert fetch.log().count("larger than lmtp.max_message_size") == 1
    assert database.reports() == ["2"]


def test_a_maildir_that_is_missing_does_not_keep_mail_from_the_others(maildir, ingest, database, start_fetch):
    maildir.put("new/1", report_mail(1))
    fetch = start_fetch(ingest, "maildir", maildir_path=f"/no/such/folder {maildir.path}")
    maildir.becomes("cur/1:2,S")
    assert fetch.log().count('"/no/such/folder": cannot open it: No such file or directory') == 1
    assert database.reports() == ["1"]


def test_kills_lose_and_double_no_file(maildir, ingest, database, start_fetch):
    for number in range(100, 150):
        maildir.put(f"new/{number}", report_mail(number))
    fetch = start_fetch(ingest, "maildir", maildir_path=maildir.path)
    for _ in range(12):
        time.sleep(random.uniform(0.02, 0.2))
        fetch.kill()
        fetch.start()
    maildir.becomes(*(f"cur/{number}:2,S" for number in range(100, 150)))
    assert database.reports() == list(map(str, range(100, 150)))


# under ruad serve


def test_ruad_serve_runs_it_for_what_is_set_and_starts_it_again(supervised, account):
    maildir = Maildir(supervised.folder / "Maildir")
    subprocess.run(["chmod", "-R", "a+rwX", maildir.path], check=True)
    supervised.settings.update({key: value for key, value in over_tls(account).items() if key != "imap_password"})
    (supervised.folder / "password").write_text(PASSWORD + "\n")
    supervised.settings["imap_password_file"] = supervised.folder / "password"
    supervised.settings["imap_ca_file"] = supervised.folder / "ca.pem"
    supervised.settings["imap_ca_file"].write_bytes(account.server.certificate.read_bytes())
    supervised.settings["maildir_path"] = maildir.path
    maildir.put("new/1", report_mail(1))
    account.add(report_mail(2))
    supervised.started(env=clean_environment(PGPASSWORD="of-the-database"))
    maildir.becomes("cur/1:2,S")
    is_marked(account, 1)
    pid = wait_until(lambda: supervised.child("ruad-fetch"), "ruad-fetch runs")
    os.kill(pid, signal.SIGKILL)
    account.add(report_mail(3))
    maildir.put("new/4", report_mail(4))
    is_marked(account, 2)
    maildir.becomes("cur/1:2,S", "cur/4:2,S")
    assert supervised.query("SELECT report_id FROM dmarc.reports ORDER BY 1") == [("1",), ("2",), ("3",), ("4",)]
    environment = pathlib.Path(f"/proc/{supervised.child('ruad-fetch')}/environ").read_bytes()
    assert not re.search(b"DATABASE|host=|PGPASSWORD", environment)


def test_without_imap_and_maildir_it_does_not_run(running):
    assert running.child("ruad-fetch") is None


def test_each_account_is_fetched_by_itself_and_one_with_a_wrong_password_stops_no_other(supervised, daemon):
    """The first signs in, the second has a wrong password, the third signs in."""
    accounts = {"": daemon.account(), "wrong.": daemon.account(), "work.": daemon.account()}
    certificate = supervised.folder / "ca.pem"
    certificate.write_bytes(daemon.certificate.read_bytes())
    for name, account in accounts.items():
        account.add(report_mail(f"{account.user}-1"))
        for key, value in over_tls(account, imap_ca_file=certificate, imap_poll="1d").items():
            supervised.settings[key.replace("imap_", "imap_" + name)] = value
    supervised.settings["imap_wrong.password"] = "not-the-word"
    supervised.started()
    good = [accounts[""], accounts["work."]]
    for account in good:
        is_marked(account, 1)
    wrong = accounts["wrong."]
    wait_until(lambda: f"{wrong.user} at {HOST}: IMAP server: " in supervised.log(), "the wrong password is said")
    for account in good:  # new mail is still fetched
        account.add(report_mail(f"{account.user}-2"))
        is_marked(account, 2)
    assert wrong.flags() == [set()]
    assert supervised.query("SELECT report_id FROM dmarc.reports ORDER BY 1") == sorted(
        (f"{account.user}-{number}",) for account in good for number in (1, 2))
    assert "not-the-word" not in supervised.log()
    passwords = [
        re.findall(rb"RUAD_IMAP_\w*PASSWORD=([^\0]*)", pathlib.Path(f"/proc/{pid}/environ").read_bytes())
        for pid in supervised.children("ruad-fetch")]
    assert sorted(passwords) == [[b"not-the-word"], [PASSWORD.encode()], [PASSWORD.encode()]]


def test_ruad_config_prints_and_checks_each_account(tmp_path):
    file = tmp_path / "ruad.conf"
    file.write_text("[imap]\nurl = imaps://one.example\nuser = a\npassword = secret1\n\n"
                    "[imap work]\nurl = imaps://two.example\nuser = b\npassword = secret2\nafter = keep\n")
    command = [BUILD / "bin" / "ruad", "-c", file, "config"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert re.findall(r"^(\[imap.*\]|url = imaps.*)$", done.stdout, re.MULTILINE) == [
        "[imap]", "url = imaps://one.example", "[imap work]", "url = imaps://two.example"]
    assert "secret1" not in done.stdout and "secret2" not in done.stdout
    assert (done.returncode, done.stderr) == (78, 'ruad config: [imap work]: imap.after: "keep": none of: mark, move:FOLDER, delete\n')


@pytest.mark.parametrize(
    "option, words",
    [
        ("imap.work.mailbox=INBOX", '[imap work]: imap.url: "": write imaps://HOST'),
        ("imap.url=imap.example.net", 'imap.url: "imap.example.net": write imaps://HOST'),
        ("imap.url=imaps://imap.example.net", "imap.user: empty"),
        ("imap.user=me", "imap.url: empty, although imap.user is set"),
        ("maildir.path=Maildir", 'maildir.path: "Maildir": must begin with a slash'),
        ("maildir.after=keep", "none of: seen delete"),
    ],
)
def test_settings_that_cannot_work_are_errors(option, words):
    command = [BUILD / "bin" / "ruad", "config", "-o", option]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 78 and words in done.stderr, done.stderr


def test_a_maildir_that_cannot_be_used_is_a_warning():
    command = [BUILD / "bin" / "ruad", "config", "-o", "maildir.path=/no/such/folder"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0 and 'warning: maildir.path: "/no/such/folder": cannot open it' in done.stderr
