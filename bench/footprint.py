"""What a call costs in the store: during the call, after delivery, and after the purge."""

import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis
import requests

from bench.figures import Figure
from bench.load import make_callers, number
from bench.traffic import settle
from demo.stack import SECRET, Stack
from shared.journal.journal import Journal
from simulator.vapi.wire import Call, as_bytes, proof

CALLS = 40
SHORT, LONG = 20, 200
"""Utterances in a call of a minute, and in a call of ten minutes."""
LINE = "Yes, the invoice of last month shows the line twice, and I was charged for both of them."
DAY_MS = 24 * 3600 * 1000
FOR_EVER_MS = 10**12


def measure(_seed: int) -> list[Figure]:
    short, long = _of(SHORT), _of(LONG)
    return [
        Figure("a call of a minute, during the call", short["during"], 16, "KB"),
        Figure("a call of ten minutes, during the call", long["during"], 80, "KB"),
        Figure("a call of ten minutes, just delivered", long["delivered"], 16, "KB"),
        Figure("after an hour", long["hour"], 14, "KB"),
        Figure("after a day", long["day"], 8.5, "KB"),
        Figure("receipts alone", long["receipts"], 3, "KB"),
    ]


def _of(utterances: int) -> dict[str, float]:
    """KB per call: the average of CALLS calls with a lookup and two writes each."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        make_callers(stack.org, CALLS)
        with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
            journal = Journal(client)
            before = _used(client)
            calls = [
                Call(f"00000000-0000-4000-8000-{nth:012d}", number(nth), int(time.time() * 1000))
                for nth in range(CALLS)
            ]
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda call: _talk(stack, call, utterances), calls))
                used = {"during": _used(client) - before}
                reports = [call.report("customer-ended-call", LINE) for call in calls]
                list(pool.map(lambda report: _post(stack, report), reports))
            settle(journal)
            used["delivered"] = _used(client) - before
            print(f"  just delivered, bytes per call: {_by_name(client)}", flush=True)
            for age, left_ms in (("hour", DAY_MS // 24), ("day", DAY_MS)):
                _expire(client, left_ms)
                used[age] = _used(client) - before
                print(f"  after a {age}: {_by_name(client)}", flush=True)
            while journal.purge(data_after_ms=-DAY_MS, receipt_after_ms=FOR_EVER_MS):
                pass
            _expire(client, FOR_EVER_MS)
            used["receipts"] = _used(client) - before
            print(f"  receipts alone: {_by_name(client)}", flush=True)
    return {age: size / CALLS / 1024 for age, size in used.items()}


def _talk(stack: Stack, call: Call, utterances: int) -> None:
    _post(stack, call.status("in-progress"))
    for nth in range(utterances):
        _post(stack, call.speech("started"))
        _post(stack, call.transcript("user" if nth % 2 else "assistant", LINE))
    for nth, (tool, arguments) in enumerate(
        (
            ("lookupCustomer", {}),
            ("createSalesforceCase", {"issueType": "billing", "description": LINE}),
            ("addCaseComment", {"comment": LINE}),
        )
    ):
        _post(stack, call.tool_calls((f"call_{nth:024d}", tool, arguments)))


def _post(stack: Stack, message: dict[str, Any]) -> None:
    body = as_bytes(message)
    headers = {"Content-Type": "application/json", **proof(body, SECRET, "hmac")}
    requests.post(stack.webhook, data=body, headers=headers, timeout=30).raise_for_status()


def _expire(client: redis.Redis, left_ms: int) -> None:
    """Delete the keys that expire within left_ms, as time would."""
    for key in client.scan_iter("vs:*"):
        if 0 < client.pttl(key) <= left_ms and ":celery:" not in str(key):
            client.delete(key)


def _used(client: redis.Redis) -> int:
    """Bytes of all our keys except Celery's."""
    return sum(
        int(client.memory_usage(key, samples=0) or 0)
        for key in client.scan_iter("vs:*")
        if not str(key).startswith("vs:celery:")
    )


def _by_name(client: redis.Redis) -> dict[str, int]:
    found: Counter[str] = Counter()
    for key in client.scan_iter("vs:*"):
        parts = str(key).split(":")
        name = ":".join([*parts[1:2], *(parts[3:4] if parts[1] in ("call", "caller") else [])])
        if parts[1] != "celery":
            found[name] += int(client.memory_usage(key, samples=0) or 0)
    return {name: round(size / CALLS) for name, size in found.most_common(12)}
