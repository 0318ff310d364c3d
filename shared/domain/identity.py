"""Who is calling, by what evidence, and what follows from it. Nothing else decides that.

Evidence is the number that a carrier set (`shared/vapi/caller_id.py`) and the contacts who have it
in the org. Lookups, writes, kept answers, transfers, the assistant's variables and the worker all
ask an `Identity` what the caller may hear and change.

A number alone identifies nobody: hotels and switchboards show one number for many callers. So what
was asked for in an earlier call belongs to a contact, never to a number.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.drafts import FromCaller
from shared.domain.intent import Intent


class Tier(StrEnum):
    """How far a caller is known. Later evidence (knowledge, a PIN) adds higher tiers."""

    UNKNOWN = "unknown"
    """No number, a number of nobody or of several, or two numbers in one call."""
    RECOGNISED = "recognised"
    """Exactly one contact has the number that the carrier set."""


@dataclass(frozen=True)
class Identity:
    """The caller of one call, as far as the evidence goes.

    number: E.164, "" when no carrier set one or the call showed two.
    contact_ids: of everybody who has the number; None when the org could not be asked yet.
    is_old: contact_ids are from before the call began.
    """

    call_id: str
    number: str
    contact_ids: tuple[str, ...] | None
    is_old: bool = False

    @property
    def tier(self) -> Tier:
        return Tier.RECOGNISED if self.contact_id else Tier.UNKNOWN

    @property
    def contact_id(self) -> str | None:
        """The one contact who has the number."""
        return self.contact_ids[0] if self.contact_ids and len(self.contact_ids) == 1 else None

    @property
    def is_settled(self) -> bool:
        """False while the org has not said who has the number: the worker decides then."""
        return self.contact_ids is not None

    @property
    def contact_id_to_write(self) -> str | None:
        """For a draft. None when it is from before the call: the worker goes by the number then."""
        return None if self.is_old else self.contact_id

    def requested(self, intent: Intent) -> bool:
        """The intent was accepted from this caller: in this call, or in another as this contact."""
        draft = None if intent.is_purged else intent.draft
        if not isinstance(draft, FromCaller):
            return False
        if self.call_id and intent.call_id == self.call_id:
            # Two numbers in one call are two callers: neither hears what the other asked for.
            return draft.caller_number in ("", self.number)
        theirs = draft.contact_id or draft.visible_to_contact_id
        return theirs is not None and theirs == self.contact_id

    def may_discuss(self, case_contact_id: str | None, *, requested: bool = False) -> bool:
        """Whether the caller may hear of a case, or change it, by what the org says now.

        requested: the case was opened for this caller. That counts only while it has no contact.
        """
        return may_discuss({self.contact_id}, case_contact_id, requested=requested)


def may_discuss(
    contact_ids: Collection[str | None], case_contact_id: str | None, *, requested: bool
) -> bool:
    """The rule of Identity.may_discuss for a caller whose contact is one of contact_ids."""
    if case_contact_id is None:
        return requested
    return case_contact_id in contact_ids
