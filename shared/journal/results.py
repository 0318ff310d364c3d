"""What the journal returns: the result of an acceptance, a lease, a settlement, a summary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State


@dataclass(frozen=True)
class Accepted:
    """Recorded. due_kinds: kinds whose workers need a wake-up now.

    answer: the stored answer. It names another reference where the given one was taken.
    """

    due_kinds: tuple[Kind, ...]
    answer: str = ""


@dataclass(frozen=True)
class AnsweredBefore:
    """This tool call was answered before; nothing was recorded."""

    answer: str


@dataclass(frozen=True)
class CallErased:
    """An operator erased what was stored of this call; nothing was recorded."""


@dataclass(frozen=True)
class Repeated:
    """The call already has this request (same fingerprint); nothing was recorded."""

    intent_id: str


@dataclass(frozen=True)
class Existing:
    """Another message's intent has the same dedup key; nothing was recorded."""

    intent_id: str


@dataclass(frozen=True)
class TooLate:
    """The intent to amend is no longer held, or has changed since; nothing was recorded."""


@dataclass(frozen=True)
class TooMany:
    """A limit is reached; nothing was recorded. limit: its name."""

    limit: str


Acceptance = Accepted | AnsweredBefore | CallErased | Repeated | Existing | TooLate | TooMany


@dataclass(frozen=True)
class Limit:
    """How many write requests are accepted under a key (without the prefix), for so long from the
    first one on. name: for metrics."""

    name: str
    key: str
    most: int
    lasts_ms: int


@dataclass(frozen=True)
class Reworded:
    """Other words for an intent. before: its draft as it was read. said: what the agent said."""

    intent_id: str
    before: dict[str, Any]
    payload: dict[str, Any]
    said: str


@dataclass(frozen=True)
class StoredAnswer:
    """A tool call's answer, and the key under which it is stored with the acceptance. key: "" for
    an answer that is not stored."""

    key: str
    text: str


@dataclass(frozen=True)
class Wait:
    """Until when nothing of the org, a kind or a tool is leased, and why. until_ms: epoch ms."""

    until_ms: int = 0
    reason: str = ""
    failures_in_a_row: int = 0


@dataclass(frozen=True)
class Stops:
    """What an operator paused, and what waits: "org", kinds, and tools such as "agent/orderStatus".

    now_ms: the store's clock, epoch ms.
    """

    paused: frozenset[str] = frozenset()
    waits: Mapping[str, Wait] = field(default_factory=dict)
    now_ms: int = 0

    def is_stopped(self, name: str) -> bool:
        """Paused, or failing as a whole: a person has to act."""
        wait = self.waits.get(name)
        return name in self.paused or (wait is not None and wait.failures_in_a_row > 0)

    def must_wait(self, name: str) -> bool:
        """Nothing of it is tried now. After the wait of what failed, this is False again."""
        wait = self.waits.get(name)
        return name in self.paused or (wait is not None and wait.until_ms > self.now_ms)


@dataclass(frozen=True)
class Open:
    """How many intents of a kind are open: held in the commit window, waiting for other intents,
    due (now, or at the next attempt), leased."""

    held: int = 0
    waiting: int = 0
    due: int = 0
    leased: int = 0

    @property
    def total(self) -> int:
        return self.held + self.waiting + self.due + self.leased


@dataclass(frozen=True)
class Summary:
    """The figures to monitor. Ages and lags in ms; -1 where there is none.

    broken: intents that are parked although the caller was promised them and the call is over.
    oldest_due_ms: age of the oldest intent that a worker should have taken by now. An intent that
    waits for others counts from the end of its own commit window.
    swept_ms_ago, purged_ms_ago: since the last sweep, and since the last run of retention.
    retention_lag_ms: how long ago the oldest should have been purged.
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
    """Intents that one worker holds. token: the fencing token, which excludes all other workers."""

    kind: Kind
    token: str
    intents: tuple[Intent, ...]


@dataclass(frozen=True)
class Settled:
    """states: the new state of each intent that this worker still held, by id. Other intents did
    not change. due_kinds: kinds whose workers need a wake-up now.

    stopped: kinds and tools that fail as a whole and wait from now on; before, they did not wait.
    """

    states: dict[str, State]
    stopped: tuple[str, ...]
    due_kinds: tuple[Kind, ...]

    @property
    def count(self) -> int:
        return len(self.states)
