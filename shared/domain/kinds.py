"""The kinds of intent, and the states of an intent's life."""

from enum import StrEnum
from typing import Self


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
    """What happens in Salesforce. The value is the name that operators see and type."""

    CASE_CREATE = "case_create"
    CASE_COMMENT = "case_comment"
    CASE_CLOSE = "case_close"
    CONTACT_UPDATE = "contact_update"
    CALLBACK = "callback"
    CALL_LOG = "call_log"
    TRANSCRIPT_FILE = "transcript_file"
    TASK_LINK = "task_link"


class State(_Open):
    """held → due → leased → delivered / parked / cancelled."""

    HELD = "held"
    DUE = "due"
    LEASED = "leased"
    DELIVERED = "delivered"
    PARKED = "parked"
    CANCELLED = "cancelled"


SETTLED = frozenset({State.DELIVERED, State.PARKED, State.CANCELLED})
