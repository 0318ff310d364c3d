"""Query results that clients fetch page by page."""

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.org import ids
from simulator.org.errors import OrgError
from simulator.org.soql.plan import Plan

# Older cursors are dropped, as an org drops a user's oldest cursor.
MAX_CURSORS = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """All raw rows of a query, as they were when it ran."""

    plan: Plan
    rows: Sequence[Sequence[Any]]
    batch_size: int


class Cursors:
    """The open cursors, oldest first, by their id."""

    def __init__(self) -> None:
        self.open: OrderedDict[str, Cursor] = OrderedDict()
        self.numbers = itertools.count(1)

    def add(self, cursor: Cursor) -> str:
        name = ids.make_id("01g", next(self.numbers))
        self.open[name] = cursor
        while len(self.open) > MAX_CURSORS:
            self.open.popitem(last=False)
        return name

    def find(self, locator: str) -> tuple[str, Cursor, int]:
        """Cursor and offset of a locator such as `01gDn0…-2000`. Raises INVALID_QUERY_LOCATOR."""
        name, _, offset = locator.partition("-")
        cursor = self.open.get(name)
        if cursor is None or not offset.isdigit() or int(offset) >= len(cursor.rows):
            raise OrgError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return name, cursor, int(offset)
