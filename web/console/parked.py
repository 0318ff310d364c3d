"""The page *Parked*: groups by reason, and actions on a whole group, planned and step by step."""

from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from shared.journal.listing import MAX_GROUPED, Filter, Group, group_filter
from shared.operators.group_actions import GroupActions, Stage, Verb, plan
from shared.operators.masking import masked
from shared.operators.reasons import explain
from web.console.access import blueprint, sentence_page, service, settings, visitor
from web.console.rendering import live_page, page
from web.console.writes import listing


def _group_actions() -> GroupActions:
    made = service()
    return GroupActions(made.store, made.journal, made.notifier.notify, visitor().user.name)


@blueprint.get("/parked")
def parked() -> ResponseReturnValue:
    return live_page("parked", _shown_groups, seconds=10)


def _shown_groups() -> dict[str, Any]:
    groups = listing().groups()
    return {
        "groups": groups,
        "explain": explain,
        "details": _details(groups),
        "total": service().journal_summary().parked,
        "counted": MAX_GROUPED,
    }


def _details(groups: Iterable[Group]) -> dict[str, str]:
    """Salesforce's message without the values that it quotes, by the example of each group. A rule
    quotes no values, but a trigger may."""
    named = {group.example: group.detail for group in groups if group.detail}
    found = service().journal.get_many(named)
    return {
        example: masked(detail, found[example].payload if example in found else {})
        for example, detail in named.items()
    }


def _asked() -> tuple[Verb, Filter, Group] | None:
    """The verb and the group that a form names; None when there is no such group now."""
    form = request.form
    parts = (form.get("kind", ""), form.get("reason", ""), form.get("detail", ""))
    # A browser sends line breaks as CRLF.
    parts = (parts[0], parts[1], parts[2].replace("\r\n", "\n"))
    wanted, verb = group_filter(*parts), form.get("verb", "")
    if wanted is None or verb not in list(Verb):
        return None
    same = (group for group in listing().groups() if (group.kind, group.reason) == parts[:2])
    group = next((group for group in same if group.detail == parts[2]), None)
    return (Verb(verb), wanted, group) if group else None


@blueprint.post("/parked/plan")
def group_plan() -> ResponseReturnValue:
    """What the action would do. Changes nothing."""
    if (asked := _asked()) is None:
        return sentence_page("Nothing is parked in this group any more.", 409)
    verb, wanted, group = asked
    salesforce = settings().salesforce
    requests = salesforce.window_requests
    window = (requests, int(salesforce.window_seconds)) if requests else None
    return page(
        "group_plan",
        verb=verb,
        group=group,
        details=_details([group]),
        plan=plan(verb, wanted, group.count, window),
    )


@blueprint.post("/actions")
def begin_action() -> ResponseReturnValue:
    if (asked := _asked()) is None:
        return sentence_page("Nothing is parked in this group any more.", 409)
    verb, wanted, _ = asked
    action_id = _group_actions().begin(verb, wanted, listing())
    return redirect(url_for("console.action", action_id=action_id))


@blueprint.get("/actions/<action_id>")
def action(action_id: str) -> ResponseReturnValue:
    return _shown(action_id, step=False)


@blueprint.post("/actions/<action_id>/step")
def action_step(action_id: str) -> ResponseReturnValue:
    return _shown(action_id, step=True)


@blueprint.post("/actions/<action_id>/abort")
def action_abort(action_id: str) -> ResponseReturnValue:
    _group_actions().abort(action_id)
    return redirect(url_for("console.action", action_id=action_id))


def _shown(action_id: str, *, step: bool) -> ResponseReturnValue:
    group_actions = _group_actions()
    now = group_actions.step(action_id) if step else group_actions.progress(action_id)
    if now is None:
        return sentence_page("There is no such action, or it is older than a day.", 404)
    shown = {"now": now, "is_running": now.stage is Stage.RUNNING}
    return live_page("action", lambda: shown, seconds=1, is_shared=False)
