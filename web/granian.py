"""The web process under granian, a WSGI server in Rust: `python -m web.granian`.

gunicorn is the default. docs/decisions/0049-granian.md says what granian does better, and what only
web/worker.py does. granian is not in requirements.txt.
"""

import argparse
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from shared.agent.agents import agents_of
from shared.listening import refuse_taken_port
from shared.settings import SettingsError, load_settings
from web.pool import LOOKUP_THREADS, REQUEST_THREADS
from web.serving import CONNECTIONS, GRACEFUL_S, possible_connections

try:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
except ModuleNotFoundError:
    sys.exit("granian is not installed; docs/getting-started.md says which version to install")

THREADS = LOOKUP_THREADS + REQUEST_THREADS + 32
"""Of each process; a request has one until it is answered. So many requests can wait for Salesforce
at a time, and 32 threads are left for events and writes, which need only the store."""

IDLE_TIMEOUT_MS = 60_000
"""From the end of an answer, or from the connection's start, to the end of the next head. Vapi
keeps its connections, so this is the most that granian allows. It costs no thread."""

MAX_HEAD_BYTES = 32 * 1024

STOPS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Ends with a text if settings or agent folder can't be used, or if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m web.granian", description=__doc__)
    everywhere = "0.0.0.0"  # noqa: S104  as gunicorn
    parser.add_argument("--host", default=everywhere, help="the address (default: %(default)s)")
    host = parser.parse_args().host
    try:
        settings = load_settings()
        agents_of(settings)
    except SettingsError as refused:
        sys.exit(str(refused))
    # granian would share the port with whoever has it (SO_REUSEPORT), and each get some requests.
    refuse_taken_port(host, settings.web.port, server="web", setting="PORT")
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, STOPS),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS),
        after_in_child=_end_at_once_on_signals,
    )
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        cores = Cores(os.sched_getaffinity(0))
        os.register_at_fork(before=cores.choose, after_in_child=cores.take)
    Granian(
        "web.served:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=settings.web.port,
        workers=settings.web.concurrency,
        blocking_threads=THREADS,
        backpressure=possible_connections(CONNECTIONS),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=IDLE_TIMEOUT_MS, max_buffer_size=MAX_HEAD_BYTES
        ),
        # Its warnings are about the number of threads and processes.
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        # A client that sends slowly holds its process for ever.
        workers_kill_timeout=GRACEFUL_S,
    ).serve()


class Cores:
    """Gives each worker one core, so that its threads take turns for Python's lock without waking
    another core each time."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """numbers: of the cores that this process may use."""
        self._cores = sorted(numbers)
        """The one that was chosen last comes last."""

    def choose(self) -> None:
        """The core that fewest workers have. While a worker is replaced there are two of it."""
        taken: Counter[int] = Counter()
        for worker in multiprocessing.active_children():
            with suppress(ProcessLookupError):
                taken.update(os.sched_getaffinity(worker.pid or 0))
        core = min(self._cores, key=taken.__getitem__)
        self._cores.remove(core)
        self._cores.append(core)

    def take(self) -> None:
        """In a worker."""
        os.sched_setaffinity(0, {self._cores[-1]})


def _end_at_once_on_signals() -> None:
    """Until granian sets a worker's own handlers. Those that it inherits are its parent's, and do
    nothing in it: granian would wait in vain for a worker that it stops while it starts. A signal
    that came since the fork was held back for this."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


if __name__ == "__main__":
    main()
