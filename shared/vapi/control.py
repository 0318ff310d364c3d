"""Live call control: gives the agent a message during the call (docs/vendors.md V11).

The control URL comes from a payload, and a hostile payload must not make us call elsewhere. URL
parsers disagree about unusual URLs, so unusual URLs are refused, and the URL that is called is
rebuilt from its checked parts. Its host must be one of the configured ones.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from shared.addresses import is_loopback
from shared.errors import ServiceError

TIMEOUT_S = (1.0, 2.0)
MAX_URL_LENGTH = 2_048

_PLAIN = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?([/?][A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?"
)
"""URLs in which every parser finds the same parts: no user, fragment, backslash, white space,
control characters, brackets, or anything beyond ASCII."""

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class ControlRefusedError(ServiceError):
    """The message did not reach the call. The text is a reason without the URL, which is secret."""


class HostNotAllowedError(ControlRefusedError):
    """The payload named a host that this service must not call."""


@dataclass(frozen=True)
class ControlUrl:
    """A checked URL. origin: scheme, host and port. path: with the query."""

    host: str
    origin: str
    path: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


def read_url(url: str) -> ControlUrl | None:
    """The checked parts of a control URL; None for a URL that no list of hosts can allow.

    Allows https on port 443. On a loopback host, also allows http and any port.
    """
    if len(url) > MAX_URL_LENGTH or not _PLAIN.fullmatch(url):
        return None
    try:
        ours, theirs = urlsplit(url), parse_url(url)
        port = ours.port
    except (ValueError, LocationParseError):
        return None
    host = (ours.hostname or "").lower()
    if (host, port) != (theirs.host, theirs.port) or len(host) > 253 or not _HOST.fullmatch(host):
        return None
    scheme = ours.scheme
    if is_loopback(host):
        origin = f"{scheme}://{host}:{port}" if port is not None else f"{scheme}://{host}"
    elif scheme == "https" and port in (None, 443):
        origin = f"https://{host}"
    else:
        return None
    query = f"?{ours.query}" if ours.query else ""
    return ControlUrl(host, origin, f"{ours.path or '/'}{query}")


def may_be_called(url: str, hosts: str) -> bool:
    """Whether a control URL is well-formed and its host is allowed.

    hosts: comma-separated names; `*.vapi.ai` stands for all names below `vapi.ai`.
    """
    parts = read_url(url)
    return parts is not None and _is_allowed(parts, hosts)


def _is_allowed(parts: ControlUrl, hosts: str) -> bool:
    patterns = [part.strip().lower() for part in hosts.split(",") if part.strip()]
    return any(fnmatchcase(parts.host, pattern) for pattern in patterns)


def post_update(url: str, text: str, hosts: str, *, by: str = "add-message") -> None:
    """Send a sentence into the call, once. Raises ControlRefusedError; nothing is sent again.

    by: "add-message" adds a system message that the agent responds to; "say" speaks the sentence.
    """
    parts = read_url(url)
    if parts is None or not _is_allowed(parts, hosts):
        raise HostNotAllowedError("HOST_NOT_ALLOWED")
    command: dict[str, Any] = {"type": "say", "content": text}
    if by == "add-message":
        command = {
            "type": "add-message",
            "message": {"role": "system", "content": text},
            "triggerResponseEnabled": True,
        }
    try:
        with requests.post(
            str(parts), json=command, timeout=TIMEOUT_S, allow_redirects=False, stream=True
        ) as answer:  # stream: the body is not read
            status = answer.status_code
    except requests.RequestException as trouble:
        raise ControlRefusedError(type(trouble).__name__) from None
    if status >= 300:
        raise ControlRefusedError(f"HTTP_{status}")
