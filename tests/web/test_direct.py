"""What the worker answers itself, and that gunicorn would answer the same."""

import json
import os
import re
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from shared.settings import Settings
from tests.calling import message, signed
from tests.conftest import change_settings
from web.app import create_app, create_ops_app
from web.direct import LOGGING_SETTINGS, Direct
from web.worker import Connections, Worker

POST = "POST /webhook/vapi HTTP/1.1"


class Server:
    """A worker of gunicorn's with the whole application, for one client at a time."""

    def __init__(self, application: Flask) -> None:
        config = Config()
        app = SimpleNamespace(wsgi=lambda: application)
        self._worker = Worker(1, os.getpid(), [], app, 30, config, Logger(config))
        self._worker.connections = Connections(max_count=3, max_bytes=10**6)
        self._worker.load_wsgi()

    def leave_all_to_gunicorn(self) -> None:
        self._worker._direct = None

    def close(self) -> None:
        self._worker.tmp.close()

    def answers(self, sent: bytes) -> bytes:
        """Everything that comes back for these bytes, up to the end of the connection."""
        accepted, client = socket.socketpair()
        listener = SimpleNamespace(getsockname=lambda: ("127.0.0.1", 8080))
        with client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            self._worker.handle(listener, accepted, ("127.0.0.1", 1))
            return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.fixture
def application(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["service"].close()


@pytest.fixture
def server(application: Flask) -> Iterator[Server]:
    made = Server(application)
    yield made
    made.close()


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [line, "Host: voice.example.com", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def event(*headers: str, line: str = POST, body: bytes = b"") -> bytes:
    """A signed request. body: an event of Vapi's unless given."""
    body = body or json.dumps(message("conversation-update")).encode()
    return request(line, f"Content-Length: {len(body)}", *proof(body), *headers, body=body)


def in_chunks(body: bytes = b"{}", end: bytes = b"0\r\n\r\n") -> bytes:
    sent = b"%x\r\n%b\r\n%b" % (len(body), body, end)
    return request(POST, "Transfer-Encoding: chunked", *proof(body), body=sent)


def proof(body: bytes) -> list[str]:
    return [f"{name}: {value}" for name, value in signed(body).items()]


def test_gunicorn_builds_no_environment_for_an_event(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    create: Any = wsgi.create

    def noted(req: Any, *args: Any, **options: Any) -> Any:
        built.append(req.path)
        return create(req, *args, **options)

    monkeypatch.setattr(wsgi, "create", noted)
    said = server.answers(event() + request("GET /health/live HTTP/1.1") + in_chunks() + event())
    assert said.count(b"HTTP/1.1 200 OK") == 4
    assert built == ["/health/live"]


LINES = [
    POST, "POST /webhook HTTP/1.1", "POST /webhook?a=b HTTP/1.1", "POST /webhook/ HTTP/1.1",
    "POST //webhook/vapi HTTP/1.1", "POST /webhook%2Fvapi HTTP/1.1", "POST /x/../webhook HTTP/1.1",
    "POST http://evil.example/webhook HTTP/1.1", "POST /webhook HTTP/1.0",
    "POST /webhook HTTP/1.2", "PUT /webhook HTTP/1.1", "GET /webhook HTTP/1.1",
    "HEAD /webhook HTTP/1.1", "OPTIONS /webhook HTTP/1.1", "CONNECT /webhook HTTP/1.1",
]  # fmt: skip
HEADERS = [
    "Connection: close", "Connection: keep-alive", "Connection: close, te", "Expect: 100-continue",
    "X_Signature: ab", "X-Signature: ab", "HTTP_X_SIGNATURE: ab", "Content_Length: 1",
    "Content-Length: 1", "Transfer-Encoding: chunked", "Transfer-Encoding: identity",
    "Request-Method: GET", "REQUEST_METHOD: GET", "wsgi.input: a", "gunicorn.socket: a",
    "Proxy: http://evil.example", "Content-Type: text/plain", "Upgrade: h2c", "X-A: a\r\nX-A: b",
    f"X-A: {'a' * 8_000}", f"X-A: {'a' * 9_000}", "X-A:", "traceparent: \u00ff",
]  # fmt: skip
OTHERS = {
    "no body": request(POST),
    "strangers": request(POST) * 5,
    "a stranger with a body": request(POST, "Content-Length: 2", body=b"{}"),
    "no JSON": event(body=b"{"),
    "no message": event(body=b"[]"),
    "a body that is shorter": event()[:-1],
    "a body that is longer": event() + b"more",
    "a line between two": event() + b"\r\n" + event(),
    "chunks": in_chunks() * 3,
    "a trailer": in_chunks(end=b"0\r\nX-Signature: ab\r\n\r\n"),
    "a trailer that is a length": in_chunks(end=b"0\r\nContent-Length: 1\r\n\r\n"),
    "a broken chunk": in_chunks(end=b"zz\r\n"),
    "a hundred at once": event() * 100,
}
"""What is sent, by names."""


@pytest.mark.parametrize(
    "sent",
    [
        *(pytest.param(event(line=line), id=line) for line in LINES),
        *(pytest.param(event(header), id=header[:30]) for header in HEADERS),
        *(pytest.param(sent, id=name) for name, sent in OTHERS.items()),
    ],
)
def test_gunicorn_would_answer_the_same(server: Server, sent: bytes) -> None:
    """Another request follows: it is answered on the same connection, or on none."""
    sent += event()
    ours = server.answers(sent)
    server.leave_all_to_gunicorn()
    assert without_variable_headers(ours) == without_variable_headers(server.answers(sent))
    assert ours


def without_variable_headers(said: bytes) -> bytes:
    return re.sub(rb"(Date|Server): [^\r]*\r\n", b"", said)


@pytest.mark.parametrize("name", LOGGING_SETTINGS)
def test_gunicorn_answers_what_it_has_to_log_or_count(application: Flask, name: str) -> None:
    config = Config()
    assert Direct.of(application, config)
    values: dict[str, Any] = {"logconfig_dict": {"version": 1}, "max_requests": 1, "syslog": True}
    config.set(name, values.get(name, "127.0.0.1:8125"))
    assert Direct.of(application, config) is None


def test_gunicorn_answers_where_every_connection_closes(application: Flask) -> None:
    config = Config()
    config.set("keepalive", 0)
    assert Direct.of(application, config) is None


def test_gunicorn_answers_where_the_address_is_signed(settings: Settings) -> None:
    application = create_app(change_settings(settings, vapi_hmac_payload_format="{url}.{body}"))
    assert Direct.of(application, Config()) is None
    application.extensions["service"].close()


def test_the_operators_port_has_no_webhook(settings: Settings) -> None:
    application = create_ops_app(settings)
    server = Server(application)
    assert server.answers(event()).startswith(b"HTTP/1.1 421 ")
    assert server.answers(event().replace(b"voice.example.com", b"localhost")).startswith(
        b"HTTP/1.1 404 "
    )
    server.close()
    application.extensions["service"].close()
