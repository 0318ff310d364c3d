"""Promises P1 to P3 with real processes: things die, answers get lost, each effect is there once.

Every test here counts in the org against what was acknowledged to the caller.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from demo.contacts import make_callers
from demo.drill import play_round
from demo.history.recording import Recording
from demo.outage import kills
from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, SECRET, Stack, answers, procfile
from shared.domain.drafts import CaseDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from simulator.vapi.player import REFERENCE
from simulator.vapi.wire import Call, as_bytes, proof
from tests.calling import reference_in

ROUNDS = 3
CALLS = 250
ONE_NUMBER = dict.fromkeys(
    (
        "MAX_WRITES_PER_NUMBER_AND_HOUR",
        "MAX_WRITES_PER_NUMBER_AND_DAY",
        "MAX_WRITES_WITHOUT_NUMBER_PER_HOUR",
    ),
    "1000000",
)
"""All writes come from one number."""

QUICK = ONE_NUMBER | {"SALESFORCE_WRITE_TIMEOUT_S": "3", "COMMIT_WINDOW_MS": "0"}


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("survival"), extra=ONE_NUMBER, programs=programs) as running:
        yield running


@pytest.fixture(scope="module")
def quick(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Without commit window, and with short patience for Salesforce."""
    with Stack(tmp_path_factory.mktemp("quick"), extra=QUICK, programs=programs) as running:
        yield running


@pytest.fixture
def healed(quick: Stack) -> Iterator[Stack]:
    """The quick stack with an empty journal and an org seeded anew."""
    quick.empty_journal()
    quick.org.reset()
    quick.wait_ready()
    yield quick
    quick.org.fault()


def journal_of(stack: Stack) -> Journal:
    return Journal(redis.Redis.from_url(stack.store.url, decode_responses=True))


def post(
    url: str,
    message: dict[str, Any],
    timeout_s: float = 30,
    send: Callable[..., requests.Response] = requests.post,
) -> requests.Response:
    body = as_bytes(message)
    headers = {"Content-Type": "application/json", **proof(body, SECRET, "hmac")}
    return send(url, data=body, headers=headers, timeout=timeout_s)


def create_case(nth: int, caller: str = "+14155550101", **others: str) -> dict[str, Any]:
    call = Call(id=f"call-{nth}", caller=caller, started_ms=0)
    case = {"issueType": "billing", "description": f"Case {nth}", "onExisting": "new"}
    return call.tool_calls((f"tool-{nth}", "createSalesforceCase", case | others))


def accept(stack: Stack, count: int, *, callers: int = 1) -> list[str]:
    """Post so many case creations, eight at a time; the references that were spoken.

    callers: how many numbers call; 0 for calls that show none, so that no contact is looked for.
    """

    with requests.Session() as session, ThreadPoolExecutor(8) as pool:  # as many as it keeps open

        def accept_nth(nth: int) -> str:
            caller = "+14155550101" if callers else ""
            if callers > 1:
                caller = f"+1415556{nth % callers:04d}"
            answer = post(stack.webhook, create_case(nth, caller), send=session.post)
            found = REFERENCE.search(answer.json()["results"][0]["result"])
            assert found
            return found.group()

        return list(pool.map(accept_nth, range(count)))


def wait_settled(stack: Stack, count: int, for_s: float = 110) -> Counter[State]:
    journal = journal_of(stack)

    def settled() -> bool:
        found = journal.summary()
        still_open = sum(
            kind.held + kind.waiting + kind.due + kind.leased for kind in found.kinds.values()
        )
        return found.accepted >= count and not still_open

    wait_until(settled, for_s=for_s, what="the journal")
    return Counter(intent.state for intent in journal.newest(20_000))


def references(stack: Stack) -> Counter[str]:
    return Counter(
        record["Voice_Reference__c"]
        for record in stack.org.records("Case")
        if record["Voice_Reference__c"]
    )


