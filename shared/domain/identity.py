"""Who is calling, by what evidence, and what that permits. No other module decides it.

The evidence is the number that a carrier set (`shared/vapi/caller_id.py`), what carriers have
signed about it (`attestation.py`), the contacts in the org with that number, and what the caller
has proved in the call (`web/tools/verify.py`). What each tier opens is the policy's business
(`shared/agent/policy.py`). Lookups, write requests, stored answers, transfers, the assistant's
variables and the worker all ask an `Identity` what the caller may hear and change.

A number that this service put on a contact lately identifies nobody for a while. Whoever calls from
it is unknown until they show more than knowledge: the PIN, or a code sent to an older number. The
same is true of a number whose attestation failed, or is lower than the operator wants.

A number alone identifies nobody, because hotels and switchboards show one number for many callers.
So a request of an earlier call belongs to a contact, never to a number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.attestation import NOTHING_SHOWN, Attested
from shared.domain.drafts import FromCaller
from shared.domain.intent import Intent


class Tier(StrEnum):
    """How well a caller is known, from the lowest to the highest."""

    UNKNOWN = "unknown"
    """No number, a number with no contact or several, a number that is new on its contact or not
    attested, two numbers in one call, or too many wrong answers in it."""
    RECOGNISED = "recognised"
    """Exactly one contact has the number that the carrier set."""
    KNOWN = "known"
    """The caller also knows what only the contact should know. By NIST SP 800-63B this recognises a
    person and does not authenticate them, so it is not called that."""
    VERIFIED = "verified"
    """The caller also knows the contact's PIN, or got a one-time code on a number on file."""

    def reaches(self, needed: "Tier") -> bool:
        """Whether this tier opens what needs that one."""
        order = list(Tier)
        return order.index(self) >= order.index(needed)


def highest(*tiers: Tier) -> Tier:
    return max(tiers, key=list(Tier).index)


CODE = "code"


