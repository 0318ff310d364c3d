"""The pages *Writes* and a single write. Personal data only after a reveal, which is logged."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.journal.listing import OPEN, Filter, Listing
from shared.operators.masking import masked
from shared.operators.reasons import explain
from shared.operators.search import Search
from web.console.access import actions, blueprint, sentence_page, service, settings
from web.console.rendering import page

PAGE = 50
STATES = (OPEN, *State)


def listing() -> Listing:
    return Listing(service().store, service().journal)


def found(intent_id: str) -> Intent | None:
    return service().journal.get_many([intent_id]).get(intent_id)


def no_such_write() -> ResponseReturnValue:
    return sentence_page("There is no such write, or it was purged.", 404)


def record_url(intent: Intent) -> str:
    """Where the record is in Salesforce; "" before it is delivered."""
    if intent.receipt is None or not intent.receipt.record_id:
        return ""
    return f"{settings().salesforce.instance_url}/{intent.receipt.record_id}"


def shown_detail(intent: Intent) -> str:
    return masked(intent.detail, intent.payload)


@blueprint.get("/writes")
def writes() -> ResponseReturnValue:
    asked = request.args
    state = asked.get("state", "")
    wanted = Filter(
        state if state in STATES else "",
        asked.get("kind", "")[:100],
        asked.get("tool", "")[:100],
        asked.get("reason", "")[:200],
    )
    lists = listing()
    shown = lists.page(wanted, PAGE, asked.get("from", "")[:100])
    return page(
        "writes",
        wanted=wanted,
        shown=shown,
        states=STATES,
        kinds=lists.kinds(),
        detail=shown_detail,
        record_url=record_url,
    )


@blueprint.post("/find")
def find() -> ResponseReturnValue:
    """A form, so that a phone number stays out of addresses, histories and logs."""
    word = request.form.get("word", "").strip()
    made = service()
    region = settings().calls.phone_region
    search = Search(made.journal, listing(), made.calls, made.answers, region)
    results = search.find(word)
    if len(results.intents) == 1 and not results.call_id:
        return redirect(url_for("console.write", intent_id=results.intents[0].id))
    if results.call_id:
        return redirect(url_for("console.call", call_id=results.call_id))
    return page(
        "found", word=word, intents=results.intents, detail=shown_detail, record_url=record_url
    )


@blueprint.get("/writes/<intent_id>")
def write(intent_id: str) -> ResponseReturnValue:
    intent = found(intent_id)
    return write_page(intent) if intent else no_such_write()


@blueprint.post("/writes/<intent_id>/reveal")
def reveal(intent_id: str) -> ResponseReturnValue:
    intent = found(intent_id)
    if intent is None:
        return no_such_write()
    actions().note("reveal", about=intent.kind, ids=[intent.id])
    return write_page(intent, is_revealed=True)


def write_page(intent: Intent, *, is_revealed: bool = False) -> str:
    return page(
        "write",
        intent=intent,
        is_revealed=is_revealed,
        detail=intent.detail if is_revealed else shown_detail(intent),
        explanation=explain(intent.reason) if intent.state is State.PARKED else None,
        record_url=record_url(intent),
        done=request.args.get("done", ""),
    )
