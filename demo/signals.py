"""Turns signals into KeyboardInterrupt, so that processes are stopped in order."""

import signal


def end_in_order() -> None:
    """Raise KeyboardInterrupt on SIGTERM, SIGHUP and SIGINT, even if the shell ignores them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
