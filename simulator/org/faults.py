"""The faults of `PUT /_org/faults`: strict reading, and random draws.

docs/local-org.md documents the keys. An unknown key or value is refused by name, so that no test
relies on a fault that does not exist.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.org import ids
from simulator.org.errors import OrgError
from simulator.org.schema.catalog import OPERATIONS, Schema
from simulator.org.schema.model import Field
from simulator.org.soql.parser import Parser

RESOURCES = ("token", "query", "search", "sobjects", "composite", "collections", "limits")
BODIES = ("json", "html", "empty")
NEEDS = {
    "error_code": "status",
    "body": "status",
    "probability": "status",
    "lock_in_trigger": "lock_rows_s",
}
# Ratio between the 99th percentile and the median of a normal variable's exponent.
P99_DEVIATIONS = 2.326


class FaultError(Exception):
    """The control is not understood. keys: the keys that are wrong, each with a reason."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {text}" for key, text in problems.items()))
        self.keys = sorted(problems)


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses a record if the SOQL condition `when` holds after the write."""

    sobject: str
    when: str
    message: str
    field: str
    name: str


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """A value of a picklist. closed: whether records with this status are closed."""

    value: str
    default: bool = False
    closed: bool = False


Picklists = dict[str, tuple[PicklistValue, ...]]


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults in force. Probabilities are 0..1; seconds and milliseconds as the names say."""

    given: dict[str, Any] = field(default_factory=dict)
    latency_ms: tuple[float, float] | None = None
    hang: float = 0.0
    hang_after: float = 0.0
    refuse: float = 0.0
    lose_answer: float = 0.0
    status: int | None = None
    error_code: str = ""
    body: str = "json"
    probability: float = 1.0
    resources: frozenset[str] | None = None
    daily_left: int | None = None
    window: tuple[int, float] | None = None
    concurrent: int | None = None
    login_rate: int | None = None
    hide_fields: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    deny_records: frozenset[str] = frozenset()
    refuse_fields: frozenset[str] = frozenset()
    track_history: frozenset[str] = frozenset()
    picklists: Picklists = field(default_factory=dict)
    unique: dict[str, bool] = field(default_factory=dict)
    lock_rows_s: float = 0.0
    lock_in_trigger: bool = False
    max_query_chars: int | None = None
    max_page_rows: int | None = None
    crlf_text: bool = False
    clock_offset_s: float = 0.0
    expire_tokens: bool = False
    rotate_refresh_tokens: bool = False
    search_lag_s: float = 0.0
    validation_rules: tuple[ValidationRule, ...] = ()
    duplicate_rule: str = ""
    assignment_rule: str = ""
    jwt_public_key: str = ""

    def touches(self, resource: str) -> bool:
        """Whether latency, hang, refuse, lose_answer and status apply to this resource."""
        return self.resources is None or resource in self.resources

    def delay_s(self, dice: random.Random) -> float:
        """One latency: fixed, or log-normal with the given median and 99th percentile."""
        if self.latency_ms is None:
            return 0.0
        median, p99 = self.latency_ms
        if p99 <= median or median <= 0:
            return median / 1000
        sigma = math.log(p99 / median) / P99_DEVIATIONS
        return median * math.exp(sigma * dice.gauss(0, 1)) / 1000


def read_faults(given: object, schema: Schema) -> Faults:
    """The faults of a JSON object, for an org of this schema. Raises FaultError, which names every
    wrong key.
    """
    if not isinstance(given, dict):
        raise FaultError({"faults": "must be a JSON object"})
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for key, value in given.items():
        try:
            if key in READERS:
                values[key] = READERS[key](value)
            elif key in SCHEMA_READERS:
                values[key] = SCHEMA_READERS[key](value, schema)
            else:
                problems[key] = "is not a known fault"
        except (ValueError, TypeError, KeyError) as problem:
            problems[key] = str(problem) or "is not understood"
    for key, other in NEEDS.items():
        if key in values and other not in given:
            problems[key] = f"only means something together with {other}"
    if problems:
        raise FaultError(problems)
    return Faults(given=dict(given), **values)


def _probability(value: object) -> float:
    if isinstance(value, bool):
        return float(value)
    return _number(value, 0, 1)


