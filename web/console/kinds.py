"""The page *Kinds and limits*: pause and resume a kind of write or a tool; the API budget."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from web.console.access import actions, blueprint, sentence_page, service, settings
from web.console.rendering import live_page
from web.console.writes import listing
from web.health import details


def _names() -> list[str]:
    """What can be paused: kinds, and tools with their agent folders. Also what is paused or waits,
    but no longer exists."""
    made = service()
    tools = set(made.agents.tool_sources)
    stopped = {str(name) for name in (*made.journal.paused(), *made.journal.waits())}
    kinds = list(map(str, listing().kinds()))
    return [*kinds, *sorted((tools | stopped) - {*kinds, "org"})]


@blueprint.get("/kinds")
def kinds() -> ResponseReturnValue:
    return live_page("kinds", _shown, seconds=5)


def _shown() -> dict[str, Any]:
    salesforce = settings().salesforce
    return {
        "health": details(service()),
        "names": _names(),
        "reserve_percent": salesforce.daily_reserve_percent,
        "window_seconds": salesforce.window_seconds,
    }


@blueprint.post("/kinds")
def change_kind() -> ResponseReturnValue:
    name, verb = request.form.get("name", ""), request.form.get("verb", "")
    if name not in _names() or verb not in ("pause", "resume"):
        return sentence_page("There is no such kind or tool.", 404)
    if verb == "pause":
        actions().pause(name)
    else:
        actions().resume(name)
    return redirect(url_for("console.kinds"))
