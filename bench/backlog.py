"""An outage ends after 10,000 writes were accepted, while callers go on calling."""

import asyncio
import tempfile
import threading
import time
from pathlib import Path

import redis

from bench.figures import Figure
from bench.load import Load, make_callers, number, percentile, run
from bench.traffic import LATENCY_MS, SETTINGS, WINDOW
from demo.processes import wait_until
from demo.stack import Stack
from shared.domain.drafts import CallDraft, CaseDraft, ContactDraft, Draft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.journal import Journal

CASES, CHANGES, LOGS = 6_000, 2_000, 2_000
CALLERS = 2_000
LOOKUPS_PER_S = 2
DEADLINE_MS = 3_000
MAX_S = 300.0


def measure(_seed: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), extra=SETTINGS) as stack,
        redis.Redis.from_url(stack.store.url, decode_responses=True) as client,
    ):
        make_callers(stack.org, CALLERS + 1000)
        journal = Journal(client)
        stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE")
        _accept(journal)
        time.sleep(10)  # the outage lasts
        stack.org.fault(latency_ms=LATENCY_MS, window=WINDOW)
        before = stack.org.stats()["requests"]
        healed = time.monotonic()
        drained = threading.Event()
        took: list[float] = []

        def wait() -> None:
            try:
                wait_until(lambda: _is_drained(journal), for_s=MAX_S, what="the backlog")
                took.append(time.monotonic() - healed)
            finally:
                drained.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        load = run(stack.webhook, lambda load: _callers(load, drained))
        waiting.join()
        spent = stack.org.stats()["requests"] - before
        counts = journal.counts()
        cases = sum(bool(record["Call_Key__c"]) for record in stack.org.records("Case"))
        logs = sum(bool(record["Call_Key__c"]) for record in stack.org.records("Task"))
        changed = sum(
            record["MailingCity"] == "Elsewhere" for record in stack.org.records("Contact")
        )
    lookup_ms = [answer.took_ms for answer in load.answers]
    print(f"  {spent} requests, {len(lookup_ms)} lookups, {counts['parked']} parked", flush=True)
    missing = CASES + LOGS + CHANGES - cases - logs - changed
    return [
        Figure("seconds until all was delivered", took[0] if took else float("nan"), 60, "s"),
        Figure("writes not in the org", missing, 0),
        Figure("slowest lookup", max(lookup_ms), DEADLINE_MS, "ms"),
        Figure("lookup p50", percentile(lookup_ms, 50), DEADLINE_MS, "ms"),
        Figure("lookups refused", sum(answer.refused for answer in load.answers), 0),
    ]


def _accept(journal: Journal) -> None:
    """Accept what the webhook accepts while it can't look callers up."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    write_requests: list[tuple[Kind, Draft]] = []
    for nth in range(CASES):
        caller = number(nth % CALLERS)
        text = f"Nothing works ({nth})"
        case_draft = CaseDraft(caller_number=caller, issue_type="technical", description=text)
        write_requests.append((Kind.CASE_CREATE, case_draft))
    for nth in range(CHANGES):
        change = ContactDraft(
            caller_number=number(nth),
            changes={"MailingCity": "Elsewhere"},
            seen=None,
            accepted_at="2100-01-01T00:00:00+00:00",  # the contacts are newer than now
        )
        write_requests.append((Kind.CONTACT_UPDATE, change))
    for nth in range(LOGS):
        log = CallDraft(
            caller_number=number(nth), call_id=f"bench-{nth}", direction="Inbound",
            started_at=now, ended_at=now, duration_s=60, ended_reason="customer-ended-call",
            summary="", transcript="User: hello", transcript_in_file=False, recording_url="",
        )  # fmt: skip
        write_requests.append((Kind.CALL_LOG, log))
    for start in range(0, len(write_requests), 100):
        intents = [
            NewIntent(id=new_intent_id(), kind=kind, draft=draft, reference=new_reference())
            for kind, draft in write_requests[start : start + 100]
        ]
        journal.accept("", intents)


def _is_drained(journal: Journal) -> bool:
    counts = journal.counts()
    return not any(counts[name] for name in counts if name.startswith("open_"))


async def _callers(load: Load, drained: threading.Event) -> None:
    """LOOKUPS_PER_S lookups, each by a new caller."""
    running = []
    nth = CALLERS
    while not drained.is_set():
        running.append(asyncio.create_task(load.call(number(nth)).tool("lookupCustomer")))
        nth += 1
        await asyncio.sleep(1 / LOOKUPS_PER_S)
    await asyncio.gather(*running)
