"""gunicorn's settings, each with its reason. Read by `gunicorn --config web/gunicorn.py`.

The master reads this file. gunicorn monkey-patches each worker for gevent only after the fork, so
this file must not import anything that uses sockets, TLS or locks: the workers would inherit it
unpatched.
"""

import os
import sys
from typing import Any

from shared.agent.languages import default_language
from shared.settings import SettingsError, load_settings
from web.serving import CONNECTIONS, GRACEFUL_S

try:
    settings = load_settings()
    default_language(settings)
except SettingsError as refused:
    sys.exit(str(refused))

bind = f"0.0.0.0:{settings.web.port}"
workers = settings.web.concurrency

# Requests wait for Redis or for a lookup, not for the CPU, and clients may send slowly: each
# connection is a greenlet. docs/decisions/0019-web-server.md compares it with threads.
worker_class = "web.worker.Worker"
worker_connections = CONNECTIONS

# Vapi keeps its connections; a load balancer in between closes idle ones after a minute or more.
keepalive = 75

# The master kills a worker whose loop stands still for this time; every request ends before.
timeout = 30
graceful_timeout = GRACEFUL_S

# Vapi, Twilio and browsers send far less.
limit_request_fields = 60
limit_request_field_size = 8190

# No client, and no proxy, sets a variable of WSGI by a header such as SCRIPT_NAME: web/direct.py
# would not see it.
forwarder_headers = ""

# web/worker.py holds the head of an answer back, and sendfile would overtake it.
sendfile = False

accesslog = None
loglevel = "warning"


def on_starting(server: Any) -> None:
    refuse_taken(server, name="web", setting="PORT")


def refuse_taken(server: Any, name: str, setting: str) -> None:
    """gunicorn itself would try five times, with two lines each."""
    from shared.listening import refuse_taken_port

    handed_over = os.environ.keys() & {"GUNICORN_FD", "LISTEN_FDS"}
    for address in () if handed_over else server.cfg.address:
        if isinstance(address, tuple):
            refuse_taken_port(*address, server=name, setting=setting)


def post_worker_init(worker: Any) -> None:
    from web.background import start

    worker.background = start(worker.wsgi.extensions["service"])


def worker_exit(_server: object, worker: Any) -> None:
    from web.background import stop

    stop(getattr(worker, "background", ()))  # a process that could not start has none
