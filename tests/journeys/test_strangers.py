"""Unauthenticated clients against the real web process: slow, many, large, or not HTTP."""

import hmac
import json
import re
import selectors
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.processes import wait_until
from demo.stack import OPERATOR, SECRET, Stack
from simulator.vapi.wire import Call, as_bytes, proof

TEN_MB = 10 * 1024 * 1024
PATIENCE_S = 20.0
"""Longer than any deadline of the server's."""

MARK = "jane-miller-4711"
"""Stands in malformed requests; must not stand in the log."""


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("strangers"), ("web",), programs=programs) as running:
        yield running


@pytest.fixture(scope="module")
def small(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two processes for at most 200 connections each."""
    folder = tmp_path_factory.mktemp("small")
    made = Stack(folder, ("web",), programs=programs)
    made.processes["web"]._env["GUNICORN_CMD_ARGS"] += " --worker-connections 200"
    with made as running:
        yield running


def event(nth: int = 0) -> bytes:
    return as_bytes(Call(str(uuid.uuid4()), "+14155550101", 0).status("in-progress"))


def signed(body: bytes) -> dict[str, str]:
    return proof(body, SECRET, "hmac")


def forged() -> dict[str, str]:
    """What looks like a signature of this moment."""
    return {"x-signature": "ab" * 32, "x-timestamp": str(int(time.time()))}


def head(path: str = "/webhook/vapi", method: str = "POST", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: voice.example.com"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def connect(stack: Stack) -> socket.socket:
    return socket.create_connection(("127.0.0.1", stack.port), timeout=PATIENCE_S)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and everything until the server closes. 0 when it closes without an answer."""
    said = b""
    try:
        while piece := connection.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    found = re.match(rb"HTTP/1\.[01] (\d{3})", said)
    return int(found.group(1)) if found else 0, said


def ask(stack: Stack, sent: bytes) -> tuple[int, bytes]:
    with connect(stack) as connection:
        connection.sendall(sent)
        return answer(connection)


def post(stack: Stack, body: bytes, **headers: str) -> int:
    sent = {"Content-Type": "application/json", **signed(body), **headers}
    return requests.post(stack.webhook, data=body, headers=sent, timeout=PATIENCE_S).status_code


def processes(stack: Stack) -> list[int]:
    """gunicorn's workers."""
    master = stack.processes["web"].pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [int(child) for child in children]


def peak_mb(stack: Stack) -> float:
    """The most memory that the workers ever had, summed."""
    status = [Path(f"/proc/{pid}/status").read_text() for pid in processes(stack)]
    found = [re.search(r"VmHWM:\s+(\d+) kB", text) for text in status]
    return sum(int(row.group(1)) for row in found if row) / 1024


def log(stack: Stack) -> str:
    return (stack.folder / "web.log").read_text(errors="replace")


class Strangers:
    """Connections that send a byte now and then, for as long as the server lets them; and again."""

    def __init__(self, stack: Stack, openings: list[bytes], count: int, every_s: float) -> None:
        self._stack, self._openings, self._count = stack, openings, count
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.opened = 0

    def __enter__(self) -> "Strangers":
        self._thread.start()
        wait_until(lambda: self.opened >= self._count, for_s=PATIENCE_S, what="strangers")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with ExitStack() as all_of_them:
            alive: list[socket.socket] = []
            while not self._ended.is_set():
                while len(alive) < self._count:
                    connection = all_of_them.enter_context(connect(self._stack))
                    connection.sendall(self._openings[self.opened % len(self._openings)])
                    connection.setblocking(False)
                    alive.append(connection)
                    self.opened += 1
                self._ended.wait(self._every_s)
                alive = [connection for connection in alive if self._sends(connection)]

    @staticmethod
    def _sends(connection: socket.socket) -> bool:
        try:
            connection.send(b"x")
            return connection.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False


def openings() -> list[bytes]:
    """As slow as can be: in the head, in a body that will be refused, in one that may be signed."""
    return [
        b"POST /webhook/vapi HTTP/1.1\r\nx-",
        b"P",
        head(Content_Length="1000"),
        head(Content_Length="1000", **forged()),
        head(Transfer_Encoding="chunked", **forged()) + b"5\r\nab",
        head("/twilio/voice", Content_Length="1000"),
        head("/health/live", "GET", Content_Length="1000"),
        head("/oauth/login", "GET", Transfer_Encoding="chunked"),
    ]


def is_counted(stack: Stack, reason: str) -> bool:
    """Connections were cut off for this reason. Each process adds what it counted after a while."""
    line = re.compile(rf'^vapi_connections_cut_off_total\{{reason="{reason}"\}} [1-9]', re.M)

    def is_shown() -> bool:
        answer = requests.get(f"{stack.url}/metrics", headers=OPERATOR, timeout=PATIENCE_S)
        return line.search(answer.text) is not None

    wait_until(is_shown, for_s=PATIENCE_S, what=f"connections cut off for {reason}")
    return True


def test_280_slow_strangers_stop_no_signed_request(stack: Stack) -> None:
    with Strangers(stack, openings(), 280, every_s=0.5), ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda nth: post(stack, event(nth)), range(200)))
    assert statuses == [200] * 200


