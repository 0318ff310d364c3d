"""Where a call can go: a number with or without an extension, a SIP address, an assistant."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from shared.phone import as_e164

FORM = (
    "a number such as +14155550100 or +14155550100;ext=12, or an address such as "
    "sip:support@example.com"
)
AssistantId = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,100}$")]

_EXTENSION = re.compile(r";ext=([0-9A-Za-z*#]{1,10})$")


def is_sip(destination: str) -> bool:
    return destination.startswith(("sip:", "sips:")) and "@" in destination


def number_and_extension(destination: str) -> tuple[str, str]:
    """The extension is "" for a number without one. The form is that of RFC 3966."""
    found = _EXTENSION.search(destination)
    return (destination[: found.start()], found[1]) if found else (destination, "")


def _checked(destination: str) -> str:
    number, _ = number_and_extension(destination)
    if not is_sip(destination) and as_e164(number, "ZZ") != number:
        raise ValueError(f"must be {FORM}")
    return destination


Destination = Annotated[str, AfterValidator(_checked)]
