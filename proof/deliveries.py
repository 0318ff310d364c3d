"""What may become of an intent when a worker writes it to Salesforce.

The worker does what workers/delivery does: it looks for what is in doubt before it writes, and
writes only while it holds the lease. No key in Salesforce helps it here: a second write has a
second effect, as that of a comment has.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from proof.state import Delivery, State, Worker
from proof.world import DELAY_MS, LINK_KIND, PART_KIND, World

OPEN = frozenset({"held", "due", "leased"})
LIMIT = 2
"""After so many refusals a record parks."""


@dataclass(frozen=True)
class Fate:
    """written: it took effect in Salesforce. faults: how many faults it takes."""

    name: str
    outcome: Delivery
    written: bool = False
    faults: int = 1


def fates_of_batch(state: State, world: World, worker: Worker) -> Iterator[tuple[Fate, ...]]:
    """Each combination of what may become of the intents of a batch, within the faults left."""
    each = [list(_fates(state, world, id_, row)) for id_, row in sorted(worker.rows.items())]
    for fates in product(*each):
        if sum(fate.faults for fate in fates) <= state.faults:
            yield fates


def _fates(state: State, world: World, id_: str, row: Mapping[str, str]) -> Iterator[Fate]:
    in_doubt = row["in_doubt"] == "1"
    if "away" in world.failures:
        yield Fate("Salesforce is away", _again(id_, "AWAY", scope="org", in_doubt=in_doubt))
    if "busy" in world.failures:
        yield Fate("no permit", _again(id_, "BUSY", scope="org", failures=0, in_doubt=in_doubt))
    if in_doubt and state.org.get(id_):
        yield Fate("found", _delivered(id_), faults=0)
        return
    needed = world.request_of(id_).needs
    became = state.state_of(needed)
    if needed and became == "parked":
        yield Fate("what it needs is parked", _parked(id_, "NO_CASE", needed), faults=0)
        return
    if needed and became in OPEN:
        waits = _again(id_, "WAITS", failures=0, in_doubt=in_doubt)
        yield Fate("what it needs is open", waits, faults=0)
        return
    if needed and became == "cancelled":
        yield Fate("what it needs was cancelled", _cancelled(id_), faults=0)
        return
    yield Fate("written", _delivered(id_), written=True, faults=0)
    yield from (fate for fate in _failures(state, id_, row) if fate.name in world.failures)


def _failures(state: State, id_: str, row: Mapping[str, str]) -> Iterator[Fate]:
    lost = _again(id_, "TIMEOUT", scope="org", in_doubt=True, rest=DELAY_MS)
    yield Fate("written, answer lost", lost, written=True)
    yield Fate("not written, answer lost", lost)
    yield Fate("refused for good", _parked(id_, "REFUSED"))
    yield Fate("refused", _again(id_, "DENIED", limit=LIMIT, target=id_))
    yield Fate("row locked", _again(id_, "LOCKED", limit=LIMIT))
    yield Fate("tool fails", _again(id_, "MISCONFIGURED", scope="source", limit=LIMIT))
    yield Fate("not needed any more", _cancelled(id_))
    link = _new(f"{id_}-link", LINK_KIND)
    yield Fate("written, with a link to come", _delivered(id_, link), written=True, faults=0)
    part = _new(f"{id_}-part", PART_KIND, said="Noted.")
    if state.row(part["id"]):
        return
    yield Fate(
        "part refused",
        {
            "id": id_, "outcome": "part_refused", "reason": "REFUSED", "detail": "",
            "delay_ms": DELAY_MS, "in_doubt": False, "rest": row["payload"], "part": part,
        },
    )  # fmt: skip


def _new(id_: str, kind: str, said: str = "") -> dict[str, Any]:
    """An intent that a delivery makes."""
    return {
        "id": id_, "kind": kind, "schema": 1, "tool": "", "reference": "", "said": said,
        "payload": json.dumps({"text": id_}), "record": "", "after": [],
    }  # fmt: skip


def _delivered(id_: str, *also: dict[str, Any]) -> Delivery:
    receipt = {"record_id": f"r-{id_}", "number": f"number-{id_}"}
    return {
        "id": id_, "outcome": "delivered", "receipt": json.dumps(receipt),
        "number": f"number-{id_}", "payload": json.dumps({"short": 1}), "also": also,
    }  # fmt: skip


def _parked(id_: str, reason: str, follows: str = "") -> Delivery:
    return {"id": id_, "outcome": "parked", "reason": reason, "detail": "", "follows": follows}


def _cancelled(id_: str) -> Delivery:
    return {"id": id_, "outcome": "cancelled", "reason": "OBSOLETE"}


def withdrawn(id_: str, row: Mapping[str, str]) -> Delivery:
    """Nothing was sent, because a part of the batch is another worker's."""
    return _again(id_, "LEASE_LOST", failures=0, in_doubt=row["in_doubt"] == "1", delay=0)


def _again(
    id_: str,
    reason: str,
    *,
    delay: int = DELAY_MS,
    scope: str = "record",
    failures: int = 1,
    in_doubt: bool = False,
    rest: int = 0,
    limit: int = 0,
    target: str = "",
) -> Delivery:
    return {
        "id": id_, "outcome": "again", "reason": reason, "detail": "", "delay_ms": delay,
        "scope": scope, "failures_in_a_row": failures, "in_doubt": in_doubt, "rest_ms": rest,
        "omit_fields": "[]", "missing": [], "limit": limit, "target": target,
    }  # fmt: skip
