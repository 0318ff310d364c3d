"""The tutorial's scenarios, played 200 times each with seeded timing, against the whole service.

What is looked at is the org: which cases there are, and what the contacts became.
"""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from bench.load import make_callers
from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, SECRET, Stack, answers
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED, Kind, State
from shared.journal.journal import Journal

RUNS = 200
SCENARIOS = ROOT / "tests" / "scenarios"


@pytest.fixture(scope="module")
def talking(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, with the commit window that users have."""
    hosts = {"VAPI_CONTROL_HOSTS": "127.0.0.1"}
    with Stack(tmp_path_factory.mktemp("talking"), extra=hosts, programs=programs) as running:
        make_callers(running.org, RUNS + 1)
        yield running


def play(stack: Stack, name: str, *options: str, runs: int = RUNS) -> None:
    played = subprocess.run(
        [
            sys.executable, "-m", "simulator", "vapi", "play", str(SCENARIOS / f"{name}.toml"),
            "--url", stack.webhook, "--repeat", str(runs),
            "--concurrency", "40", "--quiet", *options,
        ],
        cwd=ROOT, env=os.environ | {"VAPI_SERVER_SECRET": SECRET},
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert played.returncode == 0, played.stdout + played.stderr
    assert "errors=0" in played.stdout


def settled(stack: Stack) -> dict[str, list[Intent]]:
    """The journal once nothing wants work any more: by call, in the order of acceptance."""
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        journal = Journal(client)
        wait_until(
            lambda: all(intent.state in SETTLED for intent in journal.newest(100_000)),
            for_s=60,
            what="the journal",
        )
        calls: dict[str, list[Intent]] = {}
        for intent in reversed(journal.newest(100_000)):
            calls.setdefault(intent.call_id, []).append(intent)
    return calls


@pytest.fixture
def fresh(talking: Stack) -> Stack:
    settled(talking)
    talking.empty_journal()
    return talking


def dedup_keys(stack: Stack) -> Counter[str]:
    """Of the cases that were opened by us, without the number of the run."""
    return Counter(
        record["Subject"].partition(" (")[0]
        for record in stack.org.records("Case")
        if record["Call_Key__c"]
    )


def requested(calls: dict[str, list[Intent]]) -> Counter[tuple[tuple[Kind, State], ...]]:
    """What became of the write requests of each call."""
    return Counter(
        tuple((intent.kind, intent.state) for intent in intents if intent.tool)
        for intents in calls.values()
    )


def test_barge_in_keeps_what_was_asked_for_and_adds_what_is_said(fresh: Stack) -> None:
    before = dedup_keys(fresh)
    play(fresh, "barge-in")
    calls = settled(fresh)
    delivered = (Kind.CONTACT_UPDATE, State.DELIVERED), (Kind.CASE_CREATE, State.DELIVERED)
    assert requested(calls) == {delivered: RUNS}
    assert dedup_keys(fresh) - before == {"Billing: Send the invoice of October": RUNS}
    moved = {record["MailingStreet"] for record in fresh.org.records("Contact")}
    assert {f"12 Harbor Way {nth}" for nth in range(1, RUNS + 1)} <= moved
    for intents in calls.values():
        update, case_intent = (intent for intent in intents if intent.tool)
        assert update.receipt
        assert case_intent.receipt
        assert update.receipt.at_ms <= case_intent.receipt.at_ms  # as it was said


def test_wait_no_actually_is_one_case_with_the_last_request(fresh: Stack) -> None:
    before = dedup_keys(fresh)
    play(fresh, "on-second-thought")
    assert requested(settled(fresh)) == {((Kind.CASE_CREATE, State.DELIVERED),): RUNS}
    assert dedup_keys(fresh) - before == {"Technical: The line is dead": RUNS}


@pytest.mark.parametrize("words", ["silent", "added"])
def test_two_requests_are_two_cases_whatever_is_between_them(fresh: Stack, words: str) -> None:
    """0 to 3 s apart, the caller silent or adding something."""
    before = dedup_keys(fresh)
    play(fresh, f"two-requests-{words}")
    case = (Kind.CASE_CREATE, State.DELIVERED)
    assert requested(settled(fresh)) == {(case, case): RUNS}
    two = {"Billing: The bill": RUNS, "Technical: The line is dead": RUNS}
    assert dedup_keys(fresh) - before == two


def test_a_corrected_request_is_one_case_with_the_last_wording(fresh: Stack) -> None:
    before = dedup_keys(fresh)
    play(fresh, "two-requests-corrected")
    assert requested(settled(fresh)) == {((Kind.CASE_CREATE, State.DELIVERED),): RUNS}
    assert dedup_keys(fresh) - before == {"Technical: The line is dead": RUNS}


def test_a_request_that_replaces_another_leaves_one_open_case(fresh: Stack) -> None:
    """Held, it is amended; opened already, it is closed."""
    before = dedup_keys(fresh)
    play(fresh, "two-requests-replaced")
    settled(fresh)
    ours = [record for record in fresh.org.records("Case") if record["Call_Key__c"]]
    made = Counter(
        intent["Subject"].partition(" (")[0] for intent in ours if not intent["IsClosed"]
    )
    assert made - before == {"Technical: The line is dead": RUNS}


def test_wait_cancel_that_is_no_case_though_words_and_tool_call_cross(fresh: Stack) -> None:
    before = dedup_keys(fresh)
    play(fresh, "cancel-that")
    assert requested(settled(fresh)) == {((Kind.CASE_CREATE, State.CANCELLED),): RUNS}
    assert dedup_keys(fresh) == before


def test_a_keyboard_click_changes_nothing(fresh: Stack) -> None:
    before = dedup_keys(fresh)
    play(fresh, "keyboard-click", runs=40)
    assert requested(settled(fresh)) == {((Kind.CASE_CREATE, State.DELIVERED),): 40}
    assert dedup_keys(fresh) - before == {"Billing: The bill": 40}


# -- into the call ---------------------------------------------------------------------------------


@pytest.fixture
def control(tmp_path: Path) -> Iterator[str]:
    """The simulated Vapi's live call control."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulator", "vapi", "serve", "--port", str(port)]
    process = Process("vapi", command, {"PYTHONPATH": str(ROOT)}, ROOT, tmp_path / "vapi.log")
    process.start()
    wait_until(lambda: answers(f"{url}/_vapi/control"), for_s=20, what="vapi")
    yield url
    process.stop()


def said(control: str) -> list[dict[str, Any]]:
    posted: list[dict[str, Any]] = requests.get(f"{control}/_vapi/control", timeout=10).json()
    return posted


def test_case_numbers_and_retractions_reach_the_live_call(fresh: Stack, control: str) -> None:
    """Both while the caller is still on the line, over the real wire."""
    playing = threading.Thread(
        target=play, args=(fresh, "stays-on-the-line", "--control", control), kwargs={"runs": 1}
    )
    playing.start()
    wait_until(lambda: len(said(control)) >= 2, for_s=30, what="call_updates")
    playing.join()
    back, number = (sent["command"]["message"]["content"] for sent in said(control))
    assert "took back" in back
    (made,) = (
        record
        for record in fresh.org.records("Case")
        if "stays on the line" in (record["Subject"] or "")
    )
    assert made["CaseNumber"] in number
    assert made["Voice_Reference__c"] in number
