"""Start, await, restart and stop the processes of the demo, the drill and the tests."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

STOP_S = 10.0
RESTART_AFTER_S = 0.5


class NotReadyError(Exception):
    """Something was not ready in time. The text names it and may show the end of its log."""


class Process:
    """A supervised process in its own session; its output goes to a log file.

    It restarts whenever it exits, until stop() is called, as with compose.
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

    def start(self) -> None:
        """Also after stop()."""
        self._stopping = threading.Event()
        self._spawn()
        threading.Thread(
            target=self._supervise,
            args=(self._stopping,),
            name=f"supervisor-{self.name}",
            daemon=True,
        ).start()

    @property
    def pid(self) -> int:
        """The process id, 0 while the process is down."""
        with self._lock:
            return self._running.pid if self._running and self._running.poll() is None else 0

    def kill(self) -> None:
        """Send SIGKILL to the process and its children. The supervisor restarts it."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if it does not exit within STOP_S."""
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

    @property
    def has_exited(self) -> bool:
        """Whether it has ever exited by itself, also if it was started again since."""
        running = self._running
        return self.restarts > 0 or (running is not None and running.poll() is not None)

    def end_of_log(self) -> str:
        """The last lines, after a line that names the file."""
        return f"--- the end of {self._log} ---\n{self.last_lines()}"

    def last_lines(self, count: int = 15) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-count:])

    def _spawn(self) -> None:
        with self._lock, self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the demo, which stops them
            )

    def _supervise(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            running = self._running
            if running:
                running.wait()
            if stopping.wait(RESTART_AFTER_S):
                return
            self.restarts += 1
            self._spawn()

    def _signal(self, number: signal.Signals) -> None:
        if self._running:
            try:
                os.killpg(self._running.pid, number)
            except ProcessLookupError:
                return


def wait_until(
    condition: Callable[[], bool], *, for_s: float, what: str, starting: Iterable[Process] = ()
) -> None:
    """Polls until the condition holds. Raises NotReadyError after for_s seconds, and as soon as a
    process that is starting has exited, with the end of its log."""
    give_up = time.monotonic() + for_s
    starting = tuple(starting)
    while not condition():
        for process in starting:
            if process.has_exited:
                raise NotReadyError(
                    f"{process.name} exited instead of starting\n{process.end_of_log()}"
                )
        if time.monotonic() > give_up:
            logs = "".join(f"\n{process.end_of_log()}" for process in starting)
            raise NotReadyError(f"{what} was not ready within {for_s:.0f} s{logs}")
        time.sleep(0.05)


PORTS = range(15_000, 32_000)
"""Below those that systems give to outgoing connections: one of these could take the port before
its server starts."""


def free_port() -> int:
    """A TCP port that was free a moment ago. Raises NotReadyError when none of many is."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotReadyError("no free TCP port")
