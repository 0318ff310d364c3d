"""The journal on a real store, driven at random against a model of what it promises (model.py).

The explorer (proof/) takes the scripts alone through every order of a few steps. Here the Python
journal takes long histories, of more intents than any world there has.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from hypothesis.stateful import run_state_machine_as_test as run

from shared.domain.drafts import CallbackDraft, CaseDraft, Draft
from shared.domain.intent import (
    Cancelled,
    Delivered,
    NewIntent,
    Outcome,
    Parked,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind
from shared.journal.journal import MAX_LEASES, Journal
from shared.journal.results import Accepted, AnsweredBefore, Lease, Repeated, StoredAnswer, TooLate
from tests import store_time
from tests.accounting import unaccounted
from tests.journal.model import OPEN, Entry, Model

HOLD_MS = 3_600_000
KINDS = st.sampled_from([Kind.CASE_CREATE, Kind.CALLBACK])
FINGERPRINTS = st.sampled_from(["f", "g", "h"])
WITH_ANOTHER = "parked with another"
FATES = ("delivered", "parked", WITH_ANOTHER, "cancelled", "again", "in doubt", "waits")
FATES_OF_BATCH = st.lists(st.sampled_from(FATES), min_size=3, max_size=3)
PICK = st.integers(0, 199)
"""Which of several; the same in every run of an example."""
PICKS = st.lists(PICK, max_size=2)


class AgainstModel(RuleBasedStateMachine):
    """Each rule takes a step of the journal and of the model, and compares what they return."""

    store: redis.Redis
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.store.flushall()
        self.journal = Journal(self.store)
        self.model = Model()
        self.answers: dict[str, str] = {}

    def _any(self, pick: int, *states: str) -> str:
        """Mostly one in these states, if there is any; else one of all."""
        ids = sorted(self.model.entries)
        fitting = [id_ for id_ in ids if self.model.entries[id_].state in states and pick % 5]
        return (fitting or ids)[pick // 5 % len(fitting or ids)]

    def _count(self, *states: str) -> int:
        return sum(entry.state in states for entry in self.model.entries.values())

    @initialize(kinds=st.lists(KINDS, min_size=2, max_size=4))
    def some_are_accepted(self, kinds: list[Kind]) -> None:
        for kind in kinds:
            self.accept(kind, "", [], in_window=False)

    @rule(kind=KINDS, fingerprint=st.just("") | FINGERPRINTS, picks=PICKS, in_window=st.booleans())
    def accept(self, kind: Kind, fingerprint: str, picks: list[int], in_window: bool) -> None:
        id_ = new_intent_id()
        after = {self._any(pick, *OPEN) for pick in picks if self.model.entries}
        intent = NewIntent(
            id=id_, kind=kind, draft=_draft(kind, id_), fingerprint=fingerprint, tool="tool",
            said="Noted.", after=tuple(sorted(after)), hold_ms=HOLD_MS if in_window else 0,
        )  # fmt: skip
        answer = StoredAnswer(f"vs:answer:call:{id_}", f"answer {id_}")
        accepted = self.journal.accept("call", [intent], answer)
        if earlier := self.model.requests.get(fingerprint):
            assert accepted == Repeated(earlier)
            return
        entry = Entry(kind, id_, fingerprint, "", in_window)
        assert isinstance(accepted, Accepted)
        assert set(accepted.due_kinds) == self.model.accept(id_, entry, after)
        self.answers[answer.key] = answer.text

    @rule(pick=PICK)
    def a_tool_call_arrives_again(self, pick: int) -> None:
        key = sorted(self.answers)[pick % len(self.answers)]
        intent = NewIntent(new_intent_id(), Kind.CALLBACK, _draft(Kind.CALLBACK, "again"))
        again = self.journal.accept("call", [intent], StoredAnswer(key, "another"))
        assert again == AnsweredBefore(self.answers[key])

    @precondition(lambda self: self._count("held"))
    @rule(pick=PICK, fingerprint=FINGERPRINTS)
    def amend(self, pick: int, fingerprint: str) -> None:
        id_ = self._any(pick, "held")
        entry, words = self.model.entries[id_], f"{id_} amended"
        intent = NewIntent(
            id=id_, kind=entry.kind, draft=_draft(entry.kind, words), fingerprint=fingerprint,
            tool="tool", said="Noted.", amends=(id_, entry.fingerprint), hold_ms=HOLD_MS,
        )  # fmt: skip
        amended = self.journal.accept("call", [intent])
        if earlier := self.model.requests.get(fingerprint):
            assert amended == Repeated(earlier)
        elif self.model.amend(id_, words, fingerprint):
            assert amended == Accepted(())
        else:
            assert amended == TooLate()

    @precondition(lambda self: any(it.is_ready for it in self.model.entries.values()))
    @rule(target=leases, kind=KINDS, limit=st.integers(1, 3))
    def lease(self, kind: Kind, limit: int) -> Any:
        lease = self.journal.lease(kind, limit=limit, max_bytes=1_000_000)
        ids = [intent.id for intent in lease.intents]
        assert len(ids) == self.model.most_leased(kind, limit, MAX_LEASES)
        assert set(ids) <= self.model.ready(kind)
        self.model.lease(kind, lease.token, ids)
        return lease if ids else multiple()

    def leases_run_out(self, kind: Kind) -> None:
        entries = self.model.entries.items()
        leased = [id_ for id_, it in entries if it.kind == kind and it.state == "leased"]
        store_time.lease_runs_out(self.store, kind, *leased)
        self.model.leases_run_out(kind)

    @rule(target=leases, lease=leases)
    def another_worker_takes_over(self, lease: Lease) -> Any:
        self.leases_run_out(lease.kind)
        return self.lease(lease.kind, 3)

    @rule(target=leases, lease=leases, was_late=st.booleans())
    def extend(self, lease: Lease, was_late: bool) -> Any:
        if was_late:
            self.leases_run_out(lease.kind)
        assert self.journal.extend(lease) == self.model.extend(lease.kind, lease.token)
        return self.lease(lease.kind, 3) if was_late else multiple()

    @precondition(lambda self: any(it.is_ready for it in self.model.entries.values()))
    @rule(kind=KINDS, fates=FATES_OF_BATCH, pick=PICK)
    def deliver(self, kind: Kind, fates: list[str], pick: int) -> None:
        lease = self.lease(kind, 3)
        if isinstance(lease, Lease):
            self.settle_once(lease, fates, pick)

    @rule(lease=consumes(leases), fates=FATES_OF_BATCH, pick=PICK)
    def settle(self, lease: Lease, fates: list[str], pick: int) -> None:
        self.settle_once(lease, fates, pick)
        if pick % 3 == 0:  # its answer was lost, and the worker sends it again
            self.settle_once(lease, fates, pick)

    def settle_once(self, lease: Lease, fates: list[str], pick: int) -> None:
        other = self._any(pick, "parked")
        settled, outcomes = {}, []
        for intent, fate in zip(lease.intents, fates, strict=False):
            follows = other if fate == WITH_ANOTHER and other != intent.id else ""
            outcomes.append(_outcome(intent.id, fate, follows))
            settled[intent.id] = ("parked" if fate == WITH_ANOTHER else fate, follows)
        mine = self.model.held_by(lease.token)
        found = self.journal.settle(lease, outcomes)
        assert set(found.states) == mine
        assert set(found.due_kinds) == self.model.settle(lease.kind, lease.token, settled)

    @precondition(lambda self: self._count(*OPEN) > 2)
    @rule(pick=PICK)
    def take_back(self, pick: int) -> None:
        id_ = self._any(pick)
        became, kinds = self.journal.cancel(id_, "caller")
        assert (became, set(kinds)) == self.model.cancel(id_)

    @precondition(lambda self: self._count("parked"))
    @rule(pick=PICK, verb=st.sampled_from(["replay", "discard", "settle"]))
    def decide(self, pick: int, verb: str) -> None:
        followed = sorted({it.follows for it in self.model.entries.values()} - {""})
        id_ = followed[0] if followed and pick % 2 else self._any(pick, "parked")
        is_parked = self.model.entries[id_].state == "parked"
        if verb == "replay":
            count, kinds = self.journal.replay([id_])
            assert set(kinds) == (self.model.replay(id_) if is_parked else set())
        else:
            count = self.journal.discard([id_], is_kept_by_hand=verb == "settle")
            if is_parked:
                self.model.discard(id_)
        assert count == is_parked

    @precondition(lambda self: self._count(*OPEN))
    @rule(what=st.sampled_from(["sweep", "hand over", "windows end", "leases run out"]), kind=KINDS)
    def time_passes(self, what: str, kind: Kind) -> None:
        match what:
            case "sweep":
                assert set(self.journal.sweep()) == self.model.sweep()
            case "hand over":
                assert set(self.journal.release_holds("call")) == self.model.hand_over()
            case "windows end":
                self.commit_windows_end()
            case _:
                self.leases_run_out(kind)

    def commit_windows_end(self) -> None:
        for id_, entry in self.model.entries.items():
            if entry.state == "held":
                entry.in_window = False
                store_time.intent_has(self.store, id_, hold_until=1)
                store_time.intents_are_due(self.store, id_, kind=entry.kind)

    @invariant()
    def the_journal_says_what_the_model_says(self) -> None:
        found = self.journal.get_many(self.model.entries)
        for id_, entry in self.model.entries.items():
            intent = found[id_]
            assert (str(intent.state), intent.attempts) == (entry.state, entry.attempts)
            assert intent.in_doubt == entry.in_doubt
            if entry.state in OPEN | {"parked"}:
                assert intent.draft == _draft(entry.kind, entry.words)
        parked = {id_ for id_, it in self.model.entries.items() if it.state == "parked"}
        assert {intent.id for intent in self.journal.parked(999)} == parked

    def teardown(self) -> None:
        assert unaccounted(self.store) == []


def _draft(kind: Kind, words: str) -> Draft:
    if kind is Kind.CALLBACK:
        return CallbackDraft(phone="+14155550101", reason=words)
    return CaseDraft(issue_type="billing", description=words)


def _outcome(id_: str, fate: str, follows: str) -> Outcome:
    match fate:
        case "delivered":
            return Delivered(id_, "500x")
        case "parked" | "parked with another":
            return Parked(id_, "NO", follows=follows)
        case "cancelled":
            return Cancelled(id_, "NO")
        case _:
            failures = 0 if fate == "waits" else 1
            in_doubt = fate == "in doubt"
            return TryAgain(
                id_, "AGAIN", 0, Scope.RECORD, in_doubt=in_doubt, failures_in_a_row=failures
            )


@contextmanager
def _on(client: redis.Redis) -> Iterator[type[AgainstModel]]:
    AgainstModel.store = client
    try:
        yield AgainstModel
    finally:
        del AgainstModel.store


@pytest.mark.timeout(3600)
def test_long_histories_end_as_the_model_says(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROOF_HISTORIES: how many other ones, instead of these seeded ones. PROOF_SHRINKS=no: end at
    the first that fails, without a search for a shorter one."""
    for name in ("LEASE_MS", "WAKE_UP_MS"):  # time passes by rules only
        monkeypatch.setattr(f"shared.journal.journal.{name}", HOLD_MS)
    wanted = int(os.environ.get("PROOF_HISTORIES", "0"))
    shrinks = os.environ.get("PROOF_SHRINKS") != "no"
    with _on(store) as machine:
        run(
            machine,
            settings=settings(
                max_examples=wanted or 50,
                stateful_step_count=50,
                deadline=None,
                derandomize=not wanted,
                database=None,
                phases=[Phase.generate, Phase.shrink] if shrinks else [Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
