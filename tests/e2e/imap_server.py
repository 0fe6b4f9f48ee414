"""Debian's Dovecot as a real IMAP server in a folder that is its whole system (chroot), like the servers of mail_servers.py.

The packages are unpacked, not installed. Ports, certificate and mailboxes are of the test's own.
"""

import atexit
import contextlib
import functools
import imaplib
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading

import mail_servers
from conftest import wait_until
from supervised import free_port

PACKAGES = ("dovecot-core", "dovecot-imapd")
# plugins, and programs that load them or libraries of their own
PLUGINS = ("usr/lib/dovecot/modules/lib[0-9]*", *(f"usr/lib/dovecot/{name}" for name in ("*lua*", "*fts*", "*/*/*pigeonhole*", "quota-status", "tcpwrap")))
PASSWORD = "s3cret-word"
VMAIL = 60505
ACCOUNTS = {"dovecot": 60507, "dovenull": 60508}
HOST = "127.0.0.1"

COMMON = """
protocols = imap
listen = 127.0.0.1
base_dir = /run/dovecot
log_path = /var/log/dovecot.log
first_valid_uid = 100
auth_failure_delay = 1 secs
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service imap {{
  process_limit = 20
}}
"""

OAUTH_OLD = """
auth_mechanisms = oauthbearer xoauth2
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = /etc/dovecot/oauth2.conf.ext
}}
"""
OAUTH_FILE = """
introspection_url = http://127.0.0.1:{port}/
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"""

OAUTH_NEW = """
auth_mechanisms = oauthbearer xoauth2
passdb oauth2 {{
  mechanisms_filter = oauthbearer xoauth2
}}
oauth2 {{
  introspection_url = http://127.0.0.1:{port}/
  introspection_mode = post
  username_attribute = username
}}
"""

OLD = (  # Dovecot 2.3, Debian 12
    COMMON
    + """
ssl = required
ssl_cert = </etc/dovecot/cert.pem
ssl_key = </etc/dovecot/key.pem
mail_location = maildir:/var/mail/%u
mail_max_keyword_length = 50
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={vmail} gid={vmail} home=/var/mail/%u
}}
"""
)

NEW = (  # Dovecot 2.4, Debian 13
    "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
    + COMMON
    + """
ssl = required
ssl_server_cert_file = /etc/dovecot/cert.pem
ssl_server_key_file = /etc/dovecot/key.pem
mail_driver = maildir
mail_path = /var/mail/%{{user}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {vmail}
    gid = {vmail}
    home = /var/mail/%{{user}}
  }}
}}
"""
)


@functools.cache
def system():
    """A folder in which Dovecot runs; it exists until the tests end."""
    root = mail_servers.temporary_folder()
    atexit.register(shutil.rmtree, root)
    mail_servers.make_system(root, PACKAGES, PLUGINS)
    for file, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
        with open(root / "etc" / file, "a", encoding="ascii") as accounts:
            accounts.writelines(line.format(*account) for account in ACCOUNTS.items())
    wrapper = root / "usr/lib/dovecot/tcpwrap"  # must be there, and is not used
    wrapper.write_text("#!/bin/sh\n")
    wrapper.chmod(0o755)
    return root


def make_certificate(folder, name=HOST):
    """A certificate that is its own authority: (certificate, key)."""
    paths = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=IP:{name}", "-out", paths[0], "-keyout", paths[1]],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    paths[0].chmod(0o644)
    return paths


