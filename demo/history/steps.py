"""The steps of a recording, and their form as lines of JSON.

No step has personal data: callers are numbered, and texts are digests. Times are seconds since the
recording began, on one monotonic clock.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import GenericAlias
from typing import Any, get_type_hints

WRITE, LOOKUP, STATUS, REPORT = "write", "lookup", "status", "report"
FOUND, NOT_LOOKED_UP, REFUSED, DONE = "found", "not looked up", "refused", "done"


class BrokenRecordingError(Exception):
    """The file is not a complete recording. The text names the line and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request was sent. Each delivery of a request is a step of its own.

    request: the id of the tool call, or of the report. sort: write, lookup, status (a lookup that
    shows the newest case of the caller) or report.
    value: for a change of a record, the digest of the text that the record has afterwards.
    """

    at: float
    request: str
    call: str
    caller: str
    tool: str
    sort: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The caller was promised a write, under this reference."""

    at: float
    request: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The caller got an answer that promises nothing.

    result: found, not looked up, refused, or done for a report. shows: references and case numbers
    in the answer to a lookup.
    """

    at: float
    request: str
    result: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The journal settled an intent. leases: how often a worker leased it until then.

    record, number: of the receipt, "" without one. reason: why it was parked or cancelled.
    """

    at: float
    intent: str
    call: str
    reference: str
    kind: str
    state: str
    leases: int
    record: str = ""
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The org has a record that the service wrote. call: the id of the call that it logs, else "".
    values: see Asked.value."""

    at: float
    sobject: str
    record: str
    key: str = ""
    reference: str = ""
    call: str = ""
    values: tuple[str, ...] = ()


Step = Asked | Accepted | Answered | Settled | Record

FORMS: dict[str, type[Step]] = {
    "asked": Asked,
    "accepted": Accepted,
    "answered": Answered,
    "settled": Settled,
    "record": Record,
}
NAMES = {form: name for name, form in FORMS.items()}
END = "end"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write(path: Path, steps: Iterable[Step]) -> None:
    """A line for each step, in the order of time, and a last line with their number."""
    ordered = sorted(steps, key=lambda step: step.at)
    with path.open("w", encoding="utf-8") as lines:
        for step in ordered:
            lines.write(json.dumps({"step": NAMES[type(step)]} | _stated(step)) + "\n")
        lines.write(json.dumps({"step": END, "steps": len(ordered)}) + "\n")


def read(path: Path) -> list[Step]:
    """Raises BrokenRecordingError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    steps: list[Step] = []
    for nth, line in enumerate(lines, 1):
        try:
            given = json.loads(line)
            name = given.pop("step")
            if name == END:
                _check_end(nth, len(lines), given, len(steps))
                return steps
            steps.append(_read(name, given))
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise BrokenRecordingError(f"line {nth}: {wrong}") from wrong
        if len(steps) > 1 and steps[-1].at < steps[-2].at:
            raise BrokenRecordingError(f"line {nth}: earlier than the line before")
    raise BrokenRecordingError(f"line {len(lines)}: the recording has no end")


def _check_end(nth: int, count: int, given: dict[str, Any], steps: int) -> None:
    if given != {"steps": steps}:
        raise ValueError(f"the end counts {given.get('steps')} steps, and there are {steps}")
    if nth != count:
        raise ValueError("steps after the end")


def _stated(step: Step) -> dict[str, Any]:
    """The fields that differ from their default."""
    return {
        field.name: getattr(step, field.name)
        for field in dataclasses.fields(step)
        if getattr(step, field.name) != field.default
    }


def _read(name: str, given: dict[str, Any]) -> Step:
    form = FORMS.get(name)
    if form is None:
        raise ValueError(f"no step is called {name!r}")
    for field, wanted in get_type_hints(form).items():
        if field in given:
            given[field] = _value(field, given[field], wanted)
    return form(**given)


def _value(field: str, value: Any, wanted: Any) -> Any:
    if isinstance(wanted, GenericAlias):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif wanted is float and type(value) is int:
        return float(value)
    elif type(value) is wanted:
        return value
    raise ValueError(f"{field} is {value!r}")
