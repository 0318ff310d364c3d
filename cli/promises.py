"""`python -m cli promises`: what agents promised on a day, and what became of promises then."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import click

from cli.store import open_journal
from cli.times import iso, local
from shared.journal.promises import COUNTED, DAY_MS, Figures, Unbacked

MAX_SHOWN = 20
MAX_LISTED = 10_000

EPOCH = date(1970, 1, 1)

PUBLIC = {"delivered": "kept"}
"""What a figure is called in the output."""


class Day(click.ParamType[int]):
    """A day such as 2026-11-27, as days since 1970."""

    name = "day"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            return (date.fromisoformat(value) - EPOCH).days
        except ValueError:
            self.fail("must be such as 2026-11-27", param, ctx)


@click.command()
@click.option(
    "--day", type=Day(), metavar="DAY", help="Such as 2026-11-27, in UTC. Default: today."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def promises(day: int | None, as_json: bool) -> None:
    """Show what agents promised on a day, and what became of promises on that day.

    A promise is a sentence that says that something was accepted. Claims are what agents said by
    themselves; those that nothing backs are listed with the ids of their calls. Figures are stored
    for 35 days. Days are those of UTC.
    """
    stored = open_journal().promises
    day = stored.now_ms() // DAY_MS if day is None else day
    figures = stored.day(day)
    claims = stored.unbacked(day * DAY_MS, (day + 1) * DAY_MS, MAX_LISTED)
    if as_json:
        click.echo(json.dumps(_public(day, figures, claims)))
        return
    for line in _lines(day, figures, claims):
        click.echo(line)


def _day(day: int) -> str:
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"


def _public(day: int, figures: Figures, claims: list[Unbacked]) -> dict[str, object]:
    return {
        "day": _day(day),
        **{PUBLIC.get(name, name): getattr(figures, name) for name in COUNTED},
        "unbacked": figures.unbacked.total(),
        "open": figures.open,
        "kept_median_s": figures.seconds(0.5),
        "kept_p99_s": figures.seconds(0.99),
        "unbacked_claims": [
            {"call_id": each.call_id, "phrase": each.phrase, "at": iso(each.at_ms)}
            for each in claims
        ],
    }


def _lines(day: int, figures: Figures, claims: list[Unbacked]) -> Iterator[str]:
    yield f"{_day(day)} (UTC)"
    yield f"promised {figures.promised}"
    yield f"kept {figures.delivered}{_within(figures)}"
    yield f"kept by hand {figures.kept_by_hand}"
    yield f"taken back by the caller {figures.taken_back}"
    yield f"broken {figures.broken}, and no longer so {figures.reopened}"
    yield f"made good {figures.made_good} ({figures.unreachable} had nobody to call)"
    yield f"open at the end {figures.open}"
    corrected = f", agents corrected {figures.corrected}" if figures.corrected else ""
    yield (
        f"claims that nothing backs {figures.unbacked.total()}, call-backs for them "
        f"{figures.call_backs}{corrected}"
    )
    for each in claims[-MAX_SHOWN:]:
        yield f"  {local(each.at_ms)}  {each.call_id}  {each.phrase}"
    if len(claims) > MAX_SHOWN:
        yield f"  and {len(claims) - MAX_SHOWN} before these; --json lists them all"


def _within(figures: Figures) -> str:
    median_s, p99_s = figures.seconds(0.5), figures.seconds(0.99)
    if median_s is None or p99_s is None:
        return ""
    return f", half of them within {median_s:.1f} s, 99 of 100 within {p99_s:.1f} s"