@pytest.mark.timeout(900)
def test_kill_9_of_anything_loses_and_doubles_nothing(stack: Stack) -> None:
    """Worker, gunicorn's master, a worker of it, beat, the store: each twice in 250 calls."""
    make_callers(stack.org, CALLS)
    recording = Recording()
    for seed in range(1, ROUNDS + 1):
        print(play_round(stack, recording, seed, CALLS, kills(random.Random(seed))))
    verdict = recording.verdict(stack)
    assert verdict.findings == []
    total = verdict.total
    assert (total.calls, total.unanswered, total.parked) == (ROUNDS * CALLS, 0, 0)
    assert total.promised == total.fulfilled >= ROUNDS * CALLS * 2


def test_a_worker_killed_between_commit_and_receipt_leaves_one_record(healed: Stack) -> None:
    before = healed.org.stats()["records"]
    healed.org.fault(hang_after=True, resources=["composite"])
    (reference,) = accept(healed, 1)
    wait_until(
        lambda: healed.org.stats()["records"]["created"] == before["created"] + 1,
        for_s=20,
        what="the commit",
    )
    healed.processes["worker"].kill()
    healed.org.fault()
    assert wait_settled(healed, 1) == {State.DELIVERED: 1}
    assert references(healed) == {reference: 1}
    stats = healed.org.stats()["records"]
    assert (stats["created"], stats["updated"], stats["rejected"]) == (before["created"] + 1, 0, 0)
    intent = journal_of(healed).by_reference(reference)
    assert intent
    assert intent.receipt
    assert intent.receipt.number  # found by reading
    assert intent.attempts >= 2


def test_ten_racing_workers_apply_each_of_a_thousand_intents_once(
    healed: Stack, folder: Path
) -> None:
    journal = journal_of(healed)
    draft = CaseDraft(caller_number="+14155550101", issue_type="billing", description="race")
    program = (
        "from shared.settings import load_settings\n"
        "from shared.store import connect\n"
        "from shared.domain.kinds import Kind\n"
        "from workers.delivery.context import DeliveryContext\n"
        "from workers.delivery.engine import drain\n"
        "settings = load_settings()\n"
        "connection = connect(settings.store.url)\n"
        "context = DeliveryContext.from_settings(settings, connection)\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "print(drain(context, Kind.CASE_CREATE))\n"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=healed.env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(10)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for _ in range(1000):
        journal.accept("", [NewIntent(id=new_intent_id(), kind=Kind.CASE_CREATE, draft=draft)])
    before = healed.org.stats()["records"]
    for racer in racers:
        racer.communicate("\n", timeout=60)
    assert wait_settled(healed, 1000) == {State.DELIVERED: 1000}
    after = healed.org.stats()["records"]
    assert after["created"] - before["created"] <= 1000
    keys = Counter(
        record["Call_Key__c"] for record in healed.org.records("Case") if record["Call_Key__c"]
    )
    assert len(keys) == 1000
    assert set(keys.values()) == {1}
    assert (after["updated"], after["rejected"]) == (before["updated"], before["rejected"])


def test_every_wake_up_thrown_away_is_made_up_for_by_the_sweep(healed: Stack, folder: Path) -> None:
    """A web process whose broker is nowhere: what it accepts is delivered all the same."""
    deaf_port = free_port()
    env = healed.env_at(deaf_port) | {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}
    web = Process("deaf", _web_command(), env, ROOT, folder / "deaf.log")
    web.start()
    try:
        url = f"http://127.0.0.1:{deaf_port}"
        wait_until(lambda: answers(f"{url}/health/live"), for_s=30, what="web")
        for nth in range(50):
            assert post(f"{url}/webhook/vapi", create_case(nth)).status_code == 200
        assert wait_settled(healed, 50) == {State.DELIVERED: 50}
    finally:
        web.stop()
    assert "wake_up_lost" in (folder / "deaf.log").read_text()
    assert len(references(healed)) == 50


def _web_command() -> list[str]:

    return procfile()["web"]


def test_three_deliveries_shuffled_over_two_servers_are_one_effect_and_one_answer(
    healed: Stack, folder: Path
) -> None:
    port = free_port()
    web = Process("second", _web_command(), healed.env_at(port), ROOT, folder / "log")
    web.start()
    urls = [healed.webhook, f"http://127.0.0.1:{port}/webhook/vapi"]
    deliveries = [nth for nth in range(100) for _ in range(3)]
    random.Random(3).shuffle(deliveries)
    messages = [create_case(nth) for nth in range(100)]
    try:
        wait_until(
            lambda: answers(f"http://127.0.0.1:{port}/health/live"), for_s=30, what="second web"
        )

        def deliver(turn: tuple[int, int]) -> tuple[int, bytes]:
            place, nth = turn
            return nth, post(urls[place % 2], messages[nth]).content

        with ThreadPoolExecutor(12) as pool:
            bodies = list(pool.map(deliver, enumerate(deliveries)))
    finally:
        web.stop()
    by_call: dict[int, set[bytes]] = {}
    for nth, body in bodies:
        by_call.setdefault(nth, set()).add(body)
    assert len(by_call) == 100
    assert all(len(bodies) == 1 for bodies in by_call.values())
    wait_settled(healed, 100)
    spoken = [json.loads(next(iter(value)))["results"][0]["result"] for value in by_call.values()]
    assert references(healed) == {reference_in(said): 1 for said in spoken}


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("callers", "limit"), [(1, 35), (2500, 60)])
def test_a_backlog_of_5000_drains_in_few_requests(healed: Stack, callers: int, limit: int) -> None:
    """A request finds out whose numbers a hundred are."""
    healed.org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    spoken = accept(healed, 5000, callers=callers)
    before = healed.org.stats()["requests"]
    healed.org.fault()
    assert wait_settled(healed, 5000, for_s=180) == {State.DELIVERED: 5000}
    used = healed.org.stats()["requests"] - before
    print(f"5,000 cases of {callers} callers: {used} requests")
    assert used <= limit
    assert references(healed) == dict.fromkeys(spoken, 1)


