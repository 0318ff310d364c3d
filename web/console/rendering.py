"""Pages from templates, and the part of a page that a browser asks for again and again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app, g, make_response, render_template, request
from markupsafe import Markup

from shared.operators.live_parts import LivePart, LiveParts


def polled() -> bool:
    """The page's script asks; a person did nothing."""
    return "X-Poll" in request.headers


def page(name: str, **values: Any) -> str:
    return render_template(
        f"{name}.html",
        visitor=g.get("visitor"),
        moment=moment,
        ago=ago,
        within=within,
        **values,
    )


def live_page(
    name: str, read: Callable[[], Mapping[str, Any]], *, seconds: int = 3, is_shared: bool = True
) -> Response:
    """A page whose part `{name}_live.html` is fetched again while it is visible.

    A poll gets that part alone, or 304 when nothing of it has changed; most polls read and render
    nothing. Whoever opens the page gets it anew. read: what the part shows. seconds: between two
    polls. is_shared: the part is the same for all visitors of a role.
    """
    if request.query_string:
        is_shared = False
    part = _stored_part(name) if is_shared and polled() else None
    part = part or _rendered_part(name, read, is_shared=is_shared)
    html = Markup(part.html.replace(ANY_TOKEN, g.visitor.session.form_token))  # noqa: S704
    if not polled():
        return make_response(page(name, live=html, seconds=seconds))
    answer = Response() if part.etag in request.if_none_match else make_response(html)
    answer.set_etag(part.etag)
    answer.make_conditional(request)
    return answer


ANY_TOKEN = "\ue000"
"""Stands for the token of each visitor's forms. No text in use has this character."""


def _stored_part(name: str) -> LivePart | None:
    return _live_parts().find(name, g.visitor.user.role)


def _rendered_part(
    name: str, read: Callable[[], Mapping[str, Any]], *, is_shared: bool
) -> LivePart:
    visitor = g.visitor
    g.visitor = replace(visitor, session=replace(visitor.session, form_token=ANY_TOKEN))
    try:
        part = LivePart.of(page(f"{name}_live", **read()))
    finally:
        g.visitor = visitor
    if is_shared:
        _live_parts().put(name, visitor.user.role, part)
    return part


def _live_parts() -> LiveParts:
    return LiveParts(current_app.extensions["service"].store)


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


def within(seconds: float | None) -> str:
    """A duration of seconds to two figures; longer ones as `ago` does."""
    if seconds is None:
        return "–"
    return f"{seconds:.2g} s" if seconds < 99.5 else ago(round(seconds * 1000))
