"""Who gets alarms in tests: a web server and a mail server, both real, on threads of the test."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """got: the JSON bodies. status: what it answers."""

    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listening_hook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        hook.url = f"http://127.0.0.1:{server.server_port}/hooks/secret"
        yield hook


@dataclass
class Mailbox:
    """tls: offers STARTTLS with it. refusal: its answer to a mail that it does not take, or ""."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    refusal: str = ""
    got: list[Message] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    was_secret: list[bool] = field(default_factory=list)


@contextmanager
def listening_mailbox(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """As much of RFC 5321 as a client needs."""
    mailbox = Mailbox(tls=tls)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.is_secret = False
            self.say("220 mail.example.com")
            while line := self.rfile.readline():
                if not self.answer(line.decode().strip()):
                    return

        def finish(self) -> None:
            super().finish()
            self.connection.close()  # the one over TLS is not the server's own

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def answer(self, line: str) -> bool:
            match line.partition(" ")[0].upper():
                case "EHLO":
                    offers_tls = mailbox.tls and not self.is_secret
                    self.say(f"250-mail.example.com\r\n250-{'STARTTLS' if offers_tls else 'HELP'}"
                             "\r\n250 AUTH PLAIN")  # fmt: skip
                case "STARTTLS":
                    assert mailbox.tls
                    self.say("220 go ahead")
                    try:
                        self.connection = mailbox.tls.wrap_socket(self.connection, server_side=True)
                    except OSError:
                        return False  # a client that does not trust the certificate
                    self.rfile = self.connection.makefile("rb")
                    self.wfile = self.connection.makefile("wb", buffering=0)
                    self.is_secret = True
                case "AUTH":
                    mailbox.logins.append(line)
                    self.say("235 welcome")
                case "DATA":
                    self.say("354 go on")
                    raw = b""
                    while (data := self.rfile.readline()) != b".\r\n":
                        raw += data
                    if mailbox.refusal:
                        self.say(mailbox.refusal)
                        return True
                    mailbox.got.append(message_from_bytes(raw))
                    mailbox.was_secret.append(self.is_secret)
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    return False
                case _:
                    self.say("250 fine")
            return True

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server, _serving(server):
        mailbox.port = server.server_address[1]
        yield mailbox


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="receiver")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
