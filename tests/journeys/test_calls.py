"""Whole calls: simulated Vapi, gunicorn, Valkey, beat, a Celery worker, the local org over HTTP."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from demo.processes import wait_until
from demo.stack import FLOWER_AUTH, OPERATOR, ROOT, SECRET, Stack
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED, Kind, State
from shared.journal.journal import Journal

DEMO = sorted((ROOT / "demo" / "scenarios").glob("*.toml"))
SECOND_THOUGHTS = ROOT / "tests" / "scenarios" / "second-thoughts.toml"


def play(stack: Stack, answers: Path, *scenarios: Path, **options: int) -> list[dict[str, Any]]:
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "simulator", "vapi", "play", *map(str, scenarios)]
    command += ["--url", stack.webhook, "--answers", str(answers), *flags]
    env = os.environ | {"VAPI_SERVER_SECRET": SECRET}
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=100)
    return [json.loads(line) for line in answers.read_text().splitlines()]


@pytest.fixture
def journal(stack: Stack) -> Journal:
    """The journal, empty; what earlier tests asked for is no reason to ask anybody again."""
    stack.empty_journal()
    return Journal(redis.Redis.from_url(stack.store.url, decode_responses=True))


def settled(journal: Journal, call_ids: set[str]) -> dict[str, list[Intent]]:
    """The intents of the calls, once all of them are settled and each has its call log."""

    def is_over() -> bool:
        calls = [journal.of_call(id_) for id_ in call_ids]
        return all(
            any(intent.kind is Kind.CALL_LOG for intent in intents)
            and all(intent.state in SETTLED for intent in intents)
            for intents in calls
        )

    wait_until(is_over, for_s=60, what="the calls' intents")
    return {id_: journal.of_call(id_) for id_ in call_ids}


def test_the_demos_calls_end_up_in_salesforce_once(
    stack: Stack, journal: Journal, folder: Path
) -> None:
    answers = play(stack, folder / "answers", *DEMO[:4], repeat=5, concurrency=10)
    call_ids = {answer["call_id"] for answer in answers}
    assert len(call_ids) == 20
    intents = settled(journal, call_ids)
    assert {intent.state for of_call in intents.values() for intent in of_call} <= {
        State.DELIVERED,
        State.PARKED,
    }
    logs = Counter(
        record["CallObject"]
        for record in stack.org.records("Task")
        if record["TaskSubtype"] == "Call"
    )
    assert {id_: logs[id_] for id_ in call_ids} == dict.fromkeys(call_ids, 1)
    references = Counter(record["Voice_Reference__c"] for record in stack.org.records("Case"))
    cases = [answer for answer in answers if answer["tool"] == "createSalesforceCase"]
    said = {case_["reference"] for case_ in cases if "being opened" in case_["text"]}
    asked = [case_ for case_ in cases if "already a case" in case_["text"]]
    # Five calls each from two numbers: the customer's first one opens a case, the others are asked.
    # The other number is nobody's, so each of its calls opens a case of its own.
    assert (len(said), len(cases) - len(asked)) == (1 + 5, 1 + 5)
    assert {references[reference] for reference in said} == {1}
    assert any(answer["text"].startswith("Case 0") for answer in answers)


def test_a_case_opened_while_salesforce_is_down_is_delivered_when_it_is_back(
    stack: Stack, journal: Journal, folder: Path
) -> None:
    stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    try:
        unknown = DEMO[0].with_name("4-unknown.toml")
        answers = play(stack, folder / "answers", SECOND_THOUGHTS, unknown, seed=2)
    finally:
        stack.org.fault()
    assert {answer["tool"] for answer in answers if answer["is_error"]} == {"lookupCustomer"}
    intents = settled(journal, {answer["call_id"] for answer in answers})
    states = Counter(
        (intent.kind, intent.state) for of_call in intents.values() for intent in of_call
    )
    assert states[Kind.CASE_CREATE, State.CANCELLED] == 1  # taken back within the window
    assert states[Kind.CASE_CREATE, State.DELIVERED] == 1
    # A new email while nobody can say who is calling: a person makes sure who it is.
    assert states[Kind.CALLBACK, State.DELIVERED] == 1


def test_flower_shows_the_worker_and_the_tasks(stack: Stack) -> None:
    user, _, password = FLOWER_AUTH.partition(":")
    assert requests.get(f"{stack.flower_url}/api/workers", timeout=10).status_code == 401

    def seen(page: str) -> dict[str, Any]:
        url = f"{stack.flower_url}/api/{page}"
        found: dict[str, Any] = requests.get(url, auth=(user, password), timeout=10).json()
        return found

    # Flower asks the workers when it starts, and again when it is told to.
    wait_until(lambda: bool(seen("workers?refresh=1")), for_s=30, what="workers in Flower")
    wait_until(
        lambda: "purge" in {task["name"] for task in seen("tasks").values()},
        for_s=30,
        what="tasks in Flower",
    )


def test_figures_are_counted_across_gunicorns_processes(stack: Stack, folder: Path) -> None:
    def sent() -> float:
        page = requests.get(f"{stack.url}/metrics", headers=OPERATOR, timeout=10).text
        line = next(
            (
                line
                for line in page.splitlines()
                if line.startswith('vapi_messages_total{type="tool')
            ),
            "x 0",
        )
        return float(line.rpartition(" ")[2])

    before = sent()
    answers = play(stack, folder / "answers", DEMO[0], repeat=10, concurrency=5, seed=3)
    assert len(answers) == 30
    wait_until(lambda: sent() - before >= 30, for_s=10, what="the counts of both processes")
    assert sent() - before == 30


def test_no_log_tells_what_a_caller_said_or_who_they_are(stack: Stack, folder: Path) -> None:
    play(stack, folder / "answers", *DEMO[:4], seed=4)
    requests.post(stack.webhook, data=b"unsigned words", timeout=10)
    written = "".join(
        (stack.folder / f"{name}.log").read_text() for name in ("web", "worker", "beat")
    )
    assert "call_closed" in written
    assert "webhook_not_authenticated" in written
    assert '"dropped"' not in written  # every field that is logged is on the list
    for private in ("Jane", "Miller", "415555", "Billed twice", "Harbor Way", "@example.com",
                    "unsigned words", SECRET, "never-to-be-logged", "demo-secret"):  # fmt: skip
        assert private not in written
