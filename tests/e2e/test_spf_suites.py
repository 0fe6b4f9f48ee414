"""The public SPF test suites (rfc7208-tests.yml, rfc4408-tests.yml), if RUAD_SPF_SUITES names a folder with them.

They are not part of ruad: get them from https://github.com/sdgathman/pyspf (test/). Each case is a call of ruad check --ip, whose zone
comes from a small DNS server, since no real one has answers that time out.
"""

import json
import os
import pathlib
import socket
import socketserver
import struct
import subprocess
import threading

import pytest
import yaml
from conftest import BUILD
from supervised import clean_environment

FOLDER = os.environ.get("RUAD_SPF_SUITES")
FILES = sorted(pathlib.Path(FOLDER).glob("rfc*-tests.yml")) if FOLDER else []

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NAMES = {number: name for name, number in TYPES.items()}
SERVFAIL, NXDOMAIN, TRUNCATED = 2, 3, 0x0200
DATAGRAM = 1232


def encoded_name(name):
    labels = [label for label in name.encode("latin-1", "replace").split(b".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def encoded_data(kind, value):
    if kind in ("A", "AAAA"):
        return socket.inet_pton(socket.AF_INET if kind == "A" else socket.AF_INET6, value)
    if kind == "MX":
        return struct.pack("!H", value[0]) + encoded_name(value[1])
    if kind in ("PTR", "CNAME"):
        return encoded_name(value)
    strings = [value] if isinstance(value, str) else value
    raw = [string.encode("utf-8", "surrogateescape") for string in strings]
    pieces = [string[i:i + 255] for string in raw for i in range(0, max(len(string), 1), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


class Zone:
    """zonedata of a scenario: {name: [(type, value) or "TIMEOUT"]}."""

    def __init__(self, data):
        self.names = {name.lower().rstrip("."): self.records(records) for name, records in data.items()}

    @staticmethod
    def records(given):
        """An SPF record (type 99) is one of TXT, unless TXT is given."""
        pairs = [one if one == "TIMEOUT" else next(iter(one.items())) for one in given]
        has_txt = any(pair != "TIMEOUT" and pair[0] == "TXT" for pair in pairs)
        renamed = [pair if pair == "TIMEOUT" or pair[0] != "SPF" else ("TXT", pair[1]) for pair in pairs if pair == "TIMEOUT"
                   or pair[0] != "SPF" or not has_txt]
        return [pair for pair in renamed if pair != ("TXT", "NONE")]

    def exists(self, name):
        return any(known == name or known.endswith("." + name) for known in self.names)

    def answer(self, name, kind, depth=0):
        """(rcode, [(owner, type, value)])"""
        records = self.names.get(name.lower(), [])
        found = [pair for pair in records if pair != "TIMEOUT" and pair[0] == kind]
        if any(value == "TIMEOUT" for _, value in found) or (not found and "TIMEOUT" in records):
            return SERVFAIL, []
        alias = [value for pair in records if pair != "TIMEOUT" for one, value in [pair] if one == "CNAME"]
        if alias and not found and depth < 8:
            rcode, more = self.answer(alias[0].rstrip("."), kind, depth + 1)
            return rcode, [(name, "CNAME", alias[0]), *more]
        return (0 if self.exists(name.lower()) else NXDOMAIN), [(name, kind, value) for _, value in found]

    def reply(self, query, limit):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += query[at] + 1
        kind = NAMES.get(struct.unpack("!H", query[at + 1:at + 3])[0])
        rcode, records = self.answer(".".join(labels), kind)
        body = b"".join(
            encoded_name(owner) + struct.pack("!HHIH", TYPES[one], 1, 60, len(data)) + data
            for owner, one, value in records for data in [encoded_data(one, value)])
        question = query[12:at + 5]
        if 12 + len(question) + len(body) > limit:
            return query[:2] + struct.pack("!HHHHH", 0x8180 | TRUNCATED, 1, 0, 0, 0) + question
        return query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(records), 0, 0) + question + body


class Server:
    """Answers for the zone that is set, by UDP and TCP."""

    def __init__(self):
        outer = self
        self.zone = Zone({})

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                query, sock = self.request
                sock.sendto(outer.zone.reply(query, DATAGRAM), self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self):
                while size := self.rfile.read(2):
                    reply = outer.zone.reply(self.rfile.read(struct.unpack("!H", size)[0]), 65535)
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

        self.udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Datagram)
        self.tcp = socketserver.ThreadingTCPServer(self.udp.server_address, Stream, bind_and_activate=False)
        self.tcp.daemon_threads = True
        self.tcp.allow_reuse_address = True
        self.tcp.server_bind()
        self.tcp.server_activate()
        self.address = "127.0.0.1:%d" % self.udp.server_address[1]
        for server in (self.udp, self.tcp):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()


@pytest.fixture(name="server", scope="module")
def fixture_server():
    server = Server()
    yield server
    server.stop()


def result_of(server, case):
    """What ruad says. An invalid domain has no SPF (RFC 7208 section 4.3), and is a wrong command line for ruad."""
    sender = case.get("mailfrom") or ""
    domain = sender.rpartition("@")[2] or case["helo"]
    words = ["--json", "--resolver", server.address, f"--ip={case['host']}", f"--helo={case['helo']}"]
    local, sign, _ = sender.rpartition("@")
    if sign:
        words.append(f"--from={local or 'postmaster'}@{domain}")
    done = subprocess.run([BUILD / "bin" / "ruad", "check", *words, "--", domain], env=clean_environment(), capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode == 2:
        assert "not the name of a domain" in done.stderr, done.stderr
        return "none"
    return json.loads(done.stdout)["result"]


@pytest.mark.skipif(not FILES, reason="RUAD_SPF_SUITES names no folder with rfc*-tests.yml")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_case_of_a_public_suite_has_its_result(server, path):
    wrong, cases = [], 0
    for scenario in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        if not scenario:
            continue
        server.zone = Zone(scenario["zonedata"])
        for name, case in scenario["tests"].items():
            wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
            got = result_of(server, case)
            cases += 1
            if got not in wanted:
                wrong.append(f"{name}: {got}, not {' or '.join(wanted)}")
    assert cases > 150
    assert wrong == []
