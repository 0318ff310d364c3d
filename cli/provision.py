"""`python -m cli provision plan|apply|rollback`: what there should be in Vapi, and making it so.

The wanted state lies in vapi/ and in the tools that the server validates. Nothing else of the Vapi
account is looked at or changed. `apply` keeps what it replaces, so that `rollback` can put it back.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from shared.settings import Settings, load_settings
from shared.vapi.api import VapiApi, VapiRefusedError
from shared.vapi.wanted import wanted_assistant, wanted_tools

KEPT = Path(".vapi")


@dataclass(frozen=True)
class Step:
    """One thing to create, or to change. differs: paths of the fields; there: what is there now."""

    resource: str
    name: str
    body: dict[str, Any]
    there: dict[str, Any] | None
    differs: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.there is None:
            return f"+ {self.resource} {self.name}"
        return f"~ {self.resource} {self.name}: {', '.join(self.differs)}"


@click.group(help=__doc__)
def provision() -> None:
    """The group of provisioning commands."""


@provision.command()
def plan() -> None:
    """Tell what differs from the wanted state. Exit code 2 when something does."""
    settings = load_settings()
    steps = _or_exit(lambda: list(missing(settings, VapiApi(settings))))
    for step in steps:
        click.echo(str(step))
    click.echo(f"{len(steps)} to do" if steps else "nothing to do")
    sys.exit(2 if steps else 0)


@provision.command()
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def apply(yes: bool) -> None:
    """Create what is missing and change what differs."""
    settings = load_settings()
    if not yes:
        for step in _or_exit(lambda: list(missing(settings, VapiApi(settings)))):
            click.echo(f"would do: {step}")
        click.echo("--yes does it")
        return
    vapi = _or_exit(lambda: VapiApi(settings))
    done = _or_exit(lambda: make_it_so(settings, vapi))
    for step in done:
        click.echo(str(step))
    if any(step.resource == "assistant" and step.there is None for step in done):
        made = _or_exit(lambda: _assistant(settings, vapi, done[-1].name))
        click.echo(f"VAPI_ASSISTANT_ID={made['id']}")
    click.echo(f"{len(done)} done" if done else "nothing to do")


@provision.command()
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def rollback(yes: bool) -> None:
    """Undo the last apply from this folder: put back what it changed, delete what it created."""
    files = sorted(KEPT.glob("*.json"))
    if not files:
        raise click.ClickException(f"nothing was applied from here ({KEPT}/ is empty)")
    kept = json.loads(files[-1].read_text(encoding="utf-8"))
    for one in kept:
        told = "delete" if one["before"] is None else f"put back {', '.join(one['before'])}"
        click.echo(f"{'' if yes else 'would: '}{one['resource']} {one['name']}: {told}")
    if not yes:
        click.echo("--yes does it")
        return
    _or_exit(lambda: put_back(VapiApi(load_settings()), kept))
    files[-1].unlink()


def missing(settings: Settings, vapi: VapiApi) -> Iterator[Step]:
    """The steps to the wanted state, tools before the assistant that names them."""
    there = {_function(one): one for one in vapi.list_all("tool") if _function(one)}
    ids = []
    for name, body in wanted_tools(settings).items():
        found = there.get(name)
        ids.append(str(found["id"]) if found else f"(id of {name})")
        if found is None:
            yield Step("tool", name, body, None)
        elif differs := tuple(_differences(body, found)):
            yield Step("tool", name, body, found, differs)
    body = wanted_assistant(settings, ids)
    found = _assistant(settings, vapi, str(body["name"]))
    if found is None:
        yield Step("assistant", str(body["name"]), body, None)
    elif differs := tuple(_differences(body, found)):
        yield Step("assistant", str(body["name"]), body, found, differs)


def make_it_so(settings: Settings, vapi: VapiApi) -> list[Step]:
    """Does the steps, keeping before each what it replaces. A second run does nothing."""
    done: list[Step] = []
    kept: list[dict[str, Any]] = []
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"
    # Anew after each step: the assistant names tools whose ids are known once they are there.
    while step := next(missing(settings, vapi), None):
        before = None if step.there is None else {key: step.there.get(key) for key in step.body}
        if step.there is None:
            id_ = str(vapi.create(step.resource, step.body)["id"])
        else:
            id_ = str(step.there["id"])
            body = {key: value for key, value in step.body.items() if key != "type"}
            vapi.change(step.resource, id_, body)
        kept.append({"resource": step.resource, "id": id_, "name": step.name, "before": before})
        file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        if done and str(done[-1]) == str(step):
            raise VapiRefusedError(f"{step} has no effect")
        done.append(step)
    return done


def put_back(vapi: VapiApi, kept: list[dict[str, Any]]) -> None:
    """The last step first."""
    for one in reversed(kept):
        if one["before"] is None:
            vapi.delete(one["resource"], one["id"])
        else:
            body = {key: value for key, value in one["before"].items() if key != "type"}
            vapi.change(one["resource"], one["id"], body)


def _assistant(settings: Settings, vapi: VapiApi, name: str) -> dict[str, Any] | None:
    """The one that is configured, else the one with the name."""
    if settings.vapi_assistant_id:
        found = vapi.find("assistant", settings.vapi_assistant_id)
        if found is None:
            raise VapiRefusedError(
                "VAPI_ASSISTANT_ID names no assistant of this account: correct it, or leave it out "
                "to have one made"
            )
        return found
    return next((one for one in vapi.list_all("assistant") if one.get("name") == name), None)


def _function(tool: dict[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name") or "") if isinstance(function, dict) else ""


def _differences(wanted: Any, there: Any, path: str = "") -> Iterator[str]:
    """Paths at which what is there is not as wanted. What nobody wants is nobody's business."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        for key, value in wanted.items():
            yield from _differences(value, there.get(key), f"{path}.{key}" if path else key)
    elif wanted != there:
        yield path


def _or_exit(work: Any) -> Any:
    try:
        return work()
    except VapiRefusedError as refused:
        raise click.ClickException(f"Vapi: {refused}") from refused
