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
from workers.delivery.context import REST_UNKEYED_MS, DeliveryContext
from workers.delivery.create_once import find_by_key
from workers.delivery.links import not_yet

MAX_TITLE = 255


def attach_transcripts(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    existing = find_by_key(context, "ContentVersion", intents, ("Id",))
    drafts = {entry: cast(TranscriptDraft, entry.draft) for entry in intents}
    logs = context.journal.get_many(draft.call_log_intent for draft in drafts.values())
    records: dict[Intent, dict[str, Any]] = {}
    for intent in intents:
        draft = drafts[intent]
        call_log = logs.get(draft.call_log_intent)
        if intent.id in existing:
            outcomes.append(Delivered(intent.id, existing[intent.id]["Id"]))
        elif call_log and call_log.receipt:
            records[intent] = {
                "Title": _title(context, draft),
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
    files = [(key.id, fields) for key, fields in records.items()]
    try:
        written = context.records.create_each(
            "ContentVersion", files, still_wanted=context.holds_lease
        )
    except WithdrawnError:
        return outcomes + context.withdrawn(records)
    except SalesforceError as error:
        failed = [context.failed(record, error, may_exist=error.ambiguous) for record in records]
        return outcomes + [_rested(entry) for entry in failed]
    settled = [context.written(record, item) for record, item in zip(records, written, strict=True)]
    return outcomes + [_rested(entry) for entry in settled]


def _title(context: DeliveryContext, draft: TranscriptDraft) -> str:
    call = draft.call_id[:MAX_TITLE]
    return context.sentences.for_staff("record-transcript-title", call=call)[:MAX_TITLE]


def _rested(outcome: Outcome) -> Outcome:
    if isinstance(outcome, TryAgain) and outcome.in_doubt:
        return replace(outcome, rest_ms=max(REST_UNKEYED_MS, outcome.rest_ms))
    return outcome
