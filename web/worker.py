"""gunicorn's worker: gevent, and no stranger can fill it (docs/decisions/0013-web-server.md).

A slow connection costs one greenlet. What strangers can hold is bounded all the same: reading ends
at a deadline, the number of connections and the bytes of unfinished requests have a limit each,
and at either limit the oldest stranger is given up. A connection is a stranger's until a request
on it is authenticated, and again from the next request on.

gunicorn's master imports this module and never patches itself: so nothing that uses sockets,
threads or locks may be imported at the top of it (see also web/gunicorn.py).
"""

import resource
import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, Literal

import gevent
from gevent import socket
from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from shared.settings import load_settings

HEAD_S = 5.0
"""A request's head is complete so long after its first byte, or after the connection was made."""

HEAD_BYTES = 32 * 1024
"""A head is no longer. gunicorn bounds a field and their number alone."""

BODY_S = 5.0
"""A request's body is complete so long after its head. 10 MB are sent within a second or two."""

SEND_S = 10.0
"""An answer is taken within this time."""

LINGER_S, LINGER_BYTES = 1.0, 64 * 1024
"""How long and how much is still read and dropped after an answer to a request that was not read:
closing at once would reset the connection before the sender has seen the answer."""

BODIES_IN_FLIGHT = 4
"""A worker holds as many bytes of unanswered requests as so many of the largest have."""

SPARE_CONNECTIONS = 32
"""So many of `worker_connections` stay free: the oldest stranger is given up before the worker
would stop accepting."""

OTHER_FILES = 512
"""File descriptors for all else: connections to Redis, Salesforce and Vapi, and our own files."""

RESOLVER_THREADS = 32
"""gevent resolves names on native threads. More than requests to Salesforce in flight (web/pool.py):
a name server that hangs must leave some for the store's name."""

STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}
"""For requests that are not HTTP as we take it; any other kind is 400."""


class Connection(socket.socket):  # type: ignore[misc]  # gevent's is untyped
    """A sender's connection. The application finds it as `gunicorn.socket` in the environment.

    given_up: "" or why nothing more is read: "late", "full" (connections) or "bytes". Reading then
    ends as if the sender had closed, which gunicorn takes quietly wherever it happens.
    """

    def __init__(self, accepted: Any, connections: "Connections", idle_s: float) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._connections = connections
        self._idle_s = idle_s
        self._deadline = time.monotonic() + HEAD_S
        self._request: Any = None
        self._closes = False
        self._is_unread = False
        self.phase: Literal["head", "body", "idle", "closing"] = "head"
        self.given_up = ""
        self.head_bytes = 0
        self.held_bytes = 0

    def begin(self, request: Any) -> None:
        """A complete head has arrived. Unless the application authenticates the request, a body
        is the last thing that is taken from this connection."""
        self.phase = "body"
        self._request = request
        self._deadline = time.monotonic() + BODY_S
        self._closes = request.must_close
        self._is_unread = _carries_body(request)
        if self._is_unread:
            request.force_close()
        self._connections.is_stranger(self)

    def authenticated(self) -> None:
        """Said by the application, which has read the whole body."""
        self._connections.is_known(self)
        self._is_unread = False
        if self._request is not None:
            self._request.must_close = self._closes

    def end(self) -> None:
        """The request is answered; another one may follow."""
        self._connections.release(self)
        self._request = None
        self.phase = "idle"
        self.head_bytes = 0
        self._deadline = time.monotonic() + self._idle_s

    def hurry(self, within_s: float) -> None:
        """Reading of this request ends that soon."""
        self._deadline = min(self._deadline, time.monotonic() + within_s)

    def give_up(self, why: str) -> None:
        self.given_up = self.given_up or why
        try:
            self.shutdown(socket.SHUT_RD)  # wakes whoever reads
        except OSError:
            return

    def recv(self, size: int, flags: int = 0) -> bytes:
        # gevent waits only when nothing has arrived: who sends without pause would keep all the
        # others from their turn.
        gevent.sleep(0)
        if self.given_up:
            return b""
        if self.head_bytes > HEAD_BYTES:
            raise errors.LimitRequestHeaders("head too long")
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            return self._is_late()
        self.settimeout(left_s)
        try:
            data: bytes = super().recv(size, flags)
        except TimeoutError:
            return self._is_late()
        except OSError:  # reset by the sender, or given up while waiting
            return b""
        if self.phase == "body":
            self._connections.hold(self, len(data))
            return b"" if self.given_up else data
        if self.phase == "idle" and data:
            self.phase = "head"
            self._deadline = time.monotonic() + HEAD_S
        if self.phase == "head":
            self.head_bytes += len(data)
        return data

    def _is_late(self) -> bytes:
        if self.phase in ("head", "body"):
            self.given_up = "late"
            self._connections.count("late")
        return b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(SEND_S)
        try:
            super().sendall(data, flags)
        except TimeoutError:
            raise BrokenPipeError("the answer was not taken in time") from None

    def close(self) -> None:
        if self._is_unread and not self.given_up:
            self._is_unread = False
            self._linger()
        super().close()

    def _linger(self) -> None:
        self.phase = "closing"
        self._deadline = time.monotonic() + LINGER_S
        try:
            self.shutdown(socket.SHUT_WR)
        except OSError:
            return
        dropped = 0
        while dropped < LINGER_BYTES and (data := self.recv(8192)):
            dropped += len(data)


