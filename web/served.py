"""The application for WSGI servers other than gunicorn: `web.served:create_app`, once a process.

gunicorn has hooks that start and stop what runs beside requests (web/gunicorn.py). Other servers
have none for WSGI, so here the application does it.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from multiprocessing.util import Finalize

from flask import Flask

from shared.background import Background
from shared.settings import SettingsError
from shared.tracing import end_recording
from web import app
from web.background import start, stop
from web.serving import GRACEFUL_S

WATCH_PARENT_EVERY_S = 1.0


def create_app() -> Flask:
    """Ends the process with the text if settings or agent folder can't be used."""
    try:
        made = app.create_app()
    except SettingsError as refused:
        sys.exit(str(refused))
    running = start(made.extensions["service"])
    # granian makes its workers with multiprocessing, and Python 3.11 does not call atexit in them.
    # In other processes this is called by atexit.
    Finalize(None, _end, args=(running,), exitpriority=0)
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent.pid,), name="parent", daemon=True).start()
    return made


def _end(running: Iterable[Background]) -> None:
    stop(running)
    end_recording()


def _end_with(parent: int | None) -> None:
    """End in order once the parent is gone. A worker whose parent was killed would go on
    listening, and the next server would find the port taken."""
    while os.getppid() == parent:
        time.sleep(WATCH_PARENT_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACEFUL_S)
    os._exit(1)
