"""`python -m cli provision plan|apply|rollback`: what there should be in Vapi, and making it so.

The wanted state lies in vapi/ and in the tools that the server validates. TWILIO_PHONE_NUMBER, if
set, is imported into Vapi, and its fallback and status URLs at Twilio are ours. Nothing else of
either account is looked at or changed. `apply` keeps what it replaces, so that `rollback` can put
it back.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from shared.settings import Settings, load_settings
from shared.twilio import URLS, TwilioApi, TwilioRefusedError, wanted_urls
from shared.vapi.api import VapiApi, VapiRefusedError
from shared.vapi.wanted import NUMBER_SECRETS, wanted_assistant, wanted_number, wanted_tools

STORED = Path(".vapi")
TWILIO_NUMBER = "twilio-number"
UNCHANGEABLE = frozenset({"type", "provider"})
"""Given when a resource is created, refused when it is changed."""

MAX_SHOWN = 100


@dataclass(frozen=True)
class Difference:
    """path: names with dots, such as "server.url"."""

    path: str
    current: Any
    wanted: Any

    def lines(self) -> Iterator[str]:
        """For a person; a text of many lines as a diff, and never a secret."""
        current, wanted = self.current, self.wanted
        if NUMBER_SECRETS.intersection(self.path.split(".")):
            yield f"    {self.path}: another one (not shown)"
        elif isinstance(current, str) and isinstance(wanted, str) and "\n" in current + wanted:
            yield f"    {self.path}:"
            changed = unified_diff(current.splitlines(), wanted.splitlines(), lineterm="", n=0)
            yield from (f"      {line}" for line in list(changed)[2:])
        else:
            yield f"    {self.path}: {_shown(current)} → {_shown(wanted)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


@dataclass(frozen=True)
class Step:
    """One thing to create, or to change. there: what is there now."""

    resource: str
    name: str
    body: dict[str, Any]
    current: dict[str, Any] | None
    differs: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        if self.current is None:
            return f"+ {self.resource} {self.name}"
        return f"~ {self.resource} {self.name}: {', '.join(x.path for x in self.differs)}"

    def report(self, before: str = "") -> None:
        click.echo(f"{before}{self}")
        for difference in self.differs:
            for line in difference.lines():
                click.echo(line)


class Accounts:
    """The two accounts, each asked only when something of it is wanted."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def vapi(self) -> VapiApi:
        return VapiApi(self.settings)

    @cached_property
    def twilio(self) -> TwilioApi:
        return TwilioApi(self.settings)

    def has(self, resource: str, id_: str) -> bool:
        if resource == TWILIO_NUMBER:
            return self.twilio.has(id_)
        return self.vapi.find(resource, id_) is not None

    def change(self, resource: str, id_: str, body: dict[str, Any]) -> None:
        if resource == TWILIO_NUMBER:
            self.twilio.change(id_, body)
        else:
            changed = {key: value for key, value in body.items() if key not in UNCHANGEABLE}
            self.vapi.change(resource, id_, changed)


@click.group(help=__doc__)
def provision() -> None:
    """The group of provisioning commands."""


@provision.command()
def plan() -> None:
    """Tell what differs from the wanted state. Exit code 2 when something does."""
    accounts = Accounts(load_settings())
    steps = _or_exit(lambda: list(missing(accounts)))
    for step in steps:
        step.report()
    _print_what_waits(accounts.settings)
    click.echo(f"{len(steps)} to do" if steps else "nothing to do")
    sys.exit(2 if steps else 0)


@provision.command()
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def apply(yes: bool) -> None:
    """Create what is missing and change what differs."""
    accounts = Accounts(load_settings())
    if not yes:
        for step in _or_exit(lambda: list(missing(accounts))):
            step.report("would do: ")
        _print_what_waits(accounts.settings)
        click.echo("--yes does it")
        return
    done = _or_exit(lambda: make_it_so(accounts, report=click.echo))
    for step in done:
        if step.resource == "assistant" and step.current is None:
            made = _or_exit(lambda: _assistant(accounts))
            click.echo(f"VAPI_ASSISTANT_ID={made['id']}")
    _print_what_waits(accounts.settings)
    click.echo(f"{len(done)} done" if done else "nothing to do")


