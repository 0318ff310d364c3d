"""An XML file as a tree of elements, and what to say about a mistake in it.

A document type is refused, and with it every entity of the file's own: source files have none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

MAX_BYTES = 10_000_000


class SourceError(Exception):
    """A mistake in the source. The text names the file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(f"{shown(path)}: {text}")


def shown(path: Path) -> str:
    """The path as a person at the prompt would type it."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


@dataclass(slots=True)
class Element:
    """An element without its namespace and attributes. text: with the outer white space removed."""

    path: Path
    name: str
    text: str = ""
    inner: "list[Element]" = field(default_factory=list)

    def children(self, name: str) -> "Iterator[Element]":
        return (element for element in self.inner if element.name == name)

    def child(self, name: str) -> "Element | None":
        """The element of that name, None without one. Raises SourceError for several."""
        found = list(self.children(name))
        if len(found) > 1:
            raise self.mistake(f"<{name}> is given {len(found)} times")
        return found[0] if found else None

    def value(self, name: str, default: str = "") -> str:
        found = self.child(name)
        return found.text if found is not None and found.text else default

    def needed(self, name: str) -> str:
        found = self.value(name)
        if not found:
            raise self.mistake(f"<{name}> is missing")
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        given = self.value(name, str(default).lower())
        if given not in ("true", "false"):
            raise self.mistake(f"<{name}> must be true or false, not {given}")
        return given == "true"

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        given = self.value(name) if default is not None else self.needed(name)
        if not given and default is not None:
            return default
        if not (given.isascii() and given.isdecimal()) or not low <= int(given) <= high:
            raise self.mistake(f"<{name}> must be a whole number from {low} to {high}, not {given}")
        return int(given)

    def mistake(self, text: str) -> SourceError:
        return SourceError(self.path, text)


def read(path: Path, root: str) -> Element:
    """The root element of a file. Raises SourceError unless it is XML with this root."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise SourceError(path, f"can't be read: {problem.strerror}") from problem
    if len(content) > MAX_BYTES:
        raise SourceError(path, f"is larger than {MAX_BYTES:,} bytes")
    top = Element(path, "")
    open_elements = [top]

    def start(name: str, _attributes: object) -> None:
        element = Element(path, name.rpartition(" ")[2])
        open_elements[-1].inner.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        element = open_elements.pop()
        element.text = element.text.strip()

    def text(piece: str) -> None:
        open_elements[-1].text += piece

    def document_type(*_declared: object) -> None:
        raise SourceError(path, "has a document type, which source files do not have")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(content, True)
    except expat.ExpatError as problem:
        raise SourceError(path, f"is not well-formed XML: {problem}") from problem
    found = top.inner[0]
    if found.name != root:
        raise SourceError(path, f"must be a <{root}>, not a <{found.name}>")
    return found
