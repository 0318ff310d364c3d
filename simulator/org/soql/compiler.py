"""A parsed query to a plan: one SQL statement, and how each of its rows becomes JSON."""

from datetime import datetime
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.schema.catalog import View
from simulator.org.schema.model import Field
from simulator.org.soql.conditions import Conditions
from simulator.org.soql.functions import Computed, compute, not_groupable, presented
from simulator.org.soql.lexer import malformed, query_error
from simulator.org.soql.plan import SELECTABLE_PARTS, Branch, Choice, Leaf, Plan
from simulator.org.soql.scope import Column, Scope, Table, unknown_child, unsupported_type
from simulator.org.soql.tree import Call, FieldGroup, Item, Path, Query, TypeOf

MAX_OFFSET = 2000
MAX_FIELDS_GROUP = 200


def compile_query(query: Query, view: View, now: datetime, all_rows: bool = False) -> Plan:
    """The plan of a whole statement. Raises Salesforce's errors for unknown names and misuse."""
    sobject = view.sobject(".".join(query.source.names))
    if sobject is None:
        raise unsupported_type(query.text, query.source)
    scope = Scope.over(view, query.text, sobject)
    return Compiler(query, scope, now, all_rows).plan()


class Compiler:
    """Compiles one SELECT; child subqueries get a compiler of their own."""

    def __init__(
        self, query: Query, scope: Scope, now: datetime, all_rows: bool, link: Field | None = None
    ) -> None:
        self.query = query
        self.scope = scope
        self.now = now
        self.all_rows = all_rows
        self.link = link
        self.columns: list[str] = []
        self.selected: set[tuple[str, ...]] = set()

    def plan(self) -> Plan:
        query, scope = self.query, self.scope
        if query.alias:
            scope.name(query.alias)
        for path, alias in query.joins:
            scope.name(alias or path.names[-1], path)
        self.check_limits()
        if self.is_count():
            return self.count_plan()
        if query.group_by or any(self.is_aggregate(item) for item in query.items):
            return self.aggregate_plan()
        return self.record_plan()

    def check_limits(self) -> None:
        if self.query.offset is not None and self.query.offset > MAX_OFFSET:
            raise OrgError(
                400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            )

    def is_count(self) -> bool:
        first = self.query.items[0].value
        return isinstance(first, Call) and first.name == "COUNT" and first.argument is None

    def is_aggregate(self, item: Item) -> bool:
        return isinstance(item.value, Call) and presented(item.value) is None

    def count_plan(self) -> Plan:
        if self.query.group_by or self.query.order_by:
            raise malformed(
                self.query.text,
                self.position(self.query.items[0].value),
                "COUNT() has no GROUP BY and no ORDER BY",
            )
        where, params = self.where()
        limits = self.limits()
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {self.scope.from_sql} {where} {limits})"
        return Plan("count", sql, params)

    def record_plan(self) -> Plan:
        root = Branch(self.scope.root.sobject, self.add(f'{self.scope.root.alias}."Id"'))
        for item in self.query.items:
            self.select(root, item)
        where, params = self.where()
        order = self.order()
        sql = (
            f"SELECT {', '.join(self.columns)} FROM {self.scope.from_sql} "
            f"{where} {order} {self.limits()}"
        )
        return Plan("records", sql, params, root, sobject=self.scope.root.sobject)

    def select(self, root: Branch, item: Item) -> None:
        value = item.value
        if item.alias:
            raise malformed(
                self.query.text,
                self.position(value),
                "only aggregate expressions use field aliasing",
            )
        if isinstance(value, Query):
            self.select_children(root, value)
        elif isinstance(value, FieldGroup):
            self.select_group(root, value)
        elif isinstance(value, TypeOf):
            self.select_type_of(root, value)
        elif isinstance(value, Call):
            path = presented(value)
            if path is not None:
                self.select_path(root, path, as_label=value.name == "TOLABEL")
        else:
            self.select_path(root, value)

    def select_path(self, root: Branch, path: Path, as_label: bool = False) -> None:
        column = self.scope.column(path)
        self.check_once(column, path.position)
        branch = root
        walked: list[str] = []
        for name in column.names[:-1]:
            walked.append(name)
            branch = self.parent(branch, tuple(walked), path.position)
        if as_label and column.field.labels:
            leaf = Leaf(self.add(label_sql(column)), column.field)
        else:
            leaf = self.leaf(column.table, column.field)
        branch.members[column.field.name] = leaf

    def parent(self, branch: Branch, walked: tuple[str, ...], position: int) -> Branch:
        known = branch.members.get(walked[-1])
        if isinstance(known, Branch):
            return known
        table, _ = self.scope.walk(walked, position)
        is_name = table.sobject.prefix == ""
        child = Branch(
            table.sobject,
            self.add(f'{table.alias}."Id"'),
            self.add(f'{table.alias}."Type"') if is_name else None,
        )
        branch.members[walked[-1]] = child
        return child

    def leaf(self, table: Table, field: Field) -> Leaf:
        if field.kind == "address":
            columns = [f'{table.alias}."{field.address}{part}"' for part in SELECTABLE_PARTS]
            first = self.add(columns[0])
            for column in columns[1:]:
                self.add(column)
            return Leaf(first, field)
        return Leaf(self.add(self.scope.field_sql(table, field)), field)

    def select_group(self, root: Branch, group: FieldGroup) -> None:
        """FIELDS(): ALL and CUSTOM only with LIMIT 200 or less, as the REST API demands [D]."""
        limited = self.query.limit is not None and self.query.limit <= MAX_FIELDS_GROUP
        if group.which != "STANDARD" and not limited:
            raise malformed(
                self.query.text,
                group.position,
                f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_GROUP}",
            )
        for field in self.scope.view.fields(self.scope.root.sobject):
            if group.which == "ALL" or field.custom == (group.which == "CUSTOM"):
                self.select_path(root, Path((field.name,), group.position))

    def select_children(self, root: Branch, query: Query) -> None:
        parent = self.scope.root.sobject
        *owner, relationship = query.source.names
        child = None
        # `FROM Account.Contacts` is the longer way to say `FROM Contacts`.
        if not owner or [name.lower() for name in owner] == [parent.name.lower()]:
            child = self.scope.view.child(parent, relationship)
        if child is None:
            raise unknown_child(query.text, query.source)
        scope = self.scope.nested(child.child)
        compiler = Compiler(query, scope, self.now, self.all_rows, link=child.field)
        plan = compiler.plan()
        if plan.kind != "records":
            raise malformed(query.text, query.position, "Aggregate not allowed in a nested query")
        root.members[child.name] = plan

    def select_type_of(self, root: Branch, chosen: TypeOf) -> None:
        path = chosen.relationship
        reference = self.scope.view.relationship(self.scope.root.sobject, path.names[0])
        if len(path.names) != 1 or reference is None or not reference.polymorphic:
            raise query_error(
                "INVALID_FIELD",
                self.query.text,
                path.position,
                f"TYPEOF needs a polymorphic relationship, not '{'.'.join(path.names)}'",
            )
        names = self.scope.join(self.scope.root, reference)
        id_index = self.add(f'{names.alias}."Id"')
        type_index = self.add(f'{names.alias}."Type"')
        branches: dict[str, Branch] = {}
        for type_name, paths in chosen.cases:
            sobject = self.scope.view.sobject(type_name)
            if sobject is None or sobject.name not in reference.targets:
                raise unsupported_type(self.query.text, Path((type_name,), path.position))
            table = self.scope.join(self.scope.root, reference, only=sobject)
            branches[sobject.name] = self.type_branch(table, id_index, None, paths)
        otherwise = None
        if chosen.otherwise:
            otherwise = self.type_branch(names, id_index, type_index, chosen.otherwise)
        root.members[reference.relationship] = Choice(id_index, type_index, branches, otherwise)

    def type_branch(
        self, table: Table, id_index: int, type_index: int | None, paths: tuple[Path, ...]
    ) -> Branch:
        branch = Branch(table.sobject, id_index, type_index)
        for path in paths:
            field = self.scope.view.field(table.sobject, path.names[0])
            if field is None or len(path.names) != 1:
                raise query_error(
                    "INVALID_FIELD",
                    self.query.text,
                    path.position,
                    f"No such column '{'.'.join(path.names)}' on entity '{table.sobject.name}'.",
                )
            branch.members[field.name] = self.leaf(table, field)
        return branch

    def aggregate_plan(self) -> Plan:
        groups = [self.group(value) for value in self.query.group_by]
        names: list[tuple[str, str]] = []
        unnamed = 0
        for item in self.query.items:
            sql, kind, name = self.aggregate_item(item, groups)
            if not name:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            if name.lower() in {known.lower() for known, _ in names}:
                raise malformed(
                    self.query.text, self.position(item.value), f"duplicate alias: {name}"
                )
            self.add(sql)
            names.append((name, kind))
        where, params = self.where()
        group_sql = f"GROUP BY {', '.join(groups)}" if groups else ""
        having = ""
        if self.query.having is not None:
            conditions = Conditions(self.scope, self.now, aggregates=True)
            having = f"HAVING {conditions.sql(self.query.having)}"
            params += conditions.params
        sql = (
            f"SELECT {', '.join(self.columns)} FROM {self.scope.from_sql} {where} {group_sql} "
            f"{having} {self.order(groups)} {self.limits()}"
        )
        return Plan("aggregate", sql, params, aggregate=names)

    def group(self, value: Path | Call) -> str:
        if isinstance(value, Call):
            computed = compute(self.scope, value)
            if computed.aggregate:
                raise not_groupable(self.query.text, value.name, value.position)
            return computed.sql
        column = self.scope.column(value)
        if not column.field.groupable:
            raise not_groupable(self.query.text, column.field.name, value.position)
        return column.comparable

    def aggregate_item(self, item: Item, groups: list[str]) -> tuple[str, str, str]:
        """SQL, kind and name of an item; the name is empty when Salesforce numbers it (expr0)."""
        value = item.value
        if isinstance(value, Call):
            computed: Computed = compute(self.scope, value)
            if not computed.aggregate and computed.sql not in groups:
                raise self.not_grouped(value.name, value.position)
            return computed.sql, computed.kind, item.alias
        if not isinstance(value, Path):
            raise malformed(
                self.query.text, self.query.position, "only fields and aggregates can be grouped"
            )
        column = self.scope.column(value)
        if column.comparable not in groups:
            raise self.not_grouped(".".join(value.names), value.position)
        return column.sql, column.field.kind, item.alias or column.field.name

    def not_grouped(self, name: str, position: int) -> OrgError:
        return malformed(self.query.text, position, f"Field must be grouped or aggregated: {name}")

    def where(self) -> tuple[str, list[Any]]:
        clauses: list[str] = []
        params: list[Any] = []
        if self.link is not None:
            clauses.append(f'{self.scope.root.alias}."{self.link.name}" = ?')
        if not self.all_rows:
            clauses.append(f'{self.scope.root.alias}."IsDeleted" = 0')
        if self.query.where is not None:
            conditions = Conditions(self.scope, self.now)
            clauses.append(f"({conditions.sql(self.query.where)})")
            params = conditions.params
        return ("WHERE " + " AND ".join(clauses)) if clauses else "", params

    def order(self, groups: list[str] | None = None) -> str:
        parts: list[str] = []
        for item in self.query.order_by:
            sql, name, sortable = self.sort_key(item.value, groups is not None)
            if not sortable:
                raise query_error(
                    "INVALID_FIELD",
                    self.query.text,
                    item.value.position,
                    f"field '{name}' can not be sorted in a query call",
                )
            if groups is not None and isinstance(item.value, Path) and sql not in groups:
                raise self.not_grouped(name, item.value.position)
            direction = "DESC" if item.descending else "ASC"
            usual = "LAST" if item.descending else "FIRST"
            # Written only where it differs from SQLite's own order, which an index can serve.
            nulls = f" NULLS {item.nulls}" if item.nulls not in ("", usual) else ""
            parts.append(f"{sql} {direction}{nulls}")
        if groups is None:
            # Salesforce promises no order among equals; creation order makes runs repeatable.
            last = self.query.order_by[-1].descending if self.query.order_by else False
            parts.append(f"{self.scope.root.alias}.rowid {'DESC' if last else 'ASC'}")
        return f"ORDER BY {', '.join(parts)}" if parts else ""

    def sort_key(self, value: Path | Call, grouped: bool) -> tuple[str, str, bool]:
        if isinstance(value, Call):
            computed = compute(self.scope, value)
            return computed.sql, value.name, grouped or not computed.aggregate
        column = self.scope.column(value)
        return column.comparable, column.field.name, column.field.filterable

    def limits(self) -> str:
        if self.query.limit is None and self.query.offset is None:
            return ""
        limit = -1 if self.query.limit is None else min(self.query.limit, 2**62)
        return f"LIMIT {limit} OFFSET {self.query.offset or 0}"

    def add(self, sql: str) -> int:
        self.columns.append(sql)
        return len(self.columns) - 1

    def check_once(self, column: Column, position: int) -> None:
        if column.names in self.selected:
            raise malformed(
                self.query.text, position, f"duplicate field selected: {'.'.join(column.names)}"
            )
        self.selected.add(column.names)

    def position(self, value: object) -> int:
        return int(getattr(value, "position", self.query.position))


def label_sql(column: Column) -> str:
    """toLabel(): the label of a picklist value; a value outside the picklist is its own label."""
    cases = "".join(
        f" WHEN {_quoted(value)} THEN {_quoted(label)}"
        for value, label in zip(column.field.values, column.field.labels, strict=True)
    )
    return f"CASE {column.sql}{cases} ELSE {column.sql} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
