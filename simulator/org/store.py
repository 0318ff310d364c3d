"""The records: one SQLite table per object, one connection, every statement in the event loop.

Columns are the schema's stored fields. Text compares without regard to case in all of Unicode (the
collation FOLD), ids compare exactly. Deleted records stay, with IsDeleted = 1. The writer
checks uniqueness, because a fault can change it while the org runs.

Tables beside the objects: `_counters` (object or autonumber -> last number used).
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from simulator.org import ids
from simulator.org.records.autonumber import USUAL
from simulator.org.schema.catalog import Schema
from simulator.org.schema.model import Field, SObject

COLUMN_TYPES = {
    "boolean": "INTEGER", "int": "INTEGER", "double": "REAL", "currency": "REAL", "percent": "REAL",
}  # fmt: skip
EXACT_KINDS = frozenset({"id", "reference", "date", "datetime", "time"})
FIRST_CASE_NUMBER = 1001

Row = dict[str, Any]


class Store:
    """All records of one org. path: a file, or `:memory:`."""

    def __init__(self, path: str, schema: Schema) -> None:
        self.schema = schema
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=1024)
        self.connection.create_collation("FOLD", _compare_folded)
        self.connection.create_function("sf_like", 2, _like, deterministic=True)
        self.connection.create_function("sf_includes", 2, _includes, deterministic=True)
        self.connection.execute("PRAGMA synchronous = OFF")
        if path != ":memory:":
            self.connection.execute("PRAGMA journal_mode = WAL")
        self.case_number_format = USUAL
        self._insert_sql: dict[tuple[str, tuple[str, ...]], str] = {}
        self._create_tables()

    def close(self) -> None:
        self.connection.close()

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, params)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested (a savepoint). An exception undoes what happened inside."""
        execute = self.connection.execute
        execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            execute("ROLLBACK TO step")
            execute("RELEASE step")
            raise
        execute("RELEASE step")

    def next_id(self, sobject: SObject) -> str:
        return ids.make_id(sobject.prefix, self.next_number(sobject.name))

    def next_number(self, counter: str, first: int = 1) -> int:
        """The next number of a counter. An undone transaction gives its numbers back."""
        row = self.execute(
            "INSERT INTO _counters VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter, first),
        ).fetchone()
        return int(row[0])

    def insert(self, sobject: SObject, values: Row) -> None:
        columns = tuple(values)
        sql = self._insert_sql.get((sobject.name, columns))
        if sql is None:
            names = ", ".join(f'"{column}"' for column in columns)
            placeholders = ", ".join("?" * len(columns))
            sql = f'INSERT INTO "{sobject.name}" ({names}) VALUES ({placeholders})'
            self._insert_sql[sobject.name, columns] = sql
        self.execute(sql, tuple(values.values()))

    def update(self, sobject: SObject, record_id: str, values: Row) -> None:
        if values:
            changes = ", ".join(f'"{column}" = ?' for column in values)
            self.execute(
                f'UPDATE "{sobject.name}" SET {changes} WHERE "Id" = ?',
                (*values.values(), record_id),
            )

    def row(self, sobject: SObject, record_id: str) -> Row | None:
        """The stored columns of a record, also of a deleted record; None for an unknown id."""
        cursor = self.execute(f'SELECT * FROM "{sobject.name}" WHERE "Id" = ?', (record_id,))
        found = cursor.fetchone()
        if found is None:
            return None
        return dict(zip((column[0] for column in cursor.description), found, strict=True))

    def rows(self, sobject: SObject) -> list[Row]:
        """Every record that is not deleted, oldest first."""
        cursor = self.execute(
            f'SELECT * FROM "{sobject.name}" WHERE "IsDeleted" = 0 ORDER BY rowid'
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, found, strict=True)) for found in cursor]

    def matching(
        self, sobject: SObject, field: Field, value: object, limit: int = 200
    ) -> list[str]:
        """Ids of the records not deleted whose field equals the value, oldest first."""
        cursor = self.execute(
            f'SELECT "Id" FROM "{sobject.name}" WHERE "{field.name}" = ? AND "IsDeleted" = 0 '
            "ORDER BY rowid LIMIT ?",
            (value, limit),
        )
        return [str(found[0]) for found in cursor]

    def wipe(self) -> None:
        """Delete every record and every counter."""
        with self.transaction():
            for sobject in self.schema.objects.values():
                self.execute(f'DELETE FROM "{sobject.name}"')
            self.execute("DELETE FROM _counters")

    def is_empty(self) -> bool:
        return bool(self.execute("SELECT count(*) = 0 FROM _counters").fetchone()[0])

    def _create_tables(self) -> None:
        self.execute("CREATE TABLE IF NOT EXISTS _counters (name TEXT PRIMARY KEY, value INTEGER)")
        for sobject in self.schema.objects.values():
            columns = ", ".join(_column(field) for field in sobject.stored_fields)
            self.execute(f'CREATE TABLE IF NOT EXISTS "{sobject.name}" ({columns})')
            self._add_columns(sobject)
            for field in sobject.stored_fields:
                self._create_index(sobject, field)
        self.execute('DROP VIEW IF EXISTS "Name"')
        self.execute(_name_view(self.schema))

    def _add_columns(self, sobject: SObject) -> None:
        """A file may come from an org that did not have all of these fields."""
        known = {row[1] for row in self.execute(f'PRAGMA table_info("{sobject.name}")')}
        for field in sobject.stored_fields:
            if field.name not in known:
                self.execute(f'ALTER TABLE "{sobject.name}" ADD COLUMN {_column(field)}')

    def _create_index(self, sobject: SObject, field: Field) -> None:
        name = f'"{sobject.name}_{field.name}"'
        on = f'"{sobject.name}" ("{field.name}")'
        if field.children:
            # Queries mostly ask for the newest children first.
            on = on.replace(")", ', "CreatedDate")')
            self.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on}")
        elif (field.id_lookup or field.unique) and field.kind != "id":
            self.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on}")


