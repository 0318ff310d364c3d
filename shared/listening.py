"""Reports a port that is in use in one line, before a server fails to bind it at length."""

import errno
import socket
import sys


def refuse_taken_port(address: str, port: int, *, server: str, setting: str) -> None:
    """Ends the process if the port is in use. address: "" for all addresses of this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            sys.exit(
                f"Port {port} is taken: is {server} running already? Stop that process, or set "
                f"{setting} to another port, such as {port + 1}"
            )
