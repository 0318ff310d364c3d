"""`make demo`: run the whole service on this machine, play calls, and show the outcome."""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from demo.agents import STANDARD, calls_of, check, objects_of
from demo.console import CONSOLE_PASSWORD, OPERATOR_NAME, READER_NAME, console_users
from demo.history.checker import Problem
from demo.history.recording import WRITTEN_REFERENCE, Recording, wait_settled
from demo.processes import NotReadyError
from demo.signals import end_in_order
from demo.stack import FLOWER_AUTH, ROOT, SECRET, Stack
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.operators.reasons import explain

OUTAGE_S = 4.0
SETTLE_S = 60.0


def main() -> int:
    """Exit code 0 when every accepted write is in the org exactly once."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the service running until Ctrl-C")
    parser.add_argument(
        "--agent",
        type=Path,
        default=STANDARD,
        help="the agent folder; calls come from its folder `calls`, objects from `salesforce`",
    )
    options = parser.parse_args()
    agent = options.agent.resolve()
    scenarios = calls_of(agent)
    check(agent, scenarios)
    end_in_order()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a pipe gets each line at once, too
    folder = ROOT / ".run" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    print("demo: starting store, local org, web, ops, worker, beat and flower ...")
    lines = ("web", "ops", "worker", "beat", "flower")
    extra = from_here() | console_users(folder)
    with Stack(folder, lines, extra=extra, agent=agent) as stack:
        _print_addresses(stack)
        answers_file = folder / "answers.jsonl"
        for scenario in scenarios:
            print()
            with _outage(stack) if "outage" in scenario.name else _no_outage():
                _play(stack, scenario, answers_file)
        journal = Journal(redis.Redis.from_url(stack.store.url, decode_responses=True))
        print("\ndemo: the calls have ended; waiting until every intent is settled ...")
        _wait_settled(stack, journal)
        is_complete = _print_outcome(stack, journal, answers_file, agent, len(scenarios))
        if options.keep:
            _stay(stack)
    return 0 if is_complete else 1


def from_here() -> dict[str, str]:
    """What a person may try with the demo: another language, another time zone."""
    return {
        name: os.environ[name] for name in ("DEFAULT_LANGUAGE", "TIME_ZONE") if name in os.environ
    }


def _play(stack: Stack, scenario: Path, answers_file: Path) -> None:
    subprocess.run(
        [
            sys.executable, "-m", "simulator", "vapi", "play", str(scenario),
            "--url", stack.webhook, "--answers", str(answers_file),
        ],
        cwd=ROOT,
        env=os.environ | {"VAPI_SERVER_SECRET": SECRET},
        check=True,
        timeout=120,
    )  # fmt: skip


@contextmanager
def _no_outage() -> Iterator[None]:
    yield


@contextmanager
def _outage(stack: Stack) -> Iterator[None]:
    """Salesforce answers 503 for the first OUTAGE_S seconds of the block."""
    print(f"demo: Salesforce goes down for {OUTAGE_S:.0f} s")
    stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")

    def heal() -> None:
        stack.org.fault()
        print("demo: Salesforce is back")

    timer = threading.Timer(OUTAGE_S, heal)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def _wait_settled(stack: Stack, journal: Journal) -> None:
    """Ends the demo with what each kind waits for, if something is never delivered."""
    try:
        wait_settled(stack, SETTLE_S)
    except NotReadyError:
        waits = [f"  {what}: {wait.reason}" for what, wait in sorted(journal.waits().items())]
        sys.exit("\n".join(["demo: not everything was delivered:", *waits]))


def _print_outcome(
    stack: Stack, journal: Journal, answers_file: Path, agent: Path, played: int
) -> bool:
    answers = [json.loads(line) for line in answers_file.read_text().splitlines()]
    intents = journal.newest(10_000)
    cases, tasks = stack.org.records("Case"), stack.org.records("Task")
    print("\nIn the org after these calls:")
    for case_ in cases:
        if case_["Call_Key__c"]:
            linked = "linked to a contact" if case_["ContactId"] else "no contact"
            print(
                f"  case {case_['CaseNumber']}  {case_['Subject']}  [{case_['Status']}, {linked}, "
                f"reference {case_['Voice_Reference__c']}]"
            )
    for task in tasks:
        if task["Call_Key__c"]:
            print(f"  task {task['Status']:<12} {task['Subject']}  {_about(task)}")
    objects = objects_of(agent)
    for sobject in objects:
        for record in stack.org.records(sobject):
            if record.get("Call_Key__c"):
                print(f"  {sobject} {record['Name']}  {_own_values(record)}")
    comments = [
        record
        for record in stack.org.records("CaseComment")
        if WRITTEN_REFERENCE.search(record["CommentBody"].rpartition("\n")[2])
    ]
    changed = sum(
        intent.kind is Kind.CONTACT_UPDATE and intent.state is State.DELIVERED for intent in intents
    )
    print(f"  {len(comments)} case comments, {changed} contact changed")
    for intent in reversed(intents):
        if intent.kind.verb in ("update", "close"):
            print(f"  {intent.kind.verb} of a {intent.kind.sobject}: {intent.state}")
    for intent in reversed(intents):
        if intent.state is State.PARKED:
            print(why_parked(intent))
    calls = [task for task in tasks if task["TaskSubtype"] == "Call" and task["Call_Key__c"]]
    states = Counter(intent.state for intent in intents)
    recording = Recording()
    recording.played(answers)
    verdict = recording.verdict(stack)
    lost, duplicated = verdict.of(Problem.LOST), verdict.of(Problem.DOUBLED)
    print(
        f"demo: calls={len(calls)} lookups={sum(answer['kind'] == 'look' for answer in answers)} "
        f"writes={len(intents)} delivered={states[State.DELIVERED]} "
        f"parked={states[State.PARKED]} lost={len(lost)} duplicated={len(duplicated)}"
    )
    return not lost and not duplicated and not states[State.PARKED] and len(calls) == played


def why_parked(intent: Intent) -> str:
    """What refused a write, in Salesforce's own words if it said any; and where to read more."""
    said = " ".join(intent.detail.split())
    explained = explain(intent.reason)
    return "\n".join(
        [
            f"  parked {intent.id}  {intent.tool or intent.kind}: {intent.reason}",
            *([f"    Salesforce says: {said}"] if said else []),
            f"    {explained.meaning} {explained.next_step}",
        ]
    )


