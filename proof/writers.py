"""Writers that keep the journal busy, and what a store has of what they wrote."""

import threading
import time
from typing import Any, Self

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.store import StoreUnavailableError, connect

WRITERS = 4
WRITES_A_SECOND = 800
"""The rate at which all writers together try to write."""

DRAFT = CallbackDraft(phone="+14155550101", reason="x" * 200)


class Writers:
    """A context manager: inside it, threads write to the journal. Each ends at its first failure.

    acknowledged: the ids of the accepted intents. seconds: how long the block lasted.
    """

    def __init__(self, url: str, confirm_replicas: int = 0) -> None:
        self.acknowledged: list[str] = []
        self.seconds = 0.0
        self._url, self._confirm_replicas = url, confirm_replicas
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        client = connect(self._url)
        journal = Journal(client, confirm_replicas=self._confirm_replicas)
        due = time.monotonic()
        while not self._over.is_set():
            intent = NewIntent(new_intent_id(), Kind.CALLBACK, DRAFT, said="Noted.")
            try:
                accepted = journal.accept("", [intent])
            except StoreUnavailableError:
                break
            assert isinstance(accepted, Accepted)
            self.acknowledged.append(intent.id)
            due += WRITERS / WRITES_A_SECOND
            self._over.wait(max(0.0, due - time.monotonic()))
        client.close()


def found(client: Any) -> tuple[set[str], set[str]]:
    """The ids of all intents in a store, and the ids of those of which a part is missing."""
    rows = {str(key).rpartition(":")[2] for key in client.scan_iter("vs:intent:*", 1000)}
    listed = set(client.zrange("vs:intents", 0, -1))
    due = set(client.zrange(f"vs:due:{Kind.CALLBACK}", 0, -1))
    return rows, (rows | listed | due) - (rows & listed & due)
