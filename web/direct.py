"""Answers plain requests to the webhook without a WSGI server in between.

The webhook needs only the method, the headers and the body of a request. To build the rest of a
WSGI environment, and a response object, takes longer than most answers.

gunicorn would send the same bytes, except for a header `Server`.
"""

import time
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any, Self
from wsgiref.types import WSGIEnvironment

from gunicorn import util

from web import webhook
from web.app import Application
from web.service import Service

LOGGING_SETTINGS = (
    "accesslog", "logconfig", "logconfig_dict", "logconfig_json", "max_requests", "statsd_host",
    "syslog",
)  # fmt: skip
"""gunicorn's settings with which it logs or counts each request."""


class Direct:
    """Answers requests that gunicorn has parsed."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @classmethod
    def of(cls, application: Any, settings: Any) -> Self | None:
        """None where gunicorn has to answer: for another application, and with settings of gunicorn
        or of the signature that need more of a request. settings: gunicorn's."""
        logs = any(getattr(settings, name) for name in LOGGING_SETTINGS)
        if logs or not settings.keepalive or not isinstance(application, Application):
            return None
        service: Service = application.extensions["service"]
        return None if webhook.signs_url(service) else cls(service)

    def answers(self, request: Any) -> bool:
        """Whether it is a plain request to the webhook. gunicorn answers all others, also those
        whose path is escaped."""
        return (
            request.path in webhook.PATHS
            and request.method == "POST"
            and request.version == (1, 1)
            and not request._expected_100_continue
        )

    def answer(self, request: Any, connection: Any, *, is_last: bool) -> tuple[bytes, bool]:
        """The whole HTTP response, and whether the connection closes after it. is_last: it closes
        in any case."""
        status, text = webhook.handle(self._service, _environment(request, connection))
        body = text.encode()
        closes = is_last or request.should_close()
        lines = [
            _status_line(status),
            f"Date: {_date(int(time.time()))}",
            f"Connection: {'close' if closes else 'keep-alive'}",
            *(f"{name}: {value}" for name, value in webhook.headers(status, body)),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body, closes


def _environment(request: Any, connection: Any) -> WSGIEnvironment:
    """What `webhook.handle` reads of a WSGI environment."""
    environ = {
        "REQUEST_METHOD": request.method,
        "wsgi.input": request.body,
        "gunicorn.socket": connection,
    }
    for name, value in request.headers:
        variable = webhook.variable(name)
        environ[variable] = f"{environ[variable]},{value}" if variable in environ else value
    return environ


@cache
def _status_line(status: HTTPStatus) -> str:
    return f"HTTP/1.1 {status.value} {status.phrase}"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(util.http_date(second))
