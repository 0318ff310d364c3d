"""What a caller said to be verified, so that it can be removed from the call's transcript.

Stored as keyed digests, from which a reader of the store can't find out a short PIN.
"""

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.domain.identifiers import spoken_form
from shared.redaction import normal_form, redact_values_across

MIN_LENGTH = 4
"""Characters, as in a PIN (docs/security.md). Shorter answers are part of too many other words."""
MAX_REMEMBERED = 10
_DIGEST_BYTES = 16
_LETTERS = "w"
_SPEAKER = re.compile(r"[^:\n]{1,40}: ")


@dataclass(frozen=True)
class SecretsSaid:
    """entries: "{length}:{digest}" of each; the length of one with letters ends with "w"."""

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
        """The text without them, as digits and as words; also where one goes on in the next line of
        the same speaker."""
        if not self.entries or not text:
            return text
        lines = text.split("\n")
        for at in _by_speaker(lines):
            labels = [_speaker(lines[nth]) for nth in at]
            words = [lines[nth][len(label) :] for nth, label in zip(at, labels, strict=True)]
            for nth, label, line in zip(at, labels, self.remove_across(words), strict=True):
                lines[nth] = label + line
        return "\n".join(lines)

    def remove_across(self, texts: Sequence[str]) -> list[str]:
        """The same for consecutive utterances of one speaker."""
        if not self.entries:
            return list(texts)
        sizes = [entry.partition(":")[0] for entry in self.entries]
        digits = {int(size) for size in sizes if size.isdecimal()}
        words = {int(size.removesuffix(_LETTERS)) for size in sizes if not size.isdecimal()}
        return redact_values_across(texts, self._matches, digits, words)

    @property
    def _matches(self) -> Callable[[str], bool]:
        return lambda said: self._entry(spoken_form(said)) in self.entries

    def _entry(self, form: str) -> str:
        form = normal_form(form)
        digest = hmac.digest(self.key, form.encode(), "sha256")[:_DIGEST_BYTES]
        letters = "" if form.isdecimal() else _LETTERS
        return f"{len(form)}{letters}:{digest.hex()}"


def _speaker(line: str) -> str:
    """Who says a line of a transcript, with what separates it from the words; "" for nobody."""
    match = _SPEAKER.match(line)
    return match[0] if match else ""


def _by_speaker(lines: Sequence[str]) -> list[list[int]]:
    """The places of each speaker's lines. A line without a speaker continues the one before."""
    places: dict[str, list[int]] = {}
    speaker = ""
    for at, line in enumerate(lines):
        speaker = _speaker(line) or speaker
        places.setdefault(speaker, []).append(at)
    return list(places.values())
