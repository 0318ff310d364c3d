"""Doorbells: the names of tasks and queues, and the one way a message is sent.

A message says "there is work of this kind" and carries nothing else. Losing or doubling one
changes nothing: the sweep rings again.
"""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import redis
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from kombu.transport import redis as redis_transport

from shared.domain.kinds import Kind
from shared.logs import log
from shared.settings import REDIS_PREFIX, Settings
from shared.store import PrimaryConnection, PrimarySSLConnection, one_retry

PURGE = "purge"
END_QUIET_CALLS = "end_quiet_calls"
DELIVER_PREFIX = "deliver."
DELIVER_QUEUE = "deliver"
MAINTENANCE_QUEUE = "maintenance"

SOCKET_TIMEOUT_S = 2.0

MAX_PUBLISHERS = 4
"""Of a process, with two connections each. A kind has one doorbell out at a time."""


class _Channel(redis_transport.Channel):
    connection_class = PrimaryConnection
    connection_class_ssl = PrimarySSLConnection

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        params: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        # Not for the connections that listen: the event loop watches their sockets.
        return params if asynchronous else params | {"retry": one_retry()}

    def _queue_bind(self, *args: Any) -> None:
        # We address queues by their names; a binding that the store refuses (its memory is spent)
        # must not keep a worker from listening.
        with suppress(redis.ResponseError):
            super()._queue_bind(*args)  # type: ignore[misc]


class Transport(redis_transport.Transport):
    """Celery's own, with connections that follow the primary."""

    Channel = _Channel


def deliver_task(kind: Kind) -> str:
    """The name of the task that delivers a kind: Flower shows the work by it."""
    return f"{DELIVER_PREFIX}{kind}"


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
        task_queues=[Queue(DELIVER_QUEUE), Queue(MAINTENANCE_QUEUE)],
        task_routes={
            f"{DELIVER_PREFIX}*": {"queue": DELIVER_QUEUE},
            PURGE: {"queue": MAINTENANCE_QUEUE},
            END_QUIET_CALLS: {"queue": MAINTENANCE_QUEUE},
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
            # A message that is taken is not noted as unacknowledged: it carries nothing, and a
            # store without memory would refuse the note, again and again.
            "ack_emulation": False,
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


class Notifier:
    """Rings for kinds that have work. Never raises: a sweep makes up for a lost ring."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def notify(self, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        """Returns the kinds for which no message could be sent; after one none is tried."""
        left = list(kinds)
        while left:
            try:
                self._app.send_task(deliver_task(left[0]), ignore_result=True)
            except (OperationalError, OSError) as trouble:
                log.warning("doorbell_lost", kind=left[0], reason=type(trouble).__name__)
                break
            left.pop(0)
        return tuple(left)