def _column(field: Field) -> str:
    if field.kind == "id":
        return '"Id" TEXT PRIMARY KEY'
    kind = COLUMN_TYPES.get(field.kind)
    if kind is not None:
        return f'"{field.name}" {kind}'
    if field.kind == "base64":
        return f'"{field.name}" BLOB'
    exact = field.kind in EXACT_KINDS or field.case_sensitive
    return f'"{field.name}" TEXT' + ("" if exact else " COLLATE FOLD")


def _name_view(schema: Schema) -> str:
    """The view behind polymorphic relationships: a row per possible Who, What or Owner."""
    person = ("Contact", "Lead", "User")
    parts = []
    custom = [sobject.name for sobject in schema.objects.values() if sobject.custom]
    for name in ("Account", "Case", "Contact", "Lead", "User", "Group", "Task", *custom):
        shown = schema.objects[name.lower()].name_field
        columns = {
            "FirstName": name in person,
            "LastName": name in person,
            "Email": name in person or name == "Group",
            "Phone": name in person or name == "Account",
            "Title": name in person,
            "Username": name == "User",
            "Alias": name == "User",
            "IsActive": name == "User",
        }
        rest = ", ".join(
            f'"{column}"' if has else f'NULL AS "{column}"' for column, has in columns.items()
        )
        named = f'"Id", "{shown}" AS "Name", \'{name}\' AS "Type"'
        parts.append(f'SELECT {named}, {rest} FROM "{name}"')
    return 'CREATE VIEW "Name" AS ' + " UNION ALL ".join(parts)


def _compare_folded(left: str, right: str) -> int:
    a, b = left.casefold(), right.casefold()
    return (a > b) - (a < b)


def _like(pattern: str, value: object) -> bool:
    if value is None:
        return False
    return _like_expression(pattern).match(str(value)) is not None


def _includes(wanted: str, value: object) -> bool:
    """Whether a multi-select picklist has all values of `A;B`."""
    has = {part.casefold() for part in str(value or "").split(";")}
    return has.issuperset(part.strip().casefold() for part in wanted.split(";"))


@lru_cache(maxsize=512)
def _like_expression(pattern: str) -> re.Pattern[str]:
    r"""A LIKE pattern as a regular expression: `%` any run, `_` one, `\%` and `\_` themselves."""
    parts = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        else:
            parts.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
        position += 1
    return re.compile("".join(parts) + r"\Z", re.IGNORECASE | re.DOTALL)
