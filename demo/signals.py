"""Ends by signal: what was started is stopped in order, however the end is asked for."""

import signal


def end_in_order() -> None:
    """SIGTERM, SIGHUP and SIGINT raise KeyboardInterrupt, also where a shell had them ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
