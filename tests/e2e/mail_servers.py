"""Debian's Exim and Postfix as real daemons, each in a folder that is its whole system (chroot), set up as server/doc/mail-servers.md says.

The packages are not installed (they exclude each other): they are unpacked into the folder, beside copies of the few tools that
their scripts call and the libraries of all these. The commands that the page gives are run there unchanged. Only the ports are
others, and the client comes from 127.0.0.2, which is not one of the addresses that Exim relays for.
"""

import atexit
import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile

import pytest
from conftest import BUILD, ROOT, wait_until
from supervised import free_port

PACKAGES = BUILD / "tests" / "packages"
PAGE = ROOT / "server" / "doc" / "mail-servers.md"
EXAMPLES = "/usr/share/doc/ruad/examples"
DOMAIN = "reports.example.net"
MAILBOX = f"dmarc-sum@{DOMAIN}"
SENDER = "noreply@reporter.example"
OUTSIDE = "127.0.0.2"
GROUP = 60504

TOOLS = """sh sed grep egrep find awk getopt hostname id tr ls expr fold cat cut touch rm chown chmod chgrp mv mktemp dirname basename
echo printf test sort uniq head tail cmp diff cp ln mkdir rmdir sleep usermod env uname date wc true"""
USERS = """root:x:0:0::/root:/bin/sh
mail:x:8:8::/var/mail:/bin/false
uucp:x:10:10::/var/spool/uucp:/bin/false
nobody:x:65534:65534::/nonexistent:/bin/false
Debian-exim:x:60501:60501::/var/spool/exim4:/bin/false
postfix:x:60502:60502::/var/spool/postfix:/bin/false
colleague:x:60505:60505::/tmp:/bin/false
"""
GROUPS = f"""root:x:0:
adm:x:4:
mail:x:8:
uucp:x:10:
nogroup:x:65534:
Debian-exim:x:60501:
postfix:x:60502:
postdrop:x:60503:
ruad:x:60506:
ruad-lmtp:x:{GROUP}:
colleague:x:60505:
"""


def libraries(programs, search):
    """The paths of all shared libraries that these programs load."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(search)}
    found = set()
    for program in programs:
        output = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment, check=False).stdout
        missing = re.findall(r"(\S+) => not found", output)
        if missing:
            pytest.skip(f"{program} needs {missing[0]}: tests/run e2e installs it")
        found.update(re.findall(r"(/\S+) \(0x", output))
    return found


def is_program(path):
    return path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"


def copy_into(root, path):
    """A copy of the machine's file under the same path, also with a merged /usr."""
    real = pathlib.Path(path)
    place = real if real.parts[1] == "usr" else pathlib.Path("/usr", *real.parts[1:])
    target = root / place.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(real.resolve(), target)


