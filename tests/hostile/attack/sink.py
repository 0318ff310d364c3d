"""Where live call control is sent to. Each call has a URL of its own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

MAX_BYTES = 1_000_000
POLL_S = 0.02


class Sink:
    """A context manager that listens on a port of 127.0.0.1."""

    def __init__(self) -> None:
        self._arrived: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        arrived, lock = self._arrived, self._lock

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length") or 0), MAX_BYTES)
                text = self.rfile.read(length).decode(errors="replace")
                with lock:
                    arrived.append((self.path, text))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Writes nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), name="sink"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *what: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}/control"

    def take(self) -> list[tuple[str, str]]:
        """What arrived since the last time: the name of the URL, and the text."""
        with self._lock:
            taken = [(path.split("/")[1], text) for path, text in self._arrived]
            self._arrived.clear()
        return taken
