"""What a web process does besides answering: it adds its counts to the fleet's, and takes turns in
looking for alarms.

gunicorn starts it in each process (web/gunicorn.py), so that a test's application has none of it.
"""

from shared.background import Background
from shared.metrics.fleet import FLUSH_EVERY_S
from shared.operators.alarms.watcher import WATCH_EVERY_S, Watcher
from web.service import Service


def start(service: Service) -> list[Background]:
    """What runs from now on. Whoever starts it stops it."""
    counts = service.counts
    watcher = Watcher.of(service.settings, service.store, counts)
    running = [
        Background("alarms", watcher.watch, WATCH_EVERY_S),
        Background("metrics", counts.flush, FLUSH_EVERY_S, at_end=counts.flush),
    ]
    for item in running:
        item.start()
    return running
