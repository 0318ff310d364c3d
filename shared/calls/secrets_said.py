"""What a caller said to be verified, so that it can be removed from the call's transcript.

Stored as keyed digests: who reads the store can't find a short PIN from them.
"""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from shared.domain.identifiers import spoken_form
from shared.redaction import redact_values

MIN_LENGTH = 4
"""Characters, as in a PIN (docs/security.md). Shorter answers are part of too many other words."""
MAX_REMEMBERED = 10
_DIGEST_BYTES = 16


@dataclass(frozen=True)
class SecretsSaid:
    """entries: "{length}:{digest}" of each."""

    key: bytes
    entries: tuple[str, ...] = ()

    def entry_of(self, said: str) -> str:
        """What is remembered of an answer; "" for one that is too short."""
        form = spoken_form(said)
        return self._entry(form) if len(form) >= MIN_LENGTH else ""

    def with_one_more(self, said: str) -> "SecretsSaid":
        entry = self.entry_of(said)
        others = [other for other in self.entries if other != entry][-MAX_REMEMBERED + 1 :]
        return SecretsSaid(self.key, (*others, entry)) if entry else self

    def remove_from(self, text: str) -> str:
        """The text without them, as digits and as words."""
        if not self.entries or not text:
            return text
        return redact_values(text, self._matches, self._lengths)

    def remove_from_all(self, value: Any) -> Any:
        """The same for every text in a JSON value."""
        match value:
            case str():
                return self.remove_from(value)
            case list():
                return [self.remove_from_all(part) for part in value]
            case dict():
                return {name: self.remove_from_all(part) for name, part in value.items()}
        return value

    @property
    def _lengths(self) -> Collection[int]:
        return {int(entry.partition(":")[0]) for entry in self.entries}

    @property
    def _matches(self) -> Callable[[str], bool]:
        return lambda digits: self._entry(spoken_form(digits)) in self.entries

    def _entry(self, form: str) -> str:
        digest = hmac.digest(self.key, form.encode(), "sha256")[:_DIGEST_BYTES]
        return f"{len(form)}:{digest.hex()}"
