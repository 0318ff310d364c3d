"""Phone numbers: one normal form (E.164), and the spellings a Salesforce org may hold one in."""

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


def spellings(e164: str) -> list[str]:
    """How people and systems write this number; Salesforce stores whatever was typed.

    Who else has the number must not depend on how they write it, so this is all that is common.
    Not every spelling there is: what these miss, the search index finds (docs/vendors.md S5).
    """
    number = phonenumbers.parse(e164)
    code = str(number.country_code)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    area, *others = re.findall(r"\d+", international.removeprefix(f"+{code}"))
    dialled, *_ = at_home = re.findall(r"\d+", national)  # with the 0 that some countries dial
    written = [e164, e164[1:], national, international]
    for between in ("", " ", "-", "."):
        rest = between.join(others)
        written += [between.join(groups) for groups in ([area, *others], at_home)]
        if not between:
            continue
        written += [f"{plus}{code}{between}{area}{between}{rest}" for plus in ("+", "")]
        for gap in ("", " "):
            written.append(f"({dialled}){gap}{rest}")
            written += [
                f"{before}({area}){gap}{rest}" for before in (f"+{code} ", f"+{code}", code)
            ]
        written.append(f"+{code} {area}{'-' if between == ' ' else ' '}{rest}")
        if dialled == f"0{area}":
            written.append(f"+{code} (0){area} {rest}")
    for first, then in ((" ", "-"), (" ", ""), ("-", ""), ("/", ""), ("/", "-"), ("/", " ")):
        written.append(f"{dialled}{first}{then.join(others)}")
    return list(dict.fromkeys(written))


def search_digits(e164: str) -> str:
    """The digits to put to Salesforce's search index, which knows numbers without country code."""
    return phonenumbers.national_significant_number(phonenumbers.parse(e164))
