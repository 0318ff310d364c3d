"""gunicorn's gevent worker, with limits on what unauthenticated clients can hold.

A slow connection costs one greenlet (docs/decisions/0019-web-server.md). Reading ends at a
deadline. The number of connections and the bytes of requests in flight are limited; at either limit
the worker evicts the oldest unauthenticated connection. A connection counts as unauthenticated
until the application authenticates a request on it, and again from its next request on.

gunicorn's master imports this module and is never monkey-patched, so this module must not import
anything that uses sockets, threads or locks at its top (see also web/gunicorn.py).
"""

import errno
import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import gevent
from gevent import socket
from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from shared.settings import load_settings
from web.serving import possible_connections

if TYPE_CHECKING:
    from web.direct import Direct

HEAD_TIMEOUT_S = 5.0
"""From the first byte of a request, or from the connection's start, to the end of the head."""

MAX_HEAD_BYTES = 32 * 1024
"""gunicorn itself limits only each header field and their number."""

BODY_TIMEOUT_S = 5.0
"""From the end of the head to the end of the body. 10 MB take a second or two."""

SEND_TIMEOUT_S = 10.0

MAX_UNSENT_BYTES = 64 * 1024
"""A longer answer is sent in parts."""

LINGER_TIMEOUT_S, MAX_LINGER_BYTES = 1.0, 64 * 1024
"""How much of an unread body is discarded before the connection closes. Closing at once would reset
the connection before the client has seen the answer."""

MAX_BODIES_IN_FLIGHT = 4
"""A worker holds as many bytes of unanswered requests as this many bodies of MAX_BODY_BYTES."""

SPARE_CONNECTIONS = 32
"""Eviction begins this far below `worker_connections`, where gunicorn would stop accepting."""

RESOLVER_THREADS = 32
"""gevent resolves host names on native threads. A name server that hangs can take as many as there
are requests to Salesforce in flight (web/pool.py); the rest are for other names, such as the
store's."""

STOP_LINGER_S = 2.0
"""An idle connection stays open this long after the worker is told to stop: a request may be on its
way."""

STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}
"""Answers to malformed requests; every other kind of error is 400."""

Cutoff = Literal["", "timeout", "connections", "memory"]


class Connection(socket.socket):  # type: ignore[misc]  # gevent is untyped
    """A client's connection. The application finds it as `gunicorn.socket` in the environment.

    cut_off: why the worker stopped reading; "" while it still reads. Once it stops, reads end as if
    the client had closed the connection, which gunicorn handles quietly at any point.
    """

    def __init__(self, accepted: Any, connections: "Connections", idle_timeout_s: float) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._connections = connections
        self._idle_timeout_s = idle_timeout_s
        self._deadline = time.monotonic() + HEAD_TIMEOUT_S
        self._request: Any = None
        self._must_close = False
        self._has_unread_body = False
        self.phase: Literal["head", "body", "idle", "closing"] = "head"
        self.cut_off: Cutoff = ""
        self._unsent = bytearray()
        self.head_bytes = 0
        self.held_bytes = 0
        self.has_waited = False
        """Whether it waited for the present request, so that the others have had their turn."""

    def begin_request(self, request: Any) -> None:
        """A head is complete. If the request has a body, the connection closes after the answer
        unless the application authenticates the request."""
        self.phase = "body"
        self._request = request
        self._deadline = time.monotonic() + BODY_TIMEOUT_S
        self._must_close = request.must_close
        self._has_unread_body = _has_body(request)
        if self._has_unread_body:
            request.force_close()
        self._connections.mark_unauthenticated(self)

    def authenticated(self) -> None:
        """The application calls this when it has read the whole body and authenticated it."""
        self._connections.mark_authenticated(self)
        self._has_unread_body = False
        if self._request is not None:
            self._request.must_close = self._must_close

    def end_request(self) -> None:
        try:
            self._send_rest()
        finally:
            self._await_request()

    def _await_request(self) -> None:
        self._connections.release(self)
        self._request = None
        self.has_waited = False
        self.phase = "idle"
        self.head_bytes = 0
        self._deadline = time.monotonic() + self._idle_timeout_s

    def shorten_deadline(self, within_s: float) -> None:
        self._deadline = min(self._deadline, time.monotonic() + within_s)

    def stop_reading(self, why: Cutoff) -> None:
        self.cut_off = self.cut_off or why
        try:
            self.shutdown(socket.SHUT_RD)  # wakes the greenlet that reads
        except OSError:
            return

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.phase != "idle":
            gevent.sleep(0)  # see `Worker.handle_request`
        if self.cut_off:
            return b""
        if self.head_bytes > MAX_HEAD_BYTES:
            raise errors.LimitRequestHeaders("head too long")
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            return self._time_out()
        self.settimeout(left_s)
        try:
            data: bytes = self._received(size, flags)
        except TimeoutError:
            return self._time_out()
        except OSError:  # reset by the client, or evicted meanwhile
            return b""
        if self.phase == "body":
            self._connections.hold(self, len(data))
            return b"" if self.cut_off else data
        if self.phase == "idle" and data:
            self.phase = "head"
            self._deadline = time.monotonic() + HEAD_TIMEOUT_S
        if self.phase == "head":
            self.head_bytes += len(data)
        return data

    def _received(self, size: int, flags: int) -> Any:
        try:
            return self._sock.recv(size, flags)
        except BlockingIOError:
            self.has_waited = True
            return super().recv(size, flags)

    def _time_out(self) -> bytes:
        if self.phase in ("head", "body"):
            self.cut_off = "timeout"
            self._connections.count("timeout")
        return b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """gunicorn sends the head of an answer and its body one by one; they leave together."""
        self._unsent += data
        if self.phase != "body" or len(self._unsent) > MAX_UNSENT_BYTES:
            self._send_rest()

    def _send_rest(self) -> None:
        data, self._unsent = bytes(self._unsent), bytearray()
        if not data:
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent == len(data):
            return
        self.settimeout(SEND_TIMEOUT_S)
        try:
            super().sendall(data[sent:])
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client does not read the answer") from None

    def close(self) -> None:
        if self._has_unread_body and not self.cut_off:
            self._has_unread_body = False
            self._linger()
        self._unsent.clear()
        super().close()

    def _linger(self) -> None:
        """RFC 9112 section 9.6: half-close, then read a little more."""
        self.phase = "closing"
        self._deadline = time.monotonic() + LINGER_TIMEOUT_S
        try:
            self.shutdown(socket.SHUT_WR)
        except OSError:
            return
        discarded = 0
        while discarded < MAX_LINGER_BYTES and (data := self.recv(8192)):
            discarded += len(data)


