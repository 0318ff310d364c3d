"""What a caller's carrier has signed about the number that a call shows (STIR/SHAKEN).

A carrier that starts a call signs how well it knows that the number is the caller's own; the last
carrier checks the signature. `Attested` decides whether the number is evidence.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Attestation(StrEnum):
    """From the lowest to the highest."""

    FAILED = "failed"
    """There is a signature, and it could not be verified: the number may be forged."""
    NONE = "none"
    """Nobody has signed, which is usual outside of the networks that have to."""
    C = "C"
    """Signed where the call came into the network; the number says nothing."""
    B = "B"
    """The carrier knows the customer, and not whether the number is theirs."""
    A = "A"
    """The carrier knows the customer, who has the right to the number."""

    def reaches(self, needed: "Attestation") -> bool:
        order = list(Attestation)
        return order.index(self) >= order.index(needed)


def lowest(*levels: Attestation) -> Attestation:
    return min(levels, key=list(Attestation).index)


@dataclass(frozen=True)
class Attested:
    """The attestation of a call's number. shown: None while the call shows none. needed: by a
    caller who is to be recognised by their number; a failed verification never is enough."""

    shown: Attestation | None = None
    needed: Attestation = Attestation.NONE

    @classmethod
    def of_call(cls, shown: Attestation | None, needed: Attestation, *, was_dialled: bool) -> Self:
        """was_dialled: we called the number. It is the caller's, and carries no attestation."""
        if was_dialled and shown is None:
            needed = Attestation.NONE
        return cls(shown, needed)

    @property
    def counts(self) -> bool:
        """Whether the number is evidence of who is calling."""
        return (self.shown or Attestation.NONE).reaches(self.needed)

    @property
    def evidence(self) -> str:
        """What operators read of it; "" where there is nothing to say."""
        if self.shown is Attestation.FAILED:
            return "the carrier could not verify the number"
        if not self.counts:
            level = "nobody" if self.shown in (None, Attestation.NONE) else f"{self.shown} only"
            return f"the number is attested by {level}, and {self.needed} is needed"
        if self.shown in (None, Attestation.NONE):
            return ""
        return f"the number is attested with {self.shown}"


NOTHING_SHOWN = Attested()
