"""What the journal promises of its intents, as a model without keys, clocks or scripts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domain.kinds import Kind

OPEN = frozenset({"held", "due", "leased"})


@dataclass
class Entry:
    """An intent as it should be. words: its draft. in_window: the caller can still change it.

    after: the open intents that it waits for. follows: the parked one that it parked with. holder:
    the token of its lease; is_over: nobody extended that in time, so another worker may take it.
    """

    kind: Kind
    words: str
    fingerprint: str
    state: str
    in_window: bool = False
    after: set[str] = field(default_factory=set)
    follows: str = ""
    in_doubt: bool = False
    attempts: int = 0
    holder: str = ""
    is_over: bool = False

    @property
    def is_ready(self) -> bool:
        """A worker may lease it now."""
        if self.state == "held":
            return not self.in_window and not self.after
        return self.state == "due" or (self.state == "leased" and self.is_over)

    @property
    def can_be_cancelled(self) -> bool:
        return not self.in_doubt and self.state in {"held", "due", "parked"}


@dataclass
class Model:
    """wake_ups: the kinds with one on its way. batches: kind → token → whether its lease is over.

    Methods that make intents due return the kinds to notify.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    wake_ups: set[Kind] = field(default_factory=set)
    batches: dict[Kind, dict[str, bool]] = field(default_factory=dict)

    def accept(self, id_: str, entry: Entry, after: Iterable[str]) -> set[Kind]:
        entry.after = {other for other in after if self.entries[other].state in OPEN}
        entry.state = "held" if entry.after or entry.in_window else "due"
        self.entries[id_] = entry
        if entry.fingerprint:
            self.requests[entry.fingerprint] = id_
        return self._wake([id_])

    def amend(self, id_: str, words: str, fingerprint: str) -> bool:
        """False when it is too late."""
        entry = self.entries[id_]
        if not (entry.state == "held" and entry.in_window):
            return False
        self._release_request(entry)
        entry.words, entry.fingerprint = words, fingerprint
        self.requests[fingerprint] = id_
        return True

    def lease(self, kind: Kind, token: str, ids: Iterable[str]) -> None:
        """ids: those that the journal chose among the ready."""
        self.wake_ups.discard(kind)
        for id_ in ids:
            entry = self.entries[id_]
            entry.in_doubt = entry.in_doubt or entry.state == "leased"
            entry.state, entry.holder, entry.is_over = "leased", token, False
            entry.attempts += 1
            self.batches[kind][token] = False

    def most_leased(self, kind: Kind, limit: int, max_batches: int) -> int:
        """How many a lease takes: as many as are ready, unless too many batches are at work."""
        batches = self.batches.setdefault(kind, {})
        for token in [token for token, is_over in batches.items() if is_over]:
            del batches[token]
        return min(limit, len(self.ready(kind))) if len(batches) < max_batches else 0

    def ready(self, kind: Kind) -> set[str]:
        return {id_ for id_, it in self.entries.items() if it.kind == kind and it.is_ready}

    def held_by(self, token: str) -> set[str]:
        return {id_ for id_, it in self.entries.items() if it.holder == token}

    def leases_run_out(self, kind: Kind) -> None:
        self.batches[kind] = dict.fromkeys(self.batches.get(kind, {}), True)
        for entry in self.entries.values():
            entry.is_over = entry.is_over or (entry.kind == kind and entry.state == "leased")

    def extend(self, kind: Kind, token: str) -> int:
        """Returns how many the worker still has. With any, it counts as one at work again."""
        mine = self.held_by(token)
        for id_ in mine:
            self.entries[id_].is_over = False
        if mine:
            self.batches[kind][token] = False
        return len(mine)

    def settle(self, kind: Kind, token: str, fates: dict[str, tuple[str, str]]) -> set[Kind]:
        """fates: the fate of each intent, and what it parks with if that is its fate."""
        self.batches[kind].pop(token, None)
        due: set[Kind] = set()
        for id_ in [id_ for id_ in fates if id_ in self.held_by(token)]:
            entry, (fate, other) = self.entries[id_], fates[id_]
            entry.holder, entry.is_over = "", False
            if fate in {"again", "in doubt", "waits"}:
                entry.state, entry.in_doubt = "due", fate == "in doubt"
                entry.attempts -= fate == "waits"
                continue
            if other and self.entries[other].state in OPEN | {"delivered"}:
                entry.state = "due"  # what it was to park with is parked no more
                continue
            entry.state = fate
            entry.follows = other if other and self.entries[other].state == "parked" else ""
            if fate == "cancelled":
                self._release_request(entry)
            due |= self._wake(self._release(id_))
        return due

    def cancel(self, id_: str) -> tuple[str, set[Kind]]:
        """What `Journal.cancel` returns."""
        entry = self.entries[id_]
        if not entry.can_be_cancelled:
            is_in_doubt = entry.in_doubt and entry.state in {"held", "due"}
            return "in_doubt" if is_in_doubt else entry.state, set()
        entry.state, entry.follows = "cancelled", ""
        self._release_request(entry)
        return "cancelled", self._wake(self._release(id_))

    def discard(self, id_: str) -> None:
        """The next sweep notifies."""
        entry = self.entries[id_]
        entry.state, entry.follows = "cancelled", ""
        self._release_request(entry)
        self._release(id_)

    def replay(self, id_: str) -> set[Kind]:
        entry = self.entries[id_]
        entry.state, entry.follows, entry.in_doubt, entry.attempts = "due", "", True, 0
        return self._wake([id_])

    def hand_over(self) -> set[Kind]:
        """The commit windows end."""
        ended = [id_ for id_, entry in self.entries.items() if entry.state == "held"]
        for id_ in ended:
            self.entries[id_].in_window = False
            if not self.entries[id_].after:
                self.entries[id_].state = "due"
        return self._wake(id_ for id_ in ended if self.entries[id_].state == "due")

    def sweep(self) -> set[Kind]:
        for entry in self.entries.values():
            if entry.state == "held" and entry.is_ready:
                entry.state = "due"
        return self._wake(self.entries)

    def _release_request(self, entry: Entry) -> None:
        self.requests.pop(entry.fingerprint, None)

    def _release(self, leader: str) -> list[str]:
        """Release what waited for a settled intent, or parked with it."""
        released = []
        for id_, entry in self.entries.items():
            if entry.state == "held" and leader in entry.after:
                entry.after.discard(leader)
                released.append(id_)
            elif entry.follows == leader and self.entries[leader].state != "parked":
                entry.state, entry.follows, entry.in_doubt, entry.attempts = "due", "", True, 0
                released.append(id_)
        return released

    def _wake(self, ids: Iterable[str]) -> set[Kind]:
        """The kinds of those that are ready and have no wake-up on its way."""
        ready = {self.entries[id_].kind for id_ in ids if self.entries[id_].is_ready}
        sent = ready - self.wake_ups
        self.wake_ups |= sent
        return sent
