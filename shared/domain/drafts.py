"""What an intent carries: one draft class per kind, with the schema version of its stored form.

The web process accepts a draft and a worker applies it. A draft is stored as JSON, and a worker of
the next version must be able to read what this version wrote: add fields with defaults, and never
change a meaning without a new SCHEMA and a reader for the old one in `read_draft`.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Self

from shared.domain.identifiers import spoken_form
from shared.domain.kinds import Kind
from shared.domain.reading import UnreadableError, read_record
from shared.domain.record_mapping import STANDARD_CASE, ChangeMapping, RecordMapping, fill

SCHEMA = 1
AMENDING = 2
"""The schema of a CallDraft that amends another one; otherwise the same as SCHEMA."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The base of the drafts, which converts to and from the stored JSON object.

    SHORTENED: texts that Salesforce has after delivery → how many characters of them stay here.
    EMPTIED: tables of which nothing stays.
    """

    SHORTENED: ClassVar[dict[str, int]] = {}
    EMPTIED: ClassVar[tuple[str, ...]] = ("outcome", "arguments")

    @property
    def schema(self) -> int:
        """The schema version to read this draft with."""
        return SCHEMA

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def record(self, _intent_id: str) -> str:
        """The name of the record that this changes, "" for a new record. Intents of a call with the
        same name keep their order."""
        return ""

    def amended_by(self, later: Self) -> Self:
        """This held draft after the caller corrected it with a later request."""
        return later

    def preceded_by(self, _earlier: Self) -> Self | None:
        """This held draft with what an earlier request adds, which arrived after it. None when that
        adds nothing."""
        return None


@dataclass(frozen=True, kw_only=True)
class FromCaller(Draft):
    """A draft made during a call.

    caller_number: E.164, or "" when the call showed none.
    contact_id: the only contact with that number at acceptance; None when that was not
    known yet, and the worker resolves it by the number.
    visible_to_contact_id: the only contact as last known, however long ago, who may hear about this
    until it is delivered: then the org says whose it is. Never written to Salesforce.
    has_no_contact: the org said during the call that nobody, or several contacts, have the number.
    So the worker looks for no contact: who gets the number later did not make the call.
    """

    caller_number: str = ""
    contact_id: str | None = None
    visible_to_contact_id: str | None = None
    has_no_contact: bool = False

    @property
    def number_to_resolve(self) -> str:
        """The number by which the worker may look for the contact, "" for none."""
        return "" if self.has_no_contact else self.caller_number

    def is_by_same_person(self, later: Draft) -> bool:
        """Whether a later request of the call comes from the same person, as far as anybody knows.
        A caller who was nobody's contact yet may have shown since who they are."""
        return isinstance(later, FromCaller) and self.contact_id in (None, later.contact_id)


@dataclass(frozen=True, kw_only=True)
class NewRecordDraft(FromCaller):
    """A new record: the arguments as they are stored, and how they fill its fields.

    mapping: as the tool's file had it when it accepted the request. account_id: the contact's, as
    known at acceptance.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    mapping: RecordMapping | None = None
    account_id: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields that the arguments decide. Raises UnreadableError once the draft is purged."""
        if self.mapping is None:
            raise UnreadableError("MAPPING")
        return self.mapping.filled({**self.arguments, "caller.number": self.caller_number})

    def amended_by(self, later: Self) -> Self:
        """Keeps what the later request does not mention."""
        return replace(later, arguments=self.arguments | later.arguments)


@dataclass(frozen=True, kw_only=True)
class RecordDraft(NewRecordDraft):
    """A new record of an object of the team's."""

    def record(self, intent_id: str) -> str:
        return f"record:{intent_id}"

    def preceded_by(self, earlier: Self) -> Self | None:
        added = earlier.arguments.keys() - self.arguments.keys()
        return replace(self, arguments=earlier.arguments | self.arguments) if added else None


