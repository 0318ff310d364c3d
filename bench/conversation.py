"""What a call waits for: its assistant while Salesforce hangs, and its case number."""

import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path

import redis
import requests

from bench.figures import Figure
from bench.load import Load, make_callers, number, run
from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, Stack, answers
from shared.domain.kinds import Kind
from shared.journal.journal import Journal

CALLS = 20
ASSISTANT = "1d2f6c0b-7c11-4f0e-a2f5-5f7f0d9b3e21"
ABOUT_CALLERS = ("customerName", "accountName", "openCaseCount", "openCases")


def measure(_seed: int) -> list[Figure]:
    hosts = {"VAPI_CONTROL_HOSTS": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as name, Stack(Path(name), extra=hosts) as stack:
        make_callers(stack.org, 3 * CALLS)
        call_updates = _call_updates(stack, Path(name))
        stack.org.fault(hang=True)
        plain: list[tuple[float, bool]] = []

        async def ask(load: Load) -> None:
            # One at a time: while the breaker is closed, each request waits for its caller.
            for nth in range(CALLS, 2 * CALLS):
                call = load.call(number(nth)).call
                began = time.monotonic()
                answer = await load.post(call.envelope("assistant-request"))
                took_s = time.monotonic() - began
                values = answer.get("assistantOverrides", {}).get("variableValues", {})
                knows_nobody = not any(values.get(name) for name in ABOUT_CALLERS)
                plain.append((took_s, answer.get("assistantId") == ASSISTANT and knows_nobody))

        run(stack.webhook, ask)
        stack.org.fault()
    return [
        Figure("assistant-request, Salesforce hanging", max(took for took, _ in plain), 2.6, "s"),
        Figure("not the plain assistant", sum(not ok for _, ok in plain), 0),
        Figure("CaseNumber in the live call after its delivery", max(call_updates), 2.0, "s"),
        Figure("calls without the CaseNumber", CALLS - len(call_updates), 0),
    ]


def _watch(url: str, updated_at: dict[str, float]) -> None:
    give_up = time.monotonic() + 40
    while len(updated_at) < CALLS and time.monotonic() < give_up:
        for posted in requests.get(f"{url}/_vapi/control", timeout=10).json():
            updated_at.setdefault(posted["call"], time.time() * 1000)
        time.sleep(0.02)


def _call_updates(stack: Stack, folder: Path) -> list[float]:
    """Seconds from the delivery of a case to the update of its live call, for each call."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulator", "vapi", "serve", "--port", str(port)]
    control = Process("vapi", command, {"PYTHONPATH": str(ROOT)}, ROOT, folder / "vapi.log")
    control.start()
    updated_at: dict[str, float] = {}
    try:
        wait_until(lambda: answers(f"{url}/_vapi/control"), for_s=20, what="vapi")

        async def calls(load: Load) -> None:
            for nth in range(CALLS):
                call = load.call(number(nth))
                call.call.control_url = f"{url}/{call.call.id}/control"
                await call.begin()
                await call.tool(
                    "createSalesforceCase", issueType="billing", description="It", onExisting="new"
                )
                await asyncio.sleep(0.2)

        watching = threading.Thread(target=_watch, args=(url, updated_at))
        watching.start()
        run(stack.webhook, calls)
        watching.join()
    finally:
        control.stop()
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        cases = [
            intent for intent in Journal(client).newest(1000) if intent.kind is Kind.CASE_CREATE
        ]
    return [
        max(0.0, updated_at[case_.call_id] - case_.receipt.at_ms) / 1000
        for case_ in cases
        if case_.receipt and case_.call_id in updated_at
    ]
