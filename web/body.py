"""The body of a request: bounded in size and in time, and read only once its head is acceptable.

The worker's connection (web/worker.py) ends the reading at its deadline or when memory is short;
what is missing then is noticed here. Under another server, as in tests, only sizes are bounded.
"""

from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import ParseException

FRAMING_S = 1.0
"""So long a request that is refused anyway is looked at for broken chunks."""

_STATUS_OF = {"late": HTTPStatus.REQUEST_TIMEOUT, "bytes": HTTPStatus.SERVICE_UNAVAILABLE,
              "full": HTTPStatus.SERVICE_UNAVAILABLE}  # fmt: skip


class BodyRefusedError(Exception):
    """The body is not taken. status: what to answer."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def check_length(environ: dict[str, Any], max_bytes: int) -> None:
    """Raises BodyRefusedError for a declared length over the limit."""
    if _declared(environ) > max_bytes:
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
    if len(raw) < _declared(environ):
        raise BodyRefusedError(_status(environ))
    return raw


def is_broken(environ: dict[str, Any]) -> bool:
    """The first chunk of a chunked body makes no sense: so this is no HTTP, whoever sent it.

    For a request that is refused anyway; reads no more than the first chunk's beginning.
    """
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return False
    if connection := _connection(environ):
        connection.hurry(FRAMING_S)
    try:
        environ["wsgi.input"].read(1)
    except ParseException:
        return True
    except OSError:
        return False
    return False


def authenticated(environ: dict[str, Any]) -> None:
    """Whoever sent this request is no stranger, and may go on with this connection."""
    if connection := _connection(environ):
        connection.authenticated()


def _declared(environ: dict[str, Any]) -> int:
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BodyRefusedError(HTTPStatus.BAD_REQUEST) from None


def _status(environ: dict[str, Any]) -> HTTPStatus:
    connection = _connection(environ)
    return _STATUS_OF.get(connection.given_up if connection else "", HTTPStatus.BAD_REQUEST)


def _connection(environ: dict[str, Any]) -> Any:
    """The worker's connection; None under another server."""
    connection = environ.get("gunicorn.socket")
    return connection if hasattr(connection, "given_up") else None
