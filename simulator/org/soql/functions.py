"""Functions of SELECT, GROUP BY, HAVING and WHERE: aggregates and the parts of a date.

Dates are stored as text of one width, so their parts are substrings. Weeks count from January 1
[K].
"""

from dataclasses import dataclass

from simulator.org.errors import OrgError
from simulator.org.schema.model import NUMBER_KINDS
from simulator.org.soql.lexer import malformed, query_error
from simulator.org.soql.scope import Column, Scope
from simulator.org.soql.tree import Call, Path

AGGREGATES = {
    "COUNT": "count({})",
    "COUNT_DISTINCT": "count(DISTINCT {})",
    "SUM": "sum({})",
    "AVG": "avg({})",
    "MIN": "min({})",
    "MAX": "max({})",
}
NUMERIC_AGGREGATES = frozenset({"SUM", "AVG"})

_MONTH = "CAST(substr({0}, 6, 2) AS INTEGER)"
_QUARTER = f"({_MONTH} + 2) / 3"
_YEAR = "CAST(substr({0}, 1, 4) AS INTEGER)"
DATE_FUNCTIONS = {
    "CALENDAR_YEAR": _YEAR,
    "CALENDAR_QUARTER": _QUARTER,
    "CALENDAR_MONTH": _MONTH,
    "FISCAL_YEAR": _YEAR,
    "FISCAL_QUARTER": _QUARTER,
    "FISCAL_MONTH": _MONTH,
    "DAY_IN_MONTH": "CAST(substr({0}, 9, 2) AS INTEGER)",
    "DAY_IN_WEEK": "CAST(strftime('%w', substr({0}, 1, 10)) AS INTEGER) + 1",
    "DAY_IN_YEAR": "CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER)",
    "WEEK_IN_MONTH": "(CAST(substr({0}, 9, 2) AS INTEGER) + 6) / 7",
    "WEEK_IN_YEAR": "(CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER) + 6) / 7",
    "HOUR_IN_DAY": "CAST(substr({0}, 12, 2) AS INTEGER)",
    "DAY_ONLY": "substr({0}, 1, 10)",
}
DATETIME_ONLY = frozenset({"HOUR_IN_DAY", "DAY_ONLY"})
# They change how a value is shown, for another locale or currency than this org's only one.
PRESENTATION = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})


@dataclass(frozen=True, slots=True)
class Computed:
    """A function resolved to SQL. kind: of its value. aggregate: it works over a group."""

    sql: str
    kind: str
    aggregate: bool
    column: Column | None


def compute(scope: Scope, call: Call) -> Computed:
    """Resolve a function call. Raises MALFORMED_QUERY for one that is unknown or misapplied."""
    if call.name in AGGREGATES:
        return _aggregate(scope, call)
    if call.name in DATE_FUNCTIONS:
        column = _date_argument(scope, call)
        kind = "date" if call.name == "DAY_ONLY" else "int"
        return Computed(f"({DATE_FUNCTIONS[call.name].format(column.sql)})", kind, False, column)
    raise malformed(scope.text, call.position, f"unknown function: {call.name}")


def _aggregate(scope: Scope, call: Call) -> Computed:
    if not isinstance(call.argument, Path):
        raise malformed(scope.text, call.position, f"unexpected token: '{call.name}'")
    column = scope.column(call.argument)
    kind = column.field.kind
    numeric = kind in NUMBER_KINDS
    refused = kind in ("boolean", "address", "base64", "multipicklist") and call.name != "COUNT"
    if refused or not column.field.filterable or (call.name in NUMERIC_AGGREGATES and not numeric):
        raise query_error(
            "INVALID_FIELD",
            scope.text,
            call.argument.position,
            f"field {column.field.name} does not support aggregate operator {call.name}",
        )
    result = {"COUNT": "int", "COUNT_DISTINCT": "int", "AVG": "double"}.get(call.name, kind)
    argument = column.comparable if call.name in ("COUNT_DISTINCT", "MIN", "MAX") else column.sql
    return Computed(AGGREGATES[call.name].format(argument), result, True, column)


def _date_argument(scope: Scope, call: Call) -> Column:
    argument = call.argument
    if isinstance(argument, Call) and argument.name == "CONVERTTIMEZONE":
        argument = argument.argument
    if not isinstance(argument, Path):
        raise malformed(scope.text, call.position, f"unexpected token: '{call.name}'")
    column = scope.column(argument)
    allowed = ("datetime",) if call.name in DATETIME_ONLY else ("date", "datetime")
    if column.field.kind not in allowed:
        raise query_error(
            "INVALID_FIELD",
            scope.text,
            argument.position,
            f"field {column.field.name} does not support operator {call.name}",
        )
    return column


def presented(call: Call) -> Path | None:
    """The field inside a presentation function such as toLabel(Status); None for others."""
    if call.name in PRESENTATION and isinstance(call.argument, Path):
        return call.argument
    return None


def not_groupable(text: str, name: str, position: int) -> OrgError:
    return query_error(
        "INVALID_FIELD", text, position, f"field '{name}' can not be grouped in a query call"
    )
