"""What an operator does with a single parked write: replay, discard, or correct and replay."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from shared.domain.drafts import Draft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.operators.edits import Edit, EditRefusedError, editable, edited
from shared.operators.org_state import OrgState, org_state_of
from web.console.access import actions, blueprint, sentence_page, service, settings
from web.console.rendering import page
from web.console.writes import found, no_such_write


def _parked(intent_id: str) -> Intent | ResponseReturnValue:
    """The intent, or the answer that says why it can't be settled."""
    intent = found(intent_id)
    if intent is None:
        return no_such_write()
    if intent.state is not State.PARKED:
        return sentence_page(f"This write is {intent.state}, so nothing was changed.", 409)
    return intent


@blueprint.post("/writes/<intent_id>/replay")
def replay(intent_id: str) -> ResponseReturnValue:
    intent = _parked(intent_id)
    if not isinstance(intent, Intent):
        return intent
    actions().replay([intent.id])
    return _done(intent, "replayed")


@blueprint.post("/writes/<intent_id>/discard")
def discard(intent_id: str) -> ResponseReturnValue:
    intent = _parked(intent_id)
    if not isinstance(intent, Intent):
        return intent
    by_hand = "kept_by_hand" in request.form
    actions().discard([intent.id], is_kept_by_hand=by_hand)
    return _done(intent, "discarded, kept by hand" if by_hand else "discarded")


@blueprint.post("/writes/<intent_id>/edit")
def edit(intent_id: str) -> ResponseReturnValue:
    """The form has personal data, so opening it counts as a reveal."""
    intent = _parked(intent_id)
    if not isinstance(intent, Intent):
        return intent
    actions().note("reveal", about=intent.kind, ids=[intent.id])
    return _form(intent)


@blueprint.post("/writes/<intent_id>/edit/plan")
def edit_plan(intent_id: str) -> ResponseReturnValue:
    """The correction beside what the call saw and what the org has now. Changes nothing."""
    intent = _parked(intent_id)
    if not isinstance(intent, Intent):
        return intent
    try:
        change = _change(intent)
    except EditRefusedError as refused:
        return _form(intent, str(refused)), 400
    in_org = org_state_of(intent, change, settings())
    return page(
        "edit_plan",
        intent=intent,
        rows=_rows(intent, change, in_org),
        sentence=in_org.sentence,
        sent=_sent(),
    )


@blueprint.post("/writes/<intent_id>/edit/apply")
def edit_apply(intent_id: str) -> ResponseReturnValue:
    intent = _parked(intent_id)
    if not isinstance(intent, Intent):
        return intent
    try:
        change = _change(intent)
    except EditRefusedError as refused:
        return _form(intent, str(refused)), 400
    actions().edit(intent.id, change.draft, change.changed)
    return _done(intent, "corrected and replayed")


def _done(intent: Intent, what: str) -> ResponseReturnValue:
    return redirect(url_for("console.write", intent_id=intent.id, done=what))


def _sent() -> dict[str, str]:
    """The fields of the correction, as the form sends them, and then the plan."""
    return {name: text for name, text in request.form.items() if ":" in name}


def _names(intent: Intent) -> dict[str, str | None]:
    return editable(intent, service().agents.named(intent.agent))


def _form(intent: Intent, problem: str = "") -> str:
    names, sent = _names(intent), _sent()
    return page(
        "edit",
        intent=intent,
        names={name: sent.get(f"set:{name}", text) for name, text in names.items()},
        left_out={name for name in names if sent.get(f"how:{name}") == "unset"},
        emptied={name for name in names if sent.get(f"how:{name}") == "empty"},
        can_empty=intent.kind is Kind.CONTACT_UPDATE,
        seen=_seen(intent),
        problem=problem,
    )


def _change(intent: Intent) -> Edit:
    """What the form asks for: only what differs from the draft. Raises EditRefusedError."""
    put, left_out, emptied = [], [], []
    for name, before in _names(intent).items():
        how = request.form.get(f"how:{name}", "set")
        text = request.form.get(f"set:{name}", "").strip()
        if how == "unset" and before is not None:
            left_out.append(name)
        elif how == "empty":
            emptied.append(name)
        elif how == "set" and text and text != before:
            put.append(f"{name}={text}")
    if not (put or left_out or emptied):
        raise EditRefusedError("Nothing differs. Change a value, or replay the write as it is")
    return edited(
        intent,
        put=put,
        left_out=left_out,
        emptied=emptied,
        agent=service().agents.named(intent.agent),
        region=settings().calls.phone_region,
    )


def _seen(intent: Intent) -> dict[str, str]:
    """What the call read in each field; several values when it read it more than once."""
    seen = getattr(intent.draft_as(Draft), "seen", None) or {}
    lists = {name: value if isinstance(value, list) else [value] for name, value in seen.items()}
    return {
        name: " or ".join(str(value or "empty") for value in values)
        for name, values in lists.items()
    }


def _rows(intent: Intent, change: Edit, in_org: OrgState) -> list[dict[str, str | None]]:
    seen = _seen(intent)
    return [
        {
            "name": name,
            "wanted": old,
            "new": new,
            "seen": seen.get(name),
            "now": in_org.fields.get(name),
        }
        for name, (old, new) in change.changed.items()
    ]
