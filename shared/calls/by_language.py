"""Phrases are data: a folder with one file per language."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class ByLanguage(Generic[T]):
    """What `read` makes of each file, which is read once, when it is first needed."""

    def __init__(self, folder: Path, read: Callable[[Path], T]) -> None:
        self._folder = folder
        self._read = read

    @cached_property
    def known(self) -> dict[str, T]:
        """By the language of the file."""
        return {path.stem: self._read(path) for path in sorted(self._folder.glob("*.toml"))}

    def spoken(self, tag: str) -> list[T]:
        """The language of the tag; every language when it is not known, or has no file."""
        language = tag.replace("_", "-").lower().partition("-")[0]
        return [self.known[language]] if language in self.known else list(self.known.values())
