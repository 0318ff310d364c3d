"""The files of a folder in SFDX source format, by what they define.

`sfdx-project.json` says in which directories they are; without it the whole folder is searched.
Only names matter, so that the files may lie at any depth.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simulator.org.source.document import SourceError

PROJECT = "sfdx-project.json"
SKIPPED = frozenset({"node_modules", "__tests__"})


@dataclass(slots=True)
class Files:
    """Paths by name: of objects, their fields and record types, of value sets and of queues.

    fields and record types: by object and name. What comes later replaces what has the same name.
    data: the folders with records. count: of the source files, replaced ones included.
    """

    objects: dict[str, Path] = field(default_factory=dict)
    fields: dict[tuple[str, str], Path] = field(default_factory=dict)
    record_types: dict[tuple[str, str], Path] = field(default_factory=dict)
    global_values: dict[str, Path] = field(default_factory=dict)
    standard_values: dict[str, Path] = field(default_factory=dict)
    queues: dict[str, Path] = field(default_factory=dict)
    data: list[Path] = field(default_factory=list)
    count: int = 0


def find_files(folders: Iterable[Path]) -> Files:
    """The files of all folders. Raises SourceError for a folder that is not there or has none."""
    files = Files()
    for folder in folders:
        if not folder.is_dir():
            raise SourceError(folder, "is not a directory")
        before = files.count
        for directory in _directories(folder):
            for path in _walk(directory):
                _sort_in(files, path)
        if (folder / "data").is_dir():
            files.data.append(folder / "data")
        if files.count == before:
            raise SourceError(
                folder,
                "has no objects, fields, record types, value sets or queues in SFDX source format "
                "(*.object-meta.xml, *.field-meta.xml …)",
            )
    return files


def _directories(folder: Path) -> list[Path]:
    """The package directories of a project, or the folder itself."""
    project = folder / PROJECT
    if not project.is_file():
        return [folder]
    try:
        listed = [entry["path"] for entry in json.loads(project.read_text())["packageDirectories"]]
    except (ValueError, KeyError, TypeError) as problem:
        raise SourceError(project, f"does not list packageDirectories: {problem!r}") from problem
    directories = [folder / str(name) for name in listed]
    for directory in directories:
        if not directory.is_dir():
            raise SourceError(project, f"names {directory.name}, which is not a directory")
    return directories


def _walk(directory: Path) -> Iterator[Path]:
    for place, inner, names in os.walk(directory):
        inner[:] = sorted(name for name in inner if name[0] != "." and name not in SKIPPED)
        yield from (Path(place) / name for name in sorted(names))


def _sort_in(files: Files, path: Path) -> None:
    name, _, kind = path.name.partition(".")
    match kind:
        case "object-meta.xml":
            files.objects[name] = path
        case "field-meta.xml":
            files.fields[_object_of(path, "fields"), name] = path
        case "recordType-meta.xml":
            files.record_types[_object_of(path, "recordTypes"), name] = path
        case "globalValueSet-meta.xml":
            files.global_values[name] = path
        case "standardValueSet-meta.xml":
            files.standard_values[name] = path
        case "queue-meta.xml":
            files.queues[name] = path
        case "object":
            raise SourceError(
                path, "is in metadata format: convert it with `sf project convert mdapi`"
            )
        case _:
            return
    files.count += 1


def _object_of(path: Path, folder: str) -> str:
    if path.parent.name != folder:
        raise SourceError(path, f"must be in objects/<Object>/{folder}/")
    return path.parent.parent.name
