"""What a compiled query is: the SQL to run, and how each of its rows becomes JSON."""

from dataclasses import dataclass, field
from typing import Any

from simulator.org.schema.model import Field, SObject

# The columns of a compound address, in the order in which a plan selects them.
SELECTABLE_PARTS = (
    "Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value at `index` of the SQL row; an address takes seven columns from `index` on."""

    index: int
    field: Field


@dataclass(slots=True)
class Branch:
    """A record: the row or a parent of it. type_index: where its type is, if not fixed."""

    sobject: SObject
    id_index: int
    type_index: int | None = None
    members: "dict[str, Leaf | Branch | Choice | Plan]" = field(default_factory=dict)


@dataclass(slots=True)
class Choice:
    """TYPEOF: a branch per type, and one for every other type."""

    id_index: int
    type_index: int
    branches: dict[str, Branch]
    otherwise: Branch | None


@dataclass(slots=True)
class Plan:
    """kind: records, aggregate or count. A child plan's first parameter is the parent's id."""

    kind: str
    sql: str
    params: list[Any]
    root: Branch | None = None
    aggregate: list[tuple[str, str]] = field(default_factory=list)
    sobject: SObject | None = None
