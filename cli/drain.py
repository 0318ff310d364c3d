"""`python -m cli drain`: wait until what was accepted is delivered, before a deploy."""

import time
from collections.abc import Iterable

import click

from cli.store import open_journal, open_store
from shared.alive import Alive
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.results import Open

LOOK_EVERY_S = 0.5
SAY_EVERY_S = 5.0


@click.command()
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(0, 24 * 3600),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long.",
)
def drain(for_s: float) -> None:
    """Wait until nothing accepted is left to deliver. Changes nothing itself.

    Stop the web processes first: each call that goes on adds to it. Leaves out paused kinds, which
    nothing delivers, and parked intents, which wait for a person. Exit code 0 when nothing is left,
    1 when something was after the given time; the last lines say what, and why.
    """
    journal, until, say_at = open_journal(), time.monotonic() + for_s, 0.0
    while True:
        left = _left(journal)
        if not left:
            break
        now = time.monotonic()
        if now >= until:
            _explain(journal, left)
            raise click.ClickException(f"not drained after {for_s:g} s")
        if now >= say_at:
            click.echo(_line(left))
            say_at = now + SAY_EVERY_S
        time.sleep(min(LOOK_EVERY_S, until - now))
    for line in _left_out(journal):
        click.echo(line)
    click.echo("drained")


def _left(journal: Journal) -> dict[str, Open]:
    paused = journal.paused()
    return {
        kind: open_
        for kind, open_ in journal.summary().kinds.items()
        if open_.total and kind not in paused
    }


def _left_out(journal: Journal) -> Iterable[str]:
    summary, paused = journal.summary(), journal.paused()
    for kind in sorted(paused):
        if (open_ := summary.kinds.get(kind)) and open_.total:
            yield f"left out: {kind} is paused ({open_.total} open)"
    if summary.parked:
        yield f"left out: {summary.parked} parked (python -m cli intents list --state parked)"


def _explain(journal: Journal, left: dict[str, Open]) -> None:
    click.echo(_line(left))
    if not Alive(open_store()).of("worker"):
        click.echo("no worker is at work: start one, it delivers what is due")
    for tool in sorted(journal.paused() - set(Kind)):
        click.echo(f"{tool} is paused: nothing delivers what it asked for")
    now_ms = journal.now_ms()
    for what, wait in sorted(journal.waits().items()):
        if wait.until_ms > now_ms:
            seconds = (wait.until_ms - now_ms) / 1000
            click.echo(f"{what} waits for {seconds:.0f} s because of {wait.reason}")


def _line(left: dict[str, Open]) -> str:
    parts = []
    for kind, open_ in sorted(left.items()):
        states = {"held": open_.held, "waiting": open_.waiting, "due": open_.due}
        states["leased"] = open_.leased
        parts.append(f"{kind} " + ", ".join(f"{n} {state}" for state, n in states.items() if n))
    return "left: " + "; ".join(parts)