class Connections:
    """The connections of a worker. Greenlets take turns only where they wait, so no lock."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._open: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}  # oldest first
        self._bytes = 0

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        self._strangers[connection] = None
        if len(self._open) > self._most:
            oldest = next(iter(self._strangers))
            if oldest is not connection:
                self._give_up(oldest, "full")

    def remove(self, connection: Connection) -> None:
        self.release(connection)
        self._strangers.pop(connection, None)
        self._open.discard(connection)

    def is_stranger(self, connection: Connection) -> None:
        """Who was known a moment ago is the youngest stranger; who never was keeps their place."""
        self._strangers.setdefault(connection)

    def is_known(self, connection: Connection) -> None:
        self._strangers.pop(connection, None)

    def hold(self, connection: Connection, count: int) -> None:
        """So many more bytes of a request are kept until it is answered."""
        connection.held_bytes += count
        self._bytes += count
        while self._bytes > self._most_bytes and not connection.given_up:
            holding = (one for one in self._strangers if one.held_bytes)
            self._give_up(next(holding, connection), "bytes")

    def release(self, connection: Connection) -> None:
        self._bytes -= connection.held_bytes
        connection.held_bytes = 0

    def close_idle(self) -> None:
        for connection in list(self._open):
            if connection.phase == "idle":
                connection.give_up("full")

    def _give_up(self, connection: Connection, why: str) -> None:
        self._strangers.pop(connection, None)
        self.release(connection)
        connection.give_up(why)
        self.count(why)

    @staticmethod
    def count(why: str) -> None:
        from web.metrics import GIVEN_UP

        GIVEN_UP.labels(reason=why).inc()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    """One process of the web service."""

    STOP_LINGER_S = 2.0
    """A request may be on its way on an idle connection when the worker is told to stop."""

    def init_process(self) -> None:
        gevent.get_hub().threadpool_size = RESOLVER_THREADS
        self.worker_connections = _connections_possible(self.worker_connections)
        self.connections = Connections(
            self.worker_connections - SPARE_CONNECTIONS,
            BODIES_IN_FLIGHT * load_settings().max_body_bytes,
        )
        super().init_process()

    def timeout_ctx(self) -> Any:
        return nullcontext()  # each connection has a deadline of its own

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        connection = Connection(client, self.connections, self.cfg.keepalive)
        self.connections.add(connection)
        try:
            super().handle(listener, connection, addr)
        finally:
            self.connections.remove(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Connection, addr: Any) -> None:
        sock.begin(req)
        gevent.sleep(0)  # requests that arrived together take turns with those of others
        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            sock.end()

    def handle_error(self, req: Any, client: Connection, addr: Any, exc: BaseException) -> None:
        """One line with what kind of error it was, and nothing of what was sent."""
        from shared.logs import log

        if isinstance(exc, gevent.GreenletExit):
            return
        ours = isinstance(exc, errors.InvalidResponseHeader | errors.InvalidResponseHeaderName)
        if isinstance(exc, errors.ParseException) and not ours:
            status = STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST)
            log.warning("request_malformed", reason=type(exc).__name__)
        else:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            log.exception("request_failed")
        try:
            util.write_error(client, status.value, status.phrase, "")
        except OSError:
            return

    def handle_exit(self, sig: Any, frame: Any) -> None:
        super().handle_exit(sig, frame)
        gevent.spawn_later(self.STOP_LINGER_S, self.connections.close_idle)


def _carries_body(request: Any) -> bool:
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and value.strip("0"))
        for name, value in request.headers
    )


def _connections_possible(wanted: int) -> int:
    """As many as wanted, or as file descriptors allow; the soft limit is raised for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    if soft != resource.RLIM_INFINITY and soft < wanted + OTHER_FILES:
        soft = wanted + OTHER_FILES if unlimited else min(wanted + OTHER_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - OTHER_FILES)
