"""WHERE and HAVING to SQL. A comparison with an empty field is false, its negation true, as in
SOQL: `!=`, NOT IN and NOT also find records whose field is empty.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.org import ids
from simulator.org.clock import read_datetime, write_datetime
from simulator.org.errors import OrgError
from simulator.org.records.values import read_time
from simulator.org.schema.model import NUMBER_KINDS
from simulator.org.soql import dates
from simulator.org.soql.functions import compute
from simulator.org.soql.lexer import malformed, query_error
from simulator.org.soql.scope import Scope, unsupported_type
from simulator.org.soql.tree import Call, Comparison, Condition, Literal, Logical, Not, Path, Query

ID_KINDS = ("id", "reference")
LIST_OPERATORS = ("IN", "NOT IN")
SET_OPERATORS = ("INCLUDES", "EXCLUDES")
_CASELESS = re.compile(r"[%_0-9 +().-]*")


@dataclass(frozen=True, slots=True)
class Operand:
    """The left side of a comparison. sql: with the field's collation; plain: without."""

    sql: str
    plain: str
    kind: str
    name: str
    filterable: bool


@dataclass(slots=True)
class Conditions:
    """Collects the parameters of one clause in the order of their placeholders.

    is_inner: the clause of a semi join.
    """

    scope: Scope
    now: datetime
    aggregates: bool = False
    params: list[Any] = field(default_factory=list)
    in_or: bool = False
    is_inner: bool = False
    depth: int = 0

    def sql(self, condition: Condition) -> str:
        if isinstance(condition, Not):
            self.depth += 1
            negated = f"NOT ifnull(({self.sql(condition.condition)}), 0)"
            self.depth -= 1
            return negated
        if isinstance(condition, Logical):
            outer = self.in_or
            self.in_or = outer or condition.operator == "OR"
            self.depth += 1
            parts = [self.sql(inner) for inner in condition.conditions]
            self.depth -= 1
            self.in_or = outer
            return _joined(condition.operator, parts)
        return self.comparison(condition)

    def comparison(self, comparison: Comparison) -> str:
        operand = self.operand(comparison.left)
        if not operand.filterable:
            raise self.refusal(
                comparison, f"field '{operand.name}' can not be filtered in a query call"
            )
        if isinstance(comparison.value, Query):
            return self.semi_join(operand, comparison, comparison.value)
        if isinstance(comparison.value, tuple):
            return self.list_comparison(operand, comparison, comparison.value)
        if comparison.value.kind == "range":
            return self.span_comparison(operand, comparison, comparison.value)
        if comparison.operator == "LIKE":
            return self.like(operand, comparison, comparison.value)
        return self.plain_comparison(operand, comparison, comparison.value)

    def operand(self, left: Path | Call) -> Operand:
        if isinstance(left, Path):
            column = self.scope.column(left)
            known = column.field
            return Operand(column.comparable, column.sql, known.kind, known.name, known.filterable)
        computed = compute(self.scope, left)
        if computed.aggregate and not self.aggregates:
            raise malformed(
                self.scope.text, left.position, f"Aggregate function not allowed here: {left.name}"
            )
        return Operand(computed.sql, computed.sql, computed.kind, left.name, True)

    def plain_comparison(self, operand: Operand, comparison: Comparison, literal: Literal) -> str:
        value = self.value(operand, comparison, literal)
        if comparison.operator == "=":
            if value is None:
                return f"{operand.plain} IS NULL"
            self.params.append(value)
            return f"{operand.sql} = ?"
        if comparison.operator == "!=":
            if value is None:
                return f"{operand.plain} IS NOT NULL"
            self.params.append(value)
            return f"({operand.plain} IS NULL OR {operand.sql} <> ?)"
        if operand.kind == "boolean" or value is None:
            raise query_error(
                "INVALID_QUERY_FILTER_OPERATOR",
                self.scope.text,
                comparison.position,
                f"invalid operator on {operand.kind} field"
                if value is not None
                else "invalid operator",
            )
        self.params.append(value)
        return f"{operand.sql} {comparison.operator} ?"

    def list_comparison(
        self, operand: Operand, comparison: Comparison, literals: tuple[Literal, ...]
    ) -> str:
        if comparison.operator in SET_OPERATORS and operand.kind == "multipicklist":
            return self.set_comparison(operand, comparison, literals)
        if comparison.operator not in LIST_OPERATORS:
            raise self.refusal(
                comparison,
                f"invalid operator on {operand.kind} field",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        values = [self.value(operand, comparison, literal) for literal in literals]
        given = [value for value in values if value is not None]
        has_null = len(given) < len(values)
        placeholders = ", ".join("?" * len(given))
        self.params += given
        null_sql = f"{operand.plain} IS NULL"
        if comparison.operator == "IN":
            listed = f"{operand.sql} IN ({placeholders})"
            return f"({listed} OR {null_sql})" if has_null else listed
        unlisted = f"{operand.sql} NOT IN ({placeholders})"
        return (
            f"{operand.plain} IS NOT NULL AND {unlisted}"
            if has_null
            else f"({null_sql} OR {unlisted})"
        )

    def set_comparison(
        self, operand: Operand, comparison: Comparison, literals: tuple[Literal, ...]
    ) -> str:
        """INCLUDES ('A;B', 'C'): both A and B, or C. EXCLUDES is its opposite."""
        tests = []
        for literal in literals:
            value = self.value(operand, comparison, literal)
            if value is None:
                tests.append(f"{operand.plain} IS NULL")
                continue
            self.params.append(value)
            tests.append(f"sf_includes(?, {operand.plain})")
        listed = f"({' OR '.join(tests)})"
        return listed if comparison.operator == "INCLUDES" else f"NOT {listed}"

    def semi_join(self, operand: Operand, comparison: Comparison, query: Query) -> str:
        if comparison.operator not in LIST_OPERATORS or operand.kind not in ID_KINDS:
            raise self.refusal(
                comparison, "The inner and outer selects should be on id fields", "MALFORMED_QUERY"
            )
        if self.in_or:
            raise self.refusal(
                comparison,
                "Semi join sub-selects are not allowed with the 'OR' operator",
                "MALFORMED_QUERY",
            )
        sobject = self.scope.view.sobject(".".join(query.source.names))
        if sobject is None:
            raise unsupported_type(self.scope.text, query.source)
        if self.depth > 1:  # [F]
            raise self.refusal(
                comparison,
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not "
                "in nested WHERE expressions.",
                "MALFORMED_QUERY",
            )
        if self.is_inner:
            raise self.refusal(
                comparison, "Nesting of semi join sub-selects is not supported", "MALFORMED_QUERY"
            )
        if sobject.name == self.scope.root.sobject.name:  # [F]
            raise self.refusal(
                comparison,
                "The inner and outer selects should not be on the same object type",
                "MALFORMED_QUERY",
            )
        inner = self.scope.nested(sobject)
        if query.alias:
            inner.name(query.alias)
        selected = query.items[0].value
        if not isinstance(selected, Path):
            raise self.refusal(
                comparison, "The sub-select of a semi join selects one id field", "MALFORMED_QUERY"
            )
        column = inner.column(selected)
        if column.field.kind not in ID_KINDS:
            raise self.refusal(
                comparison,
                "The inner and outer selects should be on the same entity type",
                "MALFORMED_QUERY",
            )
        clause = f'{inner.root.alias}."IsDeleted" = 0 AND {column.sql} IS NOT NULL'
        if query.where is not None:
            conditions = Conditions(inner, self.now, is_inner=True)
            where = conditions.sql(query.where)
            clause += f" AND ({where})"
            self.params += conditions.params
        select = f"SELECT {column.sql} FROM {inner.from_sql} WHERE {clause}"
        if comparison.operator == "IN":
            return f"{operand.sql} IN ({select})"
        return f"({operand.plain} IS NULL OR {operand.sql} NOT IN ({select}))"

    def span_comparison(self, operand: Operand, comparison: Comparison, literal: Literal) -> str:
        if operand.kind not in ("date", "datetime"):
            raise self.wrong_type_refusal(operand, comparison)
        try:
            start, end = dates.span(literal.text, literal.count, self.now)
        except (OverflowError, ValueError):
            raise malformed(self.scope.text, literal.position, "date out of range") from None
        low, high = self.moment(operand, start), self.moment(operand, end)
        if comparison.operator in ("=", "!="):
            self.params += [low, high]
            inside = f"({operand.sql} >= ? AND {operand.sql} < ?)"
            return inside if comparison.operator == "=" else f"NOT ifnull({inside}, 0)"
        if comparison.operator == "LIKE":
            raise self.refusal(
                comparison, "invalid operator on date field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        bounds = {"<": ("<", low), "<=": ("<", high), ">": (">=", high), ">=": (">=", low)}
        operator, bound = bounds[comparison.operator]
        self.params.append(bound)
        return f"{operand.sql} {operator} ?"

    def moment(self, operand: Operand, moment: datetime) -> str:
        return f"{moment:%Y-%m-%d}" if operand.kind == "date" else write_datetime(moment)

    def like(self, operand: Operand, comparison: Comparison, literal: Literal) -> str:
        if operand.kind in (
            "date",
            "datetime",
            "time",
            "multipicklist",
            "boolean",
            *NUMBER_KINDS,
            *ID_KINDS,
        ):
            raise self.refusal(
                comparison,
                f"invalid operator on {operand.kind} field",
                "INVALID_QUERY_FILTER_OPERATOR",
            )
        if literal.kind != "string":
            raise self.wrong_type_refusal(operand, comparison)
        self.params.append(literal.text)
        if _CASELESS.fullmatch(literal.text):  # SQLite's own LIKE does the same, and much faster
            return f"{operand.plain} LIKE ?"
        return f"sf_like(?, {operand.plain})"

    def value(self, operand: Operand, comparison: Comparison, literal: Literal) -> Any:
        """The literal as the field stores it; None for null and for the empty string."""
        if literal.kind == "null" or (literal.kind == "string" and literal.text == ""):
            return None
        kind, text = operand.kind, literal.text
        if kind in ID_KINDS:
            if literal.kind != "string":
                raise self.wrong_type_refusal(operand, comparison)
            normal = ids.normalise(text)
            if normal is None:
                raise self.refusal(
                    comparison, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR"
                )
            return normal
        if kind == "boolean" and literal.kind == "boolean":
            return int(text == "TRUE")
        if kind in NUMBER_KINDS and literal.kind == "number":
            return float(text) if "." in text else _integer(text)
        if kind == "date" and literal.kind == "date":
            return self.checked_date(literal, text + "T00:00:00Z")[:10]
        if kind == "datetime" and literal.kind == "datetime":
            return self.checked_date(literal, text.upper())
        if kind == "time" and literal.kind == "time":
            moment = read_time(text.upper())
            if moment is None:
                raise malformed(self.scope.text, literal.position, f"Invalid time: {text}")
            return moment
        plain = kind not in ("boolean", "date", "datetime", "time", *NUMBER_KINDS)
        if plain and literal.kind == "string":
            return text
        raise self.wrong_type_refusal(operand, comparison)

    def checked_date(self, literal: Literal, text: str) -> str:
        moment = read_datetime(text)
        if moment is None:
            raise malformed(self.scope.text, literal.position, f"Invalid date: {literal.text}")
        try:
            return write_datetime(moment)
        except OverflowError:
            raise malformed(
                self.scope.text, literal.position, f"Invalid date: {literal.text}"
            ) from None

    def wrong_type_refusal(self, operand: Operand, comparison: Comparison) -> OrgError:
        names = {"datetime": "dateTime", "phone": "string", "email": "string", "picklist": "string"}
        quoted = operand.kind in ("boolean", "date", "datetime", "time", *NUMBER_KINDS)
        rule = "should not be enclosed in quotes" if quoted else "should be enclosed in quotes"
        kind = names.get(operand.kind, operand.kind)
        return self.refusal(
            comparison,
            f"value of filter criterion for field '{operand.name}' must be of type {kind} "
            f"and {rule}",
        )

    def refusal(
        self, comparison: Comparison, message: str, code: str = "INVALID_FIELD"
    ) -> OrgError:
        return query_error(code, self.scope.text, comparison.left.position, message)


def _joined(operator: str, parts: list[str]) -> str:
    """The parts joined as a balanced tree: SQLite takes no chain deeper than 1,000."""
    if len(parts) == 1:
        return f"({parts[0]})"
    half = len(parts) // 2
    return f"({_joined(operator, parts[:half])} {operator} {_joined(operator, parts[half:])})"


def _integer(text: str) -> int:
    number = int(text)
    # SQLite holds 64 bits; anything larger compares as the largest.
    return max(min(number, 2**63 - 1), -(2**63))
