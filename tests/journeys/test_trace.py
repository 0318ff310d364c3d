"""A call's whole trace by one id: the lines of web, of a worker and of the org."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.processes import wait_until
from demo.stack import ROOT, Stack
from shared.domain.kinds import State
from shared.journal.journal import Journal
from tests.journeys.test_calls import DEMO, play, settled


def lines_of(stack: Stack, name: str, trace: str) -> list[str]:
    text = (stack.folder / f"{name}.log").read_text(errors="replace")
    return [line for line in text.splitlines() if trace in line]


def events_of(stack: Stack, name: str, trace: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(stack, name, trace)]


def find(stack: Stack, programs: Path, word: str) -> subprocess.CompletedProcess[str]:
    command = [str(programs / "python"), "-m", "cli", "find", word, "--json"]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | stack.env, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("scenario", DEMO[1:3], ids=lambda path: path.stem)
def test_one_id_leads_from_the_call_through_every_process_to_the_records(
    stack: Stack, programs: Path, folder: Path, scenario: Path
) -> None:
    stack.empty_journal()
    journal = Journal(redis.Redis.from_url(stack.store.url, decode_responses=True))
    answers = play(stack, folder / "answers", scenario, seed=11)
    (call_id,) = {answer["call_id"] for answer in answers}
    intents = settled(journal, {call_id})[call_id]
    trace = call_id.replace("-", "")
    ids = {intent.id for intent in intents}
    asked_for = {intent.id for intent in intents if intent.tool}
    assert asked_for

    web = events_of(stack, "web", trace)
    accepted = {line["intent_id"] for line in web if line["event"] == "intent_accepted"}
    assert accepted == asked_for
    assert [line["event"] for line in web].count("call_closed") == 1

    def of_worker() -> dict[str, str]:
        return {
            line["intent_id"]: line["record_id"]
            for line in events_of(stack, "worker", trace)
            if line["event"] == "intent_delivered"
        }

    delivered = {intent.id for intent in intents if intent.state is State.DELIVERED}
    wait_until(lambda: set(of_worker()) == delivered, for_s=10, what="the lines of the worker")
    receipts = {
        intent.id: intent.receipt.record_id
        for intent in intents
        if intent.receipt and intent.id in delivered
    }
    assert of_worker() == receipts

    requests = lines_of(stack, "org", trace)
    assert [line for line in requests if "org: GET " in line]  # the lookup of the call
    assert [line for line in requests if "org: POST " in line]  # its delivery

    found = find(stack, programs, trace)
    assert found.returncode == 0, found.stderr
    head, *rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert head == {"call_id": call_id, "trace_id": trace}
    assert {row["id"] for row in rows} == ids
