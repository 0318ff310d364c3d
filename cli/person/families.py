"""The families of keys that may hold personal data, as shared/journal/SCHEMA.md lists them.

docs/personal-data.md shows the same families to people; a test compares the three.
"""

import re
from dataclasses import dataclass
from functools import cached_property

INTENT = "vs:intent:{id}"
REFERENCE = "vs:reference:{reference}"
CASE_NUMBER = "vs:case-number:{case number}"
DEDUP = "vs:dedup:{dedup key}"
FAILING = "vs:failing:{source}"
CONTACT_WRITES = "vs:contact:{contact id}:writes"
RECORD_WRITES = "vs:record:{record id}:writes"
OF_RECORDS = (CONTACT_WRITES, RECORD_WRITES)
"""What was written to records of the org, whoever asked for it."""
OF_CALLER = "vs:caller:{number}:intents"
PROVEN_OF_CALLER = "vs:caller:{number}:proven"
LISTS_OF_CALLER = (OF_CALLER, PROVEN_OF_CALLER)
WRITES = "vs:writes:{number}:{evidence}:{span}"
LOOKUPS = "vs:lookups:{number}:{evidence}"
TAKEN_NUMBERS = "vs:taken-numbers:{number}"
MISSED = "vs:missed:{number}"
GUESSES = "vs:guesses:number:{number}:{sort}"
CODES = "vs:codes:number:{number}"
MESSAGES = "vs:messages:number:{number}"
REFERENCES = "vs:references:number:{number}"
ANSWER = "vs:answer:{conversation}:{digest}"
MESSAGE = "vs:message:{conversation}:{digest}"
CALL = "vs:call:{call}"
TRANSCRIPT = "vs:call:{call}:transcript"
OF_CALL = "vs:call:{call}:intents"
CALL_OF = "vs:call-of:{provider id}"
SNAPSHOT = "vs:salesforce:{digest}:snapshot:{number}"
ASKING = "vs:salesforce:{digest}:asking:{number}"
NEW_NUMBER = "vs:salesforce:{digest}:new-number:{number}"
WANTED = "vs:salesforce:{digest}:wanted"
CONTACTS = "vs:salesforce:{digest}:contacts:{number}"

TYPES = {
    INTENT: "hash",
    REFERENCE: "string",
    CASE_NUMBER: "string",
    DEDUP: "string",
    FAILING: "set",
    CONTACT_WRITES: "list",
    RECORD_WRITES: "list",
    OF_CALL: "list",
    "vs:call:{call}:requests": "hash",
    "vs:call:{conversation}:writes": "string",
    "vs:call:{conversation}:lookups": "string",
    OF_CALLER: "list",
    PROVEN_OF_CALLER: "list",
    WRITES: "string",
    LOOKUPS: "string",
    TAKEN_NUMBERS: "string",
    MISSED: "string",
    GUESSES: "string",
    CODES: "string",
    MESSAGES: "string",
    REFERENCES: "string",
    ANSWER: "string",
    MESSAGE: "string",
    CALL: "hash",
    "vs:call:{call}:speech": "sorted set",
    "vs:call:{call}:senses": "sorted set",
    "vs:call:{call}:claims": "sorted set",
    "vs:call:{call}:decisions": "sorted set",
    "vs:call:{call}:tool-calls": "list",
    "vs:call:{call}:code": "string",
    "vs:call:{call}:written": "hash",
    TRANSCRIPT: "hash",
    "vs:call:{call}:updates": "hash",
    CALL_OF: "string",
    SNAPSHOT: "string",
    NEW_NUMBER: "string",
    ASKING: "string",
    WANTED: "sorted set",
    CONTACTS: "string",
}
"""The type of each family."""

_PLACEHOLDER = re.compile(r"(\{[^}]*\})")
_FITS = {
    "{call}": r"(?:twilio:)?[^:]*",  # Twilio's own calls say so
    "{conversation}": r"(?:[a-z]+:)?[^:]*",
    "{dedup key}": r".+",
    "{case number}": r".+",
    "{number}": r"[^:]*",
}


@dataclass(frozen=True)
class Family:
    """pattern: as in SCHEMA.md. type: "hash", "list", "set", "sorted set" or "string"."""

    pattern: str
    type: str

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = _PLACEHOLDER.split(self.pattern)
        return re.compile("".join(_regex_of(part) for part in parts), re.DOTALL)

    def parts_of(self, key: str) -> tuple[str, ...] | None:
        """What stands for each placeholder, in their order; None for a key of another family."""
        found = self._regex.fullmatch(key)
        return found.groups() if found else None


def _regex_of(part: str) -> str:
    return f"({_FITS.get(part, '[^:]+')})" if part.startswith("{") else re.escape(part)


@dataclass(frozen=True)
class Key:
    """A key of a family, with what stands for each of its placeholders."""

    name: str
    family: str
    parts: tuple[str, ...]

    @property
    def is_of_a_call(self) -> bool:
        """The first part is the id of a call; in a stored answer, of any conversation."""
        return self.family in (ANSWER, MESSAGE) or self.family.startswith("vs:call:")

    @property
    def type(self) -> str:
        return TYPES[self.family]


def _by_beginning() -> dict[str, list[Family]]:
    families: dict[str, list[Family]] = {}
    for pattern, type_ in TYPES.items():
        families.setdefault(_beginning(pattern), []).append(Family(pattern, type_))
    return families


def _beginning(name: str) -> str:
    """ "intent" of "vs:intent:...": few families have the same, so that few are compared."""
    return name.split(":", 2)[1]


FAMILIES = _by_beginning()


def key_of(name: str) -> Key | None:
    """None for a key without personal data. name: begins with the prefix of this service."""
    for family in FAMILIES.get(_beginning(name), ()):
        if (parts := family.parts_of(name)) is not None:
            return Key(name, family.pattern, parts)
    return None
