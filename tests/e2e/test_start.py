"""What ruad serve refuses to start with, and when it says that it is ready."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from conftest import BUILD, ROOT, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import IS_ROOT, USER, as_user, clean_environment


REFUSED = {
    "lmtp_listen": ("", "lmtp.listen: empty"),
    "http_listen": ("", "http.listen: empty"),
    "lmtp_recipients": ("", "lmtp.recipients: empty: every report would be rejected"),
}
WRONG = [
    ("lmtp_listen", "localhost:2424", 'lmtp.listen: address "localhost:2424": not an IP address'),
    ("http_listen", "127.0.0.1", 'http.listen: address "127.0.0.1": neither ADDRESS:PORT nor unix:/path'),
    ("lmtp_recipients", '"dmarc@example.com"', "lmtp.recipients: write dmarc@example.com without quotes"),
    ("lmtp_recipients", "<dmarc@example.com>", "write the address alone, such as dmarc@example.com"),
    ("lmtp_recipients", "mailto:dmarc@example.com", "write the address without mailto:"),
    ("lmtp_recipients", "dmarc", 'lmtp.recipients: "dmarc": not a mailbox: write NAME@DOMAIN, or NAME@*'),
    ("lmtp_recipients", "@example.com", "not a mailbox: write NAME@DOMAIN"),
    ("server_domains", "*", 'server.domains: "*": not a domain: write example.com, or *.example.com'),
    ("server_domains", "example.com mail.*.example.net", '"mail.*.example.net": not a domain'),
    ("server_domains", "dmarc@example.com", '"dmarc@example.com": not a domain'),
    ("lmtp_recipients", "dmarc@one@two", "not a mailbox: write NAME@DOMAIN"),
]


@pytest.mark.parametrize("key", REFUSED)
def test_an_empty_list_without_which_a_part_does_nothing_is_refused(supervised, key):
    supervised.settings[key], words = REFUSED[key]
    code, _, errors = supervised.command("serve")
    assert code == 78
    assert words in errors


@pytest.mark.parametrize("key, value, words", WRONG)
def test_serve_and_config_refuse_the_same_settings_in_the_same_words(supervised, key, value, words):
    supervised.settings[key] = value
    for command in "serve", "config":
        code, _, errors = supervised.command(command)
        assert code == 78, command
        assert words in errors


def test_a_resolver_that_is_no_address_is_refused(supervised):
    supervised.settings |= {"enrich_enabled": "on", "enrich_resolver": "dns.example.com"}
    for command in "serve", "config":
        code, _, errors = supervised.command(command)
        assert code == 78, command
        assert "enrich.resolver: " in errors


@pytest.mark.parametrize("state", ["missing", "secret"])
def test_a_file_of_passwords_that_cannot_be_read_is_refused(supervised, state):
    if state == "secret" and not IS_ROOT:
        pytest.skip("needs root, to be several users")
    path = supervised.folder / "htpasswd"
    if state == "secret":
        path.write_text("ann:$2y$05$x\n")
        path.chmod(0o600)
    supervised.settings |= {"http_auth": "basic", "http_htpasswd": path}
    for command in "serve", "config":
        code, _, errors = supervised.command(command)
        assert code == 78, command
        assert f'http.htpasswd: cannot read "{path}": ' in errors


def test_files_that_ruad_can_do_without_are_a_warning(supervised):
    supervised.settings |= {"enrich_enabled": "on", "enrich_mmdb": "/nonexistent/asn.mmdb"}
    environment = clean_environment(RUAD_LMPT_LISTEN="127.0.0.1:24")
    code, said, errors = supervised.command("config", env=environment)
    assert code == 0
    assert "[lmtp]" in said
    assert 'config: warning: enrich.mmdb: cannot read "/nonexistent/asn.mmdb": No such file or directory\n' in errors
    assert "config: warning: the variable RUAD_LMPT_LISTEN is not a setting" in errors


def test_a_socket_of_systemd_with_an_unknown_name_is_refused(supervised):
    wrapper = "import os,sys; os.dup2(int(sys.argv[1]), 3); "
    wrapper += "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='ruad-lmtp.socket'); "
    wrapper += "os.execv(sys.argv[2], sys.argv[2:])"
    with socket.create_server(("127.0.0.1", 0)) as server:
        high = os.dup2(server.fileno(), 60)
        supervised.start(before=[sys.executable, "-c", wrapper, str(high)], pass_fds=[high])
        os.close(high)
        assert supervised.process.wait(30) == 78
    assert 'systemd passed "ruad-lmtp.socket", which is not a socket of ruad' in supervised.log()
    assert "FileDescriptorName= into the socket unit: lmtp, http, http-health" in supervised.log()


def replaced(folder, program, script):
    """The programs of ruad in a folder of their own, one of them replaced by a shell script."""
    copy = folder / "libexec"
    shutil.copytree(BUILD / "libexec" / "ruad", copy)
    (copy / program).write_text("#!/bin/sh\n" + script)
    (copy / program).chmod(0o755)
    return clean_environment(RUAD_LIBEXEC=str(copy))


@pytest.mark.parametrize("program", ["ruad-ingest", "ruad-web"])
def test_a_program_that_ends_at_once_is_never_called_ready(supervised, program):
    supervised.start(env=replaced(supervised.folder, program, "exit 1\n"))
    assert supervised.process.wait(60) == 1
    assert f"{program} does not start: giving up" in supervised.log()
    assert "ruad: ready" not in supervised.log()


def test_a_program_that_hangs_is_not_called_ready(supervised):
    path = supervised.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        environment = replaced(supervised.folder, "ruad-web", "exec sleep 600\n")
        supervised.start(env={**environment, "NOTIFY_SOCKET": str(path)})
        wait_until(lambda: supervised.child("ruad-ingest"), "it starts the services", 60)
        listener.settimeout(3)
        with pytest.raises(TimeoutError):
            listener.recv(1000)
        code, _, errors = supervised.command("health")
        assert code == 1
        assert "no answer: the server accepts the connection but says nothing in time" in errors
        assert f"the page at 127.0.0.1:{supervised.http_port}" in errors
        assert supervised.stop() == 0


def test_while_an_import_holds_the_cluster_serve_says_to_try_again(supervised):
    reader, writer = os.pipe()
    words = [supervised.ruad, "import", "-", *supervised.options()]
    with subprocess.Popen(words, env=clean_environment(), stdin=reader, stdout=subprocess.DEVNULL) as holding:
        os.close(reader)
        wait_until(lambda: (supervised.state / "lock").exists() and (supervised.state / "lock").read_text(), "it holds the lock", 60)
        code, _, errors = supervised.command("serve")
        os.write(writer, mail(gzipped(aggregate(report_id="r-1", records=[record(count=1)]))))
        os.close(writer)
        assert holding.wait(60) == 0
    assert code == 75
    assert f"another ruad (process {holding.pid}) runs on" in errors
    supervised.started()
    assert supervised.query("SELECT report_id FROM dmarc.reports") == [("r-1",)]