@dataclass(frozen=True, kw_only=True)
class CaseDraft(NewRecordDraft):
    """A new case. A caller who asks about it hears its issue type and the beginning of its
    description.

    arguments: those that have no name of their own here, and those that Salesforce stores in other
    words than the caller says.
    """

    SHORTENED: ClassVar[dict[str, int]] = {"description": 100}

    issue_type: str
    description: str
    priority: str | None = None
    account_number: str | None = None

    def record(self, intent_id: str) -> str:
        return f"case:{intent_id}"

    def fields(self) -> dict[str, Any]:
        arguments = {
            "issueType": self.issue_type.capitalize(),
            "description": self.description,
            "priority": self.priority,
            "accountNumber": self.account_number,
            "caller.number": self.caller_number,
        }
        return (self.mapping or STANDARD_CASE).filled(arguments | self.arguments)

    def amended_by(self, later: Self) -> Self:
        """Keeps the account number that the caller gave before, and a team's own arguments."""
        return replace(
            later,
            account_number=later.account_number or self.account_number,
            arguments=self.arguments | later.arguments,
        )


@dataclass(frozen=True, kw_only=True)
class CaseTarget(FromCaller):
    """A draft about one case: one that this service creates (`case_intent`), or `case_number`.

    only_after: an intent that shows that the caller has a right to the case. Unless it was
    delivered, nothing is done.
    for_household: the policy let the caller act for the contacts for whom the org lets theirs act.
    The worker asks the org again before it writes.
    """

    case_intent: str | None = None
    case_number: str | None = None
    only_after: str | None = None
    for_household: bool = False

    def record(self, _intent_id: str) -> str:
        return f"case:{self.case_intent or self.case_number}"


@dataclass(frozen=True, kw_only=True)
class CommentDraft(CaseTarget):
    """A comment on a case."""

    SHORTENED: ClassVar[dict[str, int]] = {"text": 0}

    text: str


@dataclass(frozen=True, kw_only=True)
class CloseDraft(CaseTarget):
    """A case to close. The reason is a comment of its own."""


@dataclass(frozen=True, kw_only=True)
class ContactDraft(FromCaller):
    """changes: Salesforce field → new value. accepted_at: ISO 8601, UTC, by the store's clock.

    seen: the values that each field may have unless somebody else edited it: the value at
    acceptance, and those that the call's earlier requests give it. None when the contact was not
    known at acceptance.
    """

    changes: dict[str, str]
    seen: dict[str, list[str | None]] | None = None
    accepted_at: str

    def record(self, _intent_id: str) -> str:
        return f"contact:{self.contact_id or self.caller_number}"

    def amended_by(self, later: Self) -> Self:
        """Both changes. Where both name a field, the later value counts."""
        return replace(
            self, changes=self.changes | later.changes, seen=self._seen_by_both(self, later)
        )

    def preceded_by(self, earlier: Self) -> Self | None:
        return replace(
            self, changes=earlier.changes | self.changes, seen=self._seen_by_both(earlier, self)
        )

    @staticmethod
    def _seen_by_both(
        earlier: "ContactDraft", later: "ContactDraft"
    ) -> dict[str, list[str | None]] | None:
        if earlier.seen is None or later.seen is None:
            return None
        return later.seen | earlier.seen


