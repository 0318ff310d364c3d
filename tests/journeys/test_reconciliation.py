"""Calls that nobody heard: the processes of the service start only after the calls have ended."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.processes import wait_until
from demo.stack import ROOT, SECRET, Stack
from shared.domain.kinds import SETTLED
from shared.journal.journal import Journal
from tests.workers.listing import KEY, Listing, listing_in

CALLS = 50
SPOKEN = """
caller = "+14155550101"
summary = "The caller only wanted to talk."
[[step]]
caller = "Nobody hears this one."
[[step]]
agent = "I do."
"""
IN_VAIN = """
caller = "+1415555{nth4}"
summary = "The caller wanted a case."
[[step]]
caller = "Please open a case."
[[step]]
write = "createSalesforceCase"
arguments = { issueType = "billing", description = "Billed twice." }
[[step]]
agent = "I can't reach our systems."
"""


@pytest.mark.timeout(600)
def test_every_call_of_an_outage_is_recorded_once_and_the_second_run_writes_nothing(
    programs: Path, folder: Path
) -> None:
    (folder / "spoken.toml").write_text(SPOKEN)
    (folder / "in-vain.toml").write_text(IN_VAIN)
    with listing_in(folder) as listing:
        settings = {
            "VAPI_API_KEY": KEY,
            "VAPI_BASE_URL": listing.url,
            "IDLE_CALL_MIN": "1",
            "RECONCILE_EVERY_MIN": "0.1",
        }
        stack = Stack(
            folder / "stack", ("web", "worker", "beat"), extra=settings, programs=programs
        )
        play(stack, listing, folder, "spoken", repeat=CALLS - 10)
        play(stack, listing, folder, "in-vain", repeat=10)
        with stack, redis.Redis.from_url(stack.store.url, decode_responses=True) as store:
            journal = Journal(store)
            wait_until(
                lambda: len(logs(stack)) >= CALLS and is_settled(journal),
                for_s=240,
                what="the calls' Tasks",
            )
            assert_recorded_once(stack)
            written = journal.summary().accepted
            assert written == CALLS + 10

            # Run twice, once by the beat and once by hand: nothing is written any more.
            again = reconcile(stack)
            assert (again["listed"], again["recorded"]) == (CALLS, CALLS)
            assert again["written_calls"] == again["written_call_backs"] == 0

            # The reports arrive after all: the same seed gives the same calls.
            play(stack, None, folder, "spoken", repeat=CALLS - 10)
            assert reconcile(stack)["written_calls"] == 0
            wait_until(lambda: is_settled(journal), for_s=30, what="the journal")
            assert_recorded_once(stack)
            assert journal.summary().accepted == written


def play(
    stack: Stack, listing: Listing | None, folder: Path, scenario: str, *, repeat: int
) -> None:
    """listing: where the calls are listed; None changes nothing there."""
    command = [sys.executable, "-m", "simulator", "vapi", "play", str(folder / f"{scenario}.toml")]
    command += ["--url", stack.webhook, "--secret", SECRET, "--quiet"]
    command += ["--control", listing.url] if listing else []
    command += ["--no-repeats", "--repeat", str(repeat), "--concurrency", "10"]
    subprocess.run(command, cwd=ROOT, check=False, timeout=120, capture_output=True)


def reconcile(stack: Stack) -> dict[str, int]:
    command = [sys.executable, "-m", "cli", "reconcile", "--since", "1h", "--yes", "--json"]
    said = subprocess.run(
        command, cwd=ROOT, env=stack.env, check=True, timeout=60, capture_output=True, text=True
    ).stdout
    totals: dict[str, int] = json.loads(said.splitlines()[-1])["totals"]
    return totals


def is_settled(journal: Journal) -> bool:
    return all(intent.state in SETTLED for intent in journal.newest(1000))


def logs(stack: Stack) -> list[dict[str, Any]]:
    return [record for record in stack.org.records("Task") if record["TaskSubtype"] == "Call"]


def assert_recorded_once(stack: Stack) -> None:
    found = Counter(record["CallObject"] for record in logs(stack))
    assert (len(found), set(found.values())) == (CALLS, {1})
    spoken = [record for record in logs(stack) if "only wanted to talk" in record["Description"]]
    assert len(spoken) == CALLS - 10
    assert all("User: Nobody hears this one." in record["Description"] for record in spoken)
    titles = [record["Subject"] for record in stack.org.records("Task")]
    assert sum(title.startswith("Call back") for title in titles) == 10
    assert not any(record["Call_Key__c"] for record in stack.org.records("Case"))
