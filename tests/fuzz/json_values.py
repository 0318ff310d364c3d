"""JSON of any kind, and JSON that looks like Vapi's messages."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from tests.payloads import BARE_REPORT, ODD, OTHERS, REPORT, nested, paths

PAYLOADS: list[dict[str, Any]] = [*OTHERS, REPORT, BARE_REPORT]

Json = st.SearchStrategy[Any]


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _values(inside)
    else:
        yield value


KEYS = sorted({str(key) for payload in PAYLOADS for path in paths(payload) for key in path})
WORDS = sorted({value for value in _values(PAYLOADS) if isinstance(value, str)})
"""The keys and the texts of Vapi's messages: what a reader looks for."""

SPOKEN = [
    "Never mind, cancel that.", "+14155550101", "+1415555010١", "anonymous", "K7M 2QX", "0" * 100,
    "00001026", "2026-11-22", "25:61", "NaN", "Infinity", "1e999", "-0", "billing", "a@b.example",
    "a@" + "b." * 130 + "c", "' OR Id != '", "@{ref}", "{caller.number}", "\u202e", "\U0001f600",
    "x" * 5_000, "é" * 300, "\x00", "{", '{"a": "\\ud800"}', '{"a": NaN}', "[" * 2_000,
]  # fmt: skip
"""What a caller, a model or a carrier may put in."""


_TEXTS = st.sampled_from([*WORDS, *SPOKEN]) | st.text(max_size=40)
_SCALARS: Json = (
    st.none() | st.booleans() | st.integers() | st.integers(10**9, 10**13) | st.floats() | _TEXTS
    | st.sampled_from(list(map(json.dumps, ODD))).map(json.loads)  # anew, not the same objects
)  # fmt: skip
_KEYS = st.sampled_from(KEYS) | st.text(max_size=10)
_JSON: Json = st.recursive(
    _SCALARS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(_KEYS, inside, max_size=5),
    max_leaves=12,
)
_NESTED = st.builds(nested, _SCALARS, st.integers(1, 900), st.sampled_from(["", "a", "summary"]))


# Composite, because Hypothesis writes out a strategy that is none, with every text in it.


@st.composite
def any_json(draw: st.DrawFn) -> Any:
    """Of any shape, often under keys of Vapi's; sometimes nested deeply."""
    return draw(_NESTED if draw(st.integers(0, 19)) == 7 else _JSON)


@st.composite
def spoken(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(SPOKEN))


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message of Vapi's in which some values are others, or one with parts of another."""
    made: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(PAYLOADS))))
    if draw(st.booleans()):
        other = draw(st.sampled_from(PAYLOADS))
        for key in draw(st.lists(st.sampled_from(sorted(other)), max_size=3)):
            made[key] = json.loads(json.dumps(other[key]))
    places = st.sampled_from(list(paths(made)))
    for path, value in draw(st.lists(st.tuples(places, any_json()), max_size=4)):
        with suppress(
            KeyError, IndexError, TypeError
        ):  # another value has taken its holder's place
            holder: Any = made
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
    return made


def envelopes() -> Json:
    """What a body may hold: a message in its envelope or without one, or anything else."""
    enveloped = st.fixed_dictionaries({"message": messages()})
    return enveloped | enveloped | messages() | any_json()
