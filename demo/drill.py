"""`make drill`: kill processes at random while they accept writes, and check every promise.

A promise is a reference in an answer of the webhook. After each round every reference must be in
the org exactly once: in a case's Voice_Reference__c, or in the text of a comment or call-back task.
For a change of a record, what it wrote must be there.
"""

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import requests

from demo.agents import STANDARD, has_changes, objects_of, writes_of
from demo.processes import wait_until
from demo.signals import end_in_order
from demo.stack import SECRET, Stack
from shared.domain.kinds import SETTLED, State
from shared.journal.journal import Journal
from shared.store import StoreUnavailableError
from simulator.vapi.player import REFERENCE
from simulator.vapi.wire import Call, as_bytes, proof

WRITES = 500
POSTERS = 8
POST_TIMEOUT_S = 10.0
SETTLE_S = 180.0
DELIVERIES = 60
# All writes come from the same phone number.
SETTINGS = {
    "WEB_CONCURRENCY": "2",
    "MAX_WRITES_PER_NUMBER_AND_HOUR": "1000000",
    "MAX_WRITES_PER_NUMBER_AND_DAY": "1000000",
}
PAUSE_S = 0.25
BETWEEN_KILLS_S = (0.8, 2.0)

MAX_COUNTED = 100_000
CHANGED = "changed "
"""How the text of a change begins in `drill.toml`."""

VICTIMS = ("worker", "web master", "web worker", "beat", "store")
WRITTEN_REFERENCE = re.compile(r"(?:[Rr]efere\w+:? |^)([A-Z2-9]{3} [A-Z2-9]{3})")


@dataclass
class Outcome:
    """One round. promised: the references in answers. lost, duplicated: see count()."""

    posted: int = 0
    promised: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = " ".join(f"{name.replace(' ', '-')}={self.kills[name]}" for name in VICTIMS)
        return (
            f"posted={self.posted} promised={len(self.promised)} kills: {kills} "
            f"parked={self.parked} lost={len(self.lost)} duplicated={len(self.duplicated)}"
        )


