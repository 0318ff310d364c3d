"""What the store has of a person: found by their number, in three passes over its keys.

No key leads from a number to its calls, so the first pass looks into every call and every intent.
The second collects what belongs to the calls that it found, the third what leads to their intents.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.person import families
from cli.person.families import Key
from cli.person.scanning import pages, plain, read_many
from shared.domain.kinds import State
from shared.phone import finder
from shared.settings import REDIS_PREFIX
from shared.store import translated

_INTENT_ID = re.compile(r"[0-9a-f]{32}")
_UNSETTLED = frozenset({State.HELD, State.DUE, State.LEASED, State.PARKED})

LEADS_TO_INTENT = (families.CASE_NUMBER, families.DEDUP, families.REFERENCE)
"""Keys whose value is the id of an intent."""

OF_NUMBER = frozenset(
    {
        families.SNAPSHOT, families.ASKING, families.CONTACTS, families.WRITES, families.LOOKUPS,
        families.TAKEN_NUMBERS, families.MISSED, families.GUESSES, families.CODES,
        families.MESSAGES, families.REFERENCES, families.NEW_NUMBER,
    }
)  # fmt: skip
"""Families whose keys name the number, and hold nothing of anybody else's calls."""

CACHES = frozenset({families.SNAPSHOT, families.CONTACTS})
"""What the org said. A copy under another number may have this number as well."""


@dataclass
class Person:
    """What belongs to a number (E.164).

    calls: id → whether a carrier set the number there. Elsewhere somebody only named it, or the
    call showed a second number.
    intent_ids: of these calls and of this number. provider_ids: by call.
    keys: all other keys that belong to the number, its calls or their intents, by name.
    dedup_keys: by intent id. writes: by key, the entries of these intents.
    shared_keys: of several numbers; this number is an entry in them.
    mentioned_in: other callers' intents that have the number in their words.
    needed_by: other callers' open or parked intents that need one of these.
    """

    number: str
    calls: dict[str, bool] = field(default_factory=dict)
    intent_ids: set[str] = field(default_factory=set)
    provider_ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, Key] = field(default_factory=dict)
    dedup_keys: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    writes: dict[Key, list[str]] = field(default_factory=dict)
    shared_keys: dict[str, Key] = field(default_factory=dict)
    mentioned_in: set[str] = field(default_factory=set)
    needed_by: set[str] = field(default_factory=set)

    def of(self, *wanted: str) -> list[Key]:
        """Its keys of these families."""
        return [key for key in self.keys.values() if key.family in wanted]

    @property
    def counts(self) -> dict[str, int]:
        """How many keys of each family have something of the person."""
        counts: dict[str, int] = defaultdict(int)
        for key in (*self.keys.values(), *self.shared_keys.values()):
            counts[key.family] += 1
        for key in self.writes:
            counts[key.family] += 1
        if self.intent_ids:
            counts[families.INTENT] += len(self.intent_ids)
        return dict(sorted(counts.items()))


def find(store: Any, number: str) -> Person:
    """Reads only. Raises StoreUnavailableError."""
    search = _Search(store, number)
    search.calls_of_number()
    search.what_belongs_to_calls()
    search.what_leads_to_intents()
    return search.person


