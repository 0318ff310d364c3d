"""A load generator that takes little CPU time: raw sockets, and requests that are built beforehand.

Generator and servers share the machine's cores, so a result includes the generator's own CPU time.
"""

import gc
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from simulator.vapi.wire import proof

TIMEOUT_S = 20.0
"""How long the last answers may take after the end, as long as Vapi waits for a tool."""

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
OK = b"HTTP/1.1 200"


def as_request(port: int, body: bytes, secret: str, how: str) -> bytes:
    """A whole HTTP request. how: as `simulator.vapi.wire.proof` takes it."""
    headers = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json"}
    headers |= {"Content-Length": str(len(body)), **proof(body, secret, how)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhook/vapi HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass
class Result:
    """What a run found. took_ms: of each answer with status 200. failed: other answers, closed
    connections, and requests without an answer. cpu_s: what the generator took itself.

    bodies: of each such answer, if `run` was to keep them.
    """

    for_s: float = 0.0
    took_ms: list[float] = field(default_factory=list)
    failed: int = 0
    cpu_s: float = 0.0
    bodies: list[bytes] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return len(self.took_ms) / self.for_s

    @property
    def cpu_share(self) -> float:
        """Of one core."""
        return self.cpu_s / self.for_s


class _Connection:
    """sent_at: when the request that waits for its answer was due; 0.0 while none waits."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes, due_at: float) -> None:
        self.received, self.sent_at = b"", due_at
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Read once. Whether the answer is complete. Raises ConnectionError when it closes."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        length = LENGTH.search(head)
        return len(body) >= (int(length[1]) if length else 0)

    def body(self) -> bytes:
        return self.received.partition(b"\r\n\r\n")[2]


class _Run:
    def __init__(self, port: int, connections: int, *, keep_bodies: bool) -> None:
        self._port = port
        self._keep_bodies = keep_bodies
        self._selector = selectors.DefaultSelector()
        self._all: list[_Connection] = []
        self.idle: list[_Connection] = []
        self.result = Result()
        for _ in range(connections):
            self.idle.append(self._open())

    def _open(self) -> _Connection:
        connection = _Connection(self._port)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._all.append(connection)
        return connection

    def close(self) -> None:
        self.result.failed += self.waiting
        for connection in self._all:
            connection.socket.close()
        self._selector.close()

    @property
    def waiting(self) -> int:
        return len(self._all) - len(self.idle)

    def send(self, request: bytes, due_at: float) -> None:
        connection = self.idle.pop() if self.idle else self._open()
        connection.send(request, due_at)

    def receive(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            connection: _Connection = key.data
            try:
                if connection.answered():
                    self._note(connection)
                    self.idle.append(connection)
            except OSError:
                self._replace(connection)

    def _note(self, connection: _Connection) -> None:
        if not connection.received.startswith(OK):
            self.result.failed += 1
            return
        self.result.took_ms.append((time.monotonic() - connection.sent_at) * 1000)
        if self._keep_bodies:
            self.result.bodies.append(connection.body())

    def _replace(self, connection: _Connection) -> None:
        """The server closed it: a failure if a request was on its way."""
        was_idle = connection in self.idle
        if was_idle:
            self.idle.remove(connection)
        self.result.failed += not was_idle
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._all.remove(connection)
        self.idle.append(self._open())


def saturate(port: int, requests: Sequence[bytes], connections: int, for_s: float) -> Result:
    """Send requests as fast as the server answers, one at a time on each connection.

    Ends after for_s seconds, or when all requests have been sent. What is unanswered then is
    awaited, and counts only when it fails.
    """
    with _Uninterrupted(_Run(port, connections, keep_bodies=False)) as run:
        began = time.monotonic()
        due = iter(requests)
        more = True
        while more and (left_s := began + for_s - time.monotonic()) > 0:
            more = _send_to_idle(run, due)
            run.receive(left_s)
        run.result.for_s = time.monotonic() - began
        counted = len(run.result.took_ms)
        _await_rest(run)
        del run.result.took_ms[counted:]
    return run.result


def _send_to_idle(run: _Run, due: Iterator[bytes]) -> bool:
    while run.idle:
        request = next(due, None)
        if request is None:
            return False
        run.send(request, time.monotonic())
    return True


def at_rate(
    port: int,
    requests: Sequence[bytes],
    per_s: float,
    connections: int = 64,
    give_up_s: float = TIMEOUT_S,
) -> Result:
    """Send each request when it is due, whether the ones before it are answered or not.

    The time of an answer counts from when its request was due. A request that finds no idle
    connection opens another. give_up_s: after the last request. Keeps the bodies of all answers.
    """
    with _Uninterrupted(_Run(port, connections, keep_bodies=True)) as run:
        began = time.monotonic()
        for nth, request in enumerate(requests):
            due_at = began + nth / per_s
            while (left_s := due_at - time.monotonic()) > 0:
                run.receive(left_s)
            run.send(request, due_at)
            run.receive(0)
        _await_rest(run, give_up_s)
        run.result.for_s = time.monotonic() - began
    return run.result


def _await_rest(run: _Run, for_s: float = TIMEOUT_S) -> None:
    give_up = time.monotonic() + for_s
    while run.waiting and (left_s := give_up - time.monotonic()) > 0:
        run.receive(left_s)


class _Uninterrupted:
    """Without Python's garbage collection, which would stop the generator for milliseconds."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __enter__(self) -> _Run:
        gc.collect()
        gc.disable()
        self._began_s = time.thread_time()
        return self._run

    def __exit__(self, *_: object) -> None:
        gc.enable()
        self._run.result.cpu_s = time.thread_time() - self._began_s
        self._run.close()
