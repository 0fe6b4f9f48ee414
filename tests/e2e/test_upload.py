"""POST api/v1/reports: mails and report files take the path of mail, and the answer says what became of each."""

import contextlib
import http.client
import json
import socket
import time

import contract
import pytest
from conftest import wait_until
from reports import aggregate, gzipped, mail, plain, record, zipped
from supervised import Supervised
from test_import_others import parsedmarc_record, parsedmarc_report

SECRET = "a shared word"
LIMIT = 1 << 20
PATH = "/api/v1/reports"
OPERATION = {f"{method} {path}": operation for method, path, operation in contract.operations()}[f"POST {PATH}"]


def xml(number, **more):
    return aggregate(report_id=f"r-{number}", records=more.pop("records", [record()]), **more)


class Site(Supervised):
    """ruad serve behind a proxy that names the user."""

    def ask(self, body, user="eddy", path=PATH, method="POST", timeout=60, **headers):
        """(status, headers, body) of an upload."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        sent = {"X-Ruad-Proxy-Secret": SECRET, "X-Remote-User": user, "Content-Type": "application/octet-stream"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def upload(self, body, **more):
        """What became of each file."""
        status, headers, answer = self.ask(body, **more)
        assert status == 200, answer
        assert headers["Connection"] == "close"
        document = json.loads(answer)
        contract.check_schema(document, contract.schema_of(OPERATION, 200, "application/json"))
        return document["files"]

    def refused(self, body, **more):
        """The status and the sentence of a problem."""
        status, headers, answer = self.ask(body, **more)
        assert headers["Content-Type"] == "application/problem+json", answer
        return status, json.loads(answer)["detail"]

    def reports(self):
        return [row[0] for row in self.query("SELECT report_id FROM dmarc.reports ORDER BY 1")]


@pytest.fixture(name="site", scope="module")
def fixture_site(module_folder):
    site = Site(
        module_folder, http_auth="proxy", http_proxy_secret=SECRET, http_editors="eddy", http_timeout="3",
        lmtp_max_message_size=str(LIMIT))
    site.settings["lmtp_listen"] = f"unix:{module_folder}/lmtp.sock"
    site.started()
    yield site
    site.close()


KINDS = {
    "mail": ("message/rfc822", lambda: mail(gzipped(xml("mail")))),
    "xml": ("application/xml", lambda: xml("xml")),
    "gzip": ("application/gzip", lambda: gzipped(xml("gzip"))[2]),
    "zip": ("application/zip", lambda: zipped(xml("zip"))[2]),
    "bytes": ("application/octet-stream", lambda: gzipped(xml("bytes"))[2]),
    "none": (None, lambda: xml("none")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_is_told_by_its_bytes_and_stored(site, kind):
    content_type, make = KINDS[kind]
    (file,) = site.upload(make(), Content_Type=content_type)
    assert (file["outcome"], file["code"], file["name"]) == ("stored", None, None)
    assert file["reply"] == f"250 2.0.0 stored as mail {file['mail']}"
    ((report,),) = site.query(f"SELECT report_id FROM dmarc.reports WHERE id = {file['items'][0]['report']}")
    assert report == f"r-{kind}"
    assert site.query(f"SELECT source FROM dmarc.intake WHERE mail = {file['mail']}") == [("lmtp",)]


def test_the_copy_of_another_program_is_stored(site):
    (file,) = site.upload(json.dumps(parsedmarc_report("copy", [parsedmarc_record("192.0.2.1", 7)])).encode())
    assert file["outcome"] == "stored"
    assert site.query(f"SELECT n.raw FROM dmarc.notes n JOIN dmarc.reports r ON r.id = n.report WHERE n.code = 'K1' AND r.mail = {file['mail']}") == [("parsedmarc",)]


def test_the_same_again_is_a_duplicate_and_a_contradiction_a_conflict(site):
    outcomes = [site.upload(xml("again", records=[record(count=n)]))[0]["outcome"] for n in (1, 1, 2)]
    assert outcomes == ["stored", "duplicate", "conflict"]


def test_what_cannot_be_read_is_quarantined_with_its_reason(site):
    (file,) = site.upload(gzipped(xml("cut"))[2][:-20], path=PATH + "?name=cut.xml.gz")
    assert (file["outcome"], file["code"], file["name"]) == ("quarantined", "archive", "cut.xml.gz")
    assert file["reason"]
    (file,) = site.upload(b"hello")
    assert (file["outcome"], file["code"]) == ("quarantined", "no-report")


def test_the_name_of_a_file_is_kept(site):
    (file,) = site.upload(xml("named"), path=PATH + "?name=r%21example.com%211%212.xml")
    ((notes,),) = site.query(f"SELECT notes FROM dmarc.reports WHERE mail = {file['mail']}")
    assert "M2" in [note["code"] for note in notes]


def parsedmarc_list(name, count):
    return [parsedmarc_report(f"{name}-{n}", [parsedmarc_record("192.0.2.1", 7)]) for n in range(count)]


LISTS = {
    "a list": lambda reports: json.dumps(reports, indent=1).encode(),
    "a list with a name": lambda reports: json.dumps({"aggregate_reports": reports, "forensic_reports": []}).encode(),
    "a list on one line": lambda reports: b" \n" + json.dumps(reports).encode(),
}


@pytest.mark.parametrize("kind", LISTS)
def test_each_report_of_a_list_is_stored_as_by_import(site, kind):
    name = kind.replace(" ", "-")
    files = site.upload(LISTS[kind](parsedmarc_list(name, 3)), path=PATH + "?name=all.json", Content_Type="application/json")
    assert [(file["name"], file["outcome"], len(file["items"])) for file in files] == 3 * [("all.json", "stored", 1)]
    assert len({file["mail"] for file in files}) == 3
    assert {f"p-{name}-{n}" for n in range(3)} <= set(site.reports())


def test_a_report_of_a_list_that_cannot_be_read_costs_only_itself(site):
    first, last = parsedmarc_list("beside", 2)
    files = site.upload(json.dumps([first, {"junk": "}{"}, last]).encode())
    assert [file["outcome"] for file in files] == ["stored", "quarantined", "stored"]
    files = site.upload(json.dumps(parsedmarc_list("cut", 2)).encode()[:-40])
    assert [file["outcome"] for file in files] == ["stored", "quarantined"]
    (file,) = site.upload(b"[]")
    assert (file["outcome"], file["reply"]) == ("refused", "the list has no report")


def test_a_list_beside_other_files(site):
    files = site.upload(**form(("l.json", json.dumps(parsedmarc_list("form", 2)).encode()), ("x.xml", xml("beside-a-list")), ("k.json", b"[ {}\n]")))
    assert [(file["name"], file["outcome"]) for file in files] == [("l.json", "stored"), ("l.json", "stored"), ("x.xml", "stored"), ("k.json", "quarantined")]


def test_a_list_may_have_1000_reports(site):
    files = site.upload(b"[" + b",".join(1002 * [b"{}"]) + b"]", timeout=300)
    assert len(files) == 1001
    assert {file["outcome"] for file in files[:1000]} <= {"quarantined", "duplicate"}
    assert (files[1000]["outcome"], files[1000]["reply"]) == ("refused", "the list has more than 1000 reports; ruad import takes any number")


def form(*files, boundary="----b"):
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in files
    ]
    return {"body": b"".join(parts) + f"--{boundary}--\r\n".encode(), "Content_Type": f"multipart/form-data; boundary={boundary}"}


def test_a_form_has_several_files_and_the_answer_each_of_them(site):
    files = site.upload(**form(
        ("a.xml", xml("form-a")), ("b.eml", mail(gzipped(xml("form-b")))), ("c.txt", b"x"), ("a again", xml("form-a"))))
    assert [(file["name"], file["outcome"]) for file in files] == [
        ("a.xml", "stored"), ("b.eml", "stored"), ("c.txt", "quarantined"), ("a again", "duplicate")]
    assert len({file["mail"] for file in files}) == 4


def test_any_name_of_a_file_can_be_shown(site):
    form_of = form(("NAME", xml("latin-1")))
    form_of["body"] = form_of["body"].replace(b"NAME", b"m\xe4rz\x1b.xml")
    assert [file["name"] for file in site.upload(**form_of)] == ["m\ufffdrz.xml"]


def test_a_large_file_is_passed_on_piece_by_piece(site):
    records = [record(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}") for n in range(1500)]
    content = xml("large", records=records)
    assert 300_000 < len(content) < LIMIT * 0.7
    assert site.upload(content)[0]["outcome"] == "stored"


@pytest.mark.parametrize("body", [b"x" * (LIMIT + 1), b"x" * (LIMIT * 9 // 10)], ids=["body", "encoded"])
def test_a_body_beyond_the_limit_is_413(site, body):
    try:
        status, detail = site.refused(body)
    except (BrokenPipeError, ConnectionResetError):  # it was refused before all was sent
        assert len(body) > LIMIT
        return
    assert status == 413 and "lmtp.max_message_size" in detail


def test_of_several_files_only_the_large_one_is_refused(site):
    files = site.upload(**form(("a", xml("small-a")), ("b", b"x" * (LIMIT * 9 // 10)), ("c", xml("small-c"))))
    assert [file["outcome"] for file in files] == ["stored", "refused", "stored"]
    assert files[1]["reply"].startswith("552 ") and files[1]["mail"] is None


REFUSED = {
    "no type": (415, {"Content_Type": "text/plain"}),
    "form without a boundary": (400, {"Content_Type": "multipart/form-data"}),
    "no form": (400, {"Content_Type": "multipart/form-data; boundary=b"}),
    "no body": (400, {"body": b""}),
    "another site": (403, {"Origin": "https://evil.example"}),
    "another site by its name": (403, {"Sec_Fetch_Site": "cross-site"}),
    "a viewer": (403, {"user": "vera"}),
    "unknown parameter": (400, {"path": PATH + "?nmae=x"}),
    "two lengths": (411, {"Transfer_Encoding": "chunked"}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_request_that_must_not_or_cannot_upload_stores_nothing(site, why):
    status, more = REFUSED[why]
    before = site.query("SELECT count(*) FROM dmarc.mails")
    assert site.refused(**{"body": xml("refused"), **more})[0] == status
    assert site.query("SELECT count(*) FROM dmarc.mails") == before


def test_who_may_not_is_refused_before_the_body_is_read(site):
    """The client sends the header only: who waits for the body would never answer."""
    with socket.create_connection(("127.0.0.1", site.http_port), 20) as client:
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Ruad-Proxy-Secret: {SECRET}\r\nX-Remote-User: vera\r\n"
            "Content-Type: application/xml\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_a_client_that_waits_is_told_to_continue(site):
    content = xml("continue")
    with socket.create_connection(("127.0.0.1", site.http_port), 20) as client:
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Ruad-Proxy-Secret: {SECRET}\r\nX-Remote-User: eddy\r\n"
            f"Content-Type: application/xml\r\nContent-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        for at in range(0, len(content), 100):
            client.sendall(content[at : at + 100])
            time.sleep(0.005)
        assert b" 200 OK" in client.recv(65536).split(b"\r\n")[0]
    assert "r-continue" in site.reports()


def test_a_client_that_goes_away_stores_nothing_and_costs_no_thread(site):
    before = site.query("SELECT count(*) FROM dmarc.mails")
    for _ in range(6):
        with socket.create_connection(("127.0.0.1", site.http_port), 20) as client:
            client.sendall(
                f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Ruad-Proxy-Secret: {SECRET}\r\nX-Remote-User: eddy\r\n"
                f"Content-Type: application/xml\r\nContent-Length: 100000\r\n\r\n".encode() + b"<feedback>" * 1000)
    assert site.upload(xml("after"))[0]["outcome"] == "stored"
    assert site.query("SELECT count(*) FROM dmarc.mails") == [(before[0][0] + 1,)]


def test_silent_uploads_delay_no_page_and_end(site):
    clients = []
    for _ in range(4):
        client = socket.create_connection(("127.0.0.1", site.http_port), 20)
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Ruad-Proxy-Secret: {SECRET}\r\nX-Remote-User: eddy\r\n"
            "Content-Type: application/xml\r\nContent-Length: 100000\r\n\r\nx".encode())
        clients.append(client)
    begun = time.monotonic()
    assert site.ask(None, method="GET", path="/api/v1/meta", Content_Type=None)[0] == 200
    assert time.monotonic() - begun < 2
    wait_until(lambda: site.ask(xml("waited"))[0] == 200, "uploads are possible again", 40)
    for client in clients:
        client.close()


def test_a_token_needs_the_right_to_write(site):
    tokens = {}
    for name, words in {"reader": [], "writer": ["--write"]}.items():
        code, out, _ = site.command("token", "add", name, "--user=eddy", *words)
        assert code == 0
        tokens[name] = out.split()[-1]
    status, detail = site.refused(xml("token"), user=None, X_Ruad_Proxy_Secret=None, Authorization=f"Bearer {tokens['reader']}")
    assert (status, detail) == (403, "this token may only read")
    (file,) = site.upload(xml("token"), user=None, X_Ruad_Proxy_Secret=None, Authorization=f"Bearer {tokens['writer']}")
    assert file["outcome"] == "stored"
    assert site.query("SELECT user_name, via, token, detail FROM dmarc.audit_log WHERE action = 'upload' ORDER BY id DESC LIMIT 1") == [
        ("eddy", "token", "writer", {"mails": [int(file["mail"])]})]


def test_an_editor_of_some_domains_cannot_upload(site):
    assert site.command("user", "add", "mia", "--role=editor", "--domains=example.org")[0] == 0
    assert site.refused(xml("limited"), user="mia") == (403, "this is for users who see all domains")


def test_while_ruad_takes_no_mail_it_is_503_with_retry_after(folder):
    path = folder / "lmtp.sock"
    site = Site(folder, http_auth="proxy", http_proxy_secret=SECRET, http_editors="eddy")
    site.settings["lmtp_listen"] = f"unix:{path}"
    try:
        site.started()
        path.rename(folder / "away")
        for more in ({"body": xml("later")}, form(("a", xml("later-a")), ("b", xml("later-b")))):
            status, headers, answer = site.ask(**more)
            assert (status, headers["Retry-After"]) == (503, "30"), answer
        (folder / "away").rename(path)
        assert site.upload(xml("later"))[0]["outcome"] == "stored"
    finally:
        site.close()
