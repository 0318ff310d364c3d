"""Which attestation of the caller's number (STIR/SHAKEN) a message shows.

Vapi documents no field for it. What Twilio passes on is documented (docs/vendors.md T7), and that
SIP headers arrive in `call.phoneCallProviderDetails.sip.headers` or `call.transport.sip.headers` is
seen in public code (docs/vendors.md V30). That an attestation is among them is **not confirmed**. A
message without one shows nothing, which is not a failure.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from shared.domain.attestation import Attestation, lowest
from shared.vapi.messages import Message
from shared.vapi.values import as_object

MAX_LENGTH = 500
"""Characters of a header that are read."""
MAX_FIELDS = 200

_NAMES = frozenset({"stirverstat", "twilioverstat", "xtwilioverstat"})
"""Twilio's parameter and header. A SIP header `X-name` may arrive as `name` (docs/vendors.md V15).
Names are compared without capital letters and hyphens."""
_ADDRESSES = frozenset({"from", "passertedidentity"})
"""SIP headers whose address may have the parameter `verstat` (3GPP TS 24.229; docs of Telnyx)."""

_PARAMETER = re.compile(r";verstat=([A-Za-z-]+)", re.IGNORECASE)
_VALUE = re.compile(
    r"TN-Validation-(?:(?P<failed>Failed)|Passed)(?:-(?P<level>[ABC]))?"
    r"(?:-(?:(?P<diverted>Diverted)|Passthrough))?",
    re.IGNORECASE | re.ASCII,
)


def read_attestation(message: Message) -> Attestation | None:
    """The lowest that the message shows; None for a message that shows none."""
    found = [level for text in _shown(message) if (level := attestation_of(text)) is not None]
    return lowest(*found) if found else None


def attestation_of(value: Any) -> Attestation | None:
    """What a value of Twilio's StirVerstat says; None for any other text.

    A passed verification without a level counts as the lowest level. One of a diverted call counts
    as none: the carrier that diverted it signed, and not the caller's.
    """
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    if value.strip().casefold() == "no-tn-validation":
        return Attestation.NONE
    found = _VALUE.fullmatch(value.strip())
    if not found:
        return None
    if found["failed"]:
        return Attestation.FAILED
    if found["diverted"]:
        return Attestation.NONE
    return Attestation((found["level"] or "C").upper())


def _shown(message: Message) -> Iterator[str]:
    call = message.call
    overrides = as_object(call.get("assistantOverrides"))
    for holder in (call.get("metadata"), overrides.get("variableValues")):
        if holder:
            yield from _named(holder)
    for name in ("phoneCallProviderDetails", "transport"):
        details = as_object(call.get(name))
        if not details:
            continue
        yield from _named(details)
        headers = as_object(as_object(details.get("sip")).get("headers"))
        yield from _named(headers)
        for header, value in _texts(headers):
            if header in _ADDRESSES and (found := _PARAMETER.search(value[:MAX_LENGTH])):
                yield found[1]


def _named(holder: Any) -> Iterator[str]:
    return (value for name, value in _texts(holder) if name in _NAMES)


def _texts(holder: Any) -> Iterator[tuple[str, str]]:
    for name, value in islice(as_object(holder).items(), MAX_FIELDS):
        if isinstance(value, str) and len(name) <= MAX_LENGTH:
            yield _compared(name), value


@lru_cache(maxsize=1024)
def _compared(name: str) -> str:
    """Cached: every event of a call has the same names."""
    return name.casefold().replace("-", "")