@provision.command()
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def rollback(yes: bool) -> None:
    """Undo the last apply from this folder: put back what it changed, delete what it created."""
    files = sorted(STORED.glob("*.json"))
    if not files:
        raise click.ClickException(f"nothing was applied from here ({STORED}/ is empty)")
    try:
        stored = json.loads(files[-1].read_text(encoding="utf-8"))
    except ValueError as broken:
        raise click.ClickException(f"{files[-1]} can't be read: {broken}") from broken
    if not yes:
        for item in reversed(stored):
            click.echo(f"would: {undoing(item)}")
        click.echo("--yes does it")
        return
    undone = put_back(Accounts(load_settings()), stored)
    while said := _or_exit(lambda: next(undone, None)):
        click.echo(said)
    files[-1].unlink()
    if len(files) > 1:
        click.echo(f"{len(files) - 1} earlier apply can be undone in the same way")


def missing(accounts: Accounts) -> Iterator[Step]:
    """The steps to the wanted state. Each needs those before it to have been done."""
    yield from missing_in_vapi(accounts)
    if _number_is_wanted(accounts.settings):
        yield from missing_at_twilio(accounts)


def missing_in_vapi(accounts: Accounts) -> Iterator[Step]:
    """Tools before the assistant that names them, and that before the number it answers."""
    settings, vapi = accounts.settings, accounts.vapi
    assistant = _assistant(accounts)  # first: an id that names nothing ends it before any change
    current = {_function(intent): intent for intent in vapi.list_all("tool") if _function(intent)}
    ids = []
    for name, body in wanted_tools(settings).items():
        found = current.get(name)
        ids.append(str(found["id"]) if found else f"(id of {name})")
        yield from _step("tool", name, body, found)
    body = wanted_assistant(settings, ids)
    name = str(body["name"])
    yield from _step("assistant", name, body, assistant)
    if _number_is_wanted(settings):
        body = wanted_number(settings)
        numbers = vapi.list_all("phone-number")
        found = next((item for item in numbers if item.get("number") == body["number"]), None)
        yield from _step("phone-number", str(body["number"]), body, found)


def missing_at_twilio(accounts: Accounts) -> Iterator[Step]:
    """The number's own URLs, after the import, which sets some itself."""
    name = str(accounts.settings.twilio_phone_number)
    yield from _step(TWILIO_NUMBER, name, wanted_urls(accounts.settings), accounts.twilio.number())


def make_it_so(accounts: Accounts, report: Callable[[Step], None] = lambda _: None) -> list[Step]:
    """Does the steps, keeping before each what it replaces. A second run does nothing.

    tell: hears of each step that is done, also of those before one that fails.
    """
    done: list[Step] = []
    stored: list[dict[str, Any]] = []
    STORED.mkdir(mode=0o700, exist_ok=True)  # a prompt may say what is nobody else's business
    file = STORED / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"

    def keep(resource: str, id_: str, name: str, before: dict[str, Any] | None) -> None:
        stored.append({"resource": resource, "id": id_, "name": name, "before": before})
        write_stored(file, stored)

    # Anew after each step: the assistant names tools whose ids are known once they are there.
    while step := next(missing(accounts), None):
        if str(step) in map(str, done):
            raise VapiRefusedError(f"{step} has no effect")
        if step.current is None:
            if step.resource == "phone-number":
                # Vapi takes the number's URLs over, and does not give them back.
                number = accounts.twilio.number()
                urls = {name: number[name] for name in URLS}
                keep(TWILIO_NUMBER, str(number["id"]), step.name, urls)
            body = {key: value for key, value in step.body.items() if value is not None}
            made = accounts.vapi.create(step.resource, body)
            keep(step.resource, str(made["id"]), step.name, None)
        else:
            id_ = str(step.current["id"])
            before = {key: step.current.get(key) for key in step.body if key not in NUMBER_SECRETS}
            keep(step.resource, id_, step.name, before)
            accounts.change(step.resource, id_, step.body)
        done.append(step)
        report(step)
    return done