@dataclass(frozen=True, kw_only=True)
class ChangeDraft(FromCaller):
    """A change of one record of the caller's own, of an object of the team's.

    The record: the one that the intent `record_intent` creates, the one with `record_id`, or the
    one that the caller named. arguments, mapping: as in a NewRecordDraft.
    seen: the value of each field at acceptance; None when the record was not read then.
    accepted_at: ISO 8601, UTC, by the store's clock.
    """

    EMPTIED: ClassVar[tuple[str, ...]] = ("arguments", "seen")

    arguments: dict[str, Any] = field(default_factory=dict)
    mapping: ChangeMapping | None = None
    record_intent: str | None = None
    record_id: str | None = None
    seen: dict[str, Any] | None = None
    accepted_at: str

    @property
    def name(self) -> str:
        """What the caller called the record, "" when they did not name one."""
        spoken = self.mapping.spoken if self.mapping else ""
        return str(fill(spoken, self.arguments) or "") if spoken else ""

    def record(self, _intent_id: str) -> str:
        if self.record_intent:
            is_case = self.mapping is not None and self.mapping.object == "Case"
            return f"{'case' if is_case else 'record'}:{self.record_intent}"
        return f"record:{self.record_id or spoken_form(self.name)}"

    def changes(self) -> dict[str, Any]:
        """Field → new value. Raises UnreadableError once the draft is purged."""
        if self.mapping is None:
            raise UnreadableError("MAPPING")
        return self.mapping.filled({**self.arguments, "caller.number": self.caller_number})

    def is_about_same(self, other: Draft) -> bool:
        return isinstance(other, ChangeDraft) and self.record("") == other.record("")

    def amended_by(self, later: Self) -> Self:
        """Both changes, if they are about the same record. Where both give an argument, the later
        counts."""
        if not self.is_about_same(later):
            return later
        return replace(
            self,
            arguments=self.arguments | later.arguments,
            mapping=later.mapping,
            seen=self._seen_by_both(self, later),
        )

    def preceded_by(self, earlier: Self) -> Self | None:
        added = earlier.arguments.keys() - self.arguments.keys()
        if not added or not self.is_about_same(earlier):
            return None
        return replace(
            self,
            arguments=earlier.arguments | self.arguments,
            seen=self._seen_by_both(earlier, self),
        )

    @staticmethod
    def _seen_by_both(earlier: "ChangeDraft", later: "ChangeDraft") -> dict[str, Any] | None:
        if earlier.seen is None or later.seen is None:
            return None
        return later.seen | earlier.seen


@dataclass(frozen=True, kw_only=True)
class CallbackDraft(FromCaller):
    """A request for a person: to call back, or to check changes that the caller may not make.

    phone_was_given: by the caller; else it is their own. is_unproven: another number than the
    call's, by a caller who has not shown who they are, so that a person checks it first. changes:
    field of Contact → value.
    """

    SHORTENED: ClassVar[dict[str, int]] = {"when": 0, "reason": 0}

    phone: str
    phone_was_given: bool = False
    is_unproven: bool = False
    when: str = ""
    reason: str = ""
    changes: dict[str, str] = field(default_factory=dict)

    def amended_by(self, later: Self) -> Self:
        """Keeps what the later request does not mention."""
        named = later if later.phone_was_given else self
        return replace(
            later,
            phone=named.phone,
            phone_was_given=named.phone_was_given,
            is_unproven=named.is_unproven,
            when=later.when or self.when,
            reason=later.reason or self.reason,
            changes=self.changes | later.changes,
        )


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """What the caller was told at the beginning: that an AI talks, and that the call is recorded.

    words: the sentences that the greeting had. missing: those that it should have had. at: when the
    greeting began (ISO 8601 UTC), None when unknown. version: of the agent folder's greetings.
    is_reported: False when no report has shown the greeting; the words are then those that were set
    up.
    """

    words: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    at: str | None = None
    version: str = ""
    is_reported: bool = True


