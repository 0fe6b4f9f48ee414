"""The server around the protocol: limits, time-outs, shutdown, input in any pieces."""

import concurrent.futures
import contextlib
import re
import signal
import smtplib
import socket
import threading
import time

import pytest

import reports
from conftest import RECIPIENT, STORED, wait_until

START = b"LHLO client\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % RECIPIENT.encode()


def stuffed(mail):
    """A mail in the format of the wire."""
    return (b"\r\n" + mail.rstrip(b"\r\n")).replace(b"\r\n.", b"\r\n..")[2:] + b"\r\n.\r\n"


@contextlib.contextmanager
def raw_connection(ingest, unix=False):
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as client:
        client.connect(str(ingest.path) if unix else ("127.0.0.1", ingest.port))
        client.settimeout(30)
        yield client


def receive_all(client):
    """All bytes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received.decode()


def receive_line(client):
    received = b""
    while not received.endswith(b"\n"):
        received += client.recv(1)
    return received.decode()


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_assertion_64_everything_in_one_burst_is_answered_in_order(ingest, database, unix):
    """Like Postfix: QUIT is sent together with the dot."""
    with raw_connection(ingest, unix) as client:
        client.sendall(START + stuffed(reports.report_mail(1)) + b"QUIT\r\n")
        lines = receive_all(client).splitlines()
    assert [line[:3] for line in lines if line[3] == " "] == ["220", "250", "250", "250", "354", "250", "221"]
    assert database.reports() == ["report-1"]


def test_assertion_68_byte_by_byte_gives_the_same(ingest, database):
    mail = reports.mail(reports.zipped(reports.aggregate()))
    with raw_connection(ingest) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in START + stuffed(mail) + b"QUIT\r\n":
            client.send(bytes([byte]))
        lines = receive_all(client).splitlines()
    assert [line[:3] for line in lines if line[3] == " "] == ["220", "250", "250", "250", "354", "250", "221"]
    assert database.reports() == ["1"]


def test_assertion_65_too_big_for_the_setting(start_ingest, database):
    ingest = start_ingest(database, lmtp_max_message_size=2048)
    with contextlib.closing(ingest.connect()) as client:
        assert client.esmtp_features["size"] == "2048"
        assert client.mail("a@b.example", ["SIZE=2049"])[0] == 552
        client.mail("a@b.example")
        client.rcpt(RECIPIENT)
        assert client.data(b"x" * 5000) == (552, b"5.3.4 mail too big")
        client.mail("a@b.example")
        client.rcpt(RECIPIENT)
        assert client.data(reports.report_mail(1)) == (250, b"2.0.0 stored as mail 1")
    assert database.reports() == ["report-1"]


def test_connections_over_the_cap_are_421_and_then_there_is_room_again(start_ingest, database):
    ingest = start_ingest(database, lmtp_max_connections=2)
    with raw_connection(ingest) as one, raw_connection(ingest) as two:
        assert receive_line(one).startswith("220 ") and receive_line(two).startswith("220 ")
        with raw_connection(ingest) as three:
            assert receive_all(three).startswith("421 4.3.2 ")

    def room():
        with raw_connection(ingest) as client:
            return receive_line(client).startswith("220 ")

    wait_until(room, "a free connection")


def test_a_silent_client_is_told_421_and_cut(start_ingest, database):
    ingest = start_ingest(database, lmtp_timeout=1)
    began = time.monotonic()
    with raw_connection(ingest) as idle, raw_connection(ingest) as in_data:
        in_data.sendall(START + b"half a mail")
        assert receive_all(idle).splitlines()[1].startswith("421 4.4.2 ")
        assert receive_all(in_data).splitlines()[-1].startswith("421 4.4.2 ")
    assert 0.9 < time.monotonic() - began < 10
    assert database.value("SELECT count(*) FROM dmarc.intake") == 0


def test_a_client_that_leaves_in_the_middle_leaves_nothing(ingest, database):
    with raw_connection(ingest) as client:
        client.sendall(START + stuffed(reports.report_mail(1))[:-3])
    assert ingest.deliver(reports.report_mail(2))[0][0] == 250
    assert database.reports() == ["report-2"]


def test_a_client_that_reads_nothing_is_cut(start_ingest, database):
    ingest = start_ingest(database, lmtp_timeout=1, lmtp_max_connections=1)
    with raw_connection(ingest) as client:
        with pytest.raises(OSError):
            for _ in range(2000):
                client.sendall(b"NOOP\r\n" * 10000)

    def room():
        with raw_connection(ingest) as other:
            return receive_line(other).startswith("220 ")

    wait_until(room, "its connection is free")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_ends_idle_sessions_with_421_and_finishes_the_mail_under_way(ingest, database, how):
    with raw_connection(ingest) as idle, raw_connection(ingest) as busy:
        receive_line(idle)
        mail = stuffed(reports.report_mail(1))
        busy.sendall(START + mail[:100])
        wait_until(lambda: b"354" in busy.recv(65536, socket.MSG_PEEK), "354")
        ingest.process.send_signal(how)
        assert receive_all(idle).startswith("421 4.3.2 ")
        busy.sendall(mail[100:])
        lines = receive_all(busy).splitlines()
        assert [line[:9] for line in lines[-2:]] == ["250 2.0.0", "421 4.3.2"]
    assert ingest.process.wait(10) == 0
    assert database.reports() == ["report-1"]


def test_sigterm_waits_for_the_commit(ingest, database):
    with concurrent.futures.ThreadPoolExecutor(1) as client, contextlib.closing(database.connect()) as connection:
        connection.autocommit = False
        connection.cursor().execute("LOCK TABLE ruad.mail IN SHARE MODE")  # who only reads does not wait
        reply = client.submit(ingest.deliver, reports.report_mail(1))
        waits = "SELECT count(*) FROM pg_locks WHERE relation = 'ruad.mail'::regclass AND NOT granted"
        wait_until(lambda: database.value(waits), "the commit waits")
        ingest.process.terminate()
        time.sleep(0.5)
        assert ingest.process.poll() is None
        connection.rollback()
        assert reply.result() == [STORED]
    assert ingest.process.wait(10) == 0
    assert database.reports() == ["report-1"]


def test_the_log_has_one_line_for_a_mail_with_its_ids(ingest):
    mail = reports.with_fields(reports.report_mail(1), "Received: from a by mx.example with LMTP id 4Xyz; Mon, 30 Nov 2026 10:00:00 +0000")
    ingest.deliver(mail, RECIPIENT)
    ingest.deliver(mail, RECIPIENT)
    assert ingest.stop() == 0
    lines = [line.split(": ", 1)[1] for line in ingest.log().splitlines() if ": mail " in line or "session with" in line]
    said = [re.sub(r"(from ).*?(: \d)", r"\1X\2", line) for line in lines]
    ids = 'queue id "4Xyz", Message-ID "1@reporter.example"'
    assert said == [f"mail 1 from X: 1 stored, {ids}", f"mail 2 from X: 0 stored, 1 duplicate, {ids}"]


def test_slow_clients_do_not_keep_others_out(start_ingest, database):
    """A hundred of one address fill all connections again and again, with commands, content and nothing at all."""
    ingest = start_ingest(database, lmtp_max_connections=20)
    stop = threading.Event()

    def be_slow(number):
        said = (b"", b"LHLO me\r\n", START + b"a")[number % 3]
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", ingest.port), 20, source_address=("127.0.0.2", 0)) as client:
                client.sendall(said)
                while not stop.wait(0.2):
                    client.sendall(b"N" if number % 3 < 2 else b"a\r\n")

    slow = [threading.Thread(target=be_slow, args=(number,)) for number in range(100)]
    for thread in slow:
        thread.start()
    time.sleep(2)
    answered = 0
    for number in range(20):
        with contextlib.suppress(OSError, smtplib.SMTPException):
            answered += ingest.deliver(reports.report_mail(number))[0][0] == 250
    stop.set()
    for thread in slow:
        thread.join()
    assert answered >= 18
    assert database.value("SELECT count(*) FROM dmarc.reports") == answered


def test_large_mails_share_a_bounded_memory(start_ingest, database):
    ingest = start_ingest(database, lmtp_max_memory="16M")
    noise = b"a" * 70 + b"\r\n"
    clients = []
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(raw_connection(ingest))
            client.sendall(START + noise * (6 * 2**20 // len(noise)))  # takes 8 MiB
            clients.append(client)
            time.sleep(1)
        assert ingest.deliver(reports.report_mail(1))[0][0] == 250  # a small one needs nothing of it
        replies = []
        for client in clients:
            client.sendall(b".\r\nQUIT\r\n")
            replies.append(receive_all(client).splitlines()[-2])
    assert sorted(reply[:9] for reply in replies) == ["250 2.0.0", "250 2.0.0", "452 4.3.1", "452 4.3.1"]
