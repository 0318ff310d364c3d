"""Set up the tools, the assistant and the phone number at Vapi.

The wanted state is in the agent folder. If TWILIO_PHONE_NUMBER is set, `apply` imports it into Vapi
and sets its fallback and status URLs at Twilio. Nothing else in either account is changed. `apply`
stores what it replaces, so that `rollback` can restore it.
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

from cli.agent.choice import AGENT, narrowed
from cli.twilio import URLS, TwilioApi, TwilioRefusedError, wanted_urls
from cli.vapi.api import VapiApi, VapiRefusedError
from cli.vapi.wanted import NUMBER_SECRETS, wanted_assistant, wanted_number, wanted_tools
from shared.agent import claims
from shared.settings import Settings, load_settings

STORED = Path(".vapi")
TWILIO_NUMBER = "twilio-number"
UNCHANGEABLE = frozenset({"type", "provider"})
"""Vapi accepts these when a resource is created and refuses them in a change."""

MAX_SHOWN = 100


@dataclass(frozen=True)
class Difference:
    """path: names with dots, such as "server.url"."""

    path: str
    current: Any
    wanted: Any

    def lines(self) -> Iterator[str]:
        """The lines to print: a long text as a diff, and never a secret."""
        current, wanted = self.current, self.wanted
        if NUMBER_SECRETS.intersection(self.path.split(".")):
            yield f"    {self.path}: differs (not shown)"
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
    """A resource to create or to change. current: what exists now, None when nothing does."""

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
    """The Vapi and Twilio accounts. Each client is created when it is first used.

    agent: the name of the agent folder to provision, "" when nobody chose one.
    """

    def __init__(self, settings: Settings, agent: str = "") -> None:
        self.settings = settings
        self.agent = agent

    @cached_property
    def vapi(self) -> VapiApi:
        return VapiApi(self.settings.vapi)

    @cached_property
    def twilio(self) -> TwilioApi:
        return TwilioApi(self.settings.twilio)

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
@AGENT
def plan(name: str | None) -> None:
    """Show what differs from the wanted state, and change nothing.

    Exit codes: 0 when nothing differs, 2 when something does, 1 when the state can't be read.
    """
    accounts = _accounts(name)
    steps = _or_exit(lambda: list(missing(accounts)))
    for step in steps:
        step.report()
    _print_postponed(accounts.settings)
    click.echo(f"{len(steps)} to do" if steps else "nothing to do")
    sys.exit(2 if steps else 0)


@provision.command()
@click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)
@AGENT
def apply(yes: bool, name: str | None) -> None:
    """Create what is missing and change what differs."""
    accounts = _accounts(name)
    if not yes:
        for step in _or_exit(lambda: list(missing(accounts))):
            step.report("would do: ")
        _print_postponed(accounts.settings)
        click.echo("Add --yes to do it.")
        return
    done = _or_exit(lambda: apply_steps(accounts, report=click.echo))
    for step in done:
        if step.resource == "assistant" and step.current is None:
            made = _or_exit(lambda: _assistant(accounts))
            click.echo(_to_set(accounts, str(made["id"])))
    _print_postponed(accounts.settings)
    click.echo(f"{len(done)} done" if done else "nothing to do")


@provision.command()
@click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)
def rollback(yes: bool) -> None:
    """Undo the last apply from this folder: restore what it changed, delete what it created."""
    files = sorted(STORED.glob("*.json"))
    if not files:
        raise click.ClickException(f"nothing was applied from this folder ({STORED}/ is empty)")
    try:
        stored = json.loads(files[-1].read_text(encoding="utf-8"))
    except ValueError as broken:
        raise click.ClickException(f"{files[-1]} can't be read: {broken}") from broken
    if not yes:
        for replaced in reversed(stored):
            click.echo(f"would undo: {undoing(replaced)}")
        click.echo("Add --yes to do it.")
        return
    undone = restore(Accounts(load_settings()), stored)
    while line := _or_exit(lambda: next(undone, None)):
        click.echo(line)
    files[-1].unlink()
    if len(files) > 1:
        click.echo(f"Run rollback again to undo an earlier apply ({len(files) - 1} left).")


def _accounts(agent: str | None) -> Accounts:
    """agent: the name of an agent folder, the first one when None. Raises SettingsError."""
    return Accounts(narrowed(load_settings(), agent), agent or "")


def _to_set(accounts: Accounts, assistant_id: str) -> str:
    """Where the id of a new assistant belongs."""
    if not accounts.agent:
        return f"VAPI_ASSISTANT_ID={assistant_id}"
    path = Path(accounts.settings.calls.agent_dir) / claims.FILE
    return f'Add to {path}: assistants = ["{assistant_id}"]'


def missing(accounts: Accounts) -> Iterator[Step]:
    """The steps to the wanted state, in the order in which they must be done."""
    yield from missing_in_vapi(accounts)
    if _number_is_wanted(accounts.settings):
        yield from missing_at_twilio(accounts)


def missing_in_vapi(accounts: Accounts) -> Iterator[Step]:
    """First the tools, then the assistant that names them, then the number that it answers."""
    settings, vapi = accounts.settings, accounts.vapi
    assistant = _assistant(accounts)  # first: a wrong id is refused before any change
    current = _tools_of(vapi, assistant)
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
        found = next((row for row in numbers if row.get("number") == body["number"]), None)
        yield from _step("phone-number", str(body["number"]), body, found)


def _tools_of(vapi: VapiApi, assistant: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The function tools of the assistant, by name; then those that no other assistant uses.

    Assistants of different agent folders may each have a tool of the same name.
    """
    own = _tool_ids(assistant or {})
    others = {
        id_
        for other in vapi.list_all("assistant")
        if not assistant or other.get("id") != assistant.get("id")
        for id_ in _tool_ids(other)
    }
    tools = [tool for tool in vapi.list_all("tool") if _function(tool)]
    unused = {_function(tool): tool for tool in tools if tool.get("id") not in others}
    return unused | {_function(tool): tool for tool in tools if tool.get("id") in own}