@dataclass(frozen=True, kw_only=True)
class CallDraft(FromCaller):
    """One finished call. Times are ISO 8601 UTC or None, duration in whole seconds or None.

    case_number: the case that the call commented on, if it opened none; only_after: the comment,
    which must be delivered before the call is linked to the case.
    reported_at: when Vapi reported the end. recording_needs_key: the recording is at Vapi's API.
    outcome: further results (see `shared/vapi/report.py`). is_reported: False for a call that was
    ended without its report.
    amends: the intent whose Task this draft completes, "" for a draft that creates one.
    shows_summary: False for a team that does not want the summary in the Task's description.
    disclosure: None in drafts of earlier versions.
    """

    SHORTENED: ClassVar[dict[str, int]] = {"summary": 0, "transcript": 0}

    call_id: str
    direction: str
    started_at: str | None
    ended_at: str | None
    duration_s: int | None
    ended_reason: str
    summary: str
    transcript: str
    transcript_in_file: bool
    recording_url: str
    case_number: str | None = None
    only_after: str | None = None
    reported_at: str | None = None
    recording_needs_key: bool = True
    outcome: dict[str, Any] = field(default_factory=dict)
    is_reported: bool = True
    amends: str = ""
    shows_summary: bool = True
    disclosure: Disclosure | None = None

    @property
    def schema(self) -> int:
        """AMENDING for a draft that amends a Task, so that older versions refuse to read it.

        A version that does not know `amends` would create a second Task.
        """
        return AMENDING if self.amends else SCHEMA


@dataclass(frozen=True, kw_only=True)
class TranscriptDraft(Draft):
    """A transcript that is too long for its Task: a file on the record of the call_log intent."""

    SHORTENED: ClassVar[dict[str, int]] = {"transcript": 0}

    call_id: str
    call_log_intent: str
    transcript: str


@dataclass(frozen=True, kw_only=True)
class TaskLinkDraft(Draft):
    """Tasks of a call, by their intents, that were written before their case existed."""

    task_intents: list[str]
    case_id: str


@dataclass(frozen=True, kw_only=True)
class AlertDraft(FromCaller):
    """Tells a customer at their old number or email address that it was changed.

    update_intent: the change, without which nothing is said. sobject_field: the field of Contact;
    old_value: what it had. language: of the call, "" when unknown.
    """

    SHORTENED: ClassVar[dict[str, int]] = {"old_value": 0}

    update_intent: str
    sobject_field: str
    old_value: str
    language: str = ""


DRAFTS: dict[Kind, type[Draft]] = {
    Kind.CASE_CREATE: CaseDraft,
    Kind.CASE_COMMENT: CommentDraft,
    Kind.CASE_CLOSE: CloseDraft,
    Kind.CONTACT_UPDATE: ContactDraft,
    Kind.CALLBACK: CallbackDraft,
    Kind.CALL_LOG: CallDraft,
    Kind.TRANSCRIPT_FILE: TranscriptDraft,
    Kind.TASK_LINK: TaskLinkDraft,
    Kind.CHANGE_ALERT: AlertDraft,
}

OF_TEAMS: dict[str, type[Draft]] = {
    "create": RecordDraft,
    "update": ChangeDraft,
    "close": ChangeDraft,
}
"""By the verb of a kind for a team's own tools."""


def draft_of(kind: Kind) -> type[Draft] | None:
    """None for a kind that this version does not know."""
    return OF_TEAMS.get(kind.verb) or DRAFTS.get(kind)


def read_draft(kind: Kind, schema: int, stored: dict[str, Any]) -> Draft:
    """The draft of an intent. Raises UnreadableError."""
    if schema not in (SCHEMA, AMENDING):
        raise UnreadableError(f"SCHEMA_{schema}")
    if not (draft := draft_of(kind)):
        raise UnreadableError("KIND")
    return read_record(draft, stored)


def shortened(kind: Kind, stored: dict[str, Any]) -> dict[str, Any]:
    """The part of a draft that stays stored after delivery. Fields of other versions do not change.

    The draft of a call that ended without a report keeps its text, for comparison with a late
    report.
    """
    if kind is Kind.CALL_LOG and not stored.get("is_reported", True):
        return stored
    draft = draft_of(kind)
    lengths = draft.SHORTENED if draft else {}
    short = {
        name: value[: lengths[name]]
        for name, value in stored.items()
        if name in lengths and isinstance(value, str)
    }
    tables = (draft or Draft).EMPTIED
    emptied: dict[str, Any] = {name: {} for name in tables if name in stored}
    return stored | short | emptied | ({"mapping": None} if "mapping" in stored else {})
