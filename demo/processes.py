"""Processes of the demo, the drill and the tests: started, waited for, started again, stopped."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

STOP_S = 10.0
RESTART_AFTER_S = 0.5


class NotReadyError(Exception):
    """A process did not come up in time; the text names it and shows the end of its log."""


class Process:
    """One supervised process in a session of its own; its output goes to a log file.

    It is started again whenever it exits, until stop() is called, as compose would do it.
    """

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._env = dict(env)
        self._cwd = cwd
        self._log = log
        self._stopping = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper-{name}", daemon=True)

    def start(self) -> None:
        self._spawn()
        self._keeper.start()

    @property
    def pid(self) -> int:
        """0 while it is down."""
        with self._lock:
            return self._running.pid if self._running and self._running.poll() is None else 0

    def kill(self) -> None:
        """kill -9 of the process and all of its children; the keeper starts it again."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and make it."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            if self._running:
                self._running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            if self._running:
                self._running.wait(STOP_S)

    def last_lines(self, limit: int = 15) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-limit:])

    def _spawn(self) -> None:
        with self._lock, self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo, which stops them in order
            )

    def _keep(self) -> None:
        while not self._stopping.is_set():
            running = self._running
            if running:
                running.wait()
            if self._stopping.wait(RESTART_AFTER_S):
                return
            self.restarts += 1
            self._spawn()

    def _signal(self, number: signal.Signals) -> None:
        if self._running:
            try:
                os.killpg(self._running.pid, number)
            except ProcessLookupError:
                return


def wait_until(ready: Callable[[], bool], *, for_s: float, what: str) -> None:
    """Polls until it is so. Raises NotReadyError after for_s."""
    give_up = time.monotonic() + for_s
    while not ready():
        if time.monotonic() > give_up:
            raise NotReadyError(f"{what}: not within {for_s:.0f} s")
        time.sleep(0.05)


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
