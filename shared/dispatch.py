"""Doorbells: the names of tasks and queues, and the one way a message is sent.

A message says "there is work of this kind" and carries nothing else. Losing or doubling one
changes nothing: the sweep rings again.
"""

import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from kombu.transport import redis as redis_transport

from shared.domain.kinds import Kind
from shared.logs import log
from shared.settings import REDIS_PREFIX, Settings
from shared.store import PrimaryConnection, PrimarySSLConnection, one_retry

DELIVER = "deliver"
SWEEP = "sweep"
FORGET = "forget"
CLOSE_QUIET = "close_quiet"
DELIVER_QUEUE = "deliver"
SWEEP_QUEUE = "sweep"

SOCKET_TIMEOUT_S = 2.0

MAX_PUBLISHERS = 4
"""Of a process, with two connections each. A kind has one doorbell out at a time."""


class _Channel(redis_transport.Channel):  # type: ignore[misc]  # kombu has no types
    connection_class = PrimaryConnection
    connection_class_ssl = PrimarySSLConnection

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        params: dict[str, Any] = super()._connparams(asynchronous)
        # Not for the connections that listen: the event loop watches their sockets.
        return params if asynchronous else params | {"retry": one_retry()}


class Transport(redis_transport.Transport):  # type: ignore[misc]
    """Celery's own, with connections that follow the primary."""

    Channel = _Channel


def celery_app(settings: Settings, *, socket_timeout_s: float = SOCKET_TIMEOUT_S) -> Celery:
    """The Celery application as every process of ours needs it; workers add to it.

    socket_timeout_s: a worker's has to be longer than the second that it listens at a time.
    """
    broker, tls = for_celery(settings.broker_url)
    app = Celery("vapi-salesforce", broker=broker)
    app.conf.update(
        broker_use_ssl=tls,
        broker_transport=f"{__name__}:{Transport.__name__}",
        broker_pool_limit=MAX_PUBLISHERS,
        # State lives in the journal; a result backend would cost a write and a key a task.
        task_ignore_result=True,
        task_create_missing_queues=False,  # a typo would make a queue that nobody reads
        task_queues=[Queue(DELIVER_QUEUE), Queue(SWEEP_QUEUE)],
        task_routes={
            DELIVER: {"queue": DELIVER_QUEUE},
            SWEEP: {"queue": SWEEP_QUEUE},
            FORGET: {"queue": SWEEP_QUEUE},
            CLOSE_QUIET: {"queue": SWEEP_QUEUE},
        },
        task_publish_retry=False,  # the journal is written; a lost doorbell is rung again
        broker_pool_acquire_timeout=1.0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker that gives up after 46 minutes helps nobody
        broker_channel_error_retry=True,  # survive READONLY and OOM replies
        broker_transport_options={
            "global_keyprefix": f"{REDIS_PREFIX}celery:",
            "socket_timeout": socket_timeout_s,  # without it a hung Redis blocks for ever
            "socket_connect_timeout": min(1.0, socket_timeout_s),
            "socket_keepalive": True,
            "health_check_interval": 10,
            "max_retries": 0,
        },
    )
    return app


def for_celery(url: str) -> tuple[str, dict[str, Any] | None]:
    """The address of a broker as kombu and Flower read it, and its TLS options; None without TLS.

    redis-py, which reads the address as it is, verifies the server's certificate unless told
    otherwise; kombu does not.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        database = options.get("db", "0")
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}", None
    tls: dict[str, Any] | None = None
    if parts.scheme == "rediss":
        required = options.pop("ssl_cert_reqs", "required")
        checks = options.pop("ssl_check_hostname", "true").lower() not in ("false", "no", "0")
        tls = {
            "ssl_cert_reqs": ssl.VerifyMode[f"CERT_{required.upper()}"],
            "ssl_check_hostname": checks,
            **options,
        }
    return urlunsplit(parts._replace(query="")), tls


class Doorbell:
    """Rings for kinds that have work. Never raises: the sweep makes up for a lost ring."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def ring(self, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            try:
                self._app.send_task(DELIVER, args=[str(kind)], ignore_result=True)
            except (OperationalError, OSError) as trouble:
                log.warning("doorbell_lost", kind=kind, reason=type(trouble).__name__)
                return
