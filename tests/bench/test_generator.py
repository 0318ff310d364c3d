"""The load generator, against a real server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from bench.generator import as_request, at_rate, saturate

IN_FLIGHT = 20


class Handler(BaseHTTPRequestHandler):
    """Answers what it gets. A body of three digits is the status."""

    protocol_version = "HTTP/1.1"
    together: ClassVar[threading.Barrier]
    over: ClassVar[threading.Event]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"close":
            self.close_connection = True
            return
        if body == b"together":
            self.together.wait(10)
        if body == b"late":
            self.over.wait(10)
        self.send_response(int(body) if len(body) == 3 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    request_queue_size = 128


@contextmanager
def server() -> Iterator[int]:
    Handler.together, Handler.over = threading.Barrier(IN_FLIGHT), threading.Event()
    with Server(("127.0.0.1", 0), Handler) as httpd:
        serving = threading.Thread(target=httpd.serve_forever)
        serving.start()
        yield httpd.server_port
        Handler.over.set()
        httpd.shutdown()
        serving.join()


def requests(port: int, *bodies: str) -> list[bytes]:
    return [as_request(port, body.encode(), "secret", "hmac") for body in bodies]


def test_every_request_is_sent_and_its_time_is_noted() -> None:
    with server() as port:
        result = saturate(port, requests(port, *map("body {}".format, range(100))), 4, for_s=20)
    assert result.failed == 0
    assert 96 <= len(result.took_ms) <= 100  # the last of each connection comes after the end
    assert result.cpu_s > 0


def test_saturating_ends_when_its_time_is_over() -> None:
    with server() as port:
        result = saturate(port, requests(port, *["quick"] * 100_000), 2, for_s=0.2)
    assert 0 < len(result.took_ms) < 100_000


def test_other_answers_and_closed_connections_are_failures() -> None:
    with server() as port:
        result = at_rate(
            port, requests(port, "first", "503", "close", "second"), per_s=100, connections=2
        )
    assert result.failed == 2
    assert sorted(result.bodies) == [b"first", b"second"]


def test_at_a_rate_no_request_waits_for_the_answer_of_another() -> None:
    with server() as port:
        due = requests(port, *["together"] * IN_FLIGHT)
        result = at_rate(port, due, per_s=1000, connections=1)
    assert result.bodies == [b"together"] * IN_FLIGHT


def test_requests_without_an_answer_in_time_are_failures() -> None:
    with server() as port:
        result = at_rate(
            port, requests(port, "first", "late"), per_s=100, connections=2, give_up_s=0.5
        )
    assert (result.bodies, result.failed) == ([b"first"], 1)