def play_round(stack: Stack, seed: int, writes: int = WRITES) -> Outcome:
    """Post writes while processes are killed, wait until all are settled, and count in the org."""
    outcome = Outcome()
    chance = random.Random(seed)
    over = threading.Event()
    killer = threading.Thread(target=_kill, args=(stack, chance, over, outcome))
    killer.start()
    try:
        with ThreadPoolExecutor(POSTERS) as pool:
            calls = pool.map(lambda nth: make_call(stack, f"drill-{seed}", nth), range(writes // 2))
            for promised in calls:
                outcome.promised += promised
                outcome.posted += 2
    finally:
        over.set()
        killer.join()
    stack.wait_ready()
    client = redis.Redis.from_url(stack.store.url, decode_responses=True)
    journal = Journal(client)
    wait_until(lambda: _settled(journal), for_s=SETTLE_S, what="the journal")
    outcome.parked = len(journal.parked(10_000))
    outcome.lost, outcome.duplicated = count(stack, outcome.promised)
    client.close()
    return outcome


def make_call(stack: Stack, name: str, nth: int, *, deliveries: int = DELIVERIES) -> list[str]:
    """One call with two writes, the first and one of the others. Returns the references.

    deliveries: how often a tool call is delivered at most until it is answered.
    """
    call = Call(id=f"{name}-{nth}", caller="+14155550101", started_ms=int(time.time() * 1000))
    first, *others = writes_of(stack.agent)
    return [
        found.group()
        for write in (first, others[nth % len(others)])
        if (found := REFERENCE.search(_ask(stack, call, *_filled(write, name, nth), deliveries)))
    ]


def _filled(write: dict[str, Any], name: str, nth: int) -> tuple[str, dict[str, Any]]:
    """A list stands for one of its values."""
    values = {
        argument: value[nth % len(value)] if isinstance(value, list) else value
        for argument, value in write["arguments"].items()
    }
    return write["tool"], {
        argument: value.replace("{text}", f"{name} {nth}") for argument, value in values.items()
    }


def _ask(stack: Stack, call: Call, tool: str, arguments: dict[str, Any], deliveries: int) -> str:
    """The answer; "" when there never was one, so that nothing was promised."""
    body = as_bytes(call.tool_calls((f"{call.id}-{tool}", tool, arguments)))
    time.sleep(random.uniform(0, 2 * PAUSE_S))
    for _ in range(deliveries):
        headers = {"Content-Type": "application/json", **proof(body, SECRET, "hmac")}
        try:
            answer = requests.post(
                stack.webhook, data=body, headers=headers, timeout=POST_TIMEOUT_S
            )
            text = answer.json()["results"][0].get("result", "")
        except (requests.RequestException, ValueError, KeyError, IndexError):
            text = ""
        if text:
            return str(text)
        time.sleep(0.3)
    return ""


def _kill(stack: Stack, chance: random.Random, over: threading.Event, outcome: Outcome) -> None:
    victims: list[str] = []
    while not over.wait(chance.uniform(*BETWEEN_KILLS_S)):
        victims = victims or chance.sample(
            VICTIMS, len(VICTIMS)
        )  # every victim once, in random order
        victim = victims.pop()
        pid = _pid(stack, victim)
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
                outcome.kills[victim] += 1
            except ProcessLookupError:
                continue


def _pid(stack: Stack, victim: str) -> int:
    """The process id, 0 when the process is down."""
    if victim == "store":
        return stack.store.process.pid
    name, _, part = victim.partition(" ")
    pid = stack.processes[name].pid
    if part != "worker" or not pid:
        return pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if children else 0


def _settled(journal: Journal) -> bool:
    try:
        return all(intent.state in SETTLED for intent in journal.newest(MAX_COUNTED))
    except StoreUnavailableError:
        return False


def count(stack: Stack, promised: list[str]) -> tuple[list[str], list[str]]:
    """(lost, duplicated): promised references that are neither in the org nor parked; references
    and keys that the org has more than once."""
    found: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    changed: set[str] = set()
    for sobject, text in (
        ("Case", "Voice_Reference__c"),
        ("CaseComment", "CommentBody"),
        ("Task", "Description"),
        *((sobject, "Voice_Reference__c") for sobject in objects_of(stack.agent)),
    ):
        for record in stack.org.records(sobject):
            found.update(WRITTEN_REFERENCE.findall(record.get(text) or ""))
            if any(str(value).startswith(CHANGED) for value in record.values()):
                changed.add(record["Id"])
            if record.get("Call_Key__c"):
                keys[record["Call_Key__c"].lower()] += 1
    store = redis.Redis.from_url(stack.store.url, decode_responses=True)
    journal = Journal(store)
    parked = {intent.reference for intent in journal.parked(10_000) if intent.state is State.PARKED}
    if has_changes(stack.agent):
        found.update(
            intent.reference
            for intent in journal.newest(MAX_COUNTED)
            if intent.kind.verb == "update" and intent.receipt
            if intent.receipt.record_id in changed
        )
    store.close()
    lost = [reference for reference in promised if not found[reference] and reference not in parked]
    duplicated = [key for key, times in (found + keys).items() if times > 1]
    return lost, duplicated


def main() -> int:
    """Exit code 0 when nothing was lost or duplicated."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many rounds (default: 20)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat a drill")
    parser.add_argument("--agent", type=Path, default=STANDARD, help="the agent folder")
    options = parser.parse_args()
    end_in_order()
    total = Outcome()
    with (
        tempfile.TemporaryDirectory(prefix="drill-") as folder,
        Stack(Path(folder), extra=SETTINGS, agent=options.agent.resolve()) as stack,
    ):
        for nth in range(options.rounds):
            outcome = play_round(stack, options.seed + nth)
            print(f"round {nth + 1}: {outcome}", flush=True)
            total.posted += outcome.posted
            total.promised += outcome.promised
            total.kills += outcome.kills
            total.lost += outcome.lost
            total.duplicated, total.parked = outcome.duplicated, outcome.parked
    print(f"drill: rounds={options.rounds} seed={options.seed} {total}", flush=True)
    return 1 if total.lost or total.duplicated else 0


if __name__ == "__main__":
    sys.exit(main())
