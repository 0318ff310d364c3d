"""Flower shows everything and controls nothing: the real one, and the routes that it has."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from celery.signals import before_task_publish
from flower import urls

from demo.processes import Process, free_port, wait_until
from demo.stack import FLOWER_AUTH, ROOT, Org, Store, environment, procfile
from shared.domain.drafts import CaseDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.wake_ups import Notifier, celery_app
from tests.calling import KNOWN
from workers.app import create_app

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


def flower_at(store_server: Store, folder: Path, port: int, **extra: str) -> Process:
    env = environment(store_server.url, "http://127.0.0.1:1", free_port())
    env |= {"FLOWER_PORT": str(port), **extra}
    return Process("flower", procfile()["flower"], env, ROOT, folder / "flower.log")


def running(store_server: Store, folder: Path, **extra: str) -> Iterator[str]:
    port = free_port()
    process = flower_at(store_server, folder, port, **extra)
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


# -- what became of deliveries ---------------------------------------------------------------------


def listed(url: str) -> list[dict[str, Any]]:
    """The rows of the page of tasks, as its table asks for them."""
    form: dict[str, str | int] = {
        "draw": 1, "start": 0, "length": 100, "search[value]": "", "order[0][column]": 0,
        "order[0][dir]": "asc", "columns[0][data]": "name",
    }  # fmt: skip
    answer = requests.get(f"{url}/tasks/datatable", params=form, auth=AUTH, timeout=10)
    rows: list[dict[str, Any]] = answer.json()["data"]
    return [row for row in rows if row["name"].startswith("deliver.")]


def finished(url: str, state: str) -> list[dict[str, Any]]:
    return [row for row in listed(url) if row["state"] == state]


@pytest.fixture
def worker(store: redis.Redis, store_server: Store, org: Org, tmp_path: Path) -> Iterator[Process]:
    """A worker, for as long as its store is not emptied."""
    env = environment(store_server.url, org.url, free_port())
    process = Process("worker", procfile()["worker"], env, ROOT, tmp_path / "worker.log")
    process.start()
    yield process
    process.stop()


def accept(store: redis.Redis) -> None:
    """A case that is due at once."""
    draft = CaseDraft(caller_number=KNOWN, issue_type="billing", description="x")
    new = NewIntent(new_intent_id(), Kind.CASE_CREATE, draft, reference=new_reference())
    Journal(store).accept("call-1", [new])


def test_a_delivery_is_listed_with_its_arguments_and_in_the_colour_of_its_outcome(
    flower: str, worker: Process, store: redis.Redis, org: Org, settings: Settings
) -> None:
    """Delivered, parked and waiting. To wait publishes no message."""
    accept(store)
    wait_until(lambda: bool(finished(flower, "SUCCESS")), for_s=30, what="a delivery in Flower")
    assert finished(flower, "SUCCESS")[0]["result"] == "delivered 1"

    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    accept(store)
    wait_until(lambda: bool(finished(flower, "FAILURE")), for_s=30, what="a parked write in Flower")
    assert finished(flower, "FAILURE")[0]["result"] == "parked 1"

    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    accept(store)
    wait_until(lambda: bool(finished(flower, "RETRY")), for_s=30, what="a waiting write in Flower")
    waits = r"again 1, SERVER_UNAVAILABLE, next attempt \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(waits, finished(flower, "RETRY")[0]["result"])

    Notifier(celery_app(settings.store)).notify([Kind.creating("Order__c")])
    wait_until(
        lambda: any("create.Order__c" in row["args"] for row in listed(flower)),
        for_s=30,
        what="a delivery with an argument in Flower",
    )


def test_a_delivery_that_has_to_wait_publishes_nothing(
    store: redis.Redis, org: Org, settings: Settings
) -> None:
    """The time of its next attempt is in the journal, and nowhere else."""
    app = create_app(settings)
    accept(store)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    published: list[str] = []

    def note(sender: str, **_: object) -> None:
        published.append(sender)

    before_task_publish.connect(note)
    try:
        # As a worker runs it, without the worker.
        ran = app.tasks[TASK].apply()
    finally:
        before_task_publish.disconnect(note)
    assert ran.state == "RETRY"
    assert published == []
    assert store.llen(QUEUE) == 0
    assert Journal(store).waits()["org"].reason == "TOKEN_SERVER_UNAVAILABLE"


def test_what_it_lists_survives_a_restart(
    store_server: Store,
    worker: Process,
    store: redis.Redis,
    tmp_path: Path,
) -> None:
    file, port = tmp_path / "stored" / "tasks", free_port()
    file.parent.mkdir()
    url = f"http://127.0.0.1:{port}"

    def start() -> Process:
        process = flower_at(store_server, tmp_path, port, FLOWER_DB=str(file))
        process.start()
        wait_until(lambda: answers(url), for_s=45, what=f"Flower: {process.last_lines()}")
        return process

    first = start()
    accept(store)
    wait_until(lambda: bool(finished(url, "SUCCESS")), for_s=30, what="a delivery in Flower")
    before = [(row["uuid"], row["result"]) for row in finished(url, "SUCCESS")]
    first.stop()
    second = start()
    try:
        assert [(row["uuid"], row["result"]) for row in finished(url, "SUCCESS")] == before
    finally:
        second.stop()
    assert sum(path.stat().st_size for path in file.parent.iterdir()) < 5_000_000


def test_a_folder_that_can_not_be_written_is_refused_by_name(
    store_server: Store, tmp_path: Path
) -> None:
    env = environment(store_server.url, "http://127.0.0.1:1", free_port())
    env |= {"FLOWER_PORT": str(free_port()), "FLOWER_DB": str(tmp_path / "nowhere" / "tasks")}
    ended = subprocess.run(
        procfile()["flower"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "settings refused: FLOWER_DB must be the path of a file in a folder" in ended.stderr
