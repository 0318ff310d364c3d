"""The page *Audit*: who did what and when, and its export."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict

from flask import Response, request
from flask.typing import ResponseReturnValue

from shared.operators.audit import MAX_ENTRIES, Audit
from web.console.access import blueprint, service
from web.console.rendering import page

PAGE = 100

_ENTRY_ID = re.compile(r"[0-9]{1,16}-[0-9]{1,16}")
"""The id of an entry of a Redis stream. The store refuses a command with anything else."""


@blueprint.get("/audit")
def audit() -> ResponseReturnValue:
    before = request.args.get("before", "")
    if not _ENTRY_ID.fullmatch(before):
        before = ""
    entries = Audit(service().store).newest(PAGE, before)
    next_ = entries[-1].id if len(entries) == PAGE else ""
    return page("audit", entries=entries, next=next_, limit=MAX_ENTRIES)


@blueprint.get("/audit.jsonl")
def audit_export() -> ResponseReturnValue:
    """All of it, an entry a line, newest first."""
    entries = Audit(service().store)

    def lines() -> Iterator[str]:
        for entry in entries.all():
            yield json.dumps(asdict(entry), ensure_ascii=False) + "\n"

    name = "attachment; filename=audit.jsonl"
    headers = {"Content-Disposition": name}
    return Response(lines(), mimetype="application/jsonl", headers=headers)
