"""Names of one SELECT to SQL: the table of a path, and the joins that lead to it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.org.errors import OrgError
from simulator.org.schema import people
from simulator.org.schema.catalog import View
from simulator.org.schema.model import TEXT_KINDS, Field, SObject
from simulator.org.soql.lexer import query_error
from simulator.org.soql.tree import Path

CUSTOM_FIELD_HINT = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom "
    "field name. Please reference your WSDL or the describe call for the appropriate names."
)
CUSTOM_RELATIONSHIP_HINT = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after the "
    "custom relationship name. Please reference your WSDL or the describe call for the appropriate "
    "names."
)
CUSTOM_OBJECT_HINT = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity "
    "name. Please reference your WSDL or the describe call for the appropriate names."
)
MAX_RELATIONSHIPS_UP = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A joined table: its SQL alias and the object it holds."""

    alias: str
    sobject: SObject


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved field: `names` is its path in the schema's own spelling."""

    sql: str
    field: Field
    table: Table
    names: tuple[str, ...]

    @property
    def comparable(self) -> str:
        """The column with the collation that ignores case, for text."""
        folds = self.field.kind in TEXT_KINDS and not self.field.case_sensitive
        return f"{self.sql} COLLATE FOLD" if folds else self.sql


@dataclass(slots=True)
class Scope:
    """The tables of one SELECT. aliases: SQL names no other SELECT of the query uses."""

    view: View
    text: str
    root: Table
    aliases: Iterator[int]
    named: dict[str, tuple[Table, tuple[str, ...]]] = field(default_factory=dict)
    joins: dict[tuple[str, str], Table] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)

    @classmethod
    def over(
        cls, view: View, text: str, sobject: SObject, aliases: Iterator[int] | None = None
    ) -> "Scope":
        numbers = itertools.count() if aliases is None else aliases
        return cls(view, text, Table(f"t{next(numbers)}", sobject), numbers)

    def nested(self, sobject: SObject) -> "Scope":
        return Scope.over(self.view, self.text, sobject, self.aliases)

    def name(self, alias: str, path: Path | None = None) -> None:
        """Let an alias of the FROM clause stand for the root or for a relationship path."""
        table, names = (self.root, ()) if path is None else self.walk(path.names, path.position)
        self.named[alias.lower()] = (table, names)

    @property
    def from_sql(self) -> str:
        joins = "".join(f" {field}" for field in self.join_sql)
        return f'"{self.root.sobject.name}" {self.root.alias}{joins}'

    def column(self, path: Path) -> Column:
        """The field a path names. Raises INVALID_FIELD as Salesforce words it."""
        table, names = self.walk(path.names[:-1], path.position)
        field = self.view.field(table.sobject, path.names[-1])
        if field is None:
            raise query_error(
                "INVALID_FIELD",
                self.text,
                path.position,
                f"No such column '{path.names[-1]}' on entity '{table.sobject.name}'. "
                + CUSTOM_FIELD_HINT,
            )
        return Column(self.field_sql(table, field), field, table, (*names, field.name))

    def field_sql(self, table: Table, field: Field) -> str:
        """SQL that reads a field (address fields have none of their own)."""
        if field.write_only:
            return "NULL"
        if field.mirror is not None:
            reference, source = field.mirror
            joined = self.join(table, table.sobject.by_name[reference.lower()])
            return f'{joined.alias}."{source}"'
        return f'{table.alias}."{field.name}"'

    def walk(self, names: tuple[str, ...], position: int) -> tuple[Table, tuple[str, ...]]:
        """Follow relationship names up from the root (or from an alias)."""
        table, rest = self.root, names
        spelled: tuple[str, ...] = ()
        if rest:
            first = rest[0].lower()
            if first in self.named:
                table, spelled = self.named[first]
                rest = rest[1:]
            elif first == self.root.sobject.name.lower() and not self._is_relationship(first):
                rest = rest[1:]
        if len(rest) > MAX_RELATIONSHIPS_UP:
            raise query_error(
                "MALFORMED_QUERY",
                self.text,
                position,
                f"Cannot have more than {MAX_RELATIONSHIPS_UP} relationships in a field path",
            )
        for name in rest:
            reference = self.view.relationship(table.sobject, name)
            if reference is None:
                raise query_error(
                    "INVALID_FIELD",
                    self.text,
                    position,
                    f"Didn't understand relationship '{name}' in field path. "
                    + CUSTOM_RELATIONSHIP_HINT,
                )
            table = self.join(table, reference)
            spelled = (*spelled, reference.relationship)
        return table, spelled

    def _is_relationship(self, name: str) -> bool:
        return self.view.relationship(self.root.sobject, name) is not None

    def join(self, table: Table, reference: Field, only: SObject | None = None) -> Table:
        """The table a reference leads to; Name for a polymorphic one, unless `only` says."""
        if only is not None:
            target = only
        elif reference.polymorphic:
            target = people.NAME
        else:
            target = self.view.schema.objects[reference.targets[0].lower()]
        key = (table.alias, f"{reference.name}>{target.name}")
        if key not in self.joins:
            joined = Table(f"t{next(self.aliases)}", target)
            self.joins[key] = joined
            self.join_sql.append(
                f'LEFT JOIN "{target.name}" {joined.alias} '
                f'ON {joined.alias}."Id" = {table.alias}."{reference.name}"'
            )
        return self.joins[key]


def unsupported_type(text: str, path: Path) -> OrgError:
    return query_error(
        "INVALID_TYPE",
        text,
        path.position,
        f"sObject type '{'.'.join(path.names)}' is not supported. " + CUSTOM_OBJECT_HINT,
    )


def unknown_child(text: str, path: Path) -> OrgError:
    return query_error(
        "INVALID_TYPE",
        text,
        path.position,
        f"Didn't understand relationship '{path.names[-1]}' in FROM part of query call. "
        + CUSTOM_RELATIONSHIP_HINT,
    )
