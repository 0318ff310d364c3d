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

from shared.phone import as_e164
from shared.vapi.messages import Message
from shared.vapi.values import as_object

PHONE_CALLS = frozenset({"inboundPhoneCall", "outboundPhoneCall"})
CARRIERS = frozenset({"twilio", "vonage", "telnyx", "vapi", "byo-phone-number"})

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SIP = re.compile(
    r"sips?:(?P<user>[^@;:?]+)(?:;[^@]*)?@(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?(?:[;?].*)?",
    re.IGNORECASE | re.ASCII,
)

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
    """number: E.164, "" without a verified one. shown: every number that the message names for the
    caller, verified or not. If a call shows two different numbers, neither is believed."""

    number: str = ""
    shown: tuple[str, ...] = ()


def read_caller_id(message: Message, trunks: Collection[str] = ()) -> CallerId:
    """trunks: hosts, addresses and networks (CIDR) whose SIP users are trusted."""
    customers = [as_object(holder.get("customer")) for holder in (message.body, message.call)]
    shown: list[str] = []
    trusted: list[str] = []
    is_sip = _is_sip(message) or any(customer.get("sipUri") for customer in customers)
    for customer in customers:
        sip_user, sip_host = _sip_address(customer.get("sipUri"))
        number = e164(customer.get("number"))
        shown += [candidate for candidate in (number, sip_user) if candidate]
        if sip_user and _is_trusted(sip_host, trunks):
            trusted.append(sip_user)
        elif number and not is_sip:
            trusted.append(number)
    shown = list(dict.fromkeys(shown))
    if len(shown) != 1 or not trusted or not _is_phone_call(message):
        return CallerId("", tuple(shown))
    return CallerId(trusted[0], tuple(shown))


def e164(value: Any) -> str:
    """The value if it is an assignable number in E.164, else "". Does not parse other spellings."""
    if not isinstance(value, str) or not _E164.fullmatch(value):
        return ""
    digits = value[1:]
    if digits in _WITHHELD or digits.removeprefix("1") in _WITHHELD:
        return ""
    return value if _is_assignable(value) else ""


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


def _sip_address(value: Any) -> tuple[str, str]:
    """The user part if it is a number, and the host; ("", "") for any other value."""
    found = _SIP.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 300 else None
    if not found:
        return "", ""
    return e164(found["user"]), found["host"].strip("[]").lower()


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
