"""The part of a page that browsers ask for again and again, rendered once for all who watch.

Five operators who look at the same page cost one rendering in LIFE_MS, whichever process answers.
"""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import StoreUnavailableError, translated

LIFE_MS = 2_000


@dataclass(frozen=True)
class LivePart:
    """etag: differs whenever the HTML does."""

    html: str
    etag: str

    @classmethod
    def of(cls, html: str) -> "LivePart":
        return cls(html, sha256(html.encode()).hexdigest()[:32])


class LiveParts:
    """Parts by page and role: what a reader and an operator see differs."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def find(self, page: str, role: str) -> LivePart | None:
        """None when nobody rendered it in the last moment. Raises StoreUnavailableError."""
        with translated():
            text = self._store.get(self._key(page, role))
        etag, found, html = (text or "").partition("\n")
        return LivePart(html, etag) if found else None

    def put(self, page: str, role: str, part: LivePart) -> None:
        """Without effect when the store is full or away."""
        with suppress(StoreUnavailableError), translated():
            self._store.set(self._key(page, role), f"{part.etag}\n{part.html}", px=LIFE_MS)

    def _key(self, page: str, role: str) -> str:
        return f"{self._prefix}console:live:{page}:{role}"