def write_stored(file: Path, stored: list[dict[str, Any]]) -> None:
    """As a whole or not at all, for its owner's eyes."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    fresh.replace(file)


def put_back(accounts: Accounts, stored: list[dict[str, Any]]) -> Iterator[str]:
    """The last step first, each told when it is done. What somebody has deleted since stays so."""
    found = [item for item in stored if accounts.has(item["resource"], item["id"])]
    if stored and not found:
        raise VapiRefusedError(
            "nothing of what was applied is in this account: is VAPI_API_KEY that of another one?"
        )
    for item in reversed(stored):
        resource, id_ = item["resource"], item["id"]
        if item not in found:
            yield f"{resource} {item['name']}: gone already"
            continue
        if item["before"] is None:
            accounts.vapi.delete(resource, id_)
        else:
            accounts.change(resource, id_, item["before"])
        yield undoing(item)


def undoing(item: dict[str, Any]) -> str:
    said = "delete" if item["before"] is None else f"put back {', '.join(item['before'])}"
    return f"{item['resource']} {item['name']}: {said}"


def _number_is_wanted(settings: Settings) -> bool:
    """A number without an assistant to answer it would turn callers away: that comes first."""
    return bool(settings.twilio_phone_number and settings.vapi_assistant_id)


def _print_what_waits(settings: Settings) -> None:
    if settings.twilio_phone_number and not settings.vapi_assistant_id:
        click.echo(
            "TWILIO_PHONE_NUMBER is imported by the next apply, once VAPI_ASSISTANT_ID is set and "
            "web runs with it"
        )


def _step(
    resource: str, name: str, body: dict[str, Any], current: dict[str, Any] | None
) -> Iterator[Step]:
    if current is None:
        yield Step(resource, name, body, None)
    elif differs := tuple(_differences(body, current)):
        yield Step(resource, name, body, current, differs)


def _assistant(accounts: Accounts) -> dict[str, Any] | None:
    """The one that is configured, else the one with the name of the file's."""
    configured = accounts.settings.vapi_assistant_id
    if configured:
        found = accounts.vapi.find("assistant", configured)
        if found is None:
            raise VapiRefusedError(
                "VAPI_ASSISTANT_ID names no assistant of this account: correct it, or leave it out "
                "to have one made"
            )
        return found
    name = wanted_assistant(accounts.settings, [])["name"]
    current = accounts.vapi.list_all("assistant")
    return next((item for item in current if item.get("name") == name), None)


def _function(tool: dict[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name") or "") if isinstance(function, dict) else ""


def _differences(wanted: Any, current: Any, path: str = "") -> Iterator[Difference]:
    """Where what is there is not as wanted. What nobody wants is nobody's business."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        for key, value in wanted.items():
            if key in NUMBER_SECRETS and "*" in (current.get(key) or "*"):
                continue  # not shown, so not to be compared
            yield from _differences(value, current.get(key), f"{path}.{key}" if path else key)
    elif isinstance(wanted, list) and isinstance(current, list) and len(wanted) == len(current):
        for nth, (item, other) in enumerate(zip(wanted, current, strict=True)):
            yield from _differences(item, other, f"{path}[{nth}]")
    elif wanted != current:
        yield Difference(path, current, wanted)


def _or_exit(work: Any) -> Any:
    try:
        return work()
    except VapiRefusedError as refused:
        raise click.ClickException(f"Vapi: {refused}") from refused
    except TwilioRefusedError as refused:
        raise click.ClickException(f"Twilio: {refused}") from refused
