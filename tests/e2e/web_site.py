"""ruad-web on separate sockets, and a client that checks every byte of its responses."""

import base64
import contextlib
import gzip
import http.client
import json
import os
import socket
import subprocess
import urllib.parse

import contract
from conftest import PROGRAMS, wait_until

GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
]


TITLES = {413: "Content Too Large", 414: "URI Too Long"}  # RFC 9110; older Pythons have those of RFC 7231
DOWNLOAD_POLICY = "sandbox"


def basic(user, password):
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Answer:
    """A response, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def __getitem__(self, header):
        return self.headers[header]

    def json(self):
        return json.loads(self.body)

    def document(self):
        """The JSON, decompressed if necessary."""
        return json.loads(gzip.decompress(self.body) if self["Content-Encoding"] == "gzip" else self.body)

    def problem(self):
        """Checks the format of the document (RFC 9457) and returns {name: reason} of its invalid_params."""
        document = self.json()
        assert self["Content-Type"] == "application/problem+json"
        assert document["type"] == "about:blank"
        assert document["title"] == TITLES.get(self.status, http.client.responses[self.status])
        assert document["status"] == self.status
        assert document["detail"]
        return {item["name"]: item["reason"] for item in document.get("invalid_params", [])}


class WebSite:
    """ruad-web with listening sockets that stay open when it ends, as under a supervisor."""

    def __init__(self, folder, conninfo, storage=None, min_free=0, **settings):
        self.folder = folder
        self.storage = [f"--storage={storage}", f"--min-free={min_free}"] if storage else []
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.path = folder / "http.sock"
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.path))
        self.unix.listen(16)
        self.health = socket.create_server(("127.0.0.1", 0))
        self.health_port = self.health.getsockname()[1]
        self.environment = {**os.environ, "RUAD_CONFIG": "", "RUAD_DATABASE_URL": conninfo}
        for key, value in {"http_threads": 4, **settings}.items():
            self.environment["RUAD_" + key.upper()] = str(value)
        secret = settings.get("http_proxy_secret")
        self.headers = {"X-Ruad-Proxy-Secret": secret} if secret else {}  # of ask()
        self.process = None

    def start(self):
        fds = [self.tcp.fileno(), self.unix.fileno()]
        health = self.health.fileno()
        with open(self.folder / "web.log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "ruad-web", *(f"--listen-fd={fd}" for fd in fds), f"--health-fd={health}", *self.storage],
                env=self.environment,
                pass_fds=[*fds, health],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def log(self):
        return (self.folder / "web.log").read_text()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(30)

    def close(self):
        """Also fails the test if the exit status is not 0: that is how a sanitizer reports."""
        status = 0
        if self.process and self.process.poll() is None:
            status = self.stop()
        self.tcp.close()
        self.unix.close()
        self.health.close()
        print(self.log())  # shown where a test fails
        assert status == 0

    def ask(self, target, method="GET", body=None, port=None, **headers):
        """An Answer; checks the headers that every response must have, and the contract of the API."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)) as client:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, target, body, {**self.headers, **headers})
            answer = Answer(client.getresponse())
        check_guards(answer)
        contract.check(method, urllib.parse.urlsplit(target).path, answer)
        return answer

    def put_label(self, key, label, note=None, **headers):
        """PUT a label like the page."""
        return self.put(f"sources/{urllib.parse.quote(key, safe=':')}/label", label, note, **headers)

    def put_labels(self, keys, label, note=None, **headers):
        """The same of many sources."""
        return self.put("labels?" + urllib.parse.urlencode([("source", key) for key in keys]), label, note, **headers)

    def put(self, resource, label, note, **headers):
        body = json.dumps({"label": label, "note": note})
        headers = {"Content_Type": "application/json", "Sec_Fetch_Site": "same-origin", **headers}
        return self.ask(f"/api/v1/{resource}", "PUT", body, **headers)

    def get(self, resource, **parameters):
        """GET api/v1/resource; a parameter that is a list is repeated, and "from" is written from_."""
        pairs = [
            (name.rstrip("_"), value)
            for name, values in parameters.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        query = "?" + urllib.parse.urlencode(pairs) if pairs else ""
        return self.ask(f"/api/v1/{resource}{query}")

    def raw(self, request, unix=False, end=True):
        """All bytes of the response to these bytes; end: close our side. The server may abort the connection."""
        family, address = (socket.AF_UNIX, str(self.path)) if unix else (socket.AF_INET, ("127.0.0.1", self.port))
        got = b""
        with socket.socket(family) as client:
            client.settimeout(30)
            client.connect(address)
            try:
                client.sendall(request)
                if end:
                    client.shutdown(socket.SHUT_WR)
                while piece := client.recv(65536):
                    got += piece
            except TimeoutError:
                raise
            except OSError:  # reset
                pass
        return got

    def wait_ready(self, status=200):
        wait_until(lambda: self.ask("/readyz").status == status, f"/readyz says {status}")


def check_guards(answer):
    for name, value in GUARDS.items():
        assert answer.headers.get_all(name) == [value], name
    (policy,) = answer.headers.get_all("Content-Security-Policy")
    if answer["Content-Type"] == "application/xml":
        assert policy == DOWNLOAD_POLICY
    else:
        for directive in POLICY:
            assert directive in policy.split("; "), directive
    assert "unsafe" not in policy
    assert len(answer.headers.get_all("Cache-Control")) == 1