def test_more_strangers_than_connections_stop_no_signed_request(small: Stack) -> None:
    with Strangers(small, openings(), 500, every_s=0.5), ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda nth: post(small, event(nth)), range(60)))
    assert statuses == [200] * 60
    assert is_counted(small, "connections")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/webhook/vapi", "POST", 401),
        ("/webhook", "POST", 401),
        ("/twilio/voice", "POST", 404),  # Twilio is not set up here
        ("/health/live", "GET", 200),
        ("/health/live", "POST", 405),
        ("/oauth/callback", "GET", 401),
        ("/nowhere", "PUT", 404),
    ],
)
@pytest.mark.parametrize(
    "framing", [{"Content_Length": "9000000"}, {"Transfer_Encoding": "chunked"}]
)
def test_a_stranger_is_answered_unread_and_the_connection_closes(
    stack: Stack, path: str, method: str, status: int, framing: dict[str, str]
) -> None:
    """No byte of the body is ever sent."""
    found, said = ask(stack, head(path, method, **framing))
    assert found == status
    assert b"connection: close" in said.lower()


def test_a_length_over_the_limit_is_refused_at_once(stack: Stack) -> None:
    for proof_of_it in ({}, forged()):
        assert ask(stack, head(Content_Length=str(TEN_MB + 1), **proof_of_it))[0] == 413


def test_what_never_gets_complete_is_given_up(stack: Stack) -> None:
    late = {
        b"POST /webhook/vapi HTTP/1.1\r\nx-": 0,
        b"": 0,
        head(Content_Length="1000", **forged()): 408,
        head(Transfer_Encoding="chunked", **forged()) + b"5\r\nab": 408,
        head(Transfer_Encoding="chunked", **forged()) + b"f" * 5_000 + b"\r\nab": 408,
    }
    with ThreadPoolExecutor(len(late)) as pool:
        found = list(pool.map(lambda sent: ask(stack, sent)[0], late))
    assert found == list(late.values())


def flood(stack: Stack, proof_of_it: dict[str, str]) -> tuple[int, int]:
    """10 MB as fast as they go: the status, and how many bytes were taken off the sender."""
    sent, body = 0, memoryview(bytes(TEN_MB))
    with connect(stack) as connection:
        connection.sendall(head(Content_Length=str(TEN_MB), **proof_of_it))
        connection.setblocking(False)
        with selectors.DefaultSelector() as ready:
            ready.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            give_up = time.monotonic() + PATIENCE_S
            while sent < TEN_MB and time.monotonic() < give_up:
                ((_, what),) = ready.select(PATIENCE_S)
                if what & selectors.EVENT_READ:
                    break  # answered already
                try:
                    sent += connection.send(body[sent : sent + 65536])
                except BlockingIOError:
                    continue
                except OSError:
                    break
        connection.setblocking(True)
        connection.settimeout(PATIENCE_S)
        return answer(connection)[0], sent


def test_40_large_bodies_without_signature_are_never_read(stack: Stack) -> None:
    before = peak_mb(stack)
    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: flood(stack, {}), range(40)))
    assert {status for status, _ in found} == {401}
    assert peak_mb(stack) - before < 20


def test_40_large_bodies_with_a_forged_signature_hold_a_bounded_part_of_memory(
    stack: Stack,
) -> None:
    before = peak_mb(stack)
    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: flood(stack, forged()), range(40)))
    assert {status for status, _ in found} <= {401, 503, 0}
    assert peak_mb(stack) - before < 300
    assert post(stack, large_event()) == 200


def large_event() -> bytes:
    """A report of nearly 10 MB."""
    report = Call(str(uuid.uuid4()), "+14155550101", 0).report("customer-ended-call", "Billed.")
    report["message"]["artifact"] = {"messages": [{"role": "bot", "message": "x" * 9_900_000}]}
    body = as_bytes(report)
    assert 9_900_000 < len(body) < TEN_MB
    return body


