"""Writes SFDX source into the folder `salesforce` of an agent folder, which then is a project."""

import json
from pathlib import Path

from cli.agent.sfdx_source import Source
from cli.org.source import SOURCE
from shared.errors import ServiceError

PROJECT_FILE = "sfdx-project.json"
MAIN = Path("main") / "default"


class OtherContentsError(ServiceError):
    """Files exist with other contents. The text names each of them."""


def write_source(folder: Path, source: Source) -> list[Path]:
    """Write the files that do not exist yet, and return their paths. If one exists with other
    contents, raises OtherContentsError and writes none."""
    project = folder / SOURCE / PROJECT_FILE
    main = folder / SOURCE / _package(project) / MAIN
    wanted = {main / name: text for name, text in source.files.items()}
    if not project.exists():
        wanted = {project: _project(folder.resolve().name)} | wanted
    other = [path for path, text in wanted.items() if path.exists() and path.read_text() != text]
    if other:
        names = ", ".join(map(str, other))
        raise OtherContentsError(f"{names}: has other contents; move it away, or change it by hand")
    missing = [path for path in wanted if not path.exists()]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    return missing


def _package(project: Path) -> str:
    """The directory of the project that new source goes to: the default one, else the first."""
    try:
        directories = json.loads(project.read_text(encoding="utf-8"))["packageDirectories"]
        chosen = next((each for each in directories if each.get("default")), directories[0])
        return str(chosen["path"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return "force-app"


def _project(name: str) -> str:
    content = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "name": name,
        "namespace": "",
        "sfdcLoginUrl": "https://login.salesforce.com",
        "sourceApiVersion": "66.0",
    }
    return json.dumps(content, indent=2) + "\n"
