"""Applying a batch: in one request, or in ever smaller ones where it can't be taken together.

An answer that refuses a request as a whole blames nobody. When it carried what several tools asked
for, each tool's is sent apart, so that a tool which no longer fits the org holds up no other. Then
two different records are tried alone. When neither goes through, it is not for their number: the
others are not tried, and their source waits. Else the batch is halved until what can't be taken
stands alone.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.domain.intent import Delivered, Intent, Outcome, Scope, TryAgain
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from workers.delivery.context import Apply, DeliveryContext
from workers.delivery.policy import alone, unforeseen

MAX_PARTS = 32
"""Requests that one batch may be taken apart into; what is left then waits for another batch."""


def apply_batch(context: DeliveryContext, apply: Apply, intents: Sequence[Intent]) -> list[Outcome]:
    outcomes = _request(context, apply, intents)
    blamed = _blamed_together(outcomes)
    by_source = _by_source(_as_left(intents, blamed))
    if len(by_source) < 2:
        return _taken_apart(context, apply, intents, outcomes)
    done = [outcome for outcome in outcomes if outcome.intent_id not in blamed]
    for alike in by_source.values():
        done += _taken_apart(context, apply, alike, _request(context, apply, alike))
    return done


def _taken_apart(
    context: DeliveryContext, apply: Apply, intents: Sequence[Intent], outcomes: list[Outcome]
) -> list[Outcome]:
    """What becomes of intents of which some, all of one source, were refused together."""
    refused = _refused_together(outcomes)
    done = [outcome for outcome in outcomes if outcome.intent_id not in refused]
    left = _as_left(intents, refused)
    witnesses = _of_different_records(left, refused)
    said = [item for witness in witnesses for item in _request(context, apply, [witness])]
    left = [intent for intent in left if intent not in witnesses]
    if said and all(isinstance(item, TryAgain) and item.limit for item in said):
        through = any(isinstance(item, Delivered) for item in done)
        scope = Scope.RECORD if through or len(said) == 1 else Scope.SOURCE
        return done + said + [replace(refused[intent.id], scope=scope, limit=0) for intent in left]
    return done + said + _in_parts(context, apply, left, refused)


def _in_parts(
    context: DeliveryContext, apply: Apply, intents: list[Intent], refused: dict[str, TryAgain]
) -> list[Outcome]:
    done: list[Outcome] = []
    parts = deque(_halves(intents))
    more = MAX_PARTS
    while parts:
        part = parts.popleft()
        if not more:
            done += [_untried(refused[item.id]) for item in part]
            continue
        more -= 1
        outcomes = _request(context, apply, part)
        again = _refused_together(outcomes)
        done += [outcome for outcome in outcomes if outcome.intent_id not in again]
        parts.extend(_halves(_as_left(part, again)))
        refused |= again
        if any(
            isinstance(outcome, TryAgain) and outcome.scope is Scope.ORG for outcome in outcomes
        ):
            more = 0
    return done


def _request(context: DeliveryContext, apply: Apply, intents: Sequence[Intent]) -> list[Outcome]:
    try:
        outcomes = apply(context, intents)
    except SalesforceError as error:
        outcomes = [context.failed(intent, error, may_exist=intent.in_doubt) for intent in intents]
    except StoreUnavailableError:
        raise
    except Exception as defect:
        # An answer or a draft that nobody foresaw.
        log.exception("delivery_failed", kind=intents[0].kind, count=len(intents))
        said = unforeseen(defect)
        outcomes = [context.failed(intent, said, may_exist=True) for intent in intents]
    return [alone(outcome) for outcome in outcomes] if len(intents) == 1 else outcomes


def _refused_together(outcomes: Iterable[Outcome]) -> dict[str, TryAgain]:
    return {
        outcome.intent_id: outcome
        for outcome in outcomes
        if isinstance(outcome, TryAgain) and outcome.scope is Scope.BATCH
    }


def _blamed_together(outcomes: Iterable[Outcome]) -> dict[str, TryAgain]:
    """Those that were refused, and not each for itself: any tool among them may be the reason."""
    return {
        outcome.intent_id: outcome
        for outcome in outcomes
        if isinstance(outcome, TryAgain) and outcome.scope in (Scope.BATCH, Scope.SOURCE)
    }


def _by_source(intents: Iterable[Intent]) -> dict[str, list[Intent]]:
    groups: dict[str, list[Intent]] = {}
    for intent in intents:
        groups.setdefault(intent.source, []).append(intent)
    return groups


def _as_left(intents: Sequence[Intent], refused: dict[str, TryAgain]) -> list[Intent]:
    """Those that were refused together, as that attempt left them."""
    return [
        replace(
            intent, in_doubt=refused[intent.id].in_doubt, omit_fields=refused[intent.id].omit_fields
        )
        for intent in intents
        if intent.id in refused
    ]


def _of_different_records(intents: Sequence[Intent], refused: dict[str, TryAgain]) -> list[Intent]:
    """The first, and the last that is about another record; one where all are about the same."""
    if not intents:
        return []
    first = intents[0]
    others = [intent for intent in intents if refused[intent.id].target != refused[first.id].target]
    return [first, *others[-1:]]


def _halves(intents: list[Intent]) -> list[list[Intent]]:
    middle = (len(intents) + 1) // 2
    return [half for half in (intents[:middle], intents[middle:]) if half]


def _untried(refused: TryAgain) -> Outcome:
    """It waits for another batch, and nothing is held against it."""
    return replace(refused, scope=Scope.RECORD, limit=0, failures_in_a_row=0)
