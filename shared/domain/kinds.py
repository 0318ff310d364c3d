"""The kinds of intent, and the states of an intent's life."""

import re
from enum import StrEnum
from typing import Self

_CREATES = "create."
_OBJECT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


class _Open(StrEnum):
    """Accepts values of other versions: an unknown value keeps its name and is none of the
    members."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown

    @property
    def is_known(self) -> bool:
        return self.name in type(self).__members__


class Kind(_Open):
    """What happens in Salesforce. The value is the name that operators see and type.

    The members are what this service does for every team. What a team's own tools create has a kind
    for each object, such as `create.Return_Request__c`.
    """

    CASE_CREATE = "case_create"
    CASE_COMMENT = "case_comment"
    CASE_CLOSE = "case_close"
    CONTACT_UPDATE = "contact_update"
    CALLBACK = "callback"
    CALL_LOG = "call_log"
    TRANSCRIPT_FILE = "transcript_file"
    TASK_LINK = "task_link"

    @classmethod
    def creating(cls, sobject: str) -> Self:
        """The kind of an intent that creates a record of this object."""
        return cls.CASE_CREATE if sobject == "Case" else cls(f"{_CREATES}{sobject}")

    @property
    def sobject(self) -> str:
        """The object of a kind for a team's own tools; "" for the other kinds."""
        name = self.value.removeprefix(_CREATES)
        return name if name != self.value and _OBJECT.fullmatch(name) else ""

    @property
    def is_known(self) -> bool:
        return bool(self.sobject) or super().is_known


class State(_Open):
    """held → due → leased → delivered / parked / cancelled."""

    HELD = "held"
    DUE = "due"
    LEASED = "leased"
    DELIVERED = "delivered"
    PARKED = "parked"
    CANCELLED = "cancelled"


SETTLED = frozenset({State.DELIVERED, State.PARKED, State.CANCELLED})
