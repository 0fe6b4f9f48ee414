"""A Debian in a folder, booted with its own systemd in namespaces of its own: no virtual machine, and no other network.

    machine.py LMTP-HOST LMTP-PORT < mail     delivers a mail and prints the reply; Machine runs it in the machine's network
"""

import contextlib
import os
import pathlib
import smtplib
import subprocess
import sys
import time

BOOT = pathlib.Path(__file__).with_name("boot")
NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def wait_until(condition, what, seconds=60):
    """Wait until condition() is true and return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s still not: {what}")


class Client(smtplib.LMTP):
    """Reads what the server said before it closed the connection, even if that was before the command: smtplib would not."""

    def send(self, s):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(s.encode("ascii") if isinstance(s, str) else s)


def deliver(host, port, mail):
    """The reply to the mail, or the first one that refuses something: (250, "2.0.0 ..."). A host with a slash is the path of a
    Unix socket."""
    try:
        client = Client(host, port)
    except smtplib.SMTPConnectError as refusal:
        return refusal.smtp_code, refusal.smtp_error.decode()
    steps = (
        client.ehlo,
        lambda: client.mail("noreply@reporter.example"),
        lambda: client.rcpt("dmarc-sum@example.com"),
        lambda: client.data(mail),
    )
    with contextlib.closing(client):
        client.sock.settimeout(60)
        try:
            for step in steps:
                code, text = step()
                if code != 250:
                    break
        except smtplib.SMTPDataError as refusal:  # instead of 354; data() does not return it
            return refusal.smtp_code, refusal.smtp_error.decode()
    return code, text.decode()


def in_chroot(root, *command):
    """Run a command in a Debian that is not booted, with the network of this machine; returns what it said."""
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    words = ["chroot", root, *command]
    return subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout


class Machine:
    """The Debian in root, once it is booted."""

    def __init__(self, root):
        self.root = root
        self.process = None
        self.pid = None  # of its systemd

    def boot(self):
        words = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--", BOOT, self.root]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = int(wait_until(children.read_text, "it has its first process"))
        wait_until(self.is_up, "it is booted")

    def is_up(self):
        """Whether it has started what starts with it. Without udev or a console, "degraded" would be as good."""
        if pathlib.Path(f"/proc/{self.pid}/comm").read_text() != "systemd\n":
            return False
        return self.status("systemctl", "is-system-running")[1].strip() in ("running", "degraded")

    def shut_down(self):
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def inside(self):
        return ["nsenter", f"--target={self.pid}", *NAMESPACES[:-1], "--root", "--wd", "--"]

    def status(self, *command, **environment):
        """Run a command in it: (exit code, output and errors)."""
        done = subprocess.run(
            [*self.inside(), *command],
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, *command, **environment):
        """Run a command that must succeed; returns what it said."""
        code, said = self.status(*command, **environment)
        assert code == 0, (command, said)
        return said

    def path(self, name):
        """A file of its own, also below its /run."""
        return pathlib.Path(f"/proc/{self.pid}/root") / name.lstrip("/")

    # -- ruad --

    def is_active(self):
        return self.status("systemctl", "is-active", "ruad")[1].strip() == "active"

    def is_ready(self):
        return self.status("ruad", "health")[0] == 0

    def deliver(self, mail):
        """The reply of 127.0.0.1:2424 to the mail."""
        words = ["nsenter", f"--target={self.pid}", "--net", "--", sys.executable, __file__, "127.0.0.1", "2424"]
        return subprocess.run(words, input=mail, stdout=subprocess.PIPE, check=True, timeout=100).stdout.decode().strip()

    def deliver_to_socket(self, mail):
        """The reply of /run/ruad-lmtp.sock: (code, text)."""
        return deliver(str(self.path("/run/ruad-lmtp.sock")), 0, mail)

    def get(self, path, *options):
        """What the page answers."""
        words = ["nsenter", f"--target={self.pid}", "--net", "--", "curl", "--silent", "--fail", "--max-time", "60"]
        return subprocess.run([*words, *options, f"http://localhost:8080{path}"], stdout=subprocess.PIPE, check=True).stdout.decode()

    def reports(self, *options):
        """The report_id of every report, as the API lists them."""
        listed = self.get("/api/v1/reports?format=csv&from=2026-01-01&to=2026-01-02&others=include", *options).splitlines()
        column = listed[0].split(",").index("report_id")
        return sorted(line.split(",")[column] for line in listed[1:])


if __name__ == "__main__":
    print(*deliver(sys.argv[1], int(sys.argv[2]), sys.stdin.buffer.read()))
