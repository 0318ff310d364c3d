"""`columns=true` on a query: what its columns are. Shape as the sf CLI reads it [F]."""

from typing import Any

from simulator.org.schema.model import NUMBER_KINDS, Field
from simulator.org.soql.plan import Branch, Choice, Leaf, Plan

APEX_TYPES = {"boolean": "Boolean", "int": "Integer", "double": "Double", "currency": "Double"}
APEX_TYPES |= {"percent": "Double", "time": "Time"}
APEX_TYPES |= {"id": "Id", "reference": "Id", "date": "Date", "datetime": "Datetime"}


def column_metadata(plan: Plan) -> dict[str, Any]:
    if plan.kind == "aggregate":
        columns = [_column(name, kind, aggregate=True) for name, kind in plan.aggregate]
    elif plan.root is not None:
        columns = _members(plan.root)
    else:
        columns = []
    entity = plan.sobject.name if plan.sobject else None
    return {
        "columnMetadata": columns,
        "entityName": entity,
        "groupBy": plan.kind == "aggregate",
        "idSelected": plan.root is not None and "Id" in plan.root.members,
        "keyPrefix": plan.sobject.prefix if plan.sobject else None,
    }


def _members(branch: Branch) -> list[dict[str, Any]]:
    columns = []
    for name, member in branch.members.items():
        if isinstance(member, Leaf):
            columns.append(_column(name, member.field.kind, field=member.field))
            continue
        column = _column(name, "string")
        if isinstance(member, Branch):
            column["joinColumns"] = _members(member)
        elif isinstance(member, Plan) and member.root is not None:
            column["joinColumns"] = _members(member.root)
            column["aggregate"] = True
        elif isinstance(member, Choice):
            column["joinColumns"] = []
        columns.append(column)
    return columns


def _column(
    name: str, kind: str, field: Field | None = None, aggregate: bool = False
) -> dict[str, Any]:
    return {
        "aggregate": aggregate,
        "apexType": APEX_TYPES.get(kind, "String"),
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": field is not None and field.custom,
        "displayName": name,
        "foreignKeyName": (field.relationship or None) if field else None,
        "insertable": field is not None and field.create,
        "joinColumns": [],
        "numberType": kind in NUMBER_KINDS,
        "textType": kind not in NUMBER_KINDS and kind != "boolean",
        "updatable": field is not None and field.update,
    }
