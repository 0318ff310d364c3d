"""No value leaves its literal: a statement has the tokens of its template, and the values."""

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.salesforce.soql import columns, soql
from tests.fuzz.running import for_all
from tests.fuzz.soql_reader import Literal, NotSoqlError, tokens

TEXTS = st.text() | st.sampled_from(
    [
        "'", "\\", "\\'", "' OR Id != '", "x') OR (Name LIKE '%", "\\\\'", "\n", "\r\n", "{b}",
        "{", "}}", "\u0000", "\u2028", "'' ''", '"', "%_", "\\u0027", "\b\f\t", "null", "--", "/*",
    ]
)  # fmt: skip
SCALARS: st.SearchStrategy[Any] = (
    TEXTS | st.booleans() | st.none() | st.integers() | st.floats() | st.dates()
    | st.datetimes(timezones=st.timezones() | st.just(UTC))
)  # fmt: skip
VALUES = SCALARS | st.lists(SCALARS, min_size=1, max_size=4)


def expected(value: Any) -> list[str | Literal]:
    """The tokens of a value."""
    if isinstance(value, list):
        parts = [token for item in value for token in (",", *expected(item))]
        return ["(", *parts[1:], ")"]
    if isinstance(value, datetime):
        return [Literal(value.replace(microsecond=0).astimezone(UTC))]
    return [Literal(value)]


def is_writable(value: Any) -> bool:
    """Whether SOQL has a literal for it."""
    if isinstance(value, list):
        return all(map(is_writable, value))
    if isinstance(value, datetime):
        try:
            value.replace(microsecond=0).astimezone(UTC)
        except OverflowError:
            return False
    return not isinstance(value, float) or math.isfinite(value)


def parts(found: list[str | Literal]) -> list[Any]:
    """With the types, since 1 == True == 1.0 in Python, and with signs apart."""
    return [
        part
        for token in found
        for part in ([(type(token.value), token.value)] if isinstance(token, Literal) else token)
    ]


def test_any_value_stays_in_its_literal() -> None:
    def check(values: tuple[Any, Any, Any]) -> None:
        first, second, third = values
        template = "SELECT Id FROM Case WHERE (A = {a} AND B IN {b}) OR C >= {c} LIMIT 7"
        try:
            statement = soql(template, a=first, b=second, c=third)
        except ValueError:
            assert not all(map(is_writable, values))
            return
        assert all(map(is_writable, values))
        whole = [
            *("SELECT", "Id", "FROM", "Case", "WHERE", "(", "A", "="), *expected(first),
            *("AND", "B", "IN"), *expected(second), *(")", "OR", "C", ">="), *expected(third),
            "LIMIT", Literal(7),
        ]  # fmt: skip
        assert parts(tokens(statement)) == parts(whole)

    for_all(st.tuples(VALUES, VALUES, VALUES), check, count=300)


def test_only_names_are_columns() -> None:
    def check(names: list[str]) -> None:
        try:
            written = columns(tuple(names))
        except ValueError:
            return
        assert written.split(", ") == names
        listed: list[str | Literal] = [part for name in names for part in (",", name)]
        assert parts(tokens(written)) == parts(listed[1:])

    some = st.text(max_size=8) | st.from_regex(r"[A-Za-z][A-Za-z0-9_.]*", fullmatch=True)
    names = some.filter(lambda name: name not in ("true", "false", "null"))
    for_all(st.lists(names, min_size=1, max_size=3), check, count=150)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("'a'", [Literal("a")]),
        (r"'a\'b'", [Literal("a'b")]),
        (r"'a\\'", [Literal("a\\")]),
        (r"'\n\t'", [Literal("\n\t")]),
        ("A IN (1,2.5)", ["A", "IN", "(", Literal(1), ",", Literal(2.5), ")"]),
        ("2026-11-22", [Literal(date(2026, 11, 22))]),
        ("true", [Literal(True)]),
    ],
)
def test_the_reader_of_these_tests_reads_what_the_reference_says(
    text: str, right: list[str | Literal]
) -> None:
    assert tokens(text) == right


@pytest.mark.parametrize("text", ["'", r"'\'", "'a\nb'", r"'\x'", "inf'", "a;b"])
def test_the_reader_refuses_what_is_no_soql(text: str) -> None:
    with pytest.raises(NotSoqlError):
        tokens(text)