def temporary_folder():
    """Not in /tmp, which may be mounted nosuid and nodev."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="ruad-mta-", dir="/var/tmp")).resolve()
    root.chmod(0o755)
    return root


def unpack(root, package):
    """Puts the files of a Debian package into the folder."""
    found = sorted(PACKAGES.glob(f"{package}_*.deb"))
    if not found:
        pytest.skip(f"{package} is not in {PACKAGES}: tests/run e2e puts it there")
    subprocess.run(["dpkg-deb", "-x", found[-1], root], check=True)
    shutil.rmtree(root / "lib", ignore_errors=True)  # units of systemd


@functools.cache
def system(packages):
    """A folder in which the programs of these packages run; it exists until the tests end."""
    root = temporary_folder()
    atexit.register(shutil.rmtree, root)
    make_system(root, packages)
    return root


def make_system(root, packages, without=()):
    """Unpack the packages; without: patterns of files that no test needs."""
    for package in packages:
        unpack(root, package)
    for pattern in without:
        for path in root.glob(pattern):
            path.unlink()
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    tools = [path for path in map(shutil.which, TOOLS.split()) if path]
    own = [path for path in (root / "usr").rglob("*") if is_program(path)]
    for path in [*tools, *libraries([*tools, *own], ":".join({str(path.parent) for path in own}))]:
        if not path.startswith(str(root)):
            copy_into(root, path)
    for name, number in (("null", 3), ("urandom", 9), ("random", 8)):
        (root / "dev").mkdir(exist_ok=True)
        os.mknod(root / "dev" / name, 0o20666, os.makedev(1, number))
        (root / "dev" / name).chmod(0o666)
    for folder in ("tmp", "run", "root", "var/log", "var/mail"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "var/mail").chmod(0o1777)
    (root / "tmp").chmod(0o1777)
    etc = root / "etc"
    (etc / "passwd").write_text(USERS)
    (etc / "group").write_text(GROUPS)
    (etc / "hosts").write_text("127.0.0.1 mx.example.net localhost\n")
    (etc / "mailname").write_text("mx.example.net\n")
    (etc / "aliases").write_text("postmaster: root\n")
    (etc / "services").write_text("smtp 25/tcp\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    systemctl = root / "usr/bin/systemctl"  # the test starts and stops the server itself
    systemctl.write_text("#!/bin/sh\n")
    systemctl.chmod(0o755)


def page_commands(section):
    """The shell commands of the page for this mail server; the tests already run as root."""
    part = re.search(rf"^## {section}\n(.*?)^##", PAGE.read_text(), re.DOTALL | re.MULTILINE).group(1)
    return re.search(r"^```sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE).group(1).replace("sudo ", "")


class MailServer:
    """The common part of Exim and Postfix. Each has its own: packages, name, prepare(), edit_way(), command(), queued(), flush()."""

    packages = ()
    name = ""  # the page's section
    folder = ""  # of the examples
    logs = ""

    def __init__(self, root):
        self.root = root
        self.port = free_port()
        self.process = None
        base = system(self.packages)
        subprocess.run(["cp", "-al", base / "usr", root / "usr"], check=True)  # nothing writes to it
        subprocess.run(["cp", "-a", *(path for path in base.iterdir() if path.name != "usr"), root], check=True)
        shutil.copytree(ROOT / "server" / "dist" / self.folder, root / EXAMPLES[1:] / self.folder)
        (root / "run" / "ruad").mkdir(mode=0o755)

    @property
    def run_folder(self):
        """The folder of ruad's own files."""
        return self.root / "run" / "ruad"

    @property
    def socket(self):
        """The path of ruad's LMTP socket, as systemd makes it."""
        return self.root / "run" / "ruad-lmtp.sock"

    def set_up(self, way, commands=None):
        """Set it up like an administrator: the page's commands, with ruad at "unix" or at a TCP port."""
        self.prepare()
        self.edit_way(way)
        self.run("sh", "-ec", commands or page_commands(self.name))

    def run(self, *command, **more):
        """Run a command inside; returns its output."""
        done = subprocess.run(
            ["chroot", self.root, *command],
            env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **more,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr, self.log())
        return done.stdout

    def edit(self, path, old, new):
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def start(self):
        with open(self.root / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["chroot", self.root, *self.command()],
                env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self.greets, f"{self.name} greets")

    def greets(self):
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self.connect().quit()
            return True
        return False

    def pids(self):
        """The pids of all processes in the folder: those of the server and of its deliveries."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "root") == str(self.root):
                    found.append(int(entry.name))
        return found

    def kill(self):
        """Kill all its processes at once, like a power failure."""
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
        self.process.wait(30)

    def stop(self):
        """Send SIGTERM to the daemon. (Exim's deliveries continue.)"""
        self.process.terminate()
        self.process.wait(30)

    def close(self):
        print(self.log())  # shown where a test fails
        if self.process:
            self.kill()

    def log(self):
        files = [self.root / "output", *sorted(self.root.glob(self.logs))]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def connect(self):
        """An external client that has sent EHLO."""
        client = smtplib.SMTP("127.0.0.1", self.port, "reporter.example", 60, (OUTSIDE, 0))
        client.ehlo()
        return client

    def send(self, mail, *recipients, sender=SENDER, options=()):
        """Deliver the mail by SMTP."""
        with self.connect() as client:
            assert client.sendmail(sender, recipients or [MAILBOX], mail, options) == {}

    def local_mailbox(self, user):
        return (self.root / "var/mail" / user).read_bytes()

    def wait_until_empty(self, seconds=60):
        """Wait until its queue is empty; a deferred mail is tried again at once."""

        def empty():
            if self.queued():
                self.flush()
            return self.queued() == 0 and self.queued() == 0  # none that was only on the move

        wait_until(empty, f"{self.name}'s queue is empty", seconds)


class Exim(MailServer):
    """Debian's split configuration, generated by update-exim4.conf."""

    packages = ("exim4-base", "exim4-config", "exim4-daemon-light")
    name = "Exim"
    folder = "exim4"
    logs = "var/log/exim4/*log"

    DEBCONF = {
        "dc_eximconfig_configtype": "internet",
        "dc_other_hostnames": "mx.example.net:example.net",
        "dc_local_interfaces": "127.0.0.1",
        "dc_readhost": "",
        "dc_relay_domains": "",
        "dc_minimaldns": "false",
        "dc_relay_nets": "",
        "dc_smarthost": "",
        "CFILEMODE": "644",
        "dc_use_split_config": "true",
        "dc_hide_mailname": "",
        "dc_mailname_in_oh": "true",
        "dc_localdelivery": "mail_spool",
    }

    def prepare(self):
        """Do what the packages' own scripts do on installation."""
        for folder in ("var/log/exim4", "run/exim4", "var/spool/exim4", "var/spool/exim4/db", "var/spool/exim4/input"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            os.chown(self.root / folder, 60501, 60501)
        lines = "".join(f"{name}='{value}'\n" for name, value in self.DEBCONF.items())
        (self.root / "etc/exim4/update-exim4.conf.conf").write_text(lines)

    def edit_way(self, way):
        file = EXAMPLES[1:] + "/exim4/conf.d/main/000_ruad"
        if way == "unix":
            self.edit(file, "RUAD_TRANSPORT = ruad_tcp", "RUAD_TRANSPORT = ruad_unix")
        else:
            self.edit(file, "RUAD_PORT = 2424", f"RUAD_PORT = {way}")

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q30m", "-oX", str(self.port), "-oP", "/run/exim4/exim.pid"]

    def allow_smtputf8(self):
        (self.root / "etc/exim4/conf.d/main/000_localmacros").write_text("MAIN_SMTPUTF8_ADVERTISE_HOSTS = *\n")

    def write_authentication_results(self, line):
        """Into each mail, by this line of the page."""
        (self.root / "etc/exim4/data_acl").write_text(line + "\n")
        (self.root / "etc/exim4/conf.d/main/000_localmacros").write_text(
            "CHECK_DATA_LOCAL_ACL_FILE = /etc/exim4/data_acl\nMAIN_HARDCODE_PRIMARY_HOSTNAME = mx.example.net\n"
        )

    def ask(self, host):
        """Its DNS queries go to this address."""
        (self.root / "etc/resolv.conf").write_text(f"nameserver {host}\n")

    def without_split(self):
        """The commands that put the same files into Debian's one template."""
        place = f"{EXAMPLES}/exim4/conf.d"
        return f"""
            sed -i "s/^dc_use_split_config=.*/dc_use_split_config='false'/" /etc/exim4/update-exim4.conf.conf
            sed -i "s/^dc_other_hostnames='/&{DOMAIN}:/" /etc/exim4/update-exim4.conf.conf
            cp {place}/main/000_ruad /etc/exim4/exim4.conf.localmacros
            sed -i -e '/^begin routers/r {place}/router/175_ruad' -e '/^begin transports/r {place}/transport/30_ruad' \\
                /etc/exim4/exim4.conf.template
            update-exim4.conf
            """

    def single_addresses(self, domain):
        """The commands that make the mailboxes of this domain ruad's."""
        self.edit(EXAMPLES[1:] + "/exim4/conf.d/main/000_ruad", DOMAIN, domain)
        return page_commands(self.name)

    def queued(self):
        return int(self.run("exim4", "-bpc"))

    def flush(self):
        self.run("exim4", "-qff")


class Postfix(MailServer):
    """Debian's main.cf and master.cf as for an "Internet Site"."""

    packages = ("postfix",)
    name = "Postfix"
    folder = "postfix"
    logs = "var/log/mail.log"

    SETTINGS = {
        "myhostname": "mx.example.net",
        "alias_maps": "hash:/etc/aliases",
        "alias_database": "hash:/etc/aliases",
        "mydestination": "$myhostname, example.net, localhost",
        "relayhost": "",
        "mynetworks": "127.0.0.1/32",
        "mailbox_size_limit": "0",
        "recipient_delimiter": "+",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
    }

    def prepare(self):
        """Do what the package's own scripts do on installation."""
        etc = self.root / "etc/postfix"
        shutil.copy(self.root / "usr/share/postfix/main.cf.debian", etc / "main.cf")
        shutil.copy(self.root / "usr/share/postfix/master.cf.dist", etc / "master.cf")
        (etc / "dynamicmaps.cf").touch()
        self.edit("etc/postfix/master.cf", "smtp      inet", f"127.0.0.1:{self.port} inet")
        os.chown(self.root / "var/lib/postfix", 60502, 60502)
        for program in ("postdrop", "postqueue"):
            os.chown(self.root / "usr/sbin" / program, 0, 60503)
            (self.root / "usr/sbin" / program).chmod(0o2755)
        self.replace_perl()
        self.run("postconf", "-e", *(f"{name}={value}" for name, value in self.SETTINGS.items()))
        self.age()
        self.run("newaliases")

    def replace_perl(self):
        """Postfix of Debian 13 copies files into its chroot by a Perl script, and no Perl is in the folder."""
        script = self.root / "usr/lib/postfix/syncfiles.pl"
        if script.exists():
            script.unlink()  # it is the same file in the folders of other tests
            script.write_text('#!/bin/sh\nfolder=$1\nshift\nexec cp --parents "$@" "$folder"\n')
            script.chmod(0o755)

    def edit_way(self, way):
        new = "unix:/run/ruad-lmtp.sock" if way == "unix" else f"inet:[127.0.0.1]:{way}"
        self.edit(EXAMPLES[1:] + "/postfix/ruad", "  ruad:inet:[127.0.0.1]:2424", f"  ruad:{new}")

    def set_up(self, way, commands=None):
        super().set_up(way, commands)
        self.age()
        self.run("postfix", "check")
        self.run("postconf", "-e", f"maillog_file=/{self.logs}")  # not before: it would wait for the daemon
        self.age()

    def age(self):
        """Postfix waits for a second or two wherever it reads a file that was just written."""
        for path in (self.root / "etc").rglob("*"):
            os.utime(path, (1e9, 1e9))

    def command(self):
        return ["/usr/lib/postfix/sbin/master", "-s"]

    def allow_smtputf8(self):
        """It is allowed (smtputf8_enable)."""

    def single_addresses(self, domain):
        """The commands that make the mailboxes of this domain ruad's."""
        self.edit(EXAMPLES[1:] + "/postfix/ruad", DOMAIN, domain)
        return page_commands(self.name).replace("domain.cf", "addresses.cf")

    def queued(self):
        """A mail that is moving between its queues may be listed twice or not at all."""
        return len(set(re.findall(r'"queue_id": "(\w+)"', self.run("postqueue", "-j"))))

    def flush(self):
        self.run("postqueue", "-f")


def need_root():
    if os.geteuid() != 0:
        pytest.skip("mail servers need root: they change their user, and a root directory")
    if os.statvfs("/var/tmp").f_flag & (os.ST_NOSUID | os.ST_NODEV):
        pytest.skip("mail servers need setuid programs and devices: /var/tmp is mounted without")


@contextlib.contextmanager
def mail_server(kind):
    """A mail server in a separate folder, not yet set up."""
    need_root()
    root = temporary_folder()
    try:
        server = kind(root)
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(root)
