"""Writers that keep the journal busy, and what a store has of what they wrote."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.store import StoreUnavailableError, connect

WRITERS = 4
WRITES_A_SECOND = 800
"""The rate at which all writers together try to write, by default."""

DRAFT = CallbackDraft(phone="+14155550101", reason="x" * 200)


class Writers:
    """A context manager: inside it, threads write to the journal, each over its own connection.

    acknowledged: the id of each accepted intent, and when its writer knew (time.monotonic()).
    seconds: how long the block lasted.
    """

    def __init__(
        self, url: str, confirm_replicas: int = 0, a_second: float = WRITES_A_SECOND
    ) -> None:
        self.acknowledged: dict[str, float] = {}
        self.seconds = 0.0
        self._url, self._confirm_replicas = url, confirm_replicas
        self._every_s = WRITERS / a_second
        self._over = threading.Event()
        self._writing = [threading.Lock() for _ in range(WRITERS)]
        self._threads = [
            threading.Thread(target=self._write, args=(lock,)) for lock in self._writing
        ]

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

    @contextmanager
    def one_idle(self) -> Iterator[None]:
        """Inside the block one writer writes nothing. Its connection stays open."""
        with self._writing[0]:
            yield

    def _write(self, writing: threading.Lock) -> None:
        client = connect(self._url)
        journal = Journal(client, confirm_replicas=self._confirm_replicas)
        while not self._over.wait(self._every_s):
            intent = NewIntent(new_intent_id(), Kind.CALLBACK, DRAFT, said="Noted.")
            with writing:
                try:
                    accepted = journal.accept("", [intent])
                except StoreUnavailableError:
                    continue  # nobody was promised anything
            assert isinstance(accepted, Accepted)
            self.acknowledged[intent.id] = time.monotonic()
        client.close()


def found(client: Any) -> tuple[set[str], set[str]]:
    """The ids of all intents in a store, and the ids of those of which a part is missing."""
    rows = {str(key).rpartition(":")[2] for key in client.scan_iter("vs:intent:*", 1000)}
    listed = set(client.zrange("vs:intents", 0, -1))
    due = set(client.zrange(f"vs:due:{Kind.CALLBACK}", 0, -1))
    return rows, (rows | listed | due) - (rows & listed & due)
