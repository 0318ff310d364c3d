"""Reconciliation: compares Vapi's list of ended calls with the journal and, where needed, the org.

A call that is missing is recorded by the end-of-call path of a report, under the same keys: a
report that arrives later, or another run, finds it done. `compare` only reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.agent.agents import Agents
from shared.agent.tool_files import Verb
from shared.calls.calls import Calls, CallState
from shared.calls.end_of_call import FINGERPRINT, EndOfCallWriter, is_complete
from shared.calls.secrets_said import SecretsSaid
from shared.calls.transcript_labels import TranscriptLabels
from shared.calls.unreached import unanswered, unknown_here
from shared.domain.attestation import Attested, lowest
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Intent, NewIntent, intent_id_of
from shared.domain.kinds import Kind, State
from shared.journal.answers import Answers
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.logs import log
from shared.phone import as_e164, to_call_back
from shared.settings import Settings
from shared.store import StoreUnavailableError
from shared.vapi.attestation import read_attestation
from shared.vapi.call_records import CallRecord, MadeToolCall
from shared.vapi.caller_id import CallerId, read_caller_id
from shared.vapi.report import end_of_call

UNREACHED = f"{FINGERPRINT}:unreached"
"""The fingerprint of a call-back for tool calls that never reached us: one per call."""

MAX_NAMED = 10
"""Tools that a call-back names."""

InOrg = Callable[[Mapping[str, str], int], set[str]]
"""The calls that the org has, of these (call id → key), created since then (epoch ms)."""


class Verdict(StrEnum):
    """What is known of a call of Vapi's list."""

    RECORDED = "recorded"
    IN_ORG = "in the org"
    """The journal has forgotten it, and the org has its Task."""
    MISSING = "missing"
    INCOMPLETE = "incomplete"
    """It was recorded without a report; what Vapi lists completes its Task."""
    ERASED = "erased"
    UNFINISHED = "unfinished"
    """It lasts, or ended so recently that its report may still be on its way."""
    NOT_OURS = "not ours"
    UNREADABLE = "unreadable"
    """A defect of this service; the log event `call_not_compared` names the place in the code."""


TO_WRITE = frozenset({Verdict.MISSING, Verdict.INCOMPLETE})


@dataclass(frozen=True)
class Finding:
    """unreached: names of the tools whose calls never reached us, if a person has to call back."""

    record: CallRecord
    verdict: Verdict
    unreached: tuple[str, ...] = ()

    @property
    def call_id(self) -> str:
        return self.record.call_id

    @property
    def is_difference(self) -> bool:
        return self.verdict in TO_WRITE or bool(self.unreached)


@dataclass(frozen=True)
class _Known:
    """Of one call. state: what the calls have of it. intents: its intents, as far as the journal
    has their list. has_row: the journal has its call log."""

    state: CallState
    intents: list[Intent]
    has_row: bool

    @property
    def logs(self) -> list[Intent]:
        return [intent for intent in self.intents if intent.kind is Kind.CALL_LOG]

    @property
    def was_seen(self) -> bool:
        return bool(self.state.since_ms or self.intents or self.has_row)


