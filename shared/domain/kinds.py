"""The kinds of intent, and the states of an intent's life."""

import re
from enum import StrEnum
from typing import Self

VERBS_OF_TEAMS = ("create", "update", "close")
"""What the kinds for a team's own tools begin with."""

_OF_TEAMS = re.compile(rf"({'|'.join(VERBS_OF_TEAMS)})\.([A-Za-z][A-Za-z0-9_]{{0,79}})")


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

    The members are what this service does for every team. What a team's own tools create, change
    and close has a kind for each verb and object, such as `create.Return_Request__c`.
    """

    CASE_CREATE = "case_create"
    CASE_COMMENT = "case_comment"
    CASE_CLOSE = "case_close"
    CONTACT_UPDATE = "contact_update"
    CALLBACK = "callback"
    CALL_LOG = "call_log"
    TRANSCRIPT_FILE = "transcript_file"
    TASK_LINK = "task_link"
    CHANGE_ALERT = "change_alert"

    @classmethod
    def creating(cls, sobject: str) -> Self:
        """The kind of an intent that creates a record of this object."""
        return cls.CASE_CREATE if sobject == "Case" else cls(f"create.{sobject}")

    @classmethod
    def changing(cls, verb: str, sobject: str) -> Self:
        """The kind of an intent that changes a record of this object. verb: update or close."""
        return cls(f"{verb}.{sobject}")

    @property
    def verb(self) -> str:
        """Of a kind for a team's own tools: create, update or close; "" for the other kinds."""
        found = _OF_TEAMS.fullmatch(self.value)
        return found[1] if found else ""

    @property
    def sobject(self) -> str:
        """The object of a kind for a team's own tools; "" for the other kinds."""
        found = _OF_TEAMS.fullmatch(self.value)
        return found[2] if found else ""

    @property
    def closes(self) -> bool:
        """Whether such an intent takes something back itself."""
        return self is Kind.CASE_CLOSE or self.verb == "close"

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