def test_a_large_signed_body_is_taken_whole_and_in_chunks(stack: Stack) -> None:
    body = large_event()
    assert post(stack, body) == 200
    pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
    sent = {"Content-Type": "application/json", **signed(body)}
    chunked = requests.post(stack.webhook, data=pieces, headers=sent, timeout=PATIENCE_S)
    assert chunked.status_code == 200


def test_chunks_are_counted(stack: Stack) -> None:
    body = bytes(TEN_MB + 1)
    pieces = (body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000))
    try:
        found = requests.post(stack.webhook, data=pieces, headers=signed(body), timeout=PATIENCE_S)
    except requests.ConnectionError:
        return  # refused while it was still being sent
    assert found.status_code == 413


def test_a_signed_sender_keeps_the_connection(stack: Stack) -> None:
    with requests.Session() as session:
        for _ in range(3):
            body = event()
            found = session.post(stack.webhook, data=body, headers=signed(body), timeout=PATIENCE_S)
            assert found.status_code == 200
            assert found.headers["Connection"] == "keep-alive"


def chunked(body: bytes, **headers: str) -> bytes:
    return head(Transfer_Encoding="chunked", **headers) + body


def malformed() -> dict[str, tuple[bytes, set[int]]]:
    """Name → what is sent, and the statuses that are right for it."""
    stamp = str(int(time.time()))
    real = hmac.new(SECRET.encode(), f"{stamp}.".encode(), "sha256").hexdigest()
    empty = {"x-signature": real, "x-timestamp": stamp}
    broken = {
        "letters": b"zz\r\n",
        "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
        "no size": b"\r\n\r\n",
        "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
        "a sign": b"+5\r\nhello\r\n0\r\n\r\n",
        "the sender's words": f"{MARK}\r\n".encode(),
        "a size without an end": b"1" * 20_000,
        "a huge extension": b"5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
    }
    within = {
        "a chunk without its end": b"5\r\nhelloXX0\r\n\r\n",
        "a broken second chunk": b"5\r\nhello\r\nzz\r\n",
        "a broken trailer": b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        "a trailer without an end": b"5\r\nhello\r\n0\r\nx: " + b"y" * 1_000_000,
    }
    cases: dict[str, tuple[bytes, set[int]]] = {}
    for name, body in broken.items():
        cases[f"unsigned chunks: {name}"] = (chunked(body), {400})
        cases[f"forged chunks: {name}"] = (chunked(body, **forged()), {400})
        cases[f"signed chunks: {name}"] = (chunked(body, **empty), {400})
    for name, body in within.items():
        cases[f"unsigned chunks: {name}"] = (chunked(body), {400, 401})
        cases[f"forged chunks: {name}"] = (chunked(body, **forged()), {400, 431})
    host = "Host: voice.example.com\r\n"
    lines = {
        "no length": "Content-Length: abc",
        "a negative length": "Content-Length: -1",
        "a signed length": "Content-Length: +5",
        "a superscript": "Content-Length: \xb2",
        "a length of 5,000 digits": f"Content-Length: {'9' * 5_000}",
        "two lengths": "Content-Length: 5\r\nContent-Length: 6",
        "the same length twice": "Content-Length: 5\r\nContent-Length: 5",
        "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "chunks first": "Transfer-Encoding: chunked, gzip",
        "no name": f": {MARK}",
        "a space before the colon": f"x-name : {MARK}",
        "a control character": f"x-name: {MARK}\x01",
        "a folded line": f"x-name: a\r\n {MARK}",
        "no colon": MARK,
        "two hosts": "Host: evil.example",
    }
    for name, line in lines.items():
        sent = f"POST /webhook/vapi HTTP/1.1\r\n{host}{line}\r\n\r\nhello".encode("latin-1")
        cases[f"headers: {name}"] = (sent, {400})
    flood_of = "".join(f"x-{nth}: {MARK}\r\n" for nth in range(500))
    last = "Connection: close\r\n\r\n"
    post_line = "POST /webhook/vapi HTTP/1.1\r\n"
    signature = f"x-signature: \xff{MARK}\r\nx-timestamp: {stamp}\r\n"
    others: dict[str, tuple[str, set[int]]] = {
        "an unknown coding": (f"{post_line}{host}Transfer-Encoding: {MARK}\r\n\r\n", {400, 501}),
        "an expectation": (f"{post_line}{host}Expect: {MARK}\r\n\r\n", {417}),
        "500 headers": (f"{post_line}{host}{flood_of}\r\n", {431}),
        "a long header": (f"{post_line}{host}x-name: {'y' * 20_000}\r\n\r\n", {431}),
        "a head without an end": (f"{post_line}{host}{'x-name: y' * 10_000}", {400, 431}),
        "a long path": (f"GET /{'y' * 20_000} HTTP/1.1\r\n{host}\r\n", {414}),
        "HTTP/0.9": (f"GET /{MARK}\r\n\r\n", {400}),
        "HTTP/9.9": (f"GET / HTTP/9.9\r\n{host}\r\n", {400, 505}),
        "HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
        "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
        "a method in small letters": (f"post /webhook/vapi HTTP/1.1\r\n{host}\r\n", {400, 405}),
        "bytes beyond ASCII in the path": (f"GET /\xff{MARK} HTTP/1.1\r\n{host}\r\n", {400}),
        "a path that is no UTF-8": (f"GET /%ff%fe HTTP/1.1\r\n{host}{last}", {404}),
        "an absolute target": (
            f"GET http://evil.example/health/live HTTP/1.1\r\n{host}{last}", {200},
        ),
        "an absolute target that is none": (f"GET http://[ HTTP/1.1\r\n{host}\r\n", {400}),
        "an authority": (f"CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n", {404, 405}),
        "a star": (f"OPTIONS * HTTP/1.1\r\n{host}{last}", {200, 404}),
        "a host that is none": (
            f"GET /health/live HTTP/1.1\r\nHost: a b\\c\r\n{last}", {200, 400},
        ),
        "a signature beyond ASCII": (
            f"{post_line}{host}{signature}Content-Length: 2\r\n\r\n{{}}", {401},
        ),
        "a password beyond ASCII": (
            f"GET /oauth/login HTTP/1.1\r\n{host}Authorization: Basic /////w==\r\n{last}", {401},
        ),
        "a cookie beyond ASCII": (
            f"GET /oauth/callback?code=%ff&state=%ff HTTP/1.1\r\n{host}"
            f"Cookie: vs_oauth_state=\xff\r\n{last}", {401},
        ),
    }  # fmt: skip
    for name, (text, right) in others.items():
        cases[name] = (text.encode("latin-1"), right)
    return cases


