"""gunicorn's settings for OPS_PORT: those of web, except for these.

Read by `gunicorn --config web/gunicorn_ops.py`. docs/decisions/0035-console.md says why the console
has a process of its own.
"""

import os
import sys
from typing import Any

from web.gunicorn import (  # noqa: F401  gunicorn finds these here
    accesslog,
    forwarder_headers,
    graceful_timeout,
    keepalive,
    limit_request_field_size,
    limit_request_fields,
    loglevel,
    post_worker_init,
    refuse_taken,
    sendfile,
    settings,
    timeout,
    worker_class,
    worker_connections,
    worker_exit,
)

if settings.ops.port is None:
    sys.exit(f"OPS_PORT is missing; set it to {settings.ops.must_be('port')}")

_host = f"[{settings.ops.address}]" if ":" in settings.ops.address else settings.ops.address
bind = f"{_host}:{settings.ops.port}"

# Operators wait a little longer, callers don't: one process, after all others.
workers = 1
NICENESS = 10


def on_starting(server: Any) -> None:
    refuse_taken(server, name="ops", setting="OPS_PORT")


def post_fork(_server: object, _worker: object) -> None:
    os.nice(NICENESS)
