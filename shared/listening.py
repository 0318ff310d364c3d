"""A port that is taken is said in a line, before a server tries and fails at length."""

import errno
import socket
import sys


def refuse_taken_port(address: str, port: int, *, server: str, setting: str) -> None:
    """Ends the process when somebody listens there. address: "" for all of this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            sys.exit(
                f"Port {port} is taken: is {server} running already? Stop that process, or set "
                f"{setting} to another port, such as {port + 1}"
            )
