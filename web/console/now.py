"""The page *Now*: is it delivering, and if not, why not."""

from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from web.console.access import blueprint, service
from web.console.charts import HEIGHT, WIDTH, charts_of
from web.console.rendering import live_page
from web.console.verdict import lamps_of, verdict_of
from web.health import details


@blueprint.get("/")
def start() -> ResponseReturnValue:
    return redirect(url_for("console.now"))


@blueprint.get("/now")
def now() -> ResponseReturnValue:
    return live_page("now", _shown)


def _shown() -> dict[str, Any]:
    health, minutes = details(service()), service().minutes.last()
    refused = service().refused
    return {
        "health": health,
        "verdict": verdict_of(health),
        "lamps": list(lamps_of(health, refused.per_min(), refused.ever())),
        "lasting": service().calls.lasting(),
        "promises": service().journal.promises.last_hour(),
        "charts": charts_of(minutes),
        "size": (WIDTH, HEIGHT),
    }
