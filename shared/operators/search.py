"""Finds writes by whatever an operator has: a reference, a case number, a phone number, an id, the
trace id of a log line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.calls.calls import Calls
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.domain.reference import as_reference
from shared.domain.trace import call_of_trace, is_trace
from shared.journal.answers import Answers
from shared.journal.journal import Journal
from shared.journal.listing import OPEN, Filter, Listing
from shared.phone import as_e164

MAX_WORD = 128
MAX_FOUND = 200

_INTENT_ID = re.compile(r"[0-9a-f]{32}")
_MIN_CASE_DIGITS = 8
"""Salesforce pads case numbers with zeros to this length, and callers leave them out."""


@dataclass(frozen=True)
class Found:
    """call_id: the word is the id of this call, or its trace, or the id of a tool call in it; of a
    chat or session with that word before it. tool: the tool of that tool call. intents: newest
    first, MAX_FOUND at most."""

    call_id: str = ""
    intents: tuple[Intent, ...] = ()
    tool: str = ""


class Search:
    """Every method raises StoreUnavailableError."""

    def __init__(
        self, journal: Journal, listing: Listing, calls: Calls, answers: Answers, region: str
    ) -> None:
        """region: of phone numbers without a country code."""
        self._journal = journal
        self._listing = listing
        self._calls = calls
        self._answers = answers
        self._region = region

    def find(self, word: str) -> Found:
        """A word may be a reference and a case number at once: then both are found."""
        word = word.strip()[:MAX_WORD]
        if not word:
            return Found()
        found: dict[str, Intent] = {}
        if _INTENT_ID.fullmatch(word.lower()):
            found |= self._journal.get_many([word.lower()])
        for intent in (self._by_reference(word), *self._by_case_number(word)):
            if intent:
                found[intent.id] = intent
        call_id = word
        if is_trace(trace := word.lower()):
            found |= {intent.id: intent for intent in self._journal.by_trace(trace, MAX_FOUND)}
            call_id = call_of_trace(trace)
        of_call = self._journal.of_call(call_id)
        is_call = bool(of_call) or self._calls.state(call_id).since_ms > 0
        found |= {intent.id: intent for intent in of_call}
        found |= {intent.id: intent for intent in self._by_number(word)}
        if not found and not is_call:
            return self._by_tool_call(word)
        return Found(call_id if is_call else "", _newest(found.values()))

    def _by_tool_call(self, word: str) -> Found:
        """Asked last, because some models count the ids of their tool calls from zero."""
        asked = self._answers.asked(word)
        if asked is None:
            return Found()
        intents = self._journal.of_call(asked.conversation)
        return Found(asked.conversation, _newest(intents), asked.tool)

    def _by_reference(self, word: str) -> Intent | None:
        reference = as_reference(word)
        return self._journal.by_reference(reference) if reference else None

    def _by_case_number(self, word: str) -> list[Intent | None]:
        spellings = dict.fromkeys([word, word.zfill(_MIN_CASE_DIGITS)])
        return [self._journal.by_case_number(spelling) for spelling in spellings]

    def _by_number(self, word: str) -> list[Intent]:
        """What was accepted from a number within a day, and what is parked or open of it."""
        number = as_e164(word, self._region)
        if number is None:
            return []
        quoted = f'"{number}"'  # in a draft, which is JSON, so that no longer number fits
        ids = [
            *self._listing.ids(Filter(State.PARKED, text=quoted), MAX_FOUND),
            *self._listing.ids(Filter(OPEN, text=quoted), MAX_FOUND),
        ]
        return [*self._journal.of_caller(number), *self._journal.get_many(ids).values()]


def _newest(intents: Iterable[Intent]) -> tuple[Intent, ...]:
    return tuple(sorted(intents, key=lambda intent: -intent.accepted_at_ms)[:MAX_FOUND])
