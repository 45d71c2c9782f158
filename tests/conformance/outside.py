"""What Auth talks to besides the database: a mail server, an SMS hook, an identity provider. All on loopback.

Each hands what it gets to `handed_over` before it answers Auth, so that whatever that does comes, for Auth, before its
next statement.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MAIL_TEMPLATE = "code={{ .Token }} hash={{ .TokenHash }} link={{ .ConfirmationURL }} to={{ .SendingTo }};"
"""The mail's body; the built-in ones lack the code."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail or text message: the address or number, and what it holds."""

    to: str
    code: str
    token_hash: str = ""


@dataclass(slots=True)
class Outside:
    """`letters` in the order in which they came; `profile` is what the identity provider says of who signs in."""

    handed_over: Callable[[], None]
    letters: list[Letter] = field(default_factory=list)
    profile: dict[str, object] = field(default_factory=dict)
    smtp_port: int = 0
    http_port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, letter: Letter) -> None:
        with self.lock:
            self.letters.append(letter)
            self.handed_over()

    def last(self, to: str) -> Letter:
        """The latest that went to the address."""
        return [letter for letter in self.letters if letter.to == to][-1]


def _letter(recipient: str, raw: bytes) -> Letter:
    body = message_from_bytes(raw, policy=default).get_body()
    assert body is not None
    words = dict(word.partition("=")[::2] for word in body.get_content().split())
    return Letter(recipient, words["code"], words["hash"])


class _Smtp(socketserver.StreamRequestHandler):
    outside: Outside

    def handle(self) -> None:
        self._say("220 localhost")
        recipient = ""
        while line := self.rfile.readline():
            verb = line.decode().strip()
            match verb.upper().split(" ")[0].split(":")[0]:
                case "EHLO" | "HELO":
                    self._say("250 localhost")
                case "RCPT":
                    recipient = verb.partition("<")[2].partition(">")[0]
                    self._say("250 ok")
                case "DATA":
                    self._say("354 go on")
                    raw = b""
                    while (text := self.rfile.readline()) not in (b".\r\n", b""):
                        raw += text.removeprefix(b".")
                    self.outside.take(_letter(recipient, raw))
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


class _Http(BaseHTTPRequestHandler):
    outside: Outside

    def do_GET(self) -> None:
        if self.path == "/template":
            self._answer(MAIL_TEMPLATE.encode(), "text/html")
        else:
            self._answer(json.dumps(self.outside.profile).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if urlsplit(self.path).path == "/sms":
            asked = json.loads(body)
            self.outside.take(Letter(asked["user"]["phone"], asked["sms"]["otp"]))
            self._answer(b"{}")
        else:
            assert parse_qs(body.decode())["grant_type"] == ["authorization_code"]
            self._answer(json.dumps({"access_token": "a", "token_type": "bearer", "expires_in": 60}).encode())

    def _answer(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that http.server gives it
        pass


class _SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def open_outside(handed_over: Callable[[], None]) -> Iterator[Outside]:
    """Serves on free ports of 127.0.0.1 until the block ends."""
    outside = Outside(handed_over)
    smtp = type("Smtp", (_Smtp,), {"outside": outside})
    http = type("Http", (_Http,), {"outside": outside})
    with _SmtpServer(("127.0.0.1", 0), smtp) as mails, ThreadingHTTPServer(("127.0.0.1", 0), http) as pages:
        outside.smtp_port, outside.http_port = mails.server_address[1], pages.server_address[1]
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (mails, pages)]
        for thread in threads:
            thread.start()
        try:
            yield outside
        finally:
            mails.shutdown()
            pages.shutdown()
            for thread in threads:
                thread.join()