def test_what_is_not_http_is_refused_in_a_line_that_quotes_nobody(stack: Stack) -> None:
    wrong = {}
    for name, (sent, right) in malformed().items():
        before = len(log(stack).splitlines())
        found, _ = ask(stack, sent)
        # No worker and no beat run here, and web says so after a while.
        said = [line for line in log(stack).splitlines()[before:] if "alarm_raised" not in line]
        if found not in right or len(said) > 1:
            wrong[name] = (found, said)
    assert wrong == {}
    assert "Traceback" not in log(stack)
    assert MARK not in log(stack)
    assert requests.get(f"{stack.url}/health/live", timeout=PATIENCE_S).status_code == 200


def test_a_signature_in_headers_of_nearly_the_same_name_is_none(stack: Stack) -> None:
    """WSGI writes `x_signature` and `x-signature` alike."""
    body = event()
    proof_of_it = signed(body)
    lengths = f"Host: voice.example.com\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"

    def status(*pairs: tuple[str, str]) -> int:
        lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        sent = f"POST /webhook/vapi HTTP/1.1\r\n{lengths}{lines}\r\n".encode() + body
        return ask(stack, sent)[0]

    stamp, signature = ("x-timestamp", proof_of_it["x-timestamp"]), proof_of_it["x-signature"]
    for name in ("x_signature", "X_SIGNATURE", "x--signature", "x-signature-", "HTTP_X_SIGNATURE"):
        assert status(stamp, (name, signature)) == 401
    assert status(("x_timestamp", stamp[1]), ("x-signature", signature)) == 401
    assert status(stamp, ("x-signature", signature), ("x-signature", signature)) == 401
    assert status(stamp, ("x-signature", "ab" * 32), ("x_signature", signature)) == 401
    assert status(stamp, ("X-SIGNATURE", signature), ("x_signature", "ab" * 32)) == 200


def test_a_header_sets_no_variable_of_wsgi(stack: Stack) -> None:
    lines = "Host: voice.example.com\r\nSCRIPT_NAME: /other\r\nConnection: close"
    assert ask(stack, f"GET /health/live HTTP/1.1\r\n{lines}\r\n\r\n".encode())[0] == 200


def test_who_was_given_up_is_counted(stack: Stack) -> None:
    ask(stack, b"POST /webhook/vapi HTTP/1.1\r\nx-")
    assert is_counted(stack, "timeout")


def test_every_line_of_the_log_is_ours(stack: Stack) -> None:
    """No warning of gevent's (patched too late), of gunicorn's or of Python's."""
    for line in log(stack).splitlines():
        found: Any = json.loads(line)
        assert set(found) >= {"event", "level", "timestamp"}
