"""Reads a row of the journal as an Intent. An unreadable row does not affect any other."""

import json
from dataclasses import replace
from typing import Any

from shared.domain.intent import Intent, Receipt
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError, read_json
from shared.domain.trace import trace_of_call


def read_payload(stored: Any) -> dict[str, Any] | None:
    """An intent's draft alone, which is a fraction of the work; None where it can't be read."""
    try:
        payload = json.loads(stored)
    except (ValueError, TypeError):
        return None
    return payload if isinstance(payload, dict) else None


def read_row(intent_id: str, stored: Any) -> Intent:
    """Never raises: the intent's `unreadable` names the first field that can't be read.

    stored: the hash, or the value that lies there instead of a hash.
    """
    row: dict[str, str] = stored if isinstance(stored, dict) else {"kind": "", "state": ""}
    wrong: list[str] = []

    def number(name: str) -> int:
        try:
            return int(row.get(name) or 0)
        except ValueError:
            wrong.append(name.upper())
            return 0

    def parsed(name: str, kind: type, default: str) -> Any:
        try:
            value = json.loads(row.get(name) or default)
        except ValueError:
            value = None
        if isinstance(value, kind):
            return value
        wrong.append(name.upper())
        return kind()

    def receipt() -> Receipt | None:
        try:
            if not row.get("receipt"):
                return None
            read = read_json(Receipt, row["receipt"])
            return replace(read, at_ms=read.at_ms or number("settled"))
        except UnreadableError:
            wrong.append("RECEIPT")
            return None

    kind, state = Kind(row.get("kind", "")), State(row.get("state", ""))
    if not isinstance(stored, dict):
        wrong.append("ROW")
    elif not kind.is_known:
        wrong.append("KIND")
    elif not state.is_known:
        wrong.append("STATE")
    if "payload" not in row:
        wrong.append("PAYLOAD")
    return Intent(
        id=intent_id,
        kind=kind,
        state=state,
        call_id=row.get("call", ""),
        tool=row.get("tool", ""),
        reference=row.get("reference", ""),
        schema=number("schema"),
        payload=parsed("payload", dict, "{}"),
        accepted_at_ms=number("accepted"),
        attempts=number("attempts"),
        refusals=number("refusals"),
        in_doubt=row.get("in_doubt") == "1",
        reason=row.get("reason", ""),
        detail=row.get("detail", ""),
        said=row.get("said", ""),
        fingerprint=row.get("fingerprint", ""),
        requested_at_ms=number("requested_at"),
        message=row.get("message", ""),
        org=row.get("org", ""),
        agent=row.get("agent", ""),
        settled_at_ms=number("settled") or None,
        amended_at_ms=number("amended"),
        omit_fields=tuple(parsed("omit_fields", list, "[]")),
        receipt=receipt(),
        parts=tuple(map(str, parsed("parts", list, "[]"))),
        trace=row.get("trace") or trace_of_call(row.get("call", "")),
        unreadable=wrong[0] if wrong else "",
    )
