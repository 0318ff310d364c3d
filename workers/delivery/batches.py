"""Applying a batch: in one request, or in ever smaller ones where it can't be taken together.

An answer that refuses a request as a whole blames nobody. Two different records are then tried
alone. When neither goes through, it is not for their number: the others are not tried, and the kind
waits. Else the batch is halved until what can't be taken stands alone.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.domain.intent import Delivered, Intent, Outcome, Scope, TryAgain
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from workers.delivery.desk import Apply, Desk
from workers.delivery.policy import alone, unforeseen

MAX_PARTS = 32
"""Requests that one batch may be taken apart into; what is left then waits for another batch."""


def apply_batch(desk: Desk, apply: Apply, intents: Sequence[Intent]) -> list[Outcome]:
    outcomes = _request(desk, apply, intents)
    refused = _refused_together(outcomes)
    done = [one for one in outcomes if one.intent_id not in refused]
    left = _as_left(intents, refused)
    witnesses = _of_different_records(left, refused)
    told = [one for witness in witnesses for one in _request(desk, apply, [witness])]
    left = [one for one in left if one not in witnesses]
    if told and all(isinstance(one, TryAgain) and one.limit for one in told):
        through = any(isinstance(one, Delivered) for one in done)
        scope = Scope.RECORD if through or len(told) == 1 else Scope.KIND
        return done + told + [replace(refused[one.id], scope=scope, limit=0) for one in left]
    return done + told + _in_parts(desk, apply, left, refused)


def _in_parts(
    desk: Desk, apply: Apply, intents: list[Intent], refused: dict[str, TryAgain]
) -> list[Outcome]:
    done: list[Outcome] = []
    parts = deque(_halves(intents))
    more = MAX_PARTS
    while parts:
        part = parts.popleft()
        if not more:
            done += [_untried(refused[one.id]) for one in part]
            continue
        more -= 1
        outcomes = _request(desk, apply, part)
        again = _refused_together(outcomes)
        done += [one for one in outcomes if one.intent_id not in again]
        parts.extend(_halves(_as_left(part, again)))
        refused |= again
        if any(isinstance(one, TryAgain) and one.scope is Scope.ORG for one in outcomes):
            more = 0
    return done


def _request(desk: Desk, apply: Apply, intents: Sequence[Intent]) -> list[Outcome]:
    try:
        outcomes = apply(desk, intents)
    except SalesforceError as error:
        outcomes = [desk.failed(one, error, may_be_there=one.unsure) for one in intents]
    except StoreUnavailableError:
        raise
    except Exception as defect:
        # An answer or a draft that nobody foresaw.
        log.exception("delivery_failed", kind=intents[0].kind, count=len(intents))
        told = unforeseen(defect)
        outcomes = [desk.failed(one, told, may_be_there=True) for one in intents]
    return [alone(one) for one in outcomes] if len(intents) == 1 else outcomes


def _refused_together(outcomes: Iterable[Outcome]) -> dict[str, TryAgain]:
    return {
        one.intent_id: one
        for one in outcomes
        if isinstance(one, TryAgain) and one.scope is Scope.BATCH
    }


def _as_left(intents: Sequence[Intent], refused: dict[str, TryAgain]) -> list[Intent]:
    """Those that were refused together, as that attempt left them."""
    return [
        replace(one, unsure=refused[one.id].unsure, leave_out=refused[one.id].leave_out)
        for one in intents
        if one.id in refused
    ]


def _of_different_records(intents: Sequence[Intent], refused: dict[str, TryAgain]) -> list[Intent]:
    """The first, and the last that is about another record; one where all are about the same."""
    if not intents:
        return []
    first = intents[0]
    others = [one for one in intents if refused[one.id].target != refused[first.id].target]
    return [first, *others[-1:]]


def _halves(intents: list[Intent]) -> list[list[Intent]]:
    middle = (len(intents) + 1) // 2
    return [half for half in (intents[:middle], intents[middle:]) if half]


def _untried(refused: TryAgain) -> Outcome:
    """It waits for another batch, and nothing is held against it."""
    return replace(refused, scope=Scope.RECORD, limit=0, strikes=0)
