"""What gunicorn (web/gunicorn.py) and granian (web/granian.py) have in common.

gunicorn's master imports this module, so it must not import anything that uses sockets.
"""

import resource

CONNECTIONS = 1000
"""Of each process."""

GRACEFUL_S = 25
"""From the signal to stop until a process is killed. Every request ends before."""

OTHER_FILES = 512
"""File descriptors for connections to Redis, Salesforce and Vapi, and for files."""


def possible_connections(wanted: int) -> int:
    """As many as file descriptors allow. Raises the soft limit as far as needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted + OTHER_FILES:
        soft = wanted + OTHER_FILES
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, soft - OTHER_FILES)
