"""Pages of intents on the command line: how many there are, and how to see the next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import click

from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.journal.journal import Journal
from shared.journal.listing import MAX_LOOKED_AT, OPEN, Filter, Listing

REVEAL = click.option("--reveal", is_flag=True, help="Show personal data, too. The audit notes it.")


@dataclass(frozen=True)
class Shown:
    """fitting: how many there are in all; is_more: there are at least that many. next: where the
    next page begins, "" after the last."""

    intents: tuple[Intent, ...]
    fitting: int
    is_more: bool = False
    next: str = ""


def page_of(listing: Listing, wanted: Filter, limit: int, begins: str) -> Shown:
    """Counts up to MAX_LOOKED_AT intents."""
    page = listing.page(wanted, limit, begins)
    if _is_whole_set(wanted):
        return Shown(page.intents, page.total, next=page.next)
    fitting = len(listing.ids(wanted, MAX_LOOKED_AT))
    is_more = page.total > MAX_LOOKED_AT
    return Shown(page.intents, fitting, is_more, page.next)


def of_call(journal: Journal, call_id: str, wanted: Filter, limit: int) -> Shown:
    """Those of one call, in the order of acceptance."""
    found = [intent for intent in journal.of_call(call_id) if _fits(intent, wanted)]
    return Shown(tuple(found[:limit]), len(found))


def footer(shown: Shown, *, as_json: bool) -> Iterator[str]:
    """A line with the counts. As JSON only when there is more to see."""
    count = len(shown.intents)
    if as_json:
        if shown.next:
            yield json.dumps({"shown": count, "of": shown.fitting, "next": shown.next})
        return
    if not count and not shown.next:
        yield "none"
        return
    total = f"{'at least ' if shown.is_more else ''}{shown.fitting}"
    yield f"{count} of {total}" + (f"; the next page: --from {shown.next}" if shown.next else "")


def _is_whole_set(wanted: Filter) -> bool:
    """The filter fits everything that the page looks at, so its size is the count."""
    return wanted in (Filter(), Filter(State.PARKED), Filter(OPEN))


def _fits(intent: Intent, wanted: Filter) -> bool:
    states = {State.HELD, State.DUE, State.LEASED} if wanted.state == OPEN else {wanted.state}
    reason = wanted.reason
    has_reason = (
        intent.reason.startswith(reason[:-1]) if reason[-1:] == "*" else intent.reason == reason
    )
    return (
        (not wanted.state or intent.state in states)
        and wanted.kind in ("", intent.kind)
        and wanted.tool in ("", intent.tool)
        and (not reason or has_reason)
    )