def _tool_ids(assistant: dict[str, Any]) -> set[str]:
    model = assistant.get("model")
    ids = model.get("toolIds") if isinstance(model, dict) else None
    return set(map(str, ids)) if isinstance(ids, list) else set()


def missing_at_twilio(accounts: Accounts) -> Iterator[Step]:
    """The number's URLs, after the import into Vapi, which sets some itself."""
    name, urls = str(accounts.settings.twilio.phone_number), wanted_urls(accounts.settings.web)
    yield from _step(TWILIO_NUMBER, name, urls, accounts.twilio.number())


def apply_steps(accounts: Accounts, report: Callable[[Step], None] = lambda _: None) -> list[Step]:
    """Does the steps, and stores before each what it replaces. A second run does nothing.

    report: called after each step, also after those before a step that fails.
    """
    done: list[Step] = []
    stored: list[dict[str, Any]] = []
    STORED.mkdir(mode=0o700, exist_ok=True)  # a prompt may be confidential
    file = STORED / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"

    def store(resource: str, id_: str, name: str, before: dict[str, Any] | None) -> None:
        stored.append({"resource": resource, "id": id_, "name": name, "before": before})
        write_stored(file, stored)

    # Listed again after each step: the assistant needs the ids of tools that were just created.
    while step := next(missing(accounts), None):
        if str(step) in map(str, done):
            raise VapiRefusedError(f"{step} has no effect")
        if step.current is None:
            if step.resource == "phone-number":
                # Vapi replaces the number's URLs, and does not restore them.
                number = accounts.twilio.number()
                urls = {name: number[name] for name in URLS}
                store(TWILIO_NUMBER, str(number["id"]), step.name, urls)
            body = {key: value for key, value in step.body.items() if value is not None}
            made = accounts.vapi.create(step.resource, body)
            store(step.resource, str(made["id"]), step.name, None)
        else:
            id_ = str(step.current["id"])
            before = {key: step.current.get(key) for key in step.body if key not in NUMBER_SECRETS}
            store(step.resource, id_, step.name, before)
            accounts.change(step.resource, id_, step.body)
        done.append(step)
        report(step)
    return done