class _Search:
    def __init__(self, store: Any, number: str) -> None:
        self._store = store
        self._finder = finder(number)
        self.person = Person(number)
        self._refers_to: dict[str, set[str]] = {}
        """Open and parked intents → the ids in their drafts."""

    def calls_of_number(self) -> None:
        for page in pages(self._store):
            self._calls(key for key in page if key.family == families.CALL)
            self._intents(key for key in page if key.family == families.INTENT)
            for key in page:
                is_list = key.family in families.LISTS_OF_CALLER
                if is_list and key.parts[0] == self.person.number:
                    self.person.keys[key.name] = key
        for _, ids in read_many(self._store, self.person.of(*families.LISTS_OF_CALLER), _entries):
            listed = [Key(f"{REDIS_PREFIX}intent:{id_}", families.INTENT, (id_,)) for id_ in ids]
            for key, (state, call_id) in read_many(self._store, listed, _fields("state", "call")):
                if state:  # else it was purged, and only the list still has its id
                    self.person.intent_ids.add(key.parts[0])
                if call_id:
                    self.person.calls.setdefault(call_id, True)

    def _calls(self, keys: Iterable[Key]) -> None:
        fields = ("number", "shown", "two_numbers")
        for key, row in read_many(self._store, keys, _fields(*fields)):
            number, shown, two_numbers = row
            # A number with an extension is shown as "+14155550101;ext=12".
            shown = (shown or "").partition(";")[0]
            if self.person.number in (number, shown):
                is_set = number == self.person.number and not two_numbers
                self.person.calls[key.parts[0]] = is_set

    def _intents(self, keys: Iterable[Key]) -> None:
        fields = ("call", "state", "payload", "said", "detail")
        for key, row in read_many(self._store, keys, _fields(*fields)):
            intent_id, (call_id, state, *texts) = key.parts[0], row
            draft = _object(texts[0])
            if draft.get("caller_number") == self.person.number:
                self.person.intent_ids.add(intent_id)
                if call_id:
                    self.person.calls.setdefault(call_id, True)
            elif any(self._finder.search(plain(text)) for text in texts if text):
                self.person.mentioned_in.add(intent_id)
            if state in _UNSETTLED:
                self._refers_to[intent_id] = set(_INTENT_ID.findall(texts[0] or ""))

    def what_belongs_to_calls(self) -> None:
        person = self.person
        for page in pages(self._store):
            for key in page:
                is_of_number = key.family in OF_NUMBER and person.number in key.parts
                if is_of_number or (key.is_of_a_call and key.parts[0] in person.calls):
                    person.keys[key.name] = key
            self._by_value(page)
        for _, ids in read_many(self._store, person.of(families.OF_CALL), _entries):
            person.intent_ids.update(ids)
        person.mentioned_in -= person.intent_ids
        person.needed_by = {
            intent_id
            for intent_id, needed in self._refers_to.items()
            if intent_id not in person.intent_ids and needed & person.intent_ids
        }

    def _by_value(self, page: list[Key]) -> None:
        person = self.person
        intents = (key for key in page if key.family == families.INTENT)
        for key, (call_id,) in read_many(self._store, intents, _fields("call")):
            if call_id in person.calls:
                person.intent_ids.add(key.parts[0])
        strings = (key for key in page if key.family == families.CALL_OF or key.family in CACHES)
        for key, text in read_many(self._store, strings, _text):
            if key.family == families.CALL_OF:
                if text in person.calls:
                    person.keys[key.name] = key
                    person.provider_ids[text].append(key.parts[0])
            elif self._finder.search(plain(text or "")):
                person.keys[key.name] = key
        for key in page:
            if key.family in (families.WANTED, families.FAILING):
                self._entry_in(key)

    def _entry_in(self, key: Key) -> None:
        """A key that the whole fleet shares."""
        ask = self._store.zscore if key.family == families.WANTED else self._store.sismember
        with translated():
            if ask(key.name, self.person.number):
                self.person.shared_keys[key.name] = key

    def what_leads_to_intents(self) -> None:
        person = self.person
        for page in pages(self._store):
            strings = (key for key in page if key.family in LEADS_TO_INTENT)
            for key, text in read_many(self._store, strings, _text):
                if text in person.intent_ids:
                    person.keys[key.name] = key
                    if key.family == families.DEDUP:
                        person.dedup_keys[text].append(key.parts[0])
            lists = (key for key in page if key.family in families.OF_RECORDS)
            for key, entries in read_many(self._store, lists, _entries):
                own = [text for text in entries if is_write_of(text, person.intent_ids)]
                if own:
                    person.writes[key] = own


def _fields(*names: str) -> Callable[[Any, Key], Any]:
    return lambda pipe, key: pipe.hmget(key.name, names)


def _text(pipe: Any, key: Key) -> None:
    pipe.get(key.name)


def _entries(pipe: Any, key: Key) -> None:
    pipe.lrange(key.name, 0, -1)


def is_write_of(text: str, intent_ids: set[str]) -> bool:
    """text: an entry of a record's writes."""
    return _object(text).get("intent_id") in intent_ids


def _object(text: str | None) -> Mapping[str, Any]:
    """A stored JSON object; {} for anything else."""
    try:
        read = json.loads(text or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
