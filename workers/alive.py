"""Worker and beat record that they are alive, and warn when their name is in use already."""

import atexit
import sys
import threading
from contextlib import suppress

from celery.signals import beat_init, celeryd_after_setup, worker_ready

from shared.alive import NOTE_EVERY_S, Alive, Peer, Role
from shared.logs import log
from shared.settings import StoreSettings
from shared.store import StoreUnavailableError, connect


def keep_noting(settings: StoreSettings) -> None:
    """From now on, in whichever process this is."""
    alive = Alive(connect(settings.url))

    def beat(**_: object) -> None:
        me = Peer.of_this_process()
        if other := _another(alive, "beat", me):
            sys.exit(
                f"beat is running already, as process {other.pid} on {other.host}, and one is "
                "enough: stop that one first"
            )
        _note(alive, "beat", me)

    def names_itself(sender: str = "", **_: object) -> None:
        if other := _another(alive, "worker", Peer.of_this_process(sender)):
            log.warning(
                "worker_name_taken",
                reason=f"process {other.pid} on {other.host} is called {sender} as well: stop "
                "one, or give this one a name of its own with --hostname second@%h",
            )

    def works(sender: object = None, **_: object) -> None:
        _note(alive, "worker", Peer.of_this_process(str(getattr(sender, "hostname", ""))))

    # Not weak: nothing else holds on to them.
    beat_init.connect(beat, weak=False)
    celeryd_after_setup.connect(names_itself, weak=False)
    worker_ready.connect(works, weak=False)


def _another(alive: Alive, role: Role, me: Peer) -> Peer | None:
    """Another process of that role and name; None if there is none, or if the store is away."""
    try:
        others = alive.of(role)
    except StoreUnavailableError:
        return None
    return next((item for item in others if item != me and item.name == me.name), None)


def _note(alive: Alive, role: Role, me: Peer) -> None:
    """Now and every NOTE_EVERY_S, until the process ends."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.is_set():
            with suppress(StoreUnavailableError):  # other code reports that the store is away
                alive.note(role, me)
            ended.wait(NOTE_EVERY_S)

    def sign_off() -> None:
        ended.set()
        with suppress(StoreUnavailableError):
            alive.sign_off(role, me)

    threading.Thread(target=keep, name="alive", daemon=True).start()
    atexit.register(sign_off)
