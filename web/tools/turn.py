"""What the tool calls of one message share, read once and mostly in one round trip."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

from shared.agent.arguments import Problem
from shared.agent.sentences import Value
from shared.agent.tool_files import Verb
from shared.agent.wrong_arguments import sentence_of, spoken_name
from shared.calls.calls import CallState
from shared.calls.decisions import Decision
from shared.calls.limits import Asker
from shared.calls.secrets_said import SecretsSaid
from shared.calls.tool_calls import ToolCallNote
from shared.deadline import Deadline
from shared.domain.attestation import Attested
from shared.domain.identity import Proof, Tier
from shared.domain.intent import Intent, source_of
from shared.journal.answers import Asked, Claim
from shared.journal.results import Stops
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.snapshots import Snapshot, Snapshots
from shared.store import StoreUnavailableError, translated
from shared.vapi.values import as_epoch_ms, as_iso
from web.limits import limit_reached
from web.service import Service

T = TypeVar("T")

_UNREAD: Any = object()

TOO_MANY_LOOKUPS = "TOO_MANY_LOOKUPS"
"""The code of the error for a caller who has used up their share of requests to Salesforce."""

MAX_SPELLED = 180
"""Characters; an answer has 300, and the reference has to fit as well."""

LETTERS = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus"}
"""Signs that are spelled with a word of the language."""


class Turn:
    """One message of a call. Every method that reads raises StoreUnavailableError.

    at_ms: the message's own time (epoch ms). message_id: no other message has it.
    conversation_id: "" when the message names no call, chat or session. shown: the caller numbers
    in the message. stops: the kinds and tools that wait or that an operator paused.

    The lookups of a message run side by side, so changes of `state` take turns.
    """

    def __init__(
        self,
        service: Service,
        state: CallState,
        *,
        at_ms: int = 0,
        message_id: str = "",
        conversation_id: str = "",
        shown: tuple[str, ...] = (),
    ) -> None:
        self.service = service
        self.agent = service.agents.answering(state.agent, state.agents_before)
        self.state = state
        self.at_ms = at_ms
        self.message_id = message_id
        self.conversation_id = conversation_id
        self.shown = shown
        self._snapshot: Snapshot | None = _UNREAD
        self._intents: list[Intent] = _UNREAD
        self._caller_intents: list[Intent] = _UNREAD
        self._outdated: set[str] = set()
        self.stops = Stops()
        self._decisions: list[Decision] = []
        self._changing = Lock()

    def claim_answers(
        self,
        keys: Sequence[str],
        tools: Mapping[str, str],
        notes: Sequence[ToolCallNote],
        *,
        work_ms: int,
    ) -> list[Claim | str]:
        """For each tool call's key: the right to answer it, or the answer that it has already.

        In the same round trip, reads what most handlers need: the caller's last snapshot, the
        intents of the call and those of the caller. tools: the tool of each id of a tool call, by
        which operators find the conversation. notes: the tool calls, as operators see them.
        """
        answers, journal, snapshots = (
            self.service.answers,
            self.service.journal,
            self.snapshots,
        )
        claims = [answers.new_claim(key) for key in keys]
        with translated():
            pipe = self.service.store.pipeline(transaction=False)
            for tool_call_id, tool in tools.items():
                answers.queue_asked(pipe, tool_call_id, Asked(self.conversation_id, tool))
            noted = "" if self.state.is_erased else self.state.call_id
            added = self.service.tool_calls.queue(pipe, noted, notes)
            for claim in claims:
                answers.queue_claim(pipe, claim, work_ms=work_ms)
            snapshots.queue_last(pipe, self.state.number)
            journal.queue_of_call(pipe, self.state.call_id)
            journal.queue_of_caller(pipe, self.state.number)
            journal.queue_stops(pipe)
            replies = pipe.execute(raise_on_error=False)[len(tools) + added :]
            *claimed, snapshot, of_call, of_caller, waits, paused, now = replies
        self._snapshot = snapshots.read_last(snapshot)
        self._intents = journal.read_of_call(of_call, self.state.call_id)
        self._caller_intents = journal.read_of_caller(of_caller, self.state.number)
        self.stops = journal.read_stops(waits, paused, now)
        return [
            answers.read_claim(reply, claim, work_ms=work_ms)
            for reply, claim in zip(claimed, claims, strict=True)
        ]

    @property
    def language(self) -> str:
        """The caller's as far as it was read, else the assistant's, else the default. Asks nobody.

        Of several customers with the number, the one that all of them speak; only where
        `may_show_language`.
        """
        sentences = self.agent.sentences
        snapshot = None if self._snapshot is _UNREAD else self._snapshot
        customers = snapshot.customers if snapshot and self.may_show_language else ()
        spoken = {sentences.matching(customer.language) for customer in customers}
        caller_language = spoken.pop() if len(spoken) == 1 else None
        return (
            caller_language
            or sentences.matching(self.state.assistant_language)
            or sentences.default
        )

    @property
    def may_show_language(self) -> bool:
        """Whether the policy lets the caller hear who they are by what they have shown, or else by
        their number: the language is a part of that. Not once they are locked out."""
        proof = self.state.proof
        tier = proof.tier if proof else Tier.RECOGNISED
        if not self.attested.counts and tier is not Tier.VERIFIED:
            return False
        return self.agent.policy.allows(tier, Verb.IDENTIFY)

    @property
    def attested(self) -> Attested:
        """What carriers have signed about the number of the call."""
        return self.state.attested(self.service.settings.calls.attestation)

    def source(self, tool: str) -> str:
        """The name of a tool of this call's agent folder among those of all folders."""
        return source_of(self.agent.name, tool)

    def say(self, key: str, **values: Value) -> str:
        """The sentence in the language of the call."""
        return self.agent.sentences.say(self.language, key, **values)

    def first(self, keys: Iterable[str], **values: Value) -> str:
        """The first of these sentences that there is."""
        return self.agent.sentences.first(self.language, keys, **values)

    def wrong_arguments(self, tool: str, verb: str, problems: Iterable[Problem]) -> str:
        return sentence_of(self.agent.sentences, self.language, tool, verb, problems)

    def spoken_name(self, name: str, tool: str) -> str:
        return spoken_name(self.agent.sentences, self.language, name, tool)

    def spelled(self, text: str) -> str:
        """Letter by letter, as a person spells it on the phone; what is too long ends in "…"."""
        spelled = " ".join(
            self.say(f"letter-{LETTERS[letter]}") if letter in LETTERS else letter
            for letter in text
            if not letter.isspace()
        )
        if len(spelled) <= MAX_SPELLED:
            return spelled
        return spelled[:MAX_SPELLED].rsplit(" ", 1)[0] + " …"

    def remember_secret(self, secret: str) -> None:
        """The caller said this to be verified: it is removed from the call's transcript."""
        key = self.service.settings.vapi.server_secrets[0].encode()
        entry = SecretsSaid(key).entry_of(secret)
        if not entry or not self.state.call_id:
            return
        entries = self.service.calls.remember_secret(self.state.call_id, key, entry)
        with self._changing:
            self.state = replace(self.state, secrets_said=entries)

    def decided(
        self, tool: str, about: str, evidence: str, tier: Tier, needs: Tier, *, allowed: bool
    ) -> None:
        """Note a decision of the policy; `queue_decisions` stores it."""
        decision = Decision(self.happened_at_ms, tool, about, evidence, tier, needs, allowed)
        if decision not in self._decisions:
            self._decisions.append(decision)

    def accepted_at(self) -> str:
        """Now, for a change that is ordered by time: later than every change that this caller asked
        for before. ISO 8601, UTC.

        By the store's clock, because each web process has another one. That may jump back too.
        """
        read = [] if self._caller_intents is _UNREAD else self._caller_intents
        before = (it.payload.get("accepted_at") for it in (*self.intents, *read))
        after_ms = (as_epoch_ms(text) for text in before if text)
        at_ms = max(self.stops.now_ms, *(1 + ms for ms in after_ms if ms), 0)
        return as_iso(at_ms) or ""

    @property
    def happened_at_ms(self) -> int:
        return self.at_ms or int(time.time() * 1000)

    def queue_decisions(self, pipe: Any) -> None:
        """Store what was decided since the last time, as commands of a pipeline."""
        decisions, self._decisions = self._decisions, []
        if decisions and self.state.call_id:
            self.service.decisions.queue(pipe, self.state.call_id, decisions)

    def store_decisions(self) -> None:
        """The same in a round trip of its own, if the store answers: nothing depends on it."""
        pipe = self.service.store.pipeline(transaction=False)
        self.queue_decisions(pipe)
        with suppress(StoreUnavailableError), translated():
            pipe.execute()

    def prove(self, proof: Proof) -> bool:
        """Remember what the caller has shown. Returns whether it counts: not if the call was
        transferred, or the caller locked out, since this message arrived."""
        proof = replace(proof, agent=self.state.agent)
        call_id, transfers = self.state.call_id, self.state.transfers
        if call_id and not self.service.calls.prove(call_id, proof, transfers):
            return False
        with self._changing:
            self.state = replace(self.state, proof=proof)
        return True

    @property
    def asker(self) -> Asker:
        """Who asks, for limits. A proof of another number shows nothing of this one."""
        state = self.state
        proof = state.proof if state.proof and state.proof.number == state.number else None
        has_proved = proof is not None and proof.tier.reaches(Tier.KNOWN)
        return Asker(self.conversation_id or state.call_id, state.number, has_proved)

    def ask(
        self, find: Callable[[Deadline], T], deadline: Deadline, *, is_proof: bool = False
    ) -> T:
        """What a request to Salesforce or Twilio finds, within the caller's share of them. Raises
        SalesforceError.

        is_proof: by this request the caller shows who they are.
        """
        service, asker = self.service, self.asker
        if limit := service.usage.take_lookup(asker, is_proof=is_proof):
            limit_reached(limit, self.state.call_id)
            raise SalesforceError(FailureClass.BUDGET, TOO_MANY_LOOKUPS, whole=True)
        return service.ask(find, deadline, asker.share)

    def transferred(self) -> None:
        """Whoever speaks from now on has shown nothing."""
        if self.state.call_id:
            self.service.calls.transferred(self.state.call_id)

    def found(self, snapshot: Snapshot) -> None:
        """The org has just said who the caller is: from now on, their language is spoken."""
        self._snapshot = snapshot

    @property
    def snapshots(self) -> Snapshots:
        """Those by the rules of the call's agent folder."""
        return self.service.snapshots_of(self.agent)

    @property
    def last_snapshot(self) -> Snapshot | None:
        """The caller's, however old. Asks nobody."""
        if self._snapshot is _UNREAD:
            self._snapshot = self.snapshots.last(self.state.number)
        return self._snapshot

    @property
    def intents(self) -> list[Intent]:
        """The call's, in the order they were accepted, those of this message too."""
        if self._intents is _UNREAD:
            self._intents = self.service.journal.of_call(self.state.call_id)
        elif self._outdated:
            fresh = self.service.journal.get_many(self._outdated)
            known = [fresh.pop(intent.id, intent) for intent in self._intents]
            self._intents = [*known, *fresh.values()]
        self._outdated.clear()
        return self._intents

    @property
    def caller_intents(self) -> list[Intent]:
        """Those of the last day from the caller's number, oldest first."""
        if self._caller_intents is _UNREAD:
            self._caller_intents = self.service.journal.of_caller(self.state.number)
        return self._caller_intents

    def changed(self, *intent_ids: str) -> None:
        """These were accepted, amended or cancelled: a handler that needs them reads them again."""
        self._outdated.update(intent_ids)
        self._caller_intents = _UNREAD
