"""Reading a request's body, bounded in size and time.

The worker's connection (web/worker.py) stops reading at its deadline or when memory is short; this
module then finds out what is missing. Under another server, as in tests, only the size is bounded.
"""

from http import HTTPStatus
from typing import Any, Final

from gunicorn.http.errors import ParseException

from shared.errors import ServiceError

FRAMING_TIMEOUT_S = 1.0
"""How long `is_malformed` waits for the first chunk of a request that is refused anyway."""

_STATUSES = {
    "timeout": HTTPStatus.REQUEST_TIMEOUT,
    "memory": HTTPStatus.SERVICE_UNAVAILABLE,
    "connections": HTTPStatus.SERVICE_UNAVAILABLE,
}


class BodyRefusedError(ServiceError):
    """The body is too large, incomplete or malformed. status: the answer to it."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status: Final = status


def check_length(environ: dict[str, Any], max_bytes: int) -> None:
    """Raises BodyRefusedError when Content-Length is over the limit."""
    if _declared_length(environ) > max_bytes:
        raise BodyRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def read(environ: dict[str, Any], max_bytes: int) -> bytes:
    """The whole body, chunked or not. Raises BodyRefusedError."""
    check_length(environ, max_bytes)
    try:
        raw: bytes = environ["wsgi.input"].read(max_bytes + 1)
    except (OSError, ParseException):
        raise BodyRefusedError(_status(environ)) from None
    if len(raw) > max_bytes:
        raise BodyRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if len(raw) < _declared_length(environ):
        raise BodyRefusedError(_status(environ))
    return raw


def is_malformed(environ: dict[str, Any]) -> bool:
    """The first chunk of a chunked body is not HTTP. Reads no further than its beginning."""
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return False
    if connection := _connection(environ):
        connection.shorten_deadline(FRAMING_TIMEOUT_S)
    try:
        environ["wsgi.input"].read(1)
    except ParseException:
        return True
    except OSError:
        return False
    return False


def authenticated(environ: dict[str, Any]) -> None:
    """Tell the worker that the client of this request is authenticated."""
    if connection := _connection(environ):
        connection.authenticated()


def _declared_length(environ: dict[str, Any]) -> int:
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BodyRefusedError(HTTPStatus.BAD_REQUEST) from None


def _status(environ: dict[str, Any]) -> HTTPStatus:
    connection = _connection(environ)
    return _STATUSES.get(connection.cut_off if connection else "", HTTPStatus.BAD_REQUEST)


def _connection(environ: dict[str, Any]) -> Any:
    """The worker's Connection; None under another server."""
    connection = environ.get("gunicorn.socket")
    return connection if hasattr(connection, "cut_off") else None