class Reconciliation:
    """Every method raises StoreUnavailableError, and is safe to repeat."""

    def __init__(
        self,
        calls: Calls,
        journal: Journal,
        answers: Answers,
        writer: EndOfCallWriter,
        agents: Agents,
        settings: Settings,
        in_org: InOrg,
    ) -> None:
        """in_org: raises SalesforceError."""
        self._calls = calls
        self._journal = journal
        self._answers = answers
        self._writer = writer
        self._agents = agents
        self._settings = settings
        self._in_org = in_org
        claimed = {id_ for agent in agents.all for id_ in agent.claims.assistants}
        own = settings.vapi.assistant_id
        self._assistants = claimed | ({own} if own else set())

    def compare(self, records: Sequence[CallRecord], now_ms: int) -> list[Finding]:
        """What is known of each call. Raises SalesforceError as well."""
        ended_by_ms = now_ms - int(self._settings.calls.idle_call_min * 60_000)
        rows = self._journal.get_many(
            intent_id_of(record.call_id, fingerprint)
            for record in records
            for fingerprint in (FINGERPRINT, UNREACHED)
        )
        findings, missing = [], []
        for record in records:
            try:
                finding = self._compare(record, rows, ended_by_ms)
            except StoreUnavailableError:
                raise
            except Exception:
                log.exception("call_not_compared", call_id=record.call_id)
                finding = Finding(record, Verdict.UNREADABLE)
            findings.append(finding)
            if finding.verdict is Verdict.MISSING:
                missing.append(record)
        if not missing:
            return findings
        keys = {record.call_id: intent_id_of(record.call_id, FINGERPRINT) for record in missing}
        in_org = self._in_org(keys, min(record.created_ms for record in missing))
        return [
            Finding(finding.record, Verdict.IN_ORG)
            if finding.verdict is Verdict.MISSING and finding.call_id in in_org
            else finding
            for finding in findings
        ]

    def _compare(self, record: CallRecord, rows: Mapping[str, Intent], ended_by_ms: int) -> Finding:
        row = rows.get(intent_id_of(record.call_id, FINGERPRINT))
        if row is None and not self._is_ours(record):
            return Finding(record, Verdict.NOT_OURS)
        if record.ended_ms is None or record.ended_ms > ended_by_ms:
            return Finding(record, Verdict.UNFINISHED)
        made = record.tool_calls()
        has_callback = intent_id_of(record.call_id, UNREACHED) in rows
        if row and is_complete([row]):
            agent = self._agents.named(row.agent)
            if has_callback or not unanswered(made, agent, call_was_seen=True):
                return Finding(record, Verdict.RECORDED)
        known = _Known(
            self._calls.state(record.call_id), self._journal.of_call(record.call_id), bool(row)
        )
        if known.state.is_erased:
            return Finding(record, Verdict.ERASED)
        verdict = Verdict.RECORDED
        if not known.logs and row is None:
            verdict = Verdict.MISSING
        elif known.logs and not is_complete(known.logs):
            verdict = Verdict.INCOMPLETE
        unreached = () if has_callback else self._unreached(record, known, made)
        return Finding(record, verdict, unreached)

    def _is_ours(self, record: CallRecord) -> bool:
        """An account may have other assistants. A call that never got one counts as ours."""
        if not self._assistants or record.assistant_ids & self._assistants:
            return True
        number = as_e164(record.report.own_number, "ZZ")
        if number and any(number in agent.claims.numbers for agent in self._agents.all):
            return True
        return not record.had_an_assistant

    def _unreached(
        self, record: CallRecord, known: _Known, made: Sequence[MadeToolCall]
    ) -> tuple[str, ...]:
        agent = self._agents.named(known.state.agent or self._claiming(record))
        missing = unanswered(made, agent, call_was_seen=known.was_seen)
        if not missing or _has_callback(known.intents) or not self._number(record, known.state):
            return ()
        shown = self._caller_id(record).shown
        left = unknown_here(missing, record.call_id, shown, self._answers, known.intents)
        return tuple(dict.fromkeys(each.call.name for each in left))[:MAX_NAMED]

    def write(self, finding: Finding) -> tuple[Kind, ...]:
        """Record what is missing, once. Returns the kinds to notify."""
        record, due_kinds = finding.record, set[Kind]()
        if finding.verdict in TO_WRITE:
            state = self._calls.record_event(
                record.report,
                self._caller_id(record),
                self._claiming(record),
                self._agents.keeps_words,
            )
        else:
            state = self._calls.state(record.call_id)
        if state.is_erased:
            return ()
        if finding.unreached:
            due_kinds.update(self._call_back(finding, state))
        if finding.verdict in TO_WRITE:
            due_kinds.update(self._close(record, state))
        return tuple(due_kinds)

    def _close(self, record: CallRecord, state: CallState) -> tuple[Kind, ...]:
        agent = self._agents.named(state.agent)
        labels = TranscriptLabels.of_call(agent.sentences, record.report.direction)
        key = self._settings.vapi.server_secrets[0].encode()
        secrets = SecretsSaid(key, state.secrets_said)
        for made in record.tool_calls():
            tool = agent.tools.get(made.call.name)
            if tool and tool.verb is Verb.VERIFY:
                for said in (made.call.arguments or {}).values():
                    secrets = secrets.with_one_more(str(said))
        log.info("call_reconciled", call_id=state.call_id)
        return self._writer.close(
            replace(state, secrets_said=secrets.entries),
            end_of_call(
                replace(record.report, removes=self._settings.calls.redacted),
                labels.person,
                labels.agent,
            ),
        )

    def _call_back(self, finding: Finding, state: CallState) -> tuple[Kind, ...]:
        """Nobody promised anything, so a person finds out what the caller wanted."""
        number = self._number(finding.record, state)
        agent_name = state.agent or self._claiming(finding.record)
        sentences = self._agents.named(agent_name).sentences
        intent = NewIntent(
            id=intent_id_of(finding.call_id, UNREACHED),
            kind=Kind.CALLBACK,
            fingerprint=UNREACHED,
            requested_at_ms=finding.record.ended_ms or 0,
            draft=CallbackDraft(
                caller_number=number,
                has_no_contact=not self._attested(finding.record, state).counts,
                phone=number,
                reason=sentences.for_staff(
                    "record-call-back-unreached", tools=list(finding.unreached)
                ),
            ),
        )
        accepted = self._journal.accept(finding.call_id, [intent], agent=agent_name)
        return accepted.due_kinds if isinstance(accepted, Accepted) else ()

    def _claiming(self, record: CallRecord) -> str:
        number = as_e164(record.report.own_number, "ZZ") or ""
        return self._agents.claiming(record.report.assistant_id, number)

    def _caller_id(self, record: CallRecord) -> CallerId:
        settings = self._settings.calls
        return read_caller_id(record.report, settings.trusted_sip_hosts, settings.phone_region)

    def _attested(self, record: CallRecord, state: CallState) -> Attested:
        """The attestation from the call's events and from Vapi's list, whichever is lower. The list
        alone may show that of a call whose events never arrived."""
        shown = [each for each in (state.attestation, read_attestation(record.report)) if each]
        seen = replace(
            state,
            attestation=lowest(*shown) if shown else None,
            direction=state.direction or record.report.direction,
        )
        return seen.attested(self._settings.calls.attestation)

    def _number(self, record: CallRecord, state: CallState) -> str:
        """Whom to call back; "" when the call showed no number that a carrier set."""
        if state.has_two_numbers:
            return ""
        return to_call_back(state.number or self._caller_id(record).number)


def _has_callback(intents: Sequence[Intent]) -> bool:
    return any(
        intent.kind is Kind.CALLBACK and intent.state is not State.CANCELLED for intent in intents
    )
