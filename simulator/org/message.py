"""Requests and answers without HTTP, so that a composite can make its own."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from simulator.org.errors import json_parser


@dataclass(slots=True)
class Call:
    """One request. path: raw (still percent-encoded), starts with `/services/`; no double slashes.

    headers: lower-case names. body: bytes as received, or an already parsed JSON value.
    base_url: scheme and host that the client used.
    """

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = b""
    base_url: str = ""

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]

    def json(self) -> Any:
        """The parsed body. Raises JSON_PARSER_ERROR."""
        if not isinstance(self.body, bytes):
            return self.body
        try:
            return json.loads(self.body)
        except RecursionError:
            raise json_parser("The body is nested too deeply") from None
        except ValueError as problem:
            where = getattr(problem, "lineno", 1), getattr(problem, "colno", 1)
            raise json_parser(
                f"Unexpected character at [line:{where[0]}, column:{where[1]}]"
            ) from problem

    def form(self) -> dict[str, str]:
        """The body as a form, with the parameters of the address."""
        text = self.body.decode("utf-8", "replace") if isinstance(self.body, bytes) else ""
        return self.params | dict(parse_qsl(text, keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    """An answer. body: a JSON value, bytes of the `content_type`, or None for nothing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Raw path without double or trailing slashes, and the parameters, of a request target."""
    # A lone surrogate (possible in a composite's JSON) has no bytes: it becomes a question mark.
    path, _, query = target.encode("utf-8", "replace").decode().partition("?")
    parts = [part for part in path.split("/") if part]
    return "/" + "/".join(parts), dict(parse_qsl(query, keep_blank_values=True))
