"""The console beside 100,000 writes, and calls while five operators watch it on OPS_PORT."""

import itertools
import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from bench.figures import Figure
from bench.load import Load, at_times, make_callers, number, percentile, run
from demo.console import CONSOLE_PASSWORD, OPERATOR_NAME, console_users
from demo.stack import Stack
from shared.domain.drafts import CaseDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.answers import Answers, Asked
from shared.journal.journal import Journal

WRITES = 100_000
PARKED_EACH = 20
"""One write in so many is parked, and another is due."""

A_CALL = 5
"""Writes of a call, the last of them its log."""

TIMES = 20
PAIRS = 5
PHASE_S = 10.0
PER_S = 40
CALLERS = 50
OPERATORS = 5
LOOK_EVERY_S = 3.0
WATCHED = ("now", "parked", "writes", "calls", "kinds")
POLLED = frozenset(WATCHED) - {"writes"}
NUMBER = "+14155557777"
REASONS = ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "NOT_ONE_CONTACT", "EDITED_SINCE (Phone)")


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        users = console_users(Path(folder))
        with Stack(Path(folder), ("web", "ops"), extra=users) as stack:
            make_callers(stack.org, CALLERS)
            with redis.Redis.from_url(stack.store.url, decode_responses=True) as store:
                words = _fill(store)
            slowest = _slowest_page(stack, words)
            ratio = _beside_operators(stack)
    return [
        Figure("slowest page's first byte, median of 20", slowest, 300, "ms"),
        Figure("webhook p99, five operators : nobody", ratio, 1.5),
    ]


# -- what is in the store --------------------------------------------------------------------------


def _fill(store: Any) -> dict[str, str]:
    """Accepts the writes, and settles most of them as the journal's scripts would. Returns what an
    operator may look for."""
    journal, call_id, found = Journal(store), "", dict[str, str]()
    for start in range(0, WRITES, 500):
        new = []
        for nth in range(start, start + 500):
            draft = CaseDraft(
                caller_number=NUMBER if nth % 5000 == 0 else f"+1415{nth:07d}",
                issue_type="billing",
                description="The invoice has an amount that nobody explained. " * 4,
            )
            is_log = nth % A_CALL == A_CALL - 1
            new.append(
                NewIntent(
                    id=new_intent_id(),
                    kind=Kind.CALL_LOG if is_log else Kind.CASE_CREATE,
                    draft=draft,
                    tool="createSalesforceCase",
                    reference=new_reference(),
                    said="Noted.",
                )
            )
        for at in range(0, 500, A_CALL):
            call_id = f"call-{start + at}"
            journal.accept(call_id, new[at : at + A_CALL])
        _settle(store, start, new)
    found["reference"] = new[7].reference
    found["case number"] = f"{WRITES - 9:08d}"
    answers = Answers(store)
    answers.queue_asked(store, "call_of_a_tool", Asked(call_id, "createSalesforceCase"))
    found["tool call"] = "call_of_a_tool"
    return found | {"phone": NUMBER, "call": call_id, "write": new[0].id}


