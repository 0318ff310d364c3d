"""The page *Now*: is it delivering, and if not, why not."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from web.console.access import blueprint, service
from web.console.rendering import live_page
from web.console.verdict import lamps_of, verdict_of
from web.health import details
from web.metrics import REFUSED


@blueprint.get("/")
def start() -> ResponseReturnValue:
    return redirect(url_for("console.now"))


@blueprint.get("/now")
def now() -> ResponseReturnValue:
    health = details(service())
    refused = sum(
        sample.value
        for metric in REFUSED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )
    return live_page(
        "now",
        health=health,
        verdict=verdict_of(health),
        lamps=list(lamps_of(health, int(refused))),
    )
