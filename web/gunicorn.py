"""gunicorn's settings, each with its reason. Read by `gunicorn --config web/gunicorn.py`.

The master reads this file, and each worker patches itself for gevent only after it was forked. What
is imported here stays as it is in the workers: nothing that holds sockets, TLS contexts or locks.
"""

import os
import shutil
import sys
import tempfile

from shared.settings import SettingsError, load_settings

# prometheus_client decides when it is imported whether it counts across processes.
figures = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="vapi-salesforce-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures

try:
    settings = load_settings()
except SettingsError as refused:
    sys.exit(str(refused))

bind = f"0.0.0.0:{settings.port}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# A request waits for Redis or for a lookup, not for the CPU, and a stranger may send as slowly as
# they like: a greenlet each (docs/decisions/0013-web-server.md has the comparison with threads).
worker_class = "web.worker.Worker"
worker_connections = 1000

# Vapi keeps its connections; a load balancer in between closes idle ones after a minute or more.
keepalive = 75

# The master kills a worker whose loop stands still for so long; requests end long before.
timeout = 30
graceful_timeout = 25

# Longer heads than Vapi, Twilio or a browser sends are refused before they are all there.
limit_request_fields = 60
limit_request_field_size = 8190

accesslog = None
loglevel = "warning"


def on_exit(_server: object) -> None:
    shutil.rmtree(figures, ignore_errors=True)


def child_exit(_server: object, worker: object) -> None:
    """In the master: the mmap files of a worker that is gone no longer count as alive."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[attr-defined,no-untyped-call]
