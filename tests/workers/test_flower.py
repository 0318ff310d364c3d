"""Flower shows everything and controls nothing: the real one, and the routes that it has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from flower import urls

from demo.processes import Process, free_port, wait_until
from demo.stack import FLOWER_AUTH, ROOT, Store, environment, procfile

AUTH = ("operator", FLOWER_AUTH.partition(":")[2])
TASK = "deliver.case_create"
QUEUE = "vs:celery:deliver"


def routes() -> list[str]:
    """The paths of Flower's API, with a name for each part that is left open."""
    patterns = (getattr(handler, "regex", None) or handler[0] for handler in urls.handlers)
    texts = [str(getattr(pattern, "pattern", pattern)).rstrip("$") for pattern in patterns]
    return [re.sub(r"\(\.[+*]\)", TASK, text) for text in texts if text.startswith("/api/")]


@pytest.fixture(scope="module")
def flower(store_server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from running(store_server, tmp_path_factory.mktemp("flower"))


def running(store_server: Store, folder: Path, **extra: str) -> Iterator[str]:
    port = free_port()
    env = environment(store_server.url, "http://127.0.0.1:1", free_port())
    env |= {"FLOWER_PORT": str(port), **extra}
    process = Process("flower", procfile()["flower"], env, ROOT, folder / "flower.log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), for_s=45, what=f"Flower: {process.last_lines()}")
        yield url
    finally:
        process.stop()


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthcheck", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_nothing_in_its_api_controls_a_worker_or_a_task(flower: str, store: redis.Redis) -> None:
    found = routes()
    assert len(found) > 15  # a search that finds nothing proves nothing
    by_status: dict[int, list[str]] = {}
    for path in found:
        body = {"args": [], "workername": "x", "queue": "deliver"}
        answer = requests.post(f"{flower}{path}", json=body, auth=AUTH, timeout=10)
        by_status.setdefault(answer.status_code, []).append(path)
    assert set(by_status) <= {403, 405}  # refused, or only to be read
    refused = by_status[403]
    assert any(path.startswith("/api/worker/shutdown/") for path in refused)
    assert any(path.startswith("/api/task/send-task/") for path in refused)
    assert not store.exists(QUEUE)


@pytest.mark.parametrize("page", ["/", "/workers", "/tasks", "/api/workers"])
def test_its_pages_still_work_for_who_knows_the_password(flower: str, page: str) -> None:
    assert requests.get(f"{flower}{page}", auth=AUTH, timeout=10).status_code == 200


@pytest.mark.parametrize("auth", [None, ("operator", "wrong")])
def test_nobody_else_sees_or_does_anything(flower: str, auth: tuple[str, str] | None) -> None:
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers"):
        assert requests.get(f"{flower}{path}", auth=auth, timeout=10).status_code == 401
    for path in routes():
        answer = requests.post(f"{flower}{path}", json={}, auth=auth, timeout=10)
        assert answer.status_code in (401, 405)


def test_a_team_may_let_it_control_tasks(
    store_server: Store, store: redis.Redis, tmp_path: Path
) -> None:
    for url in running(store_server, tmp_path, FLOWER_READ_ONLY="false"):
        path = f"{url}/api/task/send-task/{TASK}"
        assert requests.post(path, json={"args": []}, auth=AUTH, timeout=10).status_code == 200
