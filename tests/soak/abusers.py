"""abusers.py - clients that take more than their share: each kind makes the threads that work until stop is set."""

import base64
import contextlib
import gzip
import socket
import threading

import reports

ELSEWHERE = ("127.0.0.2", 0)  # another client than the honest one
BEGIN = b"LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@example.com>\r\nDATA\r\n"
ANYTHING = (OSError, EOFError, ValueError)


def threads(count, work, *arguments):
    return [threading.Thread(target=work, args=(*arguments, number)) for number in range(count)]


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 20, source_address=ELSEWHERE)


def repeat(stop, work):
    while not stop.is_set():
        with contextlib.suppress(*ANYTHING):
            work()


def slow_clients(service, stop):
    """A hundred connections with a byte now and then: in commands, in content, and none at all."""

    def work(number):
        def once():
            with connect(service.lmtp_port) as client:
                client.sendall((b"", b"LHLO me\r\n", BEGIN)[number % 3])
                while not stop.wait(0.5):
                    client.sendall(b"N" if number % 3 < 2 else b"a\r\n")

        repeat(stop, once)

    return threads(100, work)


def useless_commands(service, stop):
    """Ten clients that say NOOP as fast as they can."""

    def work(_number):
        def once():
            with connect(service.lmtp_port) as client:
                while not stop.is_set():
                    client.sendall(b"NOOP\r\n" * 100)
                    if not client.recv(65536):
                        return

        repeat(stop, once)

    return threads(10, work)


def large_mails(service, stop):
    """Four clients with reports of 50,000 records, each with an evaluation of its own.

    Only the head of a report is made anew, as a gzip member before that of the records: packing all of it each time would
    take a processor from the service, as a stranger's machine does not.
    """
    rows = [reports.record(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 1) for i in range(50000)]
    head, mark, rest = reports.aggregate(report_id="NAME", records=rows).partition(b"<record>")
    records = gzip.compress(mark + rest)
    frame = reports.mail(("report.xml.gz", "application/gzip", b"CONTENT"))

    def mail(name):
        content = gzip.compress(head.replace(b"NAME", name.encode())) + records
        return frame.replace(base64.b64encode(b"CONTENT"), base64.encodebytes(content).replace(b"\n", b"\r\n").rstrip())

    def work(number):
        sent = 0
        while not stop.is_set():
            sent += 1
            with contextlib.suppress(*ANYTHING):
                service.deliver(mail(f"large-{number}-{sent}"))

    return threads(4, work)


def junk(service, stop):
    """Four clients with mail that cannot be read and has to be kept."""

    def work(number):
        sent = 0
        while not stop.is_set():
            sent += 1
            with contextlib.suppress(*ANYTHING):
                service.deliver(reports.mail(reports.plain(f"{number} {sent} ".encode() * 5000 + b"<")))

    return threads(4, work)


def huge_contents(service, stop):
    """Twenty clients that send 40 MB of content and never end it."""

    def work(_number):
        piece = (b"a" * 70 + b"\r\n") * 1000

        def once():
            with connect(service.lmtp_port) as client:
                client.sendall(BEGIN)
                for _ in range(40 * 2**20 // len(piece)):
                    client.sendall(piece)
                stop.wait()

        repeat(stop, once)

    return threads(20, work)


def page_requests(service, stop):
    """Sixteen clients that ask for a year of sources and do not wait for the answer."""

    def work(_number):
        def once():
            with connect(service.http_port) as client:
                client.sendall(b"GET /api/v1/sources?from=2026-01-01 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                stop.wait(0.05)

        repeat(stop, once)

    return threads(16, work)


def slow_headers(service, stop):
    """Three hundred clients that send a header a byte at a time."""

    def work(_number):
        def once():
            with connect(service.http_port) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: ")
                while not stop.wait(1):
                    client.sendall(b"a")

        repeat(stop, once)

    return threads(300, work)


KINDS = {
    "slow clients": slow_clients,
    "useless commands": useless_commands,
    "large mails": large_mails,
    "junk": junk,
    "huge contents": huge_contents,
    "page requests": page_requests,
    "slow headers": slow_headers,
}