@dataclass(frozen=True)
class Proof:
    """What a caller has shown about themselves in one call. Valid for this call, number and contact
    only.

    tier: UNKNOWN after too many wrong answers. by: CODE for a one-time code, "" otherwise. agent:
    the agent folder of the call then, "" for the first one; another asks for other things.
    """

    contact_id: str
    number: str
    tier: Tier
    by: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Identity:
    """The caller of one call, as far as the evidence goes.

    number: E.164, "" when no carrier set one or the call showed two.
    contact_ids: all contacts with the number; None while the org could not be asked.
    is_old: contact_ids are from before the call began.
    has_two_numbers: the call showed two numbers, so it may have two callers.
    proof: what the caller has shown in this call, None for nothing.
    is_line: the number is the line of an account, and shows none of these contacts.
    account_id: the account whose line it is, or which names the one contact for it; None for none.
    acts_for: by contact, the contacts for whom the org lets them act.
    new_for: those of contact_ids on whom the number is new.
    attested: what carriers have signed about the number.
    """

    call_id: str
    number: str
    contact_ids: tuple[str, ...] | None
    is_old: bool = False
    has_two_numbers: bool = False
    proof: Proof | None = None
    is_line: bool = False
    account_id: str | None = None
    acts_for: Mapping[str, Collection[str]] = field(default_factory=dict)
    new_for: frozenset[str] = frozenset()
    attested: Attested = NOTHING_SHOWN

    @property
    def tier(self) -> Tier:
        if self.contact_id is None:
            return Tier.UNKNOWN
        return self._valid_proof.tier if self._valid_proof else Tier.RECOGNISED

    @property
    def contact_id(self) -> str | None:
        """The contact with the number whom the caller proved to be, or the only contact with it on
        whom it is not new, if the number is evidence; else None."""
        if self.is_locked_out:
            return None
        if self._valid_proof:
            return self._valid_proof.contact_id
        if self.is_line or not self.attested.counts:
            return None
        identified = [id_ for id_ in self.contact_ids or () if id_ not in self.new_for]
        return identified[0] if len(identified) == 1 else None

    @property
    def is_locked_out(self) -> bool:
        """Too many wrong answers: for the rest of this call, nobody knows who is calling."""
        return self.proof is not None and self.proof.tier is Tier.UNKNOWN

    @property
    def _valid_proof(self) -> Proof | None:
        """A proof ends when the org gives the number to somebody else. From a number that is new on
        the contact, or no evidence, knowledge is none."""
        proof = self.proof
        if not proof or self.has_two_numbers or proof.number != self.number:
            return None
        is_weak = proof.contact_id in self.new_for or not self.attested.counts
        if is_weak and not proof.tier.reaches(Tier.VERIFIED):
            return None
        return proof if proof.contact_id in (self.contact_ids or ()) else None

    @property
    def evidence(self) -> str:
        """What shows who is calling, for operators."""
        of_carriers = self.attested.evidence if self.number else ""
        return ", and ".join(filter(None, (self._evidence, of_carriers)))

    @property
    def _evidence(self) -> str:
        if self.is_locked_out:
            return "too many wrong answers in this call"
        if self.has_two_numbers:
            return "the call showed two numbers"
        if not self.number:
            return "the call shows no number"
        if self.contact_ids is None:
            return "the org has not said who has the number"
        if self._valid_proof:
            how = "the PIN" if self._valid_proof.tier is Tier.VERIFIED else "what was asked"
            if self._valid_proof.by == CODE:
                how = "the code that went to a number on file"
            return f"a contact has the number, and the caller knew {how}"
        if self.is_line:
            return "the number is the line of an account"
        if self.contact_id and self.account_id:
            return "an account has the number and names one contact for it"
        if self.contact_id:
            return "one contact has the number"
        if self.new_for:
            return "the number is new on the contact"
        return f"{len(self.contact_ids) or 'no'} contacts have the number"

    @property
    def is_settled(self) -> bool:
        """False while the org has not said who has the number; then the worker decides. Nobody
        looks for a contact by a number that is no evidence."""
        return self.contact_ids is not None or not self.attested.counts

    @property
    def contact_id_to_write(self) -> str | None:
        """For a draft. None when it is from before the call; then the worker resolves it anew."""
        return None if self.is_old else self.contact_id

    @property
    def has_no_contact(self) -> bool:
        """The org has said since the call began that no contact, or several, have the number; or
        the number is no evidence, whoever has it."""
        is_known = self.is_settled and not (self.is_old and self.attested.counts)
        return is_known and self.contact_id is None

    def requested(self, intent: Intent) -> bool:
        """Whether this caller made the request: in this call, or in another as this contact.

        False for every request in a call that showed two numbers: either caller may have made it.
        False as well for one of somebody else who spoke in this call and was known, such as another
        member of a household.
        """
        if self.has_two_numbers:
            return False
        draft = None if intent.is_purged else intent.draft
        if not isinstance(draft, FromCaller):
            return False
        if self.call_id and intent.call_id == self.call_id:
            known = {draft.contact_id, self.contact_id} - {None}
            return len(known) < 2 and draft.caller_number in ("", self.number)
        # Once it is in the org, the org says whose it is, and not a snapshot from before the call.
        receipt = intent.receipt
        others = receipt.contact_id if receipt else draft.visible_to_contact_id
        theirs = draft.contact_id or others
        return theirs is not None and theirs == self.contact_id

    def may_discuss(self, case_contact_id: str | None, *, requested: bool = False) -> bool:
        """Whether the caller may hear about a case, or change it, by what the org says now.

        requested: the case was opened for this caller, which counts only while it has no contact.
        """
        return may_discuss({self.contact_id}, case_contact_id, requested=requested)

    def may_act_for(self, contact_id: str | None) -> bool:
        """Whether the org says, since the call began, that the caller's contact may act for this
        one. It opens cases, never the data of the contact. The policy says from which tier on."""
        acting = self.contact_id
        if acting is None or contact_id is None or self.is_old:
            return False
        return contact_id in self.acts_for.get(acting, ())

    @property
    def account_of_line(self) -> str | None:
        """The account from whose line somebody calls whom nobody knows, as the org says now."""
        is_nobody = self.has_no_contact and not self.is_locked_out and not self.has_two_numbers
        is_nobody = is_nobody and self.attested.counts
        return self.account_id if self.is_line and is_nobody else None


def may_discuss(
    contact_ids: Collection[str | None], case_contact_id: str | None, *, requested: bool
) -> bool:
    """The rule of Identity.may_discuss, for a caller whose contact is one of contact_ids."""
    if case_contact_id is None:
        return requested
    return case_contact_id in contact_ids
