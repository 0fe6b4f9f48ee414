"""A mail server and a web server on loopback that keep what they receive, and answer as a test tells them to."""

import http.server
import json
import socketserver
import threading


class Received:
    """A mail, or a request with its document."""

    def __init__(self, **members):
        self.__dict__.update(members)


class SmtpHandler(socketserver.StreamRequestHandler):
    def say(self, words):
        self.wfile.write(words.encode() + b"\r\n")
        self.wfile.flush()

    def read_data(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def handle(self):
        sink = self.server.sink
        sender, recipients = None, []
        self.say("220 sink ESMTP")
        for line in self.rfile:
            words = line.decode().rstrip()
            verb = words[:4].upper()
            if verb == "EHLO":
                self.say("250-sink\r\n250 8BITMIME")
            elif verb == "MAIL":
                sender = words.partition("<")[2].partition(">")[0]
                self.say("250 ok")
            elif verb == "RCPT":
                address = words.partition("<")[2].partition(">")[0]
                refused = address in sink.refused
                recipients += [] if refused else [address]
                self.say("550 5.1.1 no such user" if refused else "250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                data = self.read_data()
                if data is None:
                    return
                sink.at_end(Received(sender=sender, recipients=recipients, data=data))
                self.say("250 2.0.0 queued as 4711")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Sink:
    """The mail server. at_end is called with each mail before it is answered 250."""

    def __init__(self, port=0):
        self.mails = []
        self.refused = set()
        self.at_end = self.mails.append
        self.server = Server(("127.0.0.1", port), SmtpHandler)
        self.server.sink = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class HookHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        sink = self.server.sink
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sink.requests.append(Received(method=self.command, path=self.path, headers=self.headers, document=json.loads(body)))
        self.send_response(sink.status)
        self.end_headers()
        self.wfile.write(b"thanks")

    do_PUT = do_POST

    def log_message(self, *_):
        pass


class Hook:
    """The web server; status is its answer."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.server = Server(("127.0.0.1", 0), HookHandler)
        self.server.sink = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