def write_stored(file: Path, stored: list[dict[str, Any]]) -> None:
    """Atomic, and readable by the owner alone."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    fresh.replace(file)


def restore(accounts: Accounts, stored: list[dict[str, Any]]) -> Iterator[str]:
    """Undoes the last step first; a line for each. What somebody has deleted stays deleted."""
    found = [row for row in stored if accounts.has(row["resource"], row["id"])]
    if stored and not found:
        raise VapiRefusedError(
            "nothing that was applied is in this account. Check that VAPI_API_KEY belongs to the "
            "account of the apply"
        )
    for replaced in reversed(stored):
        resource, id_ = replaced["resource"], replaced["id"]
        if replaced not in found:
            yield f"{resource} {replaced['name']}: already deleted"
            continue
        if replaced["before"] is None:
            accounts.vapi.delete(resource, id_)
        else:
            accounts.change(resource, id_, replaced["before"])
        yield undoing(replaced)


def undoing(replaced: dict[str, Any]) -> str:
    before = replaced["before"]
    action = "delete" if before is None else f"restore {', '.join(before)}"
    return f"{replaced['resource']} {replaced['name']}: {action}"


def _number_is_wanted(settings: Settings) -> bool:
    """Only with an assistant to answer it: without one the number would refuse callers."""
    return bool(settings.twilio.phone_number and settings.vapi.assistant_id)


def _print_postponed(settings: Settings) -> None:
    if settings.twilio.phone_number and not settings.vapi.assistant_id:
        click.echo(
            "The next apply imports TWILIO_PHONE_NUMBER, once VAPI_ASSISTANT_ID is set and web "
            "runs with it."
        )


def _step(
    resource: str, name: str, body: dict[str, Any], current: dict[str, Any] | None
) -> Iterator[Step]:
    if current is None:
        yield Step(resource, name, body, None)
    elif differs := tuple(_differences(body, current)):
        yield Step(resource, name, body, current, differs)


def _assistant(accounts: Accounts) -> dict[str, Any] | None:
    """The assistant of VAPI_ASSISTANT_ID, else the assistant with the name in assistant.toml."""
    configured = accounts.settings.vapi.assistant_id
    if configured:
        found = accounts.vapi.find("assistant", configured)
        if found is None:
            raise VapiRefusedError(
                "VAPI_ASSISTANT_ID names no assistant of this account. Correct it, or unset it so "
                "that apply creates an assistant"
            )
        return found
    name = wanted_assistant(accounts.settings, [])["name"]
    current = accounts.vapi.list_all("assistant")
    return next((row for row in current if row.get("name") == name), None)


def _function(tool: dict[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name") or "") if isinstance(function, dict) else ""


def _differences(wanted: Any, current: Any, path: str = "") -> Iterator[Difference]:
    """Where current is not as wanted. Keys that wanted does not have are not compared."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        for key, value in wanted.items():
            if key in NUMBER_SECRETS and "*" in (current.get(key) or "*"):
                continue  # Vapi does not show it, so it can't be compared
            yield from _differences(value, current.get(key), f"{path}.{key}" if path else key)
    elif isinstance(wanted, list) and isinstance(current, list) and len(wanted) == len(current):
        for nth, (wanted_item, current_item) in enumerate(zip(wanted, current, strict=True)):
            yield from _differences(wanted_item, current_item, f"{path}[{nth}]")
    elif wanted != current:
        yield Difference(path, current, wanted)


def _or_exit(work: Any) -> Any:
    try:
        return work()
    except VapiRefusedError as refused:
        raise click.ClickException(f"Vapi: {refused}") from refused
    except TwilioRefusedError as refused:
        raise click.ClickException(f"Twilio: {refused}") from refused