@pytest.mark.timeout(400)
def test_a_backlog_of_5000_after_a_hang_that_may_have_committed_drains_in_60_requests(
    healed: Stack,
) -> None:
    accept(healed, 1, callers=0)
    wait_settled(healed, 1)
    healed.org.fault(hang_after=True)
    spoken = accept(healed, 5000, callers=0)
    wait_until(
        lambda: any(intent.in_doubt for intent in journal_of(healed).newest(20_000)),
        for_s=60,
        what="an attempt whose answer was lost",
    )
    before = healed.org.stats()
    healed.org.fault()
    assert wait_settled(healed, 5000, for_s=180) == {State.DELIVERED: 5000}
    used = healed.org.stats()["requests"] - before["requests"]
    print(f"5,000 cases after a hang: {used} requests")
    assert used <= 60
    found = references(healed)
    assert all(found[reference] == 1 for reference in spoken)
    assert healed.org.stats()["records"]["updated"] == 0


def test_a_store_that_hangs_is_said_at_once_and_both_recover(healed: Stack) -> None:
    """SIGSTOP: connections stay open and nothing answers."""
    healed_pid = healed.store.process.pid
    os.kill(healed_pid, signal.SIGSTOP)
    try:
        result = post(healed.webhook, create_case(1), timeout_s=5).json()["results"][0]
        assert "can't be sure that this was saved" in result["error"]
        call = Call(id="call-1", caller="+14155550101", started_ms=0)
        event = post(healed.webhook, call.report("customer-ended-call", ""), timeout_s=5)
        assert event.status_code == 503
        assert not answers(f"{healed.url}/health/ready")
    finally:
        os.kill(healed_pid, signal.SIGCONT)
    wait_until(
        lambda: "result" in post(healed.webhook, create_case(1)).json()["results"][0],
        for_s=30,
        what="the web process",
    )
    # What was sent while it hung may have been recorded or not; it is one case in either event.
    wait_settled(healed, 1)
    assert len(references(healed)) == 1
