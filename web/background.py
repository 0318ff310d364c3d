"""What a web process does besides answering: it adds its counts to the fleet's, and takes turns in
looking for alarms.

The server starts it in each process (web/gunicorn.py, web/served.py), so that a test's application
has none of it.
"""

import gc
from collections.abc import Iterable

from shared.background import Background
from shared.metrics.fleet import FLUSH_EVERY_S
from shared.operators.alarms.watcher import WATCH_EVERY_S, Watcher
from web.service import Service


def start(service: Service) -> list[Background]:
    """What runs from now on, in a process that is about to answer. Whoever starts it stops it."""
    counts = service.counts
    watcher = Watcher.of(service.settings, service.store, counts)
    running = [
        Background("alarms", watcher.watch, WATCH_EVERY_S),
        Background("metrics", counts.flush, FLUSH_EVERY_S, at_end=counts.flush),
    ]
    for item in running:
        item.start()
    # What exists now lives as long as the process. Scanning it for garbage would pause every
    # request for some 70 ms, about once a second under load.
    gc.collect()
    gc.freeze()
    return running


def stop(running: Iterable[Background]) -> None:
    """Adds the last counts."""
    for item in running:
        item.stop()
