"""An intent as commands print it: a line or a JSON object, without personal data unless asked."""

import json
from dataclasses import asdict

from cli.times import iso, local
from shared.domain.intent import Intent
from shared.operators.masking import masked

MAX_SHOWN = 200


def printed(intent: Intent, *, as_json: bool, reveal: bool) -> str:
    """A line, or the JSON object in one line."""
    if as_json:
        return json.dumps(as_object(intent, reveal=reveal), ensure_ascii=False)
    return as_line(intent, reveal=reveal)


def as_object(intent: Intent, *, reveal: bool = False) -> dict[str, object]:
    """Without what callers said and asked for. reveal: Salesforce's message with the values that
    it quotes."""
    return {
        "id": intent.id,
        "kind": intent.kind,
        "state": intent.state,
        "tool": intent.tool,
        "call_id": intent.call_id,
        "trace_id": intent.trace,
        "org": intent.org,
        "reference": intent.reference,
        "accepted_at": iso(intent.accepted_at_ms),
        "settled_at": iso(intent.settled_at_ms) if intent.settled_at_ms else None,
        "attempts": intent.attempts,
        "refusals": intent.refusals,
        "reason": intent.reason,
        "detail": _detail(intent, reveal=reveal),
        "receipt": asdict(intent.receipt) if intent.receipt else None,
    }


def as_line(intent: Intent, *, reveal: bool = False) -> str:
    """With the time by this machine's clock."""
    columns = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        local(intent.settled_at_ms or intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
        _shortened(_detail(intent, reveal=reveal)),
    ]
    return "  ".join(columns).rstrip()


def _detail(intent: Intent, *, reveal: bool) -> str:
    return intent.detail if reveal else masked(intent.detail, intent.payload)


def _shortened(detail: str) -> str:
    """Salesforce's message on one line; `show` prints all of it."""
    line = " ".join(detail.split())
    return line if len(line) <= MAX_SHOWN else line[:MAX_SHOWN] + "…"
