"""Turns the end of a call into intents: a Task, a comment on its case, a file for its transcript.

`end_of_call_intents` is a pure function of what is known. The journal accepts its result in one
atomic step under the fingerprint "end-of-call", an idempotency key. So the end is processed once,
by its report, however often that arrives, or without a report when the call has long been quiet.
The call log's id is made of the call's id, so that Salesforce refuses a second Task even when the
journal has forgotten the first one.

What arrives later amends the Task: a late report, or write requests of a call that went on.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.agent.agents import Agents, agents_of
from shared.agent.disclosure import disclosed
from shared.agent.salesforce import CallLogMapping
from shared.agent.sentences import Sentences
from shared.calls.calls import Calls, CallState
from shared.calls.secrets_said import SecretsSaid
from shared.calls.transcript_labels import TranscriptLabels
from shared.calls.unbacked import UnbackedClaims, is_called_back
from shared.domain.drafts import (
    CallbackDraft,
    CallDraft,
    CommentDraft,
    Disclosure,
    TranscriptDraft,
)
from shared.domain.intent import Intent, NewIntent, intent_id_of, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.domain.text import stored_length
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.logs import log
from shared.phone import to_call_back
from shared.settings import Settings
from shared.store import StoreUnavailableError
from shared.vapi.messages import INBOUND
from shared.vapi.report import EndOfCall, without_secrets
from shared.vapi.values import as_iso

FINGERPRINT = "end-of-call"

CLOSE_TRIES = 3
"""Attempts to end a call that another process ends or amends at the same moment."""

MAX_QUIET = 100
"""This many quiet calls are ended in one run."""

MAX_DESCRIPTION = 32_000
MAX_SUMMARY = 8_000
RESERVED_FOR_FACTS = 2_000
"""Task.Description holds 32,000 characters. A transcript that does not fit beside the summary and
the facts goes into a file."""


class EndOfCallWriter:
    """Ends calls. Every method raises StoreUnavailableError; it is safe to run it again then."""

    def __init__(
        self,
        calls: Calls,
        journal: Journal,
        settings: Settings,
        agents: Agents | None = None,
    ) -> None:
        """agents: those of the settings when None."""
        self._calls = calls
        self._journal = journal
        self._agents = agents or agents_of(settings)
        self._base_url = settings.vapi.base_url
        self._secret = settings.vapi.server_secrets[0].encode()
        self._hold_ms = settings.journal.commit_window_ms
        self._needed = settings.calls.attestation
        self._checks_claims = settings.calls.check_claims
        self._unbacked = UnbackedClaims(calls.claims_said, journal, journal.promises)

    def close(
        self,
        state: CallState,
        report: EndOfCall,
        contact_id: str | None = None,
        *,
        has_no_contact: bool = False,
        is_reported: bool = True,
    ) -> tuple[Kind, ...]:
        """Record the intents of the call's end, once. Returns the kinds to notify.

        is_reported: False when the call is ended because no report came.
        """
        if state.is_erased:
            return ()  # its Task was written, or given up, before
        due_kinds: tuple[Kind, ...] = ()
        updates = self._calls.updates(state.call_id)
        report = _completed(report, updates, ended_reason="" if is_reported else NO_REPORT)
        agent = self._agents.named(state.agent)
        labels = TranscriptLabels.of_call(agent.sentences, state.direction)
        secrets = SecretsSaid(self._secret, state.secrets_said)
        report = replace(
            report,
            summary=secrets.remove_from(report.summary),
            transcript=secrets.remove_from(report.transcript),
            outcome=without_secrets(report.outcome, secrets.remove_from),
        )
        if contact_id is None and not state.attested(self._needed).counts:
            has_no_contact = True  # the number shows nobody
        stored_transcript = max(
            self._calls.transcript(state.call_id, labels), updates.get("transcript", ""), key=len
        )
        intents: list[Intent] = []
        end_intents: list[NewIntent] = []
        for _ in range(CLOSE_TRIES):
            intents = self._journal.of_call(state.call_id)
            end_intents = end_of_call_intents(
                state,
                report,
                contact_id=contact_id,
                has_no_contact=has_no_contact,
                stored_transcript=secrets.remove_from(stored_transcript),
                intents=intents,
                api_url=self._base_url,
                hold_ms=self._hold_ms,
                is_reported=is_reported,
                wanted=agent.salesforce.call_log,
                sentences=agent.sentences,
                disclosure=disclosed(
                    agent, report.greeting, report.greeted_at, state.assistant_language
                ),
            )
            if any(intent.kind is Kind.CALL_LOG for intent in intents):
                end_intents = amendment(end_intents, intents, is_reported=state.is_reported)
            if not end_intents:
                break
            accepted = self._journal.accept(state.call_id, end_intents, agent=state.agent)
            if isinstance(accepted, Accepted):
                log.info("call_closed", call_id=state.call_id, count=len(end_intents))
                due_kinds = accepted.due_kinds
                break
            # Another process ended the call a moment ago: try again with what it recorded.
        if self._checks_claims:
            due_kinds += self._unbacked.settle(
                state,
                report.agent_said,
                intents,
                agent.sentences,
                contact_id=contact_id,
                has_no_contact=has_no_contact,
                is_called_back=is_called_back([*intents, *end_intents]),
            )
        self._calls.closed(
            state.call_id,
            report.summary or state.summary,
            reported=is_reported or state.is_reported,
        )
        return due_kinds

    def add_case(self, state: CallState, case_intent: str) -> tuple[Kind, ...]:
        """Add the summary to a case whose request arrives after the call's report.

        The case's delivery links the Task, which is written already. Returns the kinds to notify.
        """
        if not state.summary or state.has_two_numbers:
            return ()
        sentences = self._agents.named(state.agent).sentences
        comment = CommentDraft(
            caller_number=state.number,
            case_intent=case_intent,
            text=f"{sentences.for_staff('record-call-summary')} {state.summary}",
        )
        return self.comment(state, comment, f"{FINGERPRINT}:summary")

    def comment(
        self, state: CallState, comment: CommentDraft, fingerprint: str
    ) -> tuple[Kind, ...]:
        """Add the service's own comment to the call's case, once. Returns the kinds to notify."""
        assert comment.case_intent
        intent = NewIntent(
            id=new_intent_id(),
            kind=Kind.CASE_COMMENT,
            reference=new_reference(),
            fingerprint=fingerprint,
            after=(comment.case_intent,),
            draft=comment,
        )
        accepted = self._journal.accept(state.call_id, [intent], agent=state.agent)
        return accepted.due_kinds if isinstance(accepted, Accepted) else ()

    def end_quiet_calls(self, for_ms: int) -> tuple[int, set[Kind]]:
        """End the calls that have been quiet for that long, because no report will come.

        Returns how many calls, and the kinds to notify.
        """
        due_kinds: set[Kind] = set()
        quiet = self._calls.quiet(for_ms, MAX_QUIET)
        closed = 0
        for call_id in quiet:
            try:
                due_kinds.update(self._end_quiet_call(call_id))
                closed += 1
            except StoreUnavailableError:
                raise
            except Exception:
                # A defect of ours: some of its data can't be read. The other calls go on.
                log.exception("call_not_closed", call_id=call_id)
                self._calls.set_aside(call_id)
        return closed, due_kinds

    def _end_quiet_call(self, call_id: str) -> tuple[Kind, ...]:
        state = self._calls.state(call_id)
        report = EndOfCall(started_at=as_iso(state.began_ms) if state.began_ms else None)
        return self.close(state, report, is_reported=False)


NO_REPORT = "no-report"
"""The ended reason of a call without a report."""


def end_of_call_intents(
    state: CallState,
    report: EndOfCall,
    *,
    contact_id: str | None,
    has_no_contact: bool,
    stored_transcript: str,
    intents: list[Intent],
    api_url: str,
    hold_ms: int,
    sentences: Sentences,
    is_reported: bool = True,
    wanted: CallLogMapping | None = None,
    disclosure: Disclosure | None = None,
) -> list[NewIntent]:
    """The intents of a call's end.

    contact_id, has_no_contact: see FromCaller; as far as the call knew.
    stored_transcript: recorded during the call, for a report without a transcript.
    intents: the call's intents so far. The Task waits until all of them are settled, and for write
    requests that arrive after the report.
    sentences: for what staff read.
    api_url: of Vapi's API, which serves the recordings.
    wanted: what the team wants in the Task; the defaults when None.
    disclosure: what the greeting said about the AI and the recording.
    """
    wanted = wanted or CallLogMapping()
    transcript = report.transcript or stored_transcript
    if wanted.transcript == "none":
        transcript = ""
    recording = report.recording if wanted.recording_link else ""
    at_vapi = bool(recording) and "://" not in recording
    capacity = (
        MAX_DESCRIPTION - RESERVED_FOR_FACTS - min(stored_length(report.summary), MAX_SUMMARY)
    )
    in_file = stored_length(transcript) > capacity or (
        wanted.transcript == "file" and bool(transcript)
    )
    case_intents = [
        intent.id
        for intent in intents
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED
    ]
    commented = [
        (intent.id, comment.case_number)
        for intent in intents
        if (comment := intent.draft_as(CommentDraft)) and comment.case_number
    ]
    only_after, case_number = commented[-1] if commented else (None, None)
    call_log = NewIntent(
        id=intent_id_of(state.call_id, FINGERPRINT),
        kind=Kind.CALL_LOG,
        fingerprint=FINGERPRINT,
        after_call=True,
        hold_ms=hold_ms,
        draft=CallDraft(
            caller_number=state.number,
            contact_id=contact_id,
            has_no_contact=has_no_contact,
            call_id=state.call_id,
            direction=state.direction or INBOUND,
            started_at=report.started_at,
            ended_at=report.ended_at,
            duration_s=report.duration_s,
            ended_reason=report.ended_reason,
            summary=report.summary,
            transcript="" if in_file else transcript,
            transcript_in_file=in_file,
            recording_url=f"{api_url}/call/{state.call_id}/{recording}" if at_vapi else recording,
            recording_needs_key=at_vapi,
            case_number=case_number,
            only_after=only_after,
            reported_at=report.reported_at,
            outcome=report.outcome,
            is_reported=is_reported,
            shows_summary=wanted.summary,
            disclosure=disclosure,
        ),
    )
    end_intents = [call_log]
    if in_file:
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.TRANSCRIPT_FILE,
                after=(call_log.id,),
                draft=TranscriptDraft(
                    call_id=state.call_id, call_log_intent=call_log.id, transcript=transcript
                ),
            )
        )
    # The summary of a call with two callers would show one caller's request on the other's case.
    if report.summary and not state.has_two_numbers and (case_intents or case_number):
        last_case = case_intents[-1] if case_intents else None
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.CASE_COMMENT,
                reference=new_reference(),
                after=tuple(intent_id for intent_id in (last_case or only_after,) if intent_id),
                draft=CommentDraft(
                    caller_number=state.number,
                    contact_id=contact_id,
                    has_no_contact=has_no_contact,
                    case_intent=last_case,
                    case_number=None if last_case else case_number,
                    only_after=None if last_case else only_after,
                    text=f"{sentences.for_staff('record-call-summary')} {report.summary}",
                ),
            )
        )
    has_callback = any(map(_asks_to_be_called, intents))
    phone = to_call_back(state.number)
    if phone and not has_callback and reached_nobody(report.ended_reason, report.outcome):
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.CALLBACK,
                fingerprint=f"{FINGERPRINT}:callback",
                draft=CallbackDraft(
                    caller_number=state.number,
                    contact_id=contact_id,
                    has_no_contact=has_no_contact,
                    phone=phone,
                    reason=sentences.for_staff("record-call-back-transferred"),
                ),
            )
        )
    return end_intents


def _asks_to_be_called(intent: Intent) -> bool:
    """A change that a person checks is no promise to call."""
    if intent.kind is not Kind.CALLBACK or intent.state is State.CANCELLED:
        return False
    draft = intent.draft_as(CallbackDraft)
    return draft is None or not draft.changes


IN_VAIN = frozenset({"no-answer", "busy", "voicemail", "failed"})
"""How a transfer ends that reached nobody (docs/vendors.md V18)."""


def reached_nobody(ended_reason: str, outcome: dict[str, Any]) -> bool:
    """The call ended with a transfer, and its last attempt reached nobody.

    `assistant-forwarded-call` only says that a transfer began (docs/vendors.md V18).
    """
    forwarding_failed = ended_reason.startswith("call.forwarding.")
    if ended_reason != "assistant-forwarded-call" and not forwarding_failed:
        return False
    transfers = outcome.get("transfers") or []
    return transfers[-1]["status"] in IN_VAIN if transfers else forwarding_failed


def is_complete(logs: Sequence[Intent]) -> bool:
    """The call's record came from its report. logs: its call logs, in the order of acceptance.

    A draft that was purged can't be compared any more, so it counts as complete.
    """
    draft = logs[-1].draft_as(CallDraft)
    return draft is None or (draft.is_reported and draft.ended_reason != NO_REPORT)


def amendment(
    end_intents: list[NewIntent], intents: Sequence[Intent], *, is_reported: bool
) -> list[NewIntent]:
    """What `end_of_call_intents` adds to a call that was ended before; [] when nothing is new.

    is_reported: the call was ended by its report, as far as the call knows.
    """
    logs = [intent for intent in intents if intent.kind is Kind.CALL_LOG]
    first, last = logs[0], logs[-1]
    call_log, *others = end_intents
    draft, before = call_log.draft, last.draft_as(CallDraft)
    assert isinstance(draft, CallDraft)
    if before:
        is_reported = before.is_reported and before.ended_reason != NO_REPORT
    if is_reported:
        return []  # the report said all; `add_case` handles later requests
    asked_since = any(intent.tool for intent in intents[intents.index(last) + 1 :])
    if before and replace(draft, amends=before.amends) == before and not asked_since:
        return []
    if before and before.transcript_in_file:
        others = [other for other in others if other.kind is not Kind.TRANSCRIPT_FILE]
    if before and before.summary == draft.summary:
        others = [other for other in others if other.kind is not Kind.CASE_COMMENT]
    asked_for = [intent.id for intent in intents if intent.tool]
    content = json.dumps([draft.as_json(), asked_for], sort_keys=True)
    suffix = "report" if draft.is_reported else hashlib.sha256(content.encode()).hexdigest()[:32]
    fingerprint = f"{FINGERPRINT}:{suffix}"
    amended = replace(
        call_log,
        id=intent_id_of(draft.call_id, fingerprint),
        draft=replace(draft, amends=first.id),
        fingerprint=fingerprint,
    )
    return [amended, *(_on_task(other, first) for other in others)]


def _on_task(intent: NewIntent, call_log: Intent) -> NewIntent:
    """A file belongs to the Task that exists already."""
    if not isinstance(intent.draft, TranscriptDraft):
        return intent
    draft = replace(intent.draft, call_log_intent=call_log.id)
    return replace(intent, after=(call_log.id,), draft=draft)


def _completed(report: EndOfCall, updates: dict[str, str], *, ended_reason: str) -> EndOfCall:
    """The report, completed from the call's status updates.

    ended_reason: for a call whose updates do not name one.
    """
    outcome = report.outcome
    if "forwarded_to" in updates:
        outcome = {"forwarded_to": updates["forwarded_to"]} | outcome
    return replace(
        report,
        ended_reason=report.ended_reason or updates.get("ended_reason", ended_reason),
        ended_at=report.ended_at or updates.get("ended_at"),
        summary=report.summary or updates.get("summary", ""),
        outcome=outcome,
    )
