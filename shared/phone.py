"""Phone numbers: one normal form (E.164), and what finds it however it was typed."""

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat


def as_e164(text: str, region: str) -> str | None:
    """ "+14155550101" from any usual spelling; None for what can't be a full number.

    An extension makes None: a number behind a switchboard belongs to nobody in particular. So does
    a number that can only be dialled locally ("555-1234"), and one that nobody can have.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    # Valid, not merely possible: "possible" takes local numbers and "000 000 0000" as well.
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def patterns(e164: str) -> list[str]:
    """What LIKE finds every spelling of the number with: its digits in order, as dialled at home.

    Two where a country writes other digits at home than after its code (Argentina's mobiles). They
    find some other numbers too: compare.
    """
    return ["".join(f"%{digit}" for digit in digits) + "%" for digits in _at_home(e164)]


def has_digits_of(text: str, e164: str) -> bool:
    """Whether the number's digits stand in the text, in one piece but for what is no digit."""
    written = re.sub(r"\D", "", text)
    return any(digits in written for digits in _at_home(e164))


def _at_home(e164: str) -> list[str]:
    number = phonenumbers.parse(e164)
    significant = phonenumbers.national_significant_number(number)
    national = re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    return [significant] if significant in national else [significant, national]
