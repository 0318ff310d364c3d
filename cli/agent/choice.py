"""One agent folder of those in AGENT_DIR: what the doctor and provision work on."""

from pathlib import Path

import click

from shared.agent.claims import Claims, read_claims
from shared.agent.errors import AgentError
from shared.agent.languages import PROJECT
from shared.settings import Settings, SettingsError

AGENT = click.option(
    "--agent",
    "name",
    metavar="NAME",
    help="The agent folder of that name, of those in AGENT_DIR. Default: the first.",
)


def narrowed(settings: Settings, name: str | None) -> Settings:
    """The settings as if AGENT_DIR named this folder alone, with the assistant that it claims.

    Raises SettingsError when AGENT_DIR has no folder of that name.
    """
    folders = {Path(folder).name: folder for folder in settings.calls.agent_dirs}
    if name and name not in folders:
        raise SettingsError(f"AGENT_DIR has no folder named {name}; it has {', '.join(folders)}")
    chosen = folders[name] if name else settings.calls.agent_dirs[0]
    calls = settings.calls.model_copy(update={"agent_dir": chosen})
    assistants = _claims(PROJECT / chosen).assistants
    is_first = chosen == settings.calls.agent_dirs[0]
    usual = settings.vapi.assistant_id if is_first else None
    assistant_id = next(iter(assistants), usual)
    vapi = settings.vapi.model_copy(update={"assistant_id": assistant_id})
    return settings.model_copy(update={"calls": calls, "vapi": vapi})


def _claims(folder: Path) -> Claims:
    """Those of a folder that can't be read are reported where its other files are checked."""
    try:
        return read_claims(folder)
    except AgentError:
        return Claims()
