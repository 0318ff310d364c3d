"""The servers beside which the service is measured, as processes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from demo.processes import Process, free_port, wait_until
from demo.stack import INSTALLED, ROOT, UNDER_GRANIAN, Stack, answers_at_all, procfile

BASELINE = ROOT / "bench" / "baseline"
EXPRESS = ROOT / ".run" / "express" / "node_modules"
"""Where `make bench` installs Express."""

PROCESSES = 1
"""Of each server. The generator and the store have the other core: more processes than that compete
with them, and with one another."""

READY_S = 30.0

SERVICE = "service"
BARE = "bare Flask view"
FLASK = "synchronous Flask webhook"
NODE = "synchronous Express webhook"
GRANIAN = "the service under granian"


@dataclass(frozen=True)
class Server:
    """A webhook. how: the way it authenticates its clients (`simulator.vapi.wire.proof`)."""

    name: str
    port: int
    how: str
    process: Process


def missing() -> dict[str, str]:
    """The servers that this machine can't run, with the reason."""
    found = {}
    if not shutil.which("node"):
        found[NODE] = "Node.js is not installed"
    elif not (EXPRESS / "express").is_dir():
        found[NODE] = "Express is not installed (make bench installs it, if npm can)"
    if not find_spec("granian"):
        found[GRANIAN] = "granian is not installed"
    return found


@contextmanager
def serving(stack: Stack, *names: str) -> Iterator[list[Server]]:
    """Run those of the servers that this machine can run, with the environment of the stack."""
    servers = [_server(stack, name) for name in names if name not in missing()]
    try:
        for server in servers:
            server.process.start()
        for server in servers:
            url = f"http://127.0.0.1:{server.port}/"
            wait_until(lambda url=url: answers_at_all(url), for_s=READY_S, what=server.name)  # type: ignore[misc]
        yield servers
    finally:
        for server in servers:
            server.process.stop()


def _server(stack: Stack, name: str) -> Server:
    port = free_port()
    env = {**stack.env_at(port), "WEB_CONCURRENCY": str(PROCESSES)}
    gunicorn = [str(INSTALLED / "gunicorn"), "--config", str(BASELINE / "gunicorn.py")]
    commands = {
        SERVICE: procfile()["web"],
        BARE: [*gunicorn, "bench.baseline.bare:app"],
        FLASK: [*gunicorn, "bench.baseline.webhook:app"],
        NODE: ["node", str(BASELINE / "express" / "server.cjs")],
        GRANIAN: [*UNDER_GRANIAN],
    }
    if name == NODE:
        env["NODE_PATH"] = str(EXPRESS)
    log = stack.folder / f"{name.replace(' ', '-')}.log"
    how = "hmac" if name in (SERVICE, BARE, GRANIAN) else "secret"
    return Server(name, port, how, Process(name, commands[name], env, ROOT, log))
