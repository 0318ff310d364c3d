"""Phone numbers: one normal form (E.164), and the spellings a Salesforce org may hold one in."""

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


def spellings(e164: str) -> list[str]:
    """How people and systems write this number; Salesforce stores whatever was typed.

    Not every spelling there is: what these miss, the search index finds (docs/vendors.md S5).
    """
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    code = f"+{number.country_code}"
    digits = phonenumbers.national_significant_number(number)
    groups = international.removeprefix(code).strip().replace("-", " ").split()
    written = [e164, e164[1:], digits, national, international, f"{code} {' '.join(groups)}"]
    written += [separator.join(groups) for separator in (" ", "-", ".")]
    if national.startswith("("):
        written += [f"{code} {national}", f"{code[1:]}-{'-'.join(groups)}"]
    return list(dict.fromkeys(written))


def search_digits(e164: str) -> str:
    """The digits to put to Salesforce's search index, which knows numbers without country code."""
    return phonenumbers.national_significant_number(phonenumbers.parse(e164))
