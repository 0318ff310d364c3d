"""The intent as the journal hands it out, and what a delivery makes of it."""

import secrets
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self, TypeVar

from shared.domain.drafts import Draft, read_draft
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError

D = TypeVar("D", bound=Draft)


def new_intent_id() -> str:
    """32 lower-case hex characters: safe in a URL, and the key of the record in Salesforce.

    The first half is the time, so that intents of one millisecond keep the order of their making.
    """
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Receipt:
    """What Salesforce gave back. number: the CaseNumber of a case, else None; at: epoch ms."""

    record_id: str = ""
    number: str | None = None
    at_ms: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Intent:
    """One durable promise, as kept.

    id: 32 lower-case hex characters, and the External Id key of the record in Salesforce.
    unsure: an earlier attempt may have been committed (its answer was lost, or its lease ran out),
    so delivery reads before it writes.
    said: the sentence that the agent was given when it was accepted.
    fingerprint, message: of the wish and of the message that it came in; wished_ms: that message's
    own time. "" and 0 for what nobody wished for.
    leave_out: fields that Salesforce refused to take, so the next attempt goes without them.
    attempts: leases so far. refusals: answers of Salesforce that refused this very record.
    reason: a code. detail: Salesforce's own words with it, for the operator: they may quote values.
    org: the host of the org that it was accepted for; "" when an earlier version did not note it.
    unreadable: the code of what this version can't read of it, "" when it can read all.
    """

    id: str
    kind: Kind
    state: State
    call_id: str
    tool: str
    reference: str
    schema: int
    payload: dict[str, Any]
    accepted_at_ms: int
    attempts: int = 0
    refusals: int = 0
    in_doubt: bool = False
    reason: str = ""
    detail: str = ""
    said: str = ""
    fingerprint: str = ""
    requested_at_ms: int = 0
    message: str = ""
    settled_at_ms: int | None = None
    omit_fields: tuple[str, ...] = ()
    org: str = ""
    receipt: Receipt | None = None
    unreadable: str = ""

    @property
    def is_purged(self) -> bool:
        """Its time is over: only the receipt is left of it, the draft is gone."""
        return not self.payload

    @property
    def draft(self) -> Draft:
        """Raises UnreadableError, as for what another version wrote."""
        if self.unreadable:
            raise UnreadableError(self.unreadable)
        return read_draft(self.kind, self.schema, self.payload)

    def draft_as(self, wanted: type[D]) -> D | None:
        """The draft if it is one of these; None for another one, and for one that was purged or
        that this version can't read."""
        try:
            draft = None if self.is_purged else self.draft
        except UnreadableError:
            return None
        return draft if isinstance(draft, wanted) else None

    def without_caller(self) -> Self:
        """For a call whose caller turned out to be nobody in particular."""
        nobody = {"caller_number": "", "contact_id": None, "visible_to_contact_id": None}
        return replace(self, payload=self.payload | nobody)


class Scope(StrEnum):
    """What a failure concerns. The journal knows of the last three: what a wait holds back."""

    FIELD = "field"
    BATCH = "batch"
    """The records of one request taken together."""
    RECORD = "record"
    KIND = "kind"
    ORG = "org"


@dataclass(frozen=True)
class NewIntent:
    """An intent on its way into the journal.

    hold_ms: how long it stays held so that the caller can take it back; 0 is due at once.
    after: ids of intents that have to be settled first; besides, it waits for the wishes of other
    kinds in its call that are about the same record. after_call: for all of its call's so far.
    wished_ms, message: when and in which message it was asked for. amends: the id of a held intent
    that becomes this one, and its fingerprint as read; id and reference stay as they were.
    fingerprint: a second intent of the call with the same one is the same wish; "" is none.
    subjects: what it is about, across calls ("account:001...:billing"). asks: when another call's
    intent of late is about the same, nothing is recorded and that one is named instead.
    """

    id: str
    kind: Kind
    draft: Draft
    tool: str = ""
    reference: str = ""
    fingerprint: str = ""
    hold_ms: int = 0
    after: tuple[str, ...] = field(default=())
    after_call: bool = False
    requested_at_ms: int = 0
    message: str = ""
    amends: tuple[str, str] | None = None
    said: str = ""
    dedup_keys: tuple[str, ...] = field(default=())
    asks: bool = False


@dataclass(frozen=True)
class Delivered:
    """also: what has to be done besides from now on; recorded in the same step."""

    intent_id: str
    record_id: str
    number: str | None = None
    also: tuple[NewIntent, ...] = ()


@dataclass(frozen=True)
class TryAgain:
    """Not yet.

    delay_ms: how long the record, the kind or the org (as scope says) waits.
    unsure: it may have been committed all the same.
    rest_ms: how long the intent itself is left alone besides; a write whose answer was lost may
    still be under way.
    leave_out: optional fields to go without from now on; missing: those of them that the org does
    not have, so that others of the kind go without them too.
    strikes: 1 for a failure, which makes what waits try carefully next time; 0 for a mere wait.
    limit: after so many refusals of this very record, for this reason, the intent parks; 0 when it
    was not refused.
    target: the record that was refused, when its kind may be what fails: two different ones make
    the kind wait. "" when the failure says nothing about the kind.
    """

    intent_id: str
    reason: str
    delay_ms: int
    scope: Scope
    failures_in_a_row: int = field(default=1, kw_only=True)
    in_doubt: bool = False
    rest_ms: int = 0
    omit_fields: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    limit: int = 0
    target: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Parked:
    """Refused for good; a person decides. reason is a code, never a text that quotes a value.

    detail: Salesforce's own words. follows: the intent whose parking is the reason: when that one
    is parked no more, this one is due again.
    """

    intent_id: str
    reason: str
    detail: str = ""
    follows: str = ""


@dataclass(frozen=True)
class PartRefused:
    """Salesforce refuses some of it for good.

    rest: the draft without that, which is tried again. part: what was refused, an intent of its own
    that parks.
    """

    intent_id: str
    reason: str
    rest: Draft
    part: NewIntent
    delay_ms: int
    in_doubt: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Cancelled:
    intent_id: str
    reason: str


Outcome = Delivered | TryAgain | Parked | PartRefused | Cancelled
