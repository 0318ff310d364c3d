"""Two gunicorn processes and two workers: figures equal the journal's own, and alarms get out."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from demo.processes import Process, wait_until
from demo.stack import OPERATOR, ROOT, Stack, procfile
from shared.alive import Alive
from shared.domain.kinds import State
from shared.journal.journal import Journal
from tests.accounting import read_places
from tests.alarms.receivers import Hook, listening_hook
from tests.journeys.test_calls import DEMO, SECOND_THOUGHTS, play, settled
from tests.metrics.operations import EXPRESSIONS
from tests.metrics.scrape import Scrape, metrics_in


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with listening_hook() as hook:
        yield hook


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[Stack]:
    extra = {"WEB_CONCURRENCY": "2", "ALARM_WEBHOOK_URL": hook.url}
    folder = tmp_path_factory.mktemp("metrics")
    with Stack(folder, extra=extra, programs=programs) as running:
        command = [*procfile()["worker"], "--hostname", "second@%h"]
        second = Process("second", command, running.env, ROOT, folder / "second.log")
        second.start()
        running.processes["second"] = second  # stopped with the others
        with redis.Redis.from_url(running.store.url, decode_responses=True) as client:
            wait_until(lambda: len(Alive(client).of("worker")) == 2, for_s=45, what="second worker")
        yield running


@pytest.fixture
def store(stack: Stack) -> Iterator[Any]:
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        yield client


def scrape(stack: Stack) -> Scrape:
    answer = requests.get(f"{stack.url}/metrics", headers=OPERATOR, timeout=10)
    answer.raise_for_status()
    return Scrape.read(answer.text)


def test_the_figures_equal_the_journals_own_counts(stack: Stack, store: Any, folder: Path) -> None:
    journal = Journal(store)
    answers = play(stack, folder / "answers", *DEMO[:4], repeat=8, concurrency=8)
    answers += play(stack, folder / "more", SECOND_THOUGHTS, repeat=4, concurrency=4, seed=9)
    settled(journal, {answer["call_id"] for answer in answers})

    def all_counted() -> bool:  # every process adds its counts every two seconds
        return scrape(stack).of("vapi_tool_calls_total") >= len(answers)

    wait_until(all_counted, for_s=20, what="the counts of all processes")
    shown = scrape(stack)
    rows = list(read_places(store).rows.values())
    by_kind = Counter(row["kind"] for row in rows)
    by_outcome = Counter((row["kind"], row["state"]) for row in rows)
    assert len(rows) > 50
    for kind, count in by_kind.items():
        assert shown.of("vs_intents_accepted_total", kind=kind) == count
        for outcome in (State.DELIVERED, State.CANCELLED, State.PARKED):
            counted = shown.of("vs_intents_settled_total", kind=kind, outcome=outcome)
            assert counted == by_outcome[kind, outcome], (kind, outcome)
    promised = [row for row in rows if row["state"] == "delivered" and row.get("said")]
    assert shown.of("vs_promise_seconds_count") == len(promised)
    assert shown.of("vs_intents_parked") == journal.summary().parked
    assert shown.of("vs_intents_open") == 0
    assert shown.of("vapi_tool_calls_total") == len(answers)
    assert shown.of("vapi_messages_total", type="tool-calls") == len(answers)
    assert shown.of("vapi_webhook_seconds_count", type="tool-calls") == len(answers)


def test_a_real_scrape_has_every_metric_of_the_dashboard_and_of_the_rules(stack: Stack) -> None:
    shown = scrape(stack)
    named = {name for expression in EXPRESSIONS for name in metrics_in(expression)}
    assert {name for name in named if not shown.has(name)} <= {"vs_secret_rotation_overdue"}


def test_both_processes_of_web_show_the_same_counts(stack: Stack) -> None:
    requests.post(stack.webhook, data=b"unsigned", timeout=10)
    wait_until(
        lambda: len({scrape(stack).of("vapi_refused_total") for _ in range(20)}) == 1,
        for_s=20,
        what="the same count twenty times",
    )


def test_a_process_that_ends_in_order_leaves_its_counts(stack: Stack) -> None:
    before = scrape(stack).of("vapi_refused_total")
    for _ in range(25):
        requests.post(stack.webhook, data=b"unsigned", timeout=10)
    os.kill(stack.processes["web"].pid, signal.SIGHUP)  # new processes, after the old ones ended
    wait_until(
        lambda: _answers(stack) and scrape(stack).of("vapi_refused_total") == before + 25,
        for_s=60,
        what="the counts of processes that are gone",
    )


def _answers(stack: Stack) -> bool:
    try:
        return requests.get(f"{stack.url}/health/live", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_web_alone_says_that_no_worker_and_no_beat_runs(stack: Stack, hook: Hook) -> None:
    for name in ("worker", "second", "beat"):
        stack.processes[name].stop()
    wait_until(
        lambda: {"no_worker", "no_beat"} <= {body["cause"] for body in hook.got},
        for_s=100,
        what="two alarms",
    )
    causes = Counter((body["cause"], body["event"]) for body in hook.got)
    assert (causes["no_worker", "alarm"], causes["no_beat", "alarm"]) == (1, 1)
    assert scrape(stack).of("vs_alarms", alarm="no_worker") == 1
