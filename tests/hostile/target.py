"""This project's service as a target: how to start it, and where its seven channels are.

The only module of the suite that knows anything of the project.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import redis
import requests

from demo.processes import wait_until
from demo.stack import FLOWER_AUTH, INSTALLED, OPERATOR, SECRET, Stack, Store
from tests.hostile.attack.families import numbers
from tests.hostile.attack.wire import Reply, Sent, post

LIMITS = {
    numbers.MAIN_LINE: "A colleague who calls through the company's main line is recognised",
    numbers.OTHER_DIGITS: "A lookup sees a phone field only in ASCII digits.",
}
"""What README.md states as a limit, by the title of the dialogue that shows it."""

BATCH = 200
PIN = "Voice_PIN__c"
SETTLES_WITHIN_S = 90.0

UPDATES_ARRIVE_WITHIN_S = 0.3
"""A worker also posts what it delivered into the call. Nothing shows that no more posts will come,
so the judge listens for so long."""

ENVIRONMENT = {
    "VAPI_CONTROL_HOSTS": "127.0.0.1",
    "FALLBACK_PHONE_NUMBER": "+14155550199",
    "COMMIT_WINDOW_MS": "1000",
}

NEVER_REWRITTEN = "auto-aof-rewrite-percentage 0"
"""The store's file then has every value that was ever written."""


class OurService:
    """A context manager. programs: the folder of the installed service's programs."""

    secret = SECRET

    def __init__(self, folder: Path, programs: Path = INSTALLED) -> None:
        lines = ("web", "worker", "beat", "flower")
        store = Store(folder / "store", config=NEVER_REWRITTEN)
        self._stack = Stack(folder, lines, extra=ENVIRONMENT, store=store, programs=programs)

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(self, *what: object) -> None:
        self._stack.__exit__(*what)

    def post(self, sent: Sent) -> Reply:
        return post(self._stack.webhook, sent)

    def records(self, sobject: str) -> list[dict[str, Any]]:
        return self._stack.org.records(sobject)

    def create(self, sobject: str, rows: list[dict[str, Any]]) -> list[str]:
        ids: list[str] = []
        for start in range(0, len(rows), BATCH):
            ids += self._stack.org.create(sobject, rows[start : start + BATCH])
        return ids

    def edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        self._stack.org.edit(sobject, record_id, **fields)

    def enroll(self, contact_id: str, pin: str) -> bool:
        self.edit("Contact", contact_id, **{PIN: pin})
        return True

    def settle(self) -> None:
        wait_until(self._is_settled, for_s=SETTLES_WITHIN_S, what="everything accepted")

    def _is_settled(self) -> bool:
        kinds = self._stack.health()["open"]
        if any(count for states in kinds.values() for count in states.values()):
            return False
        time.sleep(UPDATES_ARRIVE_WITHIN_S)
        return True

    def logs(self) -> Mapping[str, str]:
        names = self._stack.processes
        return {
            name: (self._stack.folder / f"{name}.log").read_text(errors="replace") for name in names
        }

    def stored(self) -> Iterator[str]:
        with redis.Redis.from_url(self._stack.store.url) as client:
            client.ping()  # what was written is in the file: appendfsync is "always"
        for file in sorted((self._stack.folder / "store" / "appendonlydir").iterdir()):
            yield file.read_text(errors="replace")

    def pages(self) -> Mapping[str, str]:
        user, _, password = FLOWER_AUTH.partition(":")
        figures = requests.get(f"{self._stack.url}/metrics", headers=OPERATOR, timeout=30)
        tasks = requests.get(
            f"{self._stack.flower_url}/api/tasks", auth=(user, password), timeout=30
        )
        for page in (figures, tasks):
            page.raise_for_status()
        return {"/metrics": figures.text, "tasks in Flower": tasks.text}
