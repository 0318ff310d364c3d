"""Pages from templates, and the part of a page that a browser asks for again and again."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from flask import Response, g, make_response, render_template, request
from markupsafe import Markup


def polled() -> bool:
    """The page's script asks; a person did nothing."""
    return "X-Poll" in request.headers


def page(name: str, **values: Any) -> str:
    return render_template(
        f"{name}.html",
        visitor=g.get("visitor"),
        moment=moment,
        ago=ago,
        seconds_of=seconds_of,
        **values,
    )


def live_page(name: str, **values: Any) -> Response:
    """A page whose part `{name}_live.html` is fetched again while it is visible.

    A poll gets that part alone, or 304 when nothing of it has changed.
    """
    if not polled():
        return make_response(page(name, live=f"{name}_live.html", **values))
    html = page(f"{name}_live", **values)
    answer = make_response(html)
    answer.set_etag(sha256(html.encode()).hexdigest()[:32])
    answer.make_conditional(request)
    return answer


def moment(at_ms: int | None) -> Markup:
    """Epoch ms as a time of UTC, which the page's script shows in the reader's own time zone."""
    if not at_ms:
        return Markup("–")
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%d %b %H:%M:%S UTC")
    )


def ago(ms: int | None) -> str:
    """A duration, roughly."""
    if ms is None or ms < 0:
        return "–"
    seconds = ms // 1000
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def seconds_of(ms: int) -> str:
    """A duration of seconds to two figures; longer ones as `ago` does."""
    return f"{ms / 1000:.2g} s" if ms < 100_000 else ago(ms)
