"""The intent as the journal returns it, and the possible outcomes of a delivery."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeVar

from shared.domain.drafts import Draft, read_draft
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError

D = TypeVar("D", bound=Draft)


BY_CALLER = "caller"
"""The reason of an intent that was cancelled on the caller's word."""


def new_intent_id() -> str:
    """32 lower-case hex characters: safe in a URL, and the idempotency key in Salesforce.

    The first half is the time, so that intents sort in the order in which they were created.
    """
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


def source_of(agent: str, tool: str) -> str:
    """The name of a tool among those of all agent folders: "agent/requestReturn". "" for no tool.

    No kind has such a name, because it has a slash.
    """
    return f"{agent}/{tool}" if agent and tool else ""


def intent_id_of(call_id: str, fingerprint: str) -> str:
    """The same id whenever a call makes the same intent: the key in Salesforce is then the same
    too, even when the journal no longer knows the first one."""
    return hashlib.sha256(f"{fingerprint} {call_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Receipt:
    """What Salesforce returned. number, contact_id: of a case, else None. at_ms: when it was
    stored; epoch ms."""

    record_id: str = ""
    number: str | None = None
    at_ms: int = 0
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Intent:
    """One durable write request, as stored.

    id: 32 lower-case hex characters, and the External Id key of the record in Salesforce.
    in_doubt: an earlier attempt may have been committed (its answer was lost, or its lease ran
    out), so delivery reads before it writes.
    said: the sentence that the agent got at acceptance.
    fingerprint, message: of the request, and of the message that it came in; requested_at_ms: that
    message's own time. "" and 0 for an intent that no caller asked for.
    amended_at_ms: when the caller last corrected it while it was held; 0 for never.
    omit_fields: fields that Salesforce refused, which the next attempt omits.
    attempts: leases so far. refusals: answers of Salesforce that refused this very record.
    reason: a code. detail: Salesforce's own words, for the operator; they may quote values.
    agent: the agent folder of its tool, or of its call; "" for the first one.
    org: the host of the org that it was accepted for; "" when an earlier version did not record it.
    unreadable: a code for the part that this version can't read, "" when it can read everything.
    parts: ids of the intents that were accepted with it as parts of the same request. They are
    cancelled with it.
    trace: of the request that it was accepted with, "" for an intent of no call from an earlier
    version.
    has_two_numbers: its call showed two numbers, as `without_caller` says. Not stored.
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
    amended_at_ms: int = 0
    omit_fields: tuple[str, ...] = ()
    org: str = ""
    agent: str = ""
    receipt: Receipt | None = None
    unreadable: str = ""
    parts: tuple[str, ...] = ()
    trace: str = ""
    has_two_numbers: bool = False

    @property
    def source(self) -> str:
        """What it waits with when its like fails: the tool that asked for it, else its kind."""
        return source_of(self.agent, self.tool) or self.kind

    @property
    def can_be_cancelled(self) -> bool:
        """Nothing of it can have reached Salesforce, or an operator decides on it."""
        is_open = self.state in (State.HELD, State.DUE)
        return self.state is State.PARKED or (is_open and not self.in_doubt)

    @property
    def is_purged(self) -> bool:
        """Its retention time is over: the draft is deleted, only the receipt is left."""
        return not self.payload

    @cached_property
    def draft(self) -> Draft:
        """Raises UnreadableError when another version wrote it and this one can't read it."""
        if self.unreadable:
            raise UnreadableError(self.unreadable)
        return read_draft(self.kind, self.schema, self.payload)

    def draft_as(self, wanted: type[D]) -> D | None:
        """The draft if it has the wanted type; None for another type, and for a draft that was
        purged or that this version can't read."""
        try:
            draft = None if self.is_purged else self.draft
        except UnreadableError:
            return None
        return draft if isinstance(draft, wanted) else None

    def without_caller(self) -> Self:
        """For a call whose caller turned out to be unknown, because it showed two numbers."""
        unknown = {"caller_number": "", "contact_id": None, "visible_to_contact_id": None}
        return replace(self, payload=self.payload | unknown, has_two_numbers=True)


class Scope(StrEnum):
    """What a failure concerns. The journal knows only the last three."""

    FIELD = "field"
    BATCH = "batch"
    """The records of one request together."""
    RECORD = "record"
    SOURCE = "source"
    """The tool that asked for the intent; its kind where no tool did."""
    ORG = "org"


@dataclass(frozen=True)
class NewIntent:
    """An intent on its way into the journal.

    hold_ms: the commit window, in which the caller can take it back; 0 makes it due at once.
    after: ids of intents that must settle first. It also waits for the call's requests of other
    kinds about the same record. after_call: waits for all of the call's intents so far.
    requested_at_ms, message: when and in which message it was requested. amends: the id and the
    fingerprint as read of a held intent that becomes this one; id and reference do not change.
    fingerprint: a second intent of the call with the same one is the same request; "" for none.
    parts: as in Intent.
    dedup_keys: what it is about, across calls ("account:001...:billing"). asks: if another call's
    recent intent has the same dedup key, nothing is recorded and that intent is returned.
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
    parts: tuple[str, ...] = field(default=())
    dedup_keys: tuple[str, ...] = field(default=())
    asks: bool = False


@dataclass(frozen=True)
class Cancelling:
    """An intent that is cancelled when another one takes its place.

    is_open: as read, it can be cancelled; if not, it stays. reason: a code.
    """

    intent_id: str
    is_open: bool
    reason: str


@dataclass(frozen=True)
class Delivered:
    """also: intents that follow from this delivery, recorded in the same step."""

    intent_id: str
    record_id: str
    number: str | None = None
    contact_id: str | None = None
    also: tuple[NewIntent, ...] = ()


@dataclass(frozen=True)
class TryAgain:
    """Not delivered yet.

    delay_ms: how long the record, its source or the org (see scope) waits.
    in_doubt: the attempt may have been committed all the same.
    rest_ms: how long the intent itself rests as well; a write whose answer was lost may still be
    in progress.
    omit_fields: optional fields to omit from now on; missing: those of them that the org lacks, so
    that other intents of the kind omit them too.
    failures_in_a_row: 1 for a failure, after which one small batch goes first as a probe; 0 for a
    mere wait.
    limit: after this many refusals of this very record for this reason, the intent parks; 0 when
    the record was not refused.
    target: the record that was refused, when its source may be what fails: two different targets
    make the source wait. "" when the failure says nothing about the source.
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
    """Refused for good: a dead letter that an operator decides on.

    reason: a code, never a text that quotes a value. detail: Salesforce's own words. follows: the
    intent whose parking is the reason: once it is no longer parked, this intent is due again.
    """

    intent_id: str
    reason: str
    detail: str = ""
    follows: str = ""


@dataclass(frozen=True)
class PartRefused:
    """Salesforce refuses part of the draft for good.

    rest: the draft without that part, which is tried again. part: an intent with the refused part,
    which parks.
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
