"""Everything that is stored of a person, as one JSON document that answers their request."""

import json
from collections.abc import Iterable
from typing import Any

from cli.person import families
from cli.person.families import Key
from cli.person.finding import Person
from cli.person.scanning import read_many, read_whole
from cli.times import iso
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

LEFT_OUT = frozenset({"control_url", "control_origin"})
"""Fields of a call that control it while it lasts, and say nothing of the person."""

ELSEWHERE = (
    "This is what vapi-salesforce itself stores. Salesforce, Vapi, Twilio, log files and backups "
    "have data of their own: see docs/personal-data.md."
)


def document(store: Any, person: Person) -> dict[str, Any]:
    with translated():
        at_ms = now_ms(store)
    values = {key.name: (key, read_whole(store, key)) for key in person.keys.values()}
    found = [(key, value) for key, value in values.values() if value is not None]
    calls = {call_id: _call(call_id, person, found) for call_id in sorted(person.calls)}
    of_calls = {name for call in calls.values() for name in call["keys"]}
    return {
        "number": person.number,
        "exported_at": iso(at_ms),
        "scope": ELSEWHERE,
        "snapshots": [
            _object(value)
            for key, value in found
            if key.family == families.SNAPSHOT and person.number in key.parts
        ],
        "calls": [_without_names(call) for call in calls.values()],
        "writes": [_intent(intent_id, row) for intent_id, row in _rows(store, person)],
        "contact_writes": _writes(person, families.CONTACT_WRITES),
        "record_writes": _writes(person, families.RECORD_WRITES),
        "other": {
            key.name: _object(value)
            for key, value in found
            if key.name not in of_calls and key.family != families.SNAPSHOT
        },
        "entries_in_shared_keys": sorted(person.shared_keys),
        "mentioned_in_writes_of_others": sorted(person.mentioned_in),
    }


def _writes(person: Person, family: str) -> list[Any]:
    return [
        _object(text)
        for key, entries in person.writes.items()
        if key.family == family
        for text in entries
    ]


def _call(call_id: str, person: Person, found: Iterable[tuple[Key, Any]]) -> dict[str, Any]:
    """A part for each family: the call's own hash is "state", a stored answer is one of a list."""
    call: dict[str, Any] = {
        "id": call_id,
        "number_is_verified": person.calls[call_id],
        "provider_ids": person.provider_ids.get(call_id, []),
        "keys": [],
    }
    for key, value in found:
        if call_id not in key.parts[:1] and key.parts[0] not in call["provider_ids"]:
            continue
        match key.family:
            case families.CALL:
                call["state"] = {name: text for name, text in value.items() if name not in LEFT_OUT}
            case families.TRANSCRIPT:
                spoken = [_object(text) for text in value.values()]
                call["transcript"] = sorted(spoken, key=_said_at)
            case families.ANSWER | families.MESSAGE:
                call.setdefault("answers", []).append(_object(value))
            case families.CALL_OF:
                pass  # provider_ids says the same
            case _ if key.family.startswith("vs:call:"):
                call[key.name.rpartition(":")[2]] = _object(value)
            case _:
                continue
        call["keys"].append(key.name)
    return call


def _without_names(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "keys"}


def _rows(store: Any, person: Person) -> list[tuple[str, dict[str, str]]]:
    names = sorted(f"{REDIS_PREFIX}intent:{intent_id}" for intent_id in person.intent_ids)
    rows = read_many(store, names, lambda pipe, name: pipe.hgetall(name))
    found = [(name.removeprefix(f"{REDIS_PREFIX}intent:"), row) for name, row in rows if row]
    return sorted(found, key=lambda item: item[1].get("accepted", ""))


def _intent(intent_id: str, row: dict[str, str]) -> dict[str, Any]:
    """A row as it is stored: what was asked for, what the agent said, what Salesforce answered."""
    return {"id": intent_id} | {name: _object(text) for name, text in row.items()}


def _object(value: Any) -> Any:
    """The JSON object or list in a text, at any depth of a stored value; else the value itself."""
    if isinstance(value, dict):
        return {name: _object(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_object(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _said_at(utterance: Any) -> float:
    at_ms = utterance.get("at_ms") if isinstance(utterance, dict) else None
    return at_ms if isinstance(at_ms, int | float) else 0
