"""Which number a message shows for its caller, and whether a carrier verified it.

A number is evidence only where a carrier set it: on inbound phone calls, and on outbound ones,
where it is the dialled number. Web calls, chats and SIP callers can claim any number. A SIP address
counts if its trunk is one that the operator trusts (SIP_TRUNKS).

Shapes: docs/vendors.md V21. It is unconfirmed which field distinguishes SIP calls from calls of the
telephone network, so a call that may be either counts as SIP.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from shared.phone import as_e164, split
from shared.vapi.messages import Message
from shared.vapi.values import as_object

PHONE_CALLS = frozenset({"inboundPhoneCall", "outboundPhoneCall"})
CARRIERS = frozenset({"twilio", "vonage", "telnyx", "vapi", "byo-phone-number"})

MAX_LENGTH = 64
"""A longer text is no number, and no extension."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SIP = re.compile(
    r"sips?:(?P<user>[^@;:?]+)(?P<params>;[^@]*)?@(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?(?:[;?].*)?",
    re.IGNORECASE | re.ASCII,
)
_EXTENSION = re.compile(r";ext=([^;]+)", re.IGNORECASE)

# What carriers send instead of a withheld number, spelled on a telephone's keypad (docs/vendors.md
# V22). A few are also real numbers, whose callers then stay unknown.
_WITHHELD_WORDS = (
    "ANONYMOUS", "BLOCKED", "HIDDEN", "NOCALLERID", "NONUMBER", "NOTAVAILABLE", "OUTOFAREA",
    "PAYPHONE", "PRIVATE", "PRIVATECALLER", "PRIVATENUMBER", "RESTRICTED", "UNAVAILABLE",
    "UNIDENTIFIED", "UNKNOWN", "UNLISTED", "WITHHELD",
)  # fmt: skip
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_WITHHELD = frozenset(word.translate(_KEYPAD) for word in _WITHHELD_WORDS)


@dataclass(frozen=True)
class CallerId:
    """number: E.164, "" without a verified one, and for one with an extension.

    shown: every number that the message names for the caller, in whatever spelling, verified or
    not: E.164, with ";ext=" and the extension if there is one. If a call shows two different
    numbers, neither is believed.
    """

    number: str = ""
    shown: tuple[str, ...] = ()


def read_caller_id(message: Message, trunks: Collection[str] = (), region: str = "ZZ") -> CallerId:
    """trunks: hosts, addresses and networks (CIDR) whose SIP users are trusted. region: ISO code
    of the country whose numbers may lack the country code."""
    customers = [as_object(holder.get("customer")) for holder in (message.body, message.call)]
    named: list[tuple[str, str]] = []
    trusted: list[str] = []
    is_sip = _is_sip(message) or any(customer.get("sipUri") for customer in customers)
    for customer in customers:
        sip_user, sip_extension, sip_host = _sip_address(customer.get("sipUri"))
        number = e164(customer.get("number"))
        named += [(sip_user, sip_extension), _named(customer, region)]
        if sip_user and _is_trusted(sip_host, trunks):
            trusted.append(sip_user)
        elif number and not is_sip:
            trusted.append(number)
    shown = _distinct(tuple(named))
    if len(shown) != 1 or not trusted or not _is_phone_call(message):
        return CallerId("", shown)
    return CallerId(trusted[0] if trusted[0] == shown[0] else "", shown)


def _named(customer: dict[str, Any], region: str) -> tuple[str, str]:
    """The number that a customer object names in any spelling, as E.164, and its extension.

    customer.extension is dialled after the call is answered: anybody behind that number may have
    it (docs/vendors.md V21).
    """
    value, dialled = customer.get("number"), customer.get("extension")
    number, extension = e164(value), ""
    if isinstance(value, str) and len(value) <= MAX_LENGTH and not _E164.fullmatch(value):
        number, extension = _split(value, region)
        number = e164(number)  # a withheld number has no other spelling
    if dialled is not None:
        extension = str(dialled).strip()[:MAX_LENGTH] or extension
    return number, extension


@lru_cache(maxsize=4096)
def _distinct(named: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The numbers without repeats. One that has an extension anywhere in the message has it."""
    extended = {number for number, extension in named if extension}
    return tuple(
        dict.fromkeys(
            f"{number};ext={extension}" if extension else number
            for number, extension in named
            if number and (extension or number not in extended)
        )
    )


def e164(value: Any) -> str:
    """The value if it is an assignable number in E.164, else "". Does not parse other spellings."""
    if not isinstance(value, str) or not _E164.fullmatch(value):
        return ""
    digits = value[1:]
    if digits in _WITHHELD or digits.removeprefix("1") in _WITHHELD:
        return ""
    return value if _is_assignable(value) else ""


_split = lru_cache(maxsize=4096)(split)


@lru_cache(maxsize=4096)
def _is_assignable(number: str) -> bool:
    """Cached: every event of a call names the same numbers, and the check costs a tenth of it."""
    return as_e164(number, "ZZ") == number


def _is_phone_call(message: Message) -> bool:
    if as_object(message.body.get("chat")):
        return False  # its number was typed in
    kind = message.call.get("type")
    if kind is not None:
        return isinstance(kind, str) and kind in PHONE_CALLS
    if as_object(message.body.get("session")):
        return False
    # Older messages omit the type: then they must show one of our telephone lines.
    call = message.call
    lines = [as_object(holder.get("phoneNumber")) for holder in (message.body, call)]
    return bool(
        any(line.get("number") or line.get("provider") or line.get("id") for line in lines)
        or call.get("phoneNumberId")
        or str(call.get("phoneCallProvider")) in CARRIERS
        or str(as_object(call.get("transport")).get("provider")) in CARRIERS
    )


def _is_sip(message: Message) -> bool:
    """Whether the call went to a SIP address: the message names no dialled telephone number."""
    lines = [as_object(holder.get("phoneNumber")) for holder in (message.body, message.call)]
    over_sip = (
        as_object(message.call.get("transport")).get("provider") == "vapi.sip"
        or message.call.get("phoneCallTransport") == "sip"
        or any(line.get("sipUri") for line in lines)
    )
    return over_sip and not any(e164(line.get("number")) for line in lines)


def _sip_address(value: Any) -> tuple[str, str, str]:
    """The user part if it is a number, its extension, and the host; "" for what it lacks."""
    found = _SIP.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 300 else None
    if not found:
        return "", "", ""
    extension = _EXTENSION.search(found["params"] or "")
    host = found["host"].strip("[]").lower()
    return e164(found["user"]), extension[1] if extension else "", host


def _is_trusted(host: str, trunks: Collection[str]) -> bool:
    for trunk in trunks:
        if host == trunk.lower():
            return True
        try:
            if ip_address(host) in ip_network(trunk):
                return True
        except ValueError:
            continue  # a name, not an address
    return False