class Dovecot:
    """Dovecot, where every user has the same password."""

    def __init__(self, root, tokens=None):
        self.root = root
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        base = system()
        subprocess.run(["cp", "-al", base / "usr", root / "usr"], check=True)  # nothing writes to it
        subprocess.run(["cp", "-a", *(path for path in base.iterdir() if path.name != "usr"), root], check=True)
        etc = root / "etc" / "dovecot"
        shutil.rmtree(etc, ignore_errors=True)
        for folder in (etc, root / "var/lib/dovecot", root / "run/dovecot"):
            folder.mkdir(parents=True, exist_ok=True)
        self.certificate, _ = make_certificate(etc)
        (etc / "dovecot.conf").write_text(self.configuration(tokens))
        (etc / "oauth2.conf.ext").write_text(OAUTH_FILE.format(port=tokens))
        (root / "var/mail").chmod(0o1777)
        self.users = 0

    def version(self):
        said = subprocess.run(["chroot", self.root, "/usr/sbin/dovecot", "--version"], check=True, capture_output=True, text=True)
        return tuple(map(int, re.match(r"(\d+)\.(\d+)", said.stdout).groups()))

    def configuration(self, tokens):
        is_new = self.version() >= (2, 4)
        template = NEW if is_new else OLD
        text = template.format(port=self.port, tls_port=self.tls_port, vmail=VMAIL, password=PASSWORD)
        return text + ((OAUTH_NEW if is_new else OAUTH_OLD).format(port=tokens) if tokens else "")

    def start(self):
        with open(self.root / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["chroot", self.root, "/usr/sbin/dovecot", "-F"],
                env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        wait_until(self.greets, "Dovecot greets")
        return self

    def greets(self):
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.client().logout()
            return True
        return False

    def client(self):
        """A client that has not signed in."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return imaplib.IMAP4_SSL(HOST, self.tls_port, ssl_context=context, timeout=30)

    def connect(self, user):
        """A client that has signed in and opened INBOX."""
        client = self.client()
        client.login(user, PASSWORD)
        client.select("INBOX")
        return client

    def account(self):
        """A new user with an empty mailbox."""
        self.users += 1
        return Account(self, f"reports{self.users}")

    def log(self):
        files = [self.root / "output", self.root / "var/log/dovecot.log"]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def close(self):
        print(self.log()[-5000:])  # shown where a test fails
        if self.process and self.process.poll() is None:
            self.stop()


class Account:
    """A user of the server; self.maildir is the mailbox."""

    def __init__(self, server, user):
        self.server = server
        self.user = user
        self.before = len(server.log())
        self.maildir = server.root / "var/mail" / user
        for name in ("cur", "new", "tmp"):
            (self.maildir / name).mkdir(parents=True)
        for path in (self.maildir, *self.maildir.iterdir()):
            os.chown(path, VMAIL, VMAIL)

    def connect(self):
        return self.server.connect(self.user)

    def log(self):
        """What the server has logged since the account was made."""
        return self.server.log()[self.before :]

    def add(self, *mails):
        """Put mails into the mailbox, as its mail server would."""
        for mail in mails:
            name = f"{os.urandom(8).hex()}.host"
            path = self.maildir / "tmp" / name
            path.write_bytes(mail)
            os.chown(path, VMAIL, VMAIL)
            path.rename(self.maildir / "new" / name)

    def flags(self, mailbox="INBOX"):
        """The flags of each mail, as sets: [{"\\Seen"}]."""
        with self.connect() as client:
            if client.select(mailbox, readonly=True)[0] != "OK":
                return []
            lines = client.fetch("1:*", "(FLAGS)")[1] if client.response("EXISTS")[1][-1] != b"0" else []
            return [set(match.decode().split()) - {"\\Recent"} for line in lines if line for match in re.findall(rb"FLAGS \((.*?)\)", line)]


@contextlib.contextmanager
def dovecot(tokens=None):
    """A Dovecot that is running. tokens: the port of the server that knows the access tokens of its users."""
    mail_servers.need_root()
    root = mail_servers.temporary_folder()
    try:
        server = Dovecot(root, tokens)
        try:
            yield server.start()
        finally:
            server.close()
    finally:
        shutil.rmtree(root)


class Proxy:
    """Passes bytes to a port on: not more than limit from the server, none after hold from the client, changed by rewrite."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.limit = None  # bytes of the server in one connection, which is then cut
        self.hold = None  # a word of the client after which nothing reaches the server
        self.held = threading.Event()
        self.rewrite = None  # of the server's bytes
        self.connections = 0
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                pair = (client, socket.create_connection((HOST, self.target)))
                self.open.add(pair)
                threading.Thread(target=self.to_server, args=pair, daemon=True).start()
                threading.Thread(target=self.to_client, args=pair, daemon=True).start()

    def to_server(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(4096):
                if self.hold and self.hold in data:
                    self.held.set()
                if not self.held.is_set():
                    server.sendall(data)
        self.end((client, server))

    def to_client(self, client, server):
        left = self.limit
        with contextlib.suppress(OSError):
            while (left is None or left > 0) and (data := server.recv(4096)):
                data = self.rewrite(data) if self.rewrite else data
                client.sendall(data[:left])
                left = None if left is None else left - len(data)
        self.end((client, server))

    def end(self, pair):
        self.open.discard(pair)
        for one in pair:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """End all connections."""
        for pair in list(self.open):
            self.end(pair)

    def close(self):
        self.listener.close()
        self.cut()