def _settle(store: Any, start: int, intents: list[NewIntent]) -> None:
    pipe = store.pipeline(transaction=False)
    for nth, intent in enumerate(intents, start):
        key, now_ms = f"vs:intent:{intent.id}", int(time.time() * 1000)
        if nth % PARKED_EACH == 1:
            continue  # due
        pipe.zrem(f"vs:due:{intent.kind}", intent.id)
        if nth % PARKED_EACH == 0:
            reason = REASONS[nth // PARKED_EACH % len(REASONS)]
            parked = {"state": "parked", "settled": now_ms, "reason": reason, "detail": "A rule."}
            pipe.hset(key, mapping=parked)
            pipe.zadd("vs:parked", {intent.id: now_ms})
            pipe.zadd("vs:parked:said", {intent.id: now_ms})
        else:
            receipt = {"record_id": f"500{nth:012d}AAA", "number": f"{nth:08d}", "at_ms": now_ms}
            delivered = {"state": "delivered", "settled": now_ms, "receipt": json.dumps(receipt)}
            pipe.hset(key, mapping=delivered)
            pipe.zadd("vs:settled", {intent.id: now_ms})
            pipe.set(f"vs:case-number:{nth:08d}", intent.id)
    pipe.execute()


# -- pages -----------------------------------------------------------------------------------------


class Browser:
    """Somebody who is logged in."""

    def __init__(self, stack: Stack) -> None:
        self._session = requests.Session()
        self._session.headers["Origin"] = stack.ops_url
        self._url = f"{stack.ops_url}/console"
        login = {"name": OPERATOR_NAME, "password": CONSOLE_PASSWORD}
        text = self._session.post(f"{self._url}/login", login, timeout=30).text
        token = re.search(r'name="token" value="([^"]+)"', text)
        assert token, "not logged in"
        self._token = token[1]

    def get(self, path: str) -> float:
        """Milliseconds until the first byte."""
        return _took_ms(self._session.get(f"{self._url}/{path}", timeout=30))

    def poll(self, path: str, etag: str) -> str:
        """As console.js does it. Returns the new ETag."""
        headers = {"X-Poll": "1", "If-None-Match": etag}
        answer = self._session.get(f"{self._url}/{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.headers["ETag"]

    def find(self, word: str) -> float:
        form = {"token": self._token, "word": word}
        return _took_ms(self._session.post(f"{self._url}/find", form, timeout=30))

    def close(self) -> None:
        self._session.close()


def _took_ms(answer: requests.Response) -> float:
    answer.raise_for_status()
    first = answer.history[0] if answer.history else answer
    return first.elapsed.total_seconds() * 1000


def _slowest_page(stack: Stack, words: dict[str, str]) -> float:
    """The median of the slowest page."""
    browser = Browser(stack)
    queries = ("", "?state=parked", "?state=due", "?state=delivered&kind=callback", "?reason=NOT_*")
    paths = [*WATCHED, "audit", f"calls/{words['call']}", f"writes/{words['write']}"]
    paths += [f"writes{query}" for query in queries]
    medians = {
        path: statistics.median(browser.get(path) for _ in range(TIMES)) for path in paths
    } | {
        f"find {what}": statistics.median(browser.find(word) for _ in range(TIMES))
        for what, word in words.items()
    }
    browser.close()
    for path, median in sorted(medians.items(), key=lambda entry: -entry[1])[:5]:
        print(f"  {path}: {median:.0f} ms", flush=True)
    return max(medians.values())


# -- calls while operators watch -------------------------------------------------------------------


def _beside_operators(stack: Stack) -> float:
    """The median of the pairs: p99 with operators to p99 without."""
    run(stack.webhook, _calls)  # warm up
    browsers = [Browser(stack) for _ in range(OPERATORS)]  # they log in once, before the phases
    ratios = []
    for _ in range(PAIRS):  # by turns, so that other load on the machine affects both
        alone = _p99(stack)
        with _operators(browsers):
            beside = _p99(stack)
        ratios.append(beside / alone)
        print(f"  p99 {alone:.1f} ms, with operators {beside:.1f} ms", flush=True)
    for browser in browsers:
        browser.close()
    return statistics.median(ratios)


def _p99(stack: Stack) -> float:
    return percentile([answer.took_ms for answer in run(stack.webhook, _calls).answers], 99)


async def _calls(load: Load) -> None:
    calls = [load.call(number(nth)) for nth in range(CALLERS)]

    async def caller(nth: int) -> None:
        await calls[nth % CALLERS].tool("getCaseStatus")

    await at_times([nth / PER_S for nth in range(int(PER_S * PHASE_S))], caller)


@contextmanager
def _operators(browsers: list[Browser]) -> Iterator[None]:
    """Each opens a page every few seconds, and polls it in between."""
    over = threading.Event()

    def watch(first: int, browser: Browser) -> None:
        over.wait(first * LOOK_EVERY_S / OPERATORS)
        for page in itertools.islice(itertools.cycle(WATCHED), first, 10_000):
            browser.get(page)
            etag = ""
            for _ in range(2):
                if over.wait(LOOK_EVERY_S / 2):
                    return
                if page in POLLED:
                    etag = browser.poll(page, etag)

    threads = [threading.Thread(target=watch, args=entry) for entry in enumerate(browsers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
