"""Wake-ups: the names of tasks and queues, and the only place that sends a message.

A message says "there is work of this kind" and nothing else. A lost or repeated message changes
nothing: the sweep sends another one, and a worker leases only what is due.
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

from shared.domain.kinds import VERBS_OF_TEAMS, Kind
from shared.logs import log
from shared.settings import REDIS_PREFIX, StoreSettings
from shared.store import PrimaryConnection, PrimarySSLConnection, one_retry

PURGE = "purge"
END_QUIET_CALLS = "end_quiet_calls"
RECONCILE = "reconcile"
MAKE_GOOD = "make_good"
DELIVER_PREFIX = "deliver."
DELIVER_OF_TEAMS = tuple(f"{DELIVER_PREFIX}{verb}" for verb in VERBS_OF_TEAMS)
"""Deliver what a team's own tools write. Their argument is the kind."""
DELIVER_QUEUE = "deliver"
MAINTENANCE_QUEUE = "maintenance"

SOCKET_TIMEOUT_S = 2.0

MAX_PUBLISHERS = 4
"""Per process, with two connections each. A kind has one wake-up on its way at a time."""


class _Channel(redis_transport.Channel):
    connection_class = PrimaryConnection
    connection_class_ssl = PrimarySSLConnection

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        params: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        # Not for the connections that listen, whose sockets the event loop watches.
        return params if asynchronous else params | {"retry": one_retry()}

    def _queue_bind(self, *args: Any) -> None:
        # Queues are addressed by name. A binding that a full store refuses must not keep a worker
        # from listening.
        with suppress(redis.ResponseError):
            super()._queue_bind(*args)  # type: ignore[misc]


class Transport(redis_transport.Transport):
    """Celery's own transport, with connections that follow the primary."""

    Channel = _Channel


def deliver_task(kind: Kind) -> tuple[str, tuple[str, ...]]:
    """The name and the arguments of the task that delivers a kind, as Flower shows them."""
    if kind.verb:
        return f"{DELIVER_PREFIX}{kind.verb}", (str(kind),)
    return f"{DELIVER_PREFIX}{kind}", ()


def celery_app(settings: StoreSettings, *, socket_timeout_s: float = SOCKET_TIMEOUT_S) -> Celery:
    """The Celery application that every process of this service uses; workers add to it.

    socket_timeout_s: a worker's must be longer than the second for which it listens at a time.
    """
    broker, tls = for_celery(settings.broker_url)
    app = Celery("vapi-salesforce", broker=broker)
    app.conf.update(
        broker_use_ssl=tls,
        broker_transport=f"{__name__}:{Transport.__name__}",
        broker_pool_limit=MAX_PUBLISHERS,
        # State lies in the journal. A result backend would cost a write and a key per task.
        task_ignore_result=True,
        task_create_missing_queues=False,  # a typo would make a queue that nobody reads
        task_queues=[Queue(DELIVER_QUEUE), Queue(MAINTENANCE_QUEUE)],
        task_routes={
            f"{DELIVER_PREFIX}*": {"queue": DELIVER_QUEUE},
            PURGE: {"queue": MAINTENANCE_QUEUE},
            END_QUIET_CALLS: {"queue": MAINTENANCE_QUEUE},
            RECONCILE: {"queue": MAINTENANCE_QUEUE},
        },
        task_publish_retry=False,  # the journal is written; the sweep replaces a lost wake-up
        broker_pool_acquire_timeout=1.0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # never give up, as the default does after 46 minutes
        broker_channel_error_retry=True,  # survive READONLY and OOM replies
        broker_transport_options={
            "global_keyprefix": f"{REDIS_PREFIX}celery:",
            "socket_timeout": socket_timeout_s,  # without it a hung Redis blocks for ever
            "socket_connect_timeout": min(1.0, socket_timeout_s),
            "socket_keepalive": True,
            "health_check_interval": 10,
            # Messages are not recorded as unacknowledged: they carry nothing, and a full store
            # would refuse the record again and again.
            "ack_emulation": False,
            "max_retries": 0,
        },
    )
    return app


def for_celery(url: str) -> tuple[str, dict[str, Any] | None]:
    """A broker's address as kombu and Flower read it, and its TLS options (None without TLS).

    Unlike kombu, redis-py reads the address as it is and verifies the server's certificate by
    default.
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
    """Sends wake-ups for kinds that have work. Never raises: the sweep replaces a lost wake-up."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def notify(self, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        """Returns the kinds that got no wake-up. Stops at the first failure."""
        left = list(kinds)
        while left:
            try:
                name, arguments = deliver_task(left[0])
                self._app.send_task(name, arguments, ignore_result=True)
            except (OperationalError, OSError) as trouble:
                log.warning("wake_up_lost", kind=left[0], reason=type(trouble).__name__)
                break
            left.pop(0)
        return tuple(left)
