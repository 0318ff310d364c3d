"""The kinds of intent, the states of its life, and how many of a kind go into one request."""

from enum import StrEnum


class Kind(StrEnum):
    """What will happen in Salesforce. The value is the name operators see and type."""

    CASE_CREATE = "case_create"
    CASE_COMMENT = "case_comment"
    CASE_CLOSE = "case_close"
    CONTACT_UPDATE = "contact_update"
    CALLBACK = "callback"
    CALL_LOG = "call_log"
    TRANSCRIPT_FILE = "transcript_file"
    TASK_LINK = "task_link"


class State(StrEnum):
    """held → due → leased → delivered / parked / cancelled."""

    HELD = "held"
    DUE = "due"
    LEASED = "leased"
    DELIVERED = "delivered"
    PARKED = "parked"
    CANCELLED = "cancelled"


SETTLED = frozenset({State.DELIVERED, State.PARKED, State.CANCELLED})
