"""Agent folders that differ in their policy."""

import shutil
from pathlib import Path

from shared.agent.languages import AGENT_FOLDER


def folder_of(root: Path, base: str) -> Path:
    """The default agent folder with one of the shipped policies."""
    folder = root / base / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "policy.toml").write_text(f'base = "{base}"\n')
    return folder
