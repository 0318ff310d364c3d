"""What makes digits a payment card number: the issuer's prefix and lengths, and Luhn's check."""

from itertools import accumulate

_MAESTRO = frozenset({"5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"})
_ALONE = {
    "visa": (16, 19), "16": (16,), "amex": (15,), "diners": (14,), "discover": (16, 19),
    "unionpay": (16, 19, 18, 17), "maestro": (16, 19, 18), "": (),
}  # fmt: skip
_AFTER_CUE = _ALONE | {
    "visa": (16, 19, 13),
    "diners": (14, 16, 19),
    "maestro": (16, 19, 18, 13, 12, 14, 15, 17),
}


def lengths(digits: str, *, after_cue: bool = False) -> tuple[int, ...]:
    """The lengths of card numbers that begin so, likely ones first; () if there are none.

    after_cue: also lengths that other numbers often have, such as the 13 digits of old Visa cards.
    """
    return (_AFTER_CUE if after_cue else _ALONE)[_issuer(digits)]


def _issuer(digits: str) -> str:
    two, three, four = digits[:2], digits[:3], digits[:4]
    if digits.startswith("4"):
        return "visa"
    if "51" <= two <= "55" or "2221" <= four <= "2720" or "3528" <= four <= "3589":
        return "16"  # Mastercard, JCB
    if two in ("34", "37"):
        return "amex"
    if two in ("36", "38", "39") or "300" <= three <= "305" or four == "3095":
        return "diners"
    if four == "6011" or "644" <= three <= "649" or two == "65":
        return "discover"
    if two == "62":
        return "unionpay"
    return "maestro" if four in _MAESTRO else ""


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice each digit, less 9 where that has two digits."""


class Luhn:
    """Checks any part of a number, in the same time however long it is."""

    def __init__(self, digits: str) -> None:
        self._sums = [_doubled(digits, 0), _doubled(digits, 1)]

    def passes(self, start: int, end: int) -> bool:
        sums = self._sums[end % 2]
        return (sums[end] - sums[start]) % 10 == 0


def _doubled(digits: str, parity: int) -> list[int]:
    """Sums of the digits up to each place, with those at places of this parity doubled."""
    values = list(map(int, digits))
    values[parity::2] = [_DOUBLED[digit] for digit in values[parity::2]]
    return list(accumulate(values, initial=0))
