"""Debian's Exim as a submission server: STARTTLS and implicit TLS, and nothing is accepted without a password.

It runs in a folder that is its whole system (chroot), like the servers of mail_servers.py.
"""

import contextlib
import email
import email.policy
import re
import shutil
import smtplib
import ssl

import mail_servers
from imap_server import HOST, make_certificate
from supervised import free_port

USER, PASSWORD = "ruad", "s3cret-word"

CONFIGURATION = """
primary_hostname = mx.example.net
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = {starttls}
tls_certificate = /etc/exim4/cert.pem
tls_privatekey = /etc/exim4/key.pem
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}}}
acl_smtp_rcpt = recipient
qualify_domain = example.net

begin acl
recipient:
  deny !authenticated = *
       message = sign in first
  deny local_parts = nobody
       message = no such user
  accept

begin routers
all:
  driver = accept
  transport = store

begin transports
store:
  driver = appendfile
  file = /var/mail/sent
  user = mail
  group = mail
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""


class Submission(mail_servers.Exim):
    """port is that of STARTTLS, tls_port that of TLS from the start; certificate is the file of its authority."""

    def prepare(self, starttls=True):
        super().prepare()
        self.tls_port = free_port()
        etc = self.root / "etc/exim4"
        self.certificate, key = make_certificate(etc)
        key.chmod(0o644)
        (etc / "exim4.conf").write_text(  # in place of what update-exim4.conf makes
            CONFIGURATION.format(port=self.port, tls_port=self.tls_port, starttls="*" if starttls else "", user=USER, password=PASSWORD))

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q30m", "-oP", "/run/exim4/exim.pid"]

    def mails(self, address):
        """What was delivered to it, as messages."""
        path = self.root / "var/mail/sent"
        parts = re.split(rb"(?m)^From \S.*\n", path.read_bytes())[1:] if path.exists() else []
        mails = [email.message_from_bytes(part, policy=email.policy.default) for part in parts]
        return [mail for mail in mails if mail["Envelope-to"] == address]

    def accepts(self):
        """Whether it takes a password over both of its ports: what the tests rely on."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        with smtplib.SMTP_SSL(HOST, self.tls_port, context=context, timeout=30) as over_tls, smtplib.SMTP(HOST, self.port, timeout=30) as plain:
            plain.starttls(context=context)
            return [client.login(USER, PASSWORD)[0] for client in (over_tls, plain)] == [235, 235]


@contextlib.contextmanager
def submission(starttls=True):
    """A submission server that is running."""
    mail_servers.need_root()
    root = mail_servers.temporary_folder()
    try:
        server = Submission(root)
        try:
            server.prepare(starttls)
            server.start()
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(root)
