"""gunicorn's settings, each with its reason. Read by `gunicorn --config web/gunicorn.py`."""

import os
import sys
import tempfile

# Before anything imports prometheus_client, which decides then whether it counts across processes.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="vapi-salesforce-"))

from prometheus_client import multiprocess

from shared.settings import SettingsError, load_settings

try:
    settings = load_settings()
except SettingsError as refused:
    sys.exit(str(refused))

bind = f"0.0.0.0:{settings.port}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# A request waits for Redis or for a lookup, not for the CPU: threads, more than lookups may wait
# (web/lookup_pool.py), so that a Salesforce that hangs leaves enough for writes and events.
worker_class = "gthread"
threads = 64

# Vapi keeps its connections; a load balancer in between closes idle ones after a minute or more.
keepalive = 75

# The master kills a worker whose loop stands still for so long; requests end long before.
timeout = 30
graceful_timeout = 25

accesslog = None
loglevel = "warning"


def child_exit(_server: object, worker: object) -> None:
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[attr-defined,no-untyped-call]
