"""The page *Kinds and limits*: pause and resume a kind of write; the API budget."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from shared.domain.kinds import Kind
from web.console.access import actions, blueprint, sentence_page, service, settings
from web.console.rendering import live_page
from web.console.writes import listing
from web.health import details


@blueprint.get("/kinds")
def kinds() -> ResponseReturnValue:
    salesforce = settings().salesforce
    return live_page(
        "kinds",
        health=details(service()),
        kinds=listing().kinds(),
        reserve_percent=salesforce.daily_reserve_percent,
        window_seconds=salesforce.window_seconds,
        seconds=5,
    )


@blueprint.post("/kinds")
def change_kind() -> ResponseReturnValue:
    kind, verb = Kind(request.form.get("kind", "")), request.form.get("verb", "")
    if kind not in listing().kinds() or verb not in ("pause", "resume"):
        return sentence_page("There is no such kind.", 404)
    if verb == "pause":
        actions().pause(kind)
    else:
        actions().resume(kind)
    return redirect(url_for("console.kinds"))
