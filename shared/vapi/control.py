"""Live call control: telling the agent something while the call lasts (docs/vendors.md V11).

The control URL comes from a payload, so it is only used when its host is one of the configured
ones: a hostile payload must not make us call elsewhere.
"""

from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import requests

from shared.addresses import is_loopback

TIMEOUT_S = (1.0, 2.0)


class ControlRefusedError(Exception):
    """The message did not reach the call. The text is a reason without the URL: it is a secret."""


class HostNotAllowedError(ControlRefusedError):
    """The payload named a host that this service is not to call."""


def may_be_called(url: str, hosts: str) -> bool:
    """hosts: comma-separated names, `*.vapi.ai` for all below it. https; http for loopback only."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return False
    wanted = [one.strip().lower() for one in hosts.split(",") if one.strip()]
    return bool(host) and any(fnmatchcase(host, one) for one in wanted)


def tell(url: str, text: str, hosts: str, *, by: str = "add-message") -> None:
    """Put a sentence into the call. Sent once, never repeated. Raises ControlRefusedError.

    by: "add-message" is a system message that the agent answers to; "say" is spoken as it is.
    """
    if not may_be_called(url, hosts):
        raise HostNotAllowedError("HOST_NOT_ALLOWED")
    command: dict[str, Any] = {"type": "say", "content": text}
    if by == "add-message":
        command = {
            "type": "add-message",
            "message": {"role": "system", "content": text},
            "triggerResponseEnabled": True,
        }
    try:
        answer = requests.post(url, json=command, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as trouble:
        raise ControlRefusedError(type(trouble).__name__) from None
    if answer.status_code >= 300:
        raise ControlRefusedError(f"HTTP_{answer.status_code}")