def _own_values(record: dict[str, Any]) -> str:
    """The fields of the team's own, without our key."""
    own = {name: value for name, value in record.items() if name.endswith("__c")}
    shown = {name: value for name, value in own.items() if value and name != "Call_Key__c"}
    return ", ".join(f"{name}: {value}" for name, value in shown.items())


def _about(task: dict[str, Any]) -> str:
    seconds = task["CallDurationInSeconds"]
    if task["TaskSubtype"] != "Call":
        return ""
    return (
        f"[{seconds} s, {task['CallDisposition']}, {'on a case' if task['WhatId'] else 'no case'}]"
    )


def _print_addresses(stack: Stack) -> None:
    print(f"demo: webhook {stack.webhook} (secret {SECRET})")
    print(f"      health {stack.ops_url}/health   metrics {stack.ops_url}/metrics")
    logins = f"{OPERATOR_NAME} or {READER_NAME}, {CONSOLE_PASSWORD}"
    print(f"      console {stack.ops_url}/console/ ({logins})")
    print(f"      flower {stack.flower_url} ({FLOWER_AUTH})   org {stack.org.url}/_org/stats")


def _stay(stack: Stack) -> None:
    print("\ndemo: runs until Ctrl-C")
    _print_addresses(stack)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("demo: stopped")
    except NotReadyError as late:
        sys.exit(f"demo: {late}")
