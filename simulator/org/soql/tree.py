"""What a parsed query is: plain data, no behaviour. Positions are offsets into the query's text."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Path:
    """A field, possibly through relationships: `Contact.Account.Name`."""

    names: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function over a field: an aggregate, a date function, or a presentation function.

    argument is None for COUNT(). Functions nest only as DAY_ONLY(convertTimezone(x)) does.
    """

    name: str
    argument: "Path | Call | None"
    position: int


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the SELECT list with its alias."""

    value: "Path | Call | FieldGroup | TypeOf | Query"
    alias: str = ""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """FIELDS(ALL | STANDARD | CUSTOM)."""

    which: str
    position: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """TYPEOF relationship WHEN type THEN fields … ELSE fields END."""

    relationship: Path
    cases: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """kind: string number date datetime time boolean null range (a date literal; `count` its n, or
    None).

    For strings `text` is the value, and after LIKE the pattern with its escapes left in.
    """

    kind: str
    text: str
    position: int
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """operator: = != < > <= >= LIKE IN, NOT IN, INCLUDES, EXCLUDES; the last four take a list."""

    left: Path | Call
    operator: str
    value: "Literal | tuple[Literal, ...] | Query"
    position: int


@dataclass(frozen=True, slots=True)
class Logical:
    """operator: AND or OR, over two conditions or more."""

    operator: str
    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = Comparison | Logical | Not


@dataclass(frozen=True, slots=True)
class Order:
    """nulls: FIRST, LAST or empty (first when ascending, last when descending)."""

    value: Path | Call
    descending: bool = False
    nulls: str = ""


@dataclass(slots=True)
class Query:
    """One SELECT. `source` is the object (or, in a subquery, the relationship) it selects from."""

    text: str
    items: list[Item] = field(default_factory=list)
    source: Path = field(default_factory=lambda: Path((), 0))
    alias: str = ""
    joins: list[tuple[Path, str]] = field(default_factory=list)
    where: Condition | None = None
    group_by: list[Path | Call] = field(default_factory=list)
    having: Condition | None = None
    order_by: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int | None = None
    position: int = 0
