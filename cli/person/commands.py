"""Show, export and erase what the service has of the person with a phone number."""

import json
import os
import secrets
from pathlib import Path

import click
import redis

from cli.person.description import UNCLOSED, Description, describe
from cli.person.document import document
from cli.person.erasing import (
    Blockers,
    Erasing,
    GivenUp,
    Leftover,
    blockers_of,
    erase,
    give_up,
    look_again,
)
from cli.person.finding import Person, find
from cli.store import Commands, journal_of, open_actions, open_store
from shared.journal.erasure import Erasure
from shared.logs import log
from shared.phone import as_e164
from shared.settings import Settings, load_settings
from shared.wake_ups import Notifier, celery_app

NUMBER = click.argument("number")


@click.group(cls=Commands, help=__doc__)
def person() -> None:
    """The group of person commands."""


@person.command()
@NUMBER
@click.option("--values", is_flag=True, help="Print what Salesforce said of the person, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(number: str, values: bool, as_json: bool) -> None:
    """Show what is stored about NUMBER: figures, ids, times and states.

    Nothing that anybody said, and no value of Salesforce's unless you add --values. NUMBER may be
    written in any usual way; without a country code it is one of PHONE_REGION.
    """
    found = _Found(number)
    if as_json:
        shown = found.description.as_json(values=values)
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(found.description.lines(values=values)))


@person.command()
@NUMBER
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file for the document, which only you can read. Default: print it.",
)
def export(number: str, out: Path | None) -> None:
    """Export all that is stored about NUMBER as one JSON document.

    It has the caller's and the agent's words. Before you hand it over, make sure that the person
    who asks for it is the one who made the calls: the command warns where the number leaves doubt.
    """
    found = _Found(number)
    open_actions().note("export person")
    text = json.dumps(document(found.store, found.person), indent=2, ensure_ascii=False)
    if out:
        _write(out, f"{text}\n")
        click.echo(f"wrote {out}")
    else:
        click.echo(text)
    for sentence in _doubts(found.description):
        click.echo(f"warning: {sentence}", err=True)


@person.command("forget")
@NUMBER
@click.option(
    "--discard-unsettled",
    is_flag=True,
    help="Also give up what is not in Salesforce yet: writes, parked writes, ends of calls.",
)
@click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)
def erase_person(number: str, discard_unsettled: bool, yes: bool) -> None:
    """Delete all that is stored about NUMBER.

    Refuses while something of the person is not settled: a call that lasts, a write that is not in
    Salesforce yet, a parked write. It does not reach Salesforce, Vapi, Twilio, log files and
    backups: docs/personal-data.md says what to do there.
    """
    found = _Found(number)
    if found.description.is_empty:
        click.echo("nothing is stored about this number")
        return
    blockers = blockers_of(found.description, found.settings.calls.idle_call_min)
    _refuse(blockers, discard_unsettled=discard_unsettled)
    if not yes:
        for sentence in blockers.sentences:
            click.echo(f"would give up: {sentence}")
        click.echo(f"would forget {_counted(found)}; add --yes to do it")
        return
    _erase(found, discard_unsettled=discard_unsettled)


class _Found:
    """A number, and what was found of it."""

    def __init__(self, written: str) -> None:
        self.settings: Settings = load_settings()
        number = as_e164(written, self.settings.calls.phone_region)
        if number is None:
            raise click.BadParameter(
                "must be a full phone number without extension, such as +14155550100",
                param_hint="NUMBER",
            )
        self.store: redis.Redis = open_store()
        self.journal = journal_of(self.settings, self.store)
        self.number = number
        idle_ms = self.settings.calls.idle_call_min * 60_000
        self.person: Person = find(self.store, self.number)
        self.description: Description = describe(
            self.store, self.journal, self.person, idle_ms=idle_ms
        )


def _refuse(blockers: Blockers, *, discard_unsettled: bool) -> None:
    """Raises ClickException while something is in the way."""
    if not blockers.sentences or (discard_unsettled and blockers.can_be_given_up):
        return
    advice = (
        "Wait, or settle them (python -m cli intents). --discard-unsettled gives them up"
        if blockers.can_be_given_up
        else "Try again when the first of these is settled"
    )
    listed = "\n  ".join(blockers.sentences)
    raise click.ClickException(f"nothing was forgotten:\n  {listed}\n{advice}.")


def _counted(found: _Found) -> str:
    shown = found.description
    counts = [
        _count(len(shown.calls), "call"),
        _count(len(shown.intents), "write"),
        _count(shown.stored_answers, "stored answer"),
        _count(sum(shown.keys.values()), "key"),
    ]
    return ", ".join(counts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _erase(found: _Found, *, discard_unsettled: bool) -> None:
    given_up, erasure_id = GivenUp(), secrets.token_hex(8)
    open_actions().note("forget person", about=erasure_id)
    if discard_unsettled:
        given_up = give_up(found.journal, found.description.intents)
        Notifier(celery_app(found.settings.store)).notify(given_up.due_kinds)
        click.echo(f"cancelled {given_up.cancelled}, discarded {given_up.discarded}")
        if given_up.refused:
            raise click.ClickException(
                f"nothing was forgotten: a worker has just taken {', '.join(given_up.refused)}. "
                "Try again in a minute"
            )
    done = erase(
        found.store,
        Erasure(found.store),
        found.person,
        found.description.intents,
        unclosed=found.description.calls_in(UNCLOSED) if discard_unsettled else (),
    )
    left = look_again(found.store, found.number)
    _report(erasure_id, given_up, done, left)
    if done.open:
        raise click.ClickException(f"{'; '.join(done.open)}. Run it again")


def _report(erasure_id: str, given_up: GivenUp, done: Erasing, left: Leftover) -> None:
    """What was done, on the terminal and as a line of the log. Neither has the number."""
    log.info(
        "person_erased",
        erasure=erasure_id,
        calls=done.calls,
        intents=done.intents,
        cancelled=given_up.cancelled,
        discarded=given_up.discarded,
        left=sum(left.mentions.values()),
    )
    click.echo(f"forgot {_count(done.calls, 'call')}, {_count(done.intents, 'write')}")
    if done.texts:
        click.echo(f"purged {_count(done.texts, 'write')} of other callers that had the number")
    if left.mentions:
        where = ", ".join(f"{family} ({count})" for family, count in left.mentions.items())
        click.echo(
            f"the number is still in: {where}. That is what other callers asked for or said, or a "
            "call that has begun since. It expires as docs/personal-data.md says"
        )
    else:
        click.echo(f"looked at {_count(left.keys, 'key')}: the number is in none of them")
    click.echo("not reached: Salesforce, Vapi, Twilio, logs, backups (docs/personal-data.md)")
    click.echo(f"logged as person_erased {erasure_id}, without the number")


def _doubts(found: Description) -> list[str]:
    """Why the document may have somebody else's data."""
    doubts = []
    contacts = max((len(snapshot.customers or ()) for snapshot in found.snapshots), default=0)
    if contacts > 1:
        doubts.append(f"{contacts} contacts have this number: the document has data of all of them")
    if count := sum(not call.number_is_verified for call in found.calls):
        doubts.append(
            f"in {_count(count, 'call')} nobody verified the number (number_is_verified is false): "
            "somebody else may have made them"
        )
    return doubts


def _write(path: Path, text: str) -> None:
    """A new file that only its owner can read. Raises ClickException."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refused:
        raise click.ClickException(f"can't create {path}: {refused.strerror}") from refused
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
