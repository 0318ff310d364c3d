"""What the journal answers: what became of an acceptance, a lease, a wait."""

from dataclasses import dataclass, field

from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State


@dataclass(frozen=True)
class Accepted:
    """Recorded. due_kinds: kinds whose workers need a wake-up now.

    answer: the stored answer; it names another reference where the one given was taken.
    """

    due_kinds: tuple[Kind, ...]
    answer: str = ""


@dataclass(frozen=True)
class AnsweredBefore:
    """This tool call has its answer already; nothing was recorded."""

    answer: str


@dataclass(frozen=True)
class Repeated:
    """The call already has this wish; nothing was recorded."""

    intent_id: str


@dataclass(frozen=True)
class Existing:
    """An earlier message's intent is about the same subject; nothing was recorded."""

    intent_id: str


@dataclass(frozen=True)
class TooLate:
    """The intent to amend is not held any more, or has changed since it was read; nothing done."""


@dataclass(frozen=True)
class TooMany:
    """The call, or its number today, has asked for as much as it may; nothing was recorded."""


Acceptance = Accepted | AnsweredBefore | Repeated | Existing | TooLate | TooMany


@dataclass(frozen=True)
class Limits:
    """How many writes of the agent are accepted for one call, and for one number in a day (UTC).

    Callers without a number share one count, of ten times as much.
    """

    per_call: int
    per_number_and_day: int


@dataclass(frozen=True)
class StoredAnswer:
    """Where the answer of one tool call is stored with the acceptance, and its text. key: "" for an
    answer that is not stored."""

    key: str
    text: str


@dataclass(frozen=True)
class Wait:
    """Why nothing of a kind (or of the org) is leased until then (epoch ms)."""

    until_ms: int = 0
    reason: str = ""
    failures_in_a_row: int = 0


@dataclass(frozen=True)
class Open:
    """How many of a kind want something done: held in the commit window, waiting for others, due
    (now, or at the next attempt), leased."""

    held: int = 0
    waiting: int = 0
    due: int = 0
    leased: int = 0

    @property
    def total(self) -> int:
        return self.held + self.waiting + self.due + self.leased


@dataclass(frozen=True)
class Summary:
    """What there is to watch.

    broken: promises that can't be kept for now: parked, the caller was told, the call is over.
    oldest_due_ms: age of the oldest that a worker should have had by now; what waits for others
    counts from the end of its own window.
    swept_ms_ago, forgot_ms_ago: since the last sweep, and the last run of retention.
    retention_lag_ms: how long the oldest should have been forgotten.
    -1 where there is none.
    """

    accepted: int = 0
    parked: int = 0
    broken: int = 0
    oldest_due_ms: int = -1
    swept_ms_ago: int = -1
    purged_ms_ago: int = -1
    retention_lag_ms: int = 0
    kinds: dict[str, Open] = field(default_factory=dict)


@dataclass(frozen=True)
class Lease:
    """Intents in the hands of one worker, under a token that fences out everybody else."""

    kind: Kind
    token: str
    intents: tuple[Intent, ...]


@dataclass(frozen=True)
class Settled:
    """states: what each intent is now, by id, of those that were still this worker's; the others
    are left alone. ring: kinds that need a doorbell now.

    paused: the kind fails as a whole and waits from now on; it did not before.
    """

    states: dict[str, State]
    paused: bool
    due_kinds: tuple[Kind, ...]

    @property
    def count(self) -> int:
        return len(self.states)
