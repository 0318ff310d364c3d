"""Phone numbers: one normal form (E.164), and patterns that find it in any spelling."""

import re
from collections.abc import Collection
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_EARNING = (
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
)
"""Who calls these pays more, and who has them may earn by it."""


def as_e164(text: str, region: str) -> str | None:
    """ "+14155550101" from any usual spelling; None unless the text is a full number.

    None also for a number with an extension (behind a switchboard it identifies nobody), for one
    that can only be dialled locally ("555-1234"), and for one that can't be assigned.
    """
    number, extension = split(text, region)
    return None if extension else number or None


@lru_cache(maxsize=4096)  # a backlog's contacts are compared with every one of its numbers
def split(text: str, region: str) -> tuple[str, str]:
    """The number in the text, as E.164, and its extension; "" for what it does not have."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return "", ""
    # Valid, not merely possible: "possible" takes local numbers and "000 000 0000" as well.
    if not phonenumbers.is_valid_number(number):
        return "", ""
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return e164, number.extension or ""


def takes_messages(e164: str, regions: Collection[str]) -> bool:
    """Whether a text message may be sent to the number: a mobile one, as far as its digits show, of
    one of these countries. Premium numbers, and those of landlines, get none."""
    number = phonenumbers.parse(e164)
    return (
        phonenumbers.region_code_for_number(number) in regions
        and phonenumbers.number_type(number) in _MOBILE
    )


def region_of(e164: str) -> str:
    """The country of a number, such as "US"; "" for one of no country, such as a satellite's."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    return region if region in phonenumbers.SUPPORTED_REGIONS else ""


def earns_by_calls(e164: str) -> bool:
    """Whether somebody may earn by calls to the number: a premium-rate one, or one like it."""
    return phonenumbers.number_type(phonenumbers.parse(e164)) in _EARNING


def to_call_back(e164: str) -> str:
    """The number that the service may ask a person to call back. "" for none, and for a
    premium-rate number: it may have called only to be called back."""
    return "" if not e164 or earns_by_calls(e164) else e164


def patterns(e164: str) -> list[str]:
    """LIKE patterns that find every spelling of the number: its national digits in order.

    Two patterns where a country's national digits differ from those after the country code
    (Argentina's mobiles). They also find some other numbers, so compare the results.
    """
    return ["".join(f"%{digit}" for digit in digits) + "%" for digits in _at_home(e164)]


def has_digits_of(text: str, e164: str) -> bool:
    """Whether the text contains the number's digits, with no other digit between them."""
    written = re.sub(r"\D", "", text)
    return any(digits in written for digits in _at_home(e164))


MIN_WITHOUT_CODE = 7
"""A shorter national number is found only with its country code: it could be any number."""

_BETWEEN_DIGITS = r"[\s().\-/\u2010-\u2015\u00a0]{0,3}"


def finder(e164: str) -> re.Pattern[str]:
    """Finds the number in a text, in the spellings of people and machines: with or without its
    country code, its digits grouped by spaces, brackets, dots, hyphens or slashes.

    It does not find a part of a longer row of digits.
    """
    code = str(phonenumbers.parse(e164).country_code)
    abroad = rf"(?:(?:\+|00|011)?{_grouped(code)}(?:\(?0\)?)?{_BETWEEN_DIGITS})"
    spellings = []
    for digits in _at_home(e164):
        optional = "?" if len(digits) >= MIN_WITHOUT_CODE else ""
        spellings.append(rf"{abroad}{optional}0?{_grouped(digits)}")
    return re.compile(rf"(?<!\d)(?:{'|'.join(spellings)})(?!\d)")


def _grouped(digits: str) -> str:
    return "".join(f"{digit}{_BETWEEN_DIGITS}" for digit in digits[:-1]) + digits[-1]


@lru_cache(maxsize=4096)
def _at_home(e164: str) -> tuple[str, ...]:
    number = phonenumbers.parse(e164)
    significant = phonenumbers.national_significant_number(number)
    national = re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    return (significant,) if significant in national else (significant, national)
