"""What an operator does with writes, from the console and from the command line.

Each action is written to the audit first. Safe to repeat: an intent that is no longer parked does
not change.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.operators.audit import Audit


class Actions:
    """Every method raises StoreUnavailableError."""

    def __init__(
        self,
        journal: Journal,
        audit: Audit,
        notify: Callable[[Iterable[Kind]], object],
        who: str,
    ) -> None:
        """notify: sends wake-ups. who: as the audit names the operator."""
        self._journal = journal
        self._audit = audit
        self._notify = notify
        self._who = who

    def replay(self, intent_ids: Sequence[str], about: str = "") -> int:
        """Deliver parked intents again. Returns how many were parked."""
        self._audit.note(self._who, "replay", about=about, ids=intent_ids)
        return self._replayed(intent_ids)

    def edit(self, intent_id: str, draft: dict[str, Any], names: Iterable[str]) -> int:
        """Replay a parked intent with another draft. names: what was changed."""
        self._audit.note(self._who, "edit", about=", ".join(sorted(names)), ids=[intent_id])
        return self._replayed([intent_id], draft)

    def discard(
        self, intent_ids: Sequence[str], about: str = "", *, is_kept_by_hand: bool = False
    ) -> int:
        """Give up parked intents. Returns how many were parked.

        is_kept_by_hand: a person did what they promise, so nobody is asked to call.
        """
        what = "discard, kept by hand" if is_kept_by_hand else "discard"
        self._audit.note(self._who, what, about=about, ids=intent_ids)
        return self._journal.discard(intent_ids, is_kept_by_hand=is_kept_by_hand)

    def pause(self, name: str) -> bool:
        """name: a kind, or a tool with its agent folder. False when it was paused already."""
        self._audit.note(self._who, "pause", about=name)
        return self._journal.pause(name)

    def resume(self, name: str) -> bool:
        """End a pause and a wait. False when there was neither."""
        self._audit.note(self._who, "resume", about=name)
        if not self._journal.resume(name):
            return False
        if "/" not in name:
            self._notify([Kind(name)])
        return True

    def note(self, what: str, about: str = "", ids: Sequence[str] = ()) -> None:
        """Note something else in the audit, such as a look at personal data."""
        self._audit.note(self._who, what, about=about, ids=ids)

    def _replayed(self, intent_ids: Sequence[str], draft: dict[str, Any] | None = None) -> int:
        count, due_kinds = self._journal.replay(intent_ids, draft)
        self._notify(due_kinds)
        return count