def _number(value: object, low: float = 0, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if not low <= value <= high or not math.isfinite(value):
        raise ValueError(f"must be between {low} and {high}")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a whole number, 0 or more")
    return value


def _positive(value: object) -> int:
    number = _count(value)
    if not number:
        raise ValueError("must be 1 or more")
    return number


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _latency(value: object) -> tuple[float, float]:
    if isinstance(value, list):
        if len(value) != 2:
            raise ValueError("must be a number or [p50, p99]")
        median, p99 = _number(value[0]), _number(value[1])
        if p99 < median:
            raise ValueError("p99 must not be below p50")
        return median, p99
    number = _number(value)
    return number, number


def _status(value: object) -> int:
    number = _count(value)
    if not 300 <= number <= 599:
        raise ValueError("must be an HTTP status from 300 to 599")
    return number


def _one_of(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return read


def _resources(value: object) -> frozenset[str]:
    names = _strings(value)
    unknown = sorted(set(names) - set(RESOURCES))
    if unknown:
        raise ValueError(f"unknown resource {', '.join(unknown)}")
    return frozenset(names)


def _window(value: object) -> tuple[int, float]:
    if not isinstance(value, dict) or set(value) != {"requests", "seconds"}:
        raise ValueError('must be {"requests": n, "seconds": s}')
    seconds = _number(value["seconds"])
    if seconds <= 0:
        raise ValueError("seconds must be more than 0")
    return _count(value["requests"]), seconds


def _hidden(value: object, schema: Schema) -> tuple[str, ...]:
    """`Object.Field` names. A custom field that this org does not have counts as hidden."""
    names = _strings(value)
    for name in names:
        sobject, _, field_name = name.partition(".")
        known = schema.objects.get(sobject.lower())
        if known is None or not field_name:
            raise ValueError(f"unknown field {name}")
        if field_name.lower() not in known.by_name and not field_name.endswith("__c"):
            raise ValueError(f"unknown field {name}")
    return names


def _named_field(name: str, schema: Schema) -> Field:
    """The field of `Object.Field`. Raises ValueError."""
    found = schema.field(name)
    if found is None:
        raise ValueError(f"unknown field {name}")
    return found


def _field_names(value: object, schema: Schema) -> frozenset[str]:
    """`Object.Field` names, in lower case."""
    names = _strings(value)
    for name in names:
        _named_field(name, schema)
    return frozenset(name.lower() for name in names)


def _unique(value: object, schema: Schema) -> dict[str, bool]:
    if not isinstance(value, dict):
        raise ValueError('must be {"Object.Field": true or false}')
    for name in value:
        if not _named_field(name, schema).external_id:
            raise ValueError(f"{name} is not an External Id")
    return {name.lower(): _flag(unique) for name, unique in value.items()}


def _record_ids(value: object) -> frozenset[str]:
    found = {text: ids.normalise(text) for text in _strings(value)}
    for text, record_id in found.items():
        if record_id is None:
            raise ValueError(f"{text} is not a record id")
    return frozenset(filter(None, found.values()))


def _picklists(value: object, schema: Schema) -> Picklists:
    if not isinstance(value, dict):
        raise ValueError('must be {"Object.Field": [values]}')
    return {
        name.lower(): _picklist(_named_field(name, schema), name, values)
        for name, values in value.items()
    }


def _picklist(field: Field, name: str, given: object) -> tuple[PicklistValue, ...]:
    """The values of a picklist, with what `given` does not say filled in.

    Without a default, the seeded org's default is the default if it is among the values, else the
    first value. Without closed values, the seeded org's closed values are closed, else the last
    value: every status has an open and a closed value.
    """
    if field.kind not in ("picklist", "combobox") or not isinstance(given, list) or not given:
        raise ValueError(f"{name} must be a picklist with a list of values")
    values = [dict(value) if isinstance(value, dict) else {"value": value} for value in given]
    for value in values:
        if not isinstance(value.get("value"), str) or set(value) - {"value", "default", "closed"}:
            raise ValueError(f"a value of {name} must be text or have value, default and closed")
    if not any(value.get("default") for value in values):
        usual = [value for value in values if value["value"] == field.default]
        (usual or values)[0]["default"] = True
    if not any("closed" in value for value in values):
        usual = [value for value in values if value["value"] in field.closed]
        for value in usual or values[-1:]:
            value["closed"] = True
    return tuple(
        PicklistValue(value["value"], bool(value.get("default")), bool(value.get("closed")))
        for value in values
    )


def _denied(value: object, schema: Schema) -> tuple[str, ...]:
    names = _strings(value)
    for name in names:
        sobject, _, operation = name.partition(".")
        if sobject.lower() not in schema.objects or operation not in OPERATIONS:
            raise ValueError(f"unknown operation {name}")
    return names


def _validation_rules(value: object, schema: Schema) -> tuple[ValidationRule, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of rules")
    return tuple(_validation_rule(rule, schema) for rule in value)


def _validation_rule(rule: object, schema: Schema) -> ValidationRule:
    if not isinstance(rule, dict) or not {"object", "when", "message"} <= set(rule):
        raise ValueError("a rule needs object, when and message")
    unknown = set(rule) - {"object", "when", "message", "field", "name"}
    sobject = schema.objects.get(str(rule["object"]).lower())
    if unknown or sobject is None:
        raise ValueError(f"unknown {', '.join(sorted(unknown)) or rule['object']} in a rule")
    parser = Parser(_string(rule["when"]))
    try:
        parser.condition()
        parser.end()
    except OrgError as problem:
        raise ValueError(f"when is not a SOQL condition: {problem}") from problem
    return ValidationRule(
        sobject.name,
        rule["when"],
        _string(rule["message"]),
        _string(rule.get("field", "")),
        _string(rule.get("name", "A_Rule")),
    )


READERS: dict[str, Callable[[object], Any]] = {
    "latency_ms": _latency,
    "hang": _probability,
    "hang_after": _probability,
    "refuse": _probability,
    "lose_answer": _probability,
    "status": _status,
    "error_code": _string,
    "body": _one_of(*BODIES),
    "probability": _probability,
    "resources": _resources,
    "daily_left": _count,
    "window": _window,
    "concurrent": _count,
    "login_rate": _count,
    "deny_records": _record_ids,
    "lock_rows_s": _number,
    "lock_in_trigger": _flag,
    "max_query_chars": _positive,
    "max_page_rows": _positive,
    "crlf_text": _flag,
    "clock_offset_s": lambda value: _number(value, -math.inf),
    "expire_tokens": _flag,
    "rotate_refresh_tokens": _flag,
    "search_lag_s": _number,
    "duplicate_rule": _one_of("alert", "block"),
    "assignment_rule": _string,
    "jwt_public_key": _string,
}

# Their values name objects and fields, so they are checked against the org's schema.
SCHEMA_READERS: dict[str, Callable[[Any, Schema], Any]] = {
    "hide_fields": _hidden,
    "deny": _denied,
    "refuse_fields": _field_names,
    "track_history": _field_names,
    "picklists": _picklists,
    "unique": _unique,
    "validation_rules": _validation_rules,
}
