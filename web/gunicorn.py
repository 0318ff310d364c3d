"""gunicorn's settings, each with its reason. Read by `gunicorn --config web/gunicorn.py`."""

import os
import shutil
import sys
import tempfile
from typing import Any

# Before anything imports prometheus_client, which decides then whether it counts across processes.
figures = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="vapi-salesforce-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures

from prometheus_client import multiprocess  # noqa: E402 - see above

from shared.listening import refuse_taken_port  # noqa: E402
from shared.settings import SettingsError, load_settings  # noqa: E402

try:
    settings = load_settings()
except SettingsError as refused:
    sys.exit(str(refused))

bind = f"0.0.0.0:{settings.port}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# A request waits for Redis or for a lookup, not for the CPU: threads, more than lookups may wait
# (web/pool.py), so that a Salesforce that hangs leaves enough for writes and events.
worker_class = "gthread"
threads = 64

# Vapi keeps its connections; a load balancer in between closes idle ones after a minute or more.
keepalive = 75

# The master kills a worker whose loop stands still for so long; requests end long before.
timeout = 30
graceful_timeout = 25

accesslog = None
loglevel = "warning"


def on_starting(server: Any) -> None:
    """gunicorn itself would try five times, with two lines each."""
    handed_over = os.environ.keys() & {"GUNICORN_FD", "LISTEN_FDS"}
    for address in () if handed_over else server.cfg.address:
        if isinstance(address, tuple):
            refuse_taken_port(*address, server="web", setting="PORT")


def on_exit(_server: object) -> None:
    shutil.rmtree(figures, ignore_errors=True)


def child_exit(_server: object, worker: object) -> None:
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[attr-defined,no-untyped-call]
