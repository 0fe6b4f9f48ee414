"""ruad import - beside a running server: any user in the socket's group delivers over LMTP, as .forward and fetchmail do."""

import gzip
import json
import shlex
import shutil
import socketserver
import subprocess
import textwrap
import threading

import pytest
from conftest import BUILD, ROOT, Ingest, wait_until
from reports import aggregate, gzipped, mail, plain, record, zipped
from test_import_others import REPORTS, dump, parsedmarc_record, parsedmarc_report, srg_dump
from supervised import IS_ROOT, Supervised, clean_environment

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs root, to become other users")

GROUP = "mail"
MEMBER = ["setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={GROUP}"]
STRANGER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def xml(number):
    return aggregate(report_id=f"r-{number}", records=[record()])


class Running(Supervised):
    """ruad serve with a Unix socket of a group, and settings that only root may read."""

    def __init__(self, folder, **settings):
        self.socket = folder / "lmtp.sock"
        super().__init__(folder, lmtp_group=GROUP, **settings)
        self.settings["lmtp_listen"] = f"unix:{self.socket} 127.0.0.1:{self.lmtp_port}"
        self.secret = folder / "ruad.conf"
        self.secret.write_text("[database]\nurl = dbname=nobody-may-know\n")
        self.secret.chmod(0o600)

    def words(self, *more):
        """The command as a user writes it who knows only the socket."""
        return [str(self.ruad), "import", "-o", f"lmtp.listen=unix:{self.socket}", *more]

    def pipe(self, content, *words, user=MEMBER):
        """(exit code, standard error) of ruad import with this standard input."""
        done = subprocess.run(
            [*user, *(words or self.words("-"))],
            env=clean_environment(RUAD_CONFIG=str(self.secret)), input=content, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def reports(self):
        return [row[0] for row in self.query("SELECT report_id FROM dmarc.reports ORDER BY 1")]


@pytest.fixture(name="running", scope="module")
def fixture_running(module_folder):
    server = Running(module_folder, lmtp_max_message_size="100K", database_url="")
    server.started()
    yield server
    server.close()


def stored(outcome):
    """The number of the mail that the command says it stored."""
    code, words = outcome
    assert code == 0, words
    assert words.startswith("ruad import: stored as mail ") and words.count("\n") == 1, words
    return int(words.split()[-1])


KINDS = {
    "mail": lambda: mail(gzipped(xml("mail"))),
    "mail-with-lf": lambda: mail(gzipped(xml("mail-with-lf"))).replace(b"\r\n", b"\n"),
    "mail-with-from-line": lambda: b"From a@b Mon Nov 30 13:00:00 2026\n" + mail(plain(xml("mail-with-from-line"))),
    "xml": lambda: xml("xml"),
    "gzip": lambda: gzipped(xml("gzip"))[2],
    "zip": lambda: zipped(xml("zip"))[2],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_in_the_group_delivers_without_reading_the_settings(running, kind):
    number = stored(running.pipe(KINDS[kind]()))
    assert running.query(f"SELECT status, source FROM dmarc.intake WHERE mail = {number}") == [("stored", "lmtp")]
    assert kind in running.reports()[0] or f"r-{kind}" in running.reports()


def test_the_name_of_a_file_is_kept(running):
    path = running.folder / "receiver!example.com!1!2.xml.gz"
    path.write_bytes(gzip.compress(xml("named")))
    number = stored(running.pipe(b"", *running.words(str(path))))
    ((notes,),) = running.query(f"SELECT notes FROM dmarc.reports WHERE mail = {number}")
    assert "M2" in [note["code"] for note in notes]


def test_an_mbox_is_sent_mail_by_mail(running):
    box = b"".join(b"From a@b Mon Nov 30 13:00:00 2026\n" + mail(plain(xml(n))).replace(b"\r\n", b"\n") + b"\n" for n in range(5))
    assert running.pipe(box) == (0, "sent 5 mails to the running ruad: 5 stored, 0 quarantined, 0 to be sent again later, 0 refused\n")
    assert {f"r-{n}" for n in range(5)} <= set(running.reports())


def test_what_is_no_report_is_said_to_be_quarantined(running):
    code, words = running.pipe(mail(plain(b"hello\n")))
    assert code == 0 and words.startswith("ruad import: quarantined as mail ") and words.count("\n") == 1, words
    assert running.query(f"SELECT status FROM dmarc.intake WHERE mail = {int(words.split()[-1])}") == [("quarantined",)]
    box = b"".join(b"From a@b Mon Nov 30 13:00:00 2026\n" + part.replace(b"\r\n", b"\n") + b"\n"
                   for part in (mail(plain(xml("beside junk"))), mail(plain(b"more of it\n"))))
    assert running.pipe(box) == (0, "sent 2 mails to the running ruad: 1 stored, 1 quarantined, 0 to be sent again later, 0 refused\n")


COPIES = {
    "parsedmarc's JSON": (lambda: json.dumps(REPORTS).encode(), "parsedmarc", 2),
    "a dump of dmarc-srg": (srg_dump, "dmarc-srg", 2),
    "a dump of dmarcts-report-parser": (lambda: dump(xml("dumped").decode(), xml("dumped-too").decode()), None, 2),
    "parsedmarc's JSON in gzip": (lambda: gzip.compress(json.dumps(parsedmarc_report("packed", [parsedmarc_record("192.0.2.1", 7)])).encode()), "parsedmarc", 1),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_other_programs_are_stored_as_from_a_file(running, kind):
    make, program, reports = COPIES[kind]
    last = running.query("SELECT coalesce(max(mail), 0) FROM dmarc.intake")[0][0]
    code, words = running.pipe(make())
    assert code == 0 and ("stored as mail" if reports == 1 else f": {reports} stored, 0 quarantined, 0 to be sent again later, 0 refused\n") in words
    assert running.query(f"SELECT status, count(*) FROM dmarc.intake WHERE mail > {last} GROUP BY 1") == [("stored", reports)]
    copies = running.query(f"SELECT DISTINCT n.raw FROM dmarc.notes n JOIN dmarc.reports r ON r.id = n.report WHERE n.code = 'K1' AND r.mail > {last}")
    assert copies == ([(program,)] if program else [])


def test_root_delivers_standard_input_to_the_server_too(running):
    code, words, errors = running.command("import", "-", input=mail(gzipped(xml("root"))), text=False)
    assert code == 0 and words == b"" and errors.startswith(b"ruad import: stored as mail ")


def test_who_is_not_in_the_group_is_told_and_the_mail_is_kept(running):
    code, words = running.pipe(mail(gzipped(xml("stranger"))), user=STRANGER)
    assert code == 75 and str(running.socket) in words and "Permission denied" in words and words.count("\n") == 1


def test_a_mail_beyond_the_limit_is_refused_for_good(running):
    code, words = running.pipe(mail(plain(b"x" * 200_000)))
    assert (code, words) == (65, "ruad import: LMTP server: 552 5.3.4 mail too big\n")


def test_a_mailbox_that_is_not_ours_is_refused_for_good(running):
    code, words = running.pipe(mail(plain(xml(1))), *running.words("-o", "lmtp.recipients=nobody@example.org", "-"))
    assert (code, words) == (69, "ruad import: LMTP server: 550 5.1.1 no such mailbox here\n")


def test_quiet_says_nothing_if_it_is_stored(running):
    assert running.pipe(mail(plain(xml("quiet"))), *running.words("--quiet", "-")) == (0, "")


def test_a_mail_server_runs_the_command_of_forward_by_a_shell(running):
    """As Postfix does: with a From line before the mail, in which lines that begin alike are not marked."""
    body = mail(plain(xml("forward")), ("note.txt", "text/plain", b"Dear all,\n\nFrom now on\n"))
    content = b"From a@b  Mon Nov 30 13:00:00 2026\n" + body.replace(b"\r\n", b"\n")
    assert stored(running.pipe(content, "sh", "-c", shlex.join(running.words("-"))))
    assert "r-forward" in running.reports()


@pytest.fixture(name="unpacked", scope="module")
def fixture_unpacked(module_folder):
    """A folder with the programs of packages that tests/run fetched."""
    folder = module_folder / "packages"
    folder.mkdir()
    for name in ("fetchmail", "procmail"):
        found = sorted((BUILD / "tests" / "packages").glob(f"{name}_*.deb"))
        if not found:
            pytest.skip(f"{name} is missing: tests/run e2e fetches it")
        subprocess.run(["dpkg-deb", "-x", found[-1], folder], check=True)
    return folder / "usr" / "bin"


PROCMAIL = """
:0 w
| {command}

EXITCODE=75
HOST
"""


def test_procmail_delivers_and_says_try_again_if_ruad_does(running, unpacked):
    """The recipe of server/doc/mail-servers.md."""
    rules = running.folder / "procmailrc"
    over_tcp = [str(running.ruad), "import", "-", "-o", f"lmtp.listen=127.0.0.1:{running.lmtp_port}"]  # it drops the group
    for command, code in ((shlex.join(over_tcp), 0), ("/bin/false", 75)):
        rules.write_text(PROCMAIL.format(command=command))
        done = running.pipe(mail(gzipped(xml("procmail"))), str(unpacked / "procmail"), "-m", str(rules))
        assert done[0] == code, done
    assert "r-procmail" in running.reports()
    page = (ROOT / "server" / "doc" / "mail-servers.md").read_text()
    assert textwrap.indent(PROCMAIL.strip().format(command="/usr/bin/ruad import -"), "  ") in page


class Pop3(socketserver.StreamRequestHandler):
    """Enough of RFC 1939 for fetchmail; server.mails is a list of mails, None once deleted."""

    def handle(self):
        mails = self.server.mails
        self.say("+OK here")
        deleted = set()
        for line in self.rfile:
            words = line.decode().split()
            number = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
            verb = words[0].upper()
            if number and verb == "LIST":
                self.say(f"+OK {number} {len(mails[number - 1])}")
            elif verb == "STAT":
                self.say(f"+OK {len(mails)} {sum(map(len, mails))}")
            elif verb in ("LIST", "UIDL"):
                self.say("+OK", *(f"{n} {len(text) if verb == 'LIST' else hash(text)}" for n, text in enumerate(mails, 1)), ".")
            elif verb in ("RETR", "TOP"):
                self.wfile.write(b"+OK\r\n" + mails[number - 1] + b"\r\n.\r\n")
            elif verb == "DELE":
                deleted.add(number)
                self.say("+OK")
            elif verb in ("USER", "PASS", "NOOP"):
                self.say("+OK")
            elif verb == "QUIT":
                self.server.mails = [text for n, text in enumerate(mails, 1) if n not in deleted]
                self.say("+OK")
                return
            else:
                self.say("-ERR")

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())


def fetch(running, program, port, command):
    """Run fetchmail as a user in the group; the line is that of server/doc/mail-servers.md."""
    home = running.folder / "home"
    home.mkdir(exist_ok=True)
    rules = home / "fetchmailrc"
    rules.write_text(
        f'poll 127.0.0.1 service {port} protocol pop3 auth password\n'
        f'  user "reports" password "secret" sslproto "" mda "{command}"\n')
    rules.chmod(0o600)
    for path in (home, rules):
        shutil.chown(path, "nobody", "nogroup")
    return subprocess.run(
        [*MEMBER, program, "-f", rules, "--nodetach", "--nosyslog"],
        env=clean_environment(HOME=str(home), FETCHMAILHOME=str(home)), capture_output=True, text=True, timeout=120, check=False)


def test_fetchmail_removes_only_what_was_stored(running, unpacked):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pop3) as server:
        server.daemon_threads = True
        server.mails = [mail(gzipped(xml(f"fetched-{n}"))) for n in range(3)]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        done = fetch(running, unpacked / "fetchmail", port, "exit 75;")
        assert len(server.mails) == 3, done
        done = fetch(running, unpacked / "fetchmail", port, shlex.join(running.words("-")))
        assert (done.returncode, server.mails) == (0, []), done
        server.shutdown()
    assert {f"r-fetched-{n}" for n in range(3)} <= set(running.reports())
    assert 'mda "/usr/bin/ruad import -"' in (ROOT / "server" / "doc" / "mail-servers.md").read_text()


def test_without_a_server_the_mail_is_kept_and_delivered_later(folder):
    server = Running(folder, database_url="")
    content = mail(gzipped(xml("late")))
    code, words = server.pipe(content)
    assert code == 75 and words.startswith("ruad import: no running ruad answers: ")
    try:
        server.started()
        stored(server.pipe(content))
        assert server.reports() == ["r-late"]
        assert server.stop() == 0
        assert server.pipe(content)[0] == 75
    finally:
        server.close()


def test_a_server_that_cannot_store_puts_the_mail_off(folder):
    """Exit code 75 is what all mail servers take for "try again"."""
    ingest = Ingest(folder, f"host={folder}/nothing dbname=none")
    ingest.start()
    try:
        wait_until(lambda: "taking mail" in ingest.log(), "it listens")
        words = [Running(folder).ruad, "import", "-", "-o", f"lmtp.listen=unix:{ingest.path}"]
        done = subprocess.run(
            [*STRANGER, *words],
            env=clean_environment(), input=mail(gzipped(xml("later"))), capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (75, b"ruad import: 451 4.3.0 cannot store it now, try again later\n")
    finally:
        ingest.close()