class Connections:
    """All connections of a worker. Needs no lock: no method switches greenlets."""

    def __init__(self, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._open: set[Connection] = set()
        self._unauthenticated: dict[Connection, None] = {}  # oldest first
        self._bytes = 0

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        self._unauthenticated[connection] = None
        if len(self._open) > self._max_count:
            oldest = next(iter(self._unauthenticated))
            if oldest is not connection:
                self._evict(oldest, "connections")

    def remove(self, connection: Connection) -> None:
        self.release(connection)
        self._unauthenticated.pop(connection, None)
        self._open.discard(connection)

    def mark_unauthenticated(self, connection: Connection) -> None:
        """A connection that was authenticated becomes the youngest; the others keep their age."""
        self._unauthenticated.setdefault(connection)

    def mark_authenticated(self, connection: Connection) -> None:
        self._unauthenticated.pop(connection, None)

    def hold(self, connection: Connection, count: int) -> None:
        """Count bytes that a request keeps in memory until it is answered.

        Above the limit, unauthenticated connections are evicted first, the oldest of them first.
        """
        connection.held_bytes += count
        self._bytes += count
        while self._bytes > self._max_bytes and not connection.cut_off:
            holders = (other for other in self._unauthenticated if other.held_bytes)
            self._evict(next(holders, connection), "memory")

    def release(self, connection: Connection) -> None:
        self._bytes -= connection.held_bytes
        connection.held_bytes = 0

    def close_idle(self) -> None:
        for connection in list(self._open):
            if connection.phase == "idle":
                connection.stop_reading("connections")

    def _evict(self, connection: Connection, why: Cutoff) -> None:
        self._unauthenticated.pop(connection, None)
        self.release(connection)
        connection.stop_reading(why)
        self.count(why)

    @staticmethod
    def count(why: Cutoff) -> None:
        from web.metrics import CUT_OFF

        CUT_OFF.labels(reason=why).inc()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    """One process of the web service."""

    worker_connections: int

    def init_process(self) -> None:
        gevent.get_hub().threadpool_size = RESOLVER_THREADS
        self.worker_connections = possible_connections(self.worker_connections)
        self.connections = Connections(
            self.worker_connections - SPARE_CONNECTIONS,
            MAX_BODIES_IN_FLIGHT * load_settings().web.max_body_bytes,
        )
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        from web.direct import Direct

        self._direct = Direct.of(self.wsgi, self.cfg)

    def timeout_ctx(self) -> Any:
        return nullcontext()  # each connection has its own deadlines

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        connection = Connection(client, self.connections, self.cfg.keepalive)
        self.connections.add(connection)
        try:
            super().handle(listener, connection, addr)
        finally:
            self.connections.remove(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Connection, addr: Any) -> None:
        sock.begin_request(req)
        # gevent switches greenlets only when there is something to wait for. A client that sends
        # without a pause takes turns with the others.
        if not sock.has_waited:
            gevent.sleep(0)
        try:
            if self._direct and self._direct.answers(req):
                self._answer(self._direct, req, sock)
            else:
                super().handle_request(listener_name, req, sock, addr)
        finally:
            sock.end_request()

    def _answer(self, direct: "Direct", req: Any, sock: Connection) -> None:
        """Raises StopIteration to close the connection, as gunicorn does."""
        response, closes = direct.answer(req, sock, is_last=not self.alive)
        sock.sendall(response)
        if closes:
            raise StopIteration

    def handle_error(self, req: Any, client: Connection, addr: Any, exc: BaseException) -> None:
        """Logs the kind of error in one line, and nothing that the client sent."""
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
        gevent.spawn_later(STOP_LINGER_S, self.connections.close_idle)


def _has_body(request: Any) -> bool:
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and value.strip("0"))
        for name, value in request.headers
    )
