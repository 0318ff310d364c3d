"""Transcripts too long for their Task: a text file on it, created once under a key of ours.

A ContentVersion is never updated, so it is created and not upserted. Its key may not be unique
(records.UNIQUE): when an attempt may have arrived, the file rests until it must be visible, and is
then looked for by the key. Where the org has made the key unique, it refuses a second one, and what
was refused so is found by reading.
"""

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from shared.domain.drafts import TranscriptDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked, TryAgain
from shared.domain.kinds import SETTLED
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from workers.delivery.desk import REST_UNKEYED_MS, Desk
from workers.delivery.keyed import find_by_key
from workers.delivery.links import not_yet


def attach_transcripts(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    there = find_by_key(desk, "ContentVersion", intents, ("Id",))
    drafts = {one: cast(TranscriptDraft, one.draft) for one in intents}
    logs = desk.journal.get_many(draft.call_log_intent for draft in drafts.values())
    records: dict[Intent, dict[str, Any]] = {}
    for intent in intents:
        draft = drafts[intent]
        call_log = logs.get(draft.call_log_intent)
        if intent.id in there:
            outcomes.append(Delivered(intent.id, there[intent.id]["Id"]))
        elif call_log and call_log.receipt:
            records[intent] = {
                "Title": f"Transcript of call {draft.call_id}"[:255],
                "PathOnClient": f"call-{draft.call_id}.txt"[:255],
                "VersionData": base64.b64encode(draft.transcript.encode()).decode(),
                "FirstPublishLocationId": call_log.receipt.record_id,
            }
        elif call_log and call_log.state not in SETTLED:
            outcomes.append(not_yet(intent, "TASK_NOT_YET"))
        else:
            outcomes.append(Parked(intent.id, "TASK_PARKED", follows=draft.call_log_intent))
    if not records:
        return outcomes
    files = [(one.id, fields) for one, fields in records.items()]
    try:
        written = desk.records.create_each("ContentVersion", files, still_wanted=desk.holds_lease)
    except WithdrawnError:
        return outcomes  # somebody else's by now
    except SalesforceError as error:
        failed = [desk.failed(one, error, may_be_there=error.ambiguous) for one in records]
        return outcomes + [_rested(one) for one in failed]
    settled = [desk.written(one, item) for one, item in zip(records, written, strict=True)]
    return outcomes + [_rested(one) for one in settled]


def _rested(outcome: Outcome) -> Outcome:
    if isinstance(outcome, TryAgain) and outcome.unsure:
        return replace(outcome, rest_ms=max(REST_UNKEYED_MS, outcome.rest_ms))
    return outcome
