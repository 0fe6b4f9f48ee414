"""DNS servers for the tests: Debian's nsd with their zones, and Debian's unbound as a resolver.

Both run in the foreground on loopback addresses, on free ports (or on port 53 of a free address), from a folder of the test's.
"""

import contextlib
import random
import shutil
import socket
import subprocess

from conftest import wait_until

SOA = "@ 300 IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60\n@ 300 IN NS a.ns-test.\n@ 300 IN NS b.ns-test.\n"
NS_HOSTS = "a.ns-test. 300 IN A 127.77.77.1\nb.ns-test. 300 IN A 127.77.77.2\n"  # for the root zone: they exist, and do not answer


def program(name):
    """The program in Debian's folder, which is not in every user's PATH; None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                continue
            return port


def accepts(host, port):
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def free_host():
    """An address of loopback whose port 53 is free: the C library's resolver knows no other. Needs root."""
    while True:
        host = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.53"
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((host, 53))
            return host


class Server:
    """A child process that answers on loopback."""

    def __init__(self, folder, host="127.0.0.1", port=None):
        self.folder = folder
        self.host = host
        self.port = port or free_port()
        self.process = None

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def start(self, *command):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.is_up, f"{command[0]} answers")

    def is_up(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return accepts(self.host, self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Nsd(Server):
    """An authoritative server. zones: {"example.com": lines of a zone file}; a SOA is put before them."""

    CONFIGURATION = """\
server:
  ip-address: {host}@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  pidfile: "{folder}/nsd.pid"
  database: ""
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""

    def __init__(self, folder, zones, *place):
        super().__init__(folder, *place)
        text = self.CONFIGURATION.format(host=self.host, port=self.port, folder=folder)
        for name, lines in zones.items():
            origin = name or "."
            (folder / f"{origin}.zone").write_text(f"$ORIGIN {origin.rstrip('.')}.\n$TTL 300\n{SOA}{lines}\n")
            text += f'zone:\n  name: "{origin}"\n  zonefile: "{origin}.zone"\n'
        (folder / "nsd.conf").write_text(text)
        self.start(program("nsd"), "-d", "-c", folder / "nsd.conf")


class Unbound(Server):
    """A resolver whose root is at an address, and some zones at others; it logs its queries."""

    CONFIGURATION = """\
server:
  interface: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  log-queries: yes
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  qname-minimisation: no
  local-zone: "2.0.192.in-addr.arpa." nodefault
  local-zone: "100.51.198.in-addr.arpa." nodefault
remote-control:
  control-enable: no
"""

    def __init__(self, folder, stubs, anchor=None):
        """stubs: {zone: address of its server}. anchor: a DS of the root; then answers are validated."""
        super().__init__(folder)
        text = self.CONFIGURATION.format(port=self.port, folder=folder)
        if anchor:
            text = text.replace('module-config: "iterator"', f'module-config: "validator iterator"\n  trust-anchor: "{anchor}"')
        for name, address in stubs.items():
            text += f'stub-zone:\n  name: "{name}"\n  stub-addr: {address.replace(":", "@")}\n'
        (folder / "unbound.conf").write_text(text)
        self.start(program("unbound"), "-d", "-c", folder / "unbound.conf")

    def asked(self):
        """Its queries, in order: ("_dmarc.example.com", "TXT")."""
        lines = (self.folder / "log").read_text().splitlines()
        words = [line.split("info: ", 1)[1].split() for line in lines if "info: 127.0.0.1 " in line]
        return [(word[1].rstrip("."), word[2]) for word in words]
