"""What is wrong with an agent folder: every mistake of it, each with its file, line and remedy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.settings import SettingsError


@dataclass(frozen=True, order=True)
class Mistake:
    """file: its path within the folder, "." for the folder itself. line: 0 when the mistake has no
    place in the file.

    problem: what is wrong. remedy: what would be right.
    """

    file: str
    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return self.said_in(Path())

    def place_in(self, folder: Path) -> str:
        """File and line, as an editor opens them, of a mistake in this folder."""
        path = folder / self.file
        return f"{path}:{self.line}" if self.line else str(path)

    def said_in(self, folder: Path) -> str:
        return f"{self.place_in(folder)}: {self.problem}; {self.remedy}"


class AgentError(SettingsError):
    """An agent folder can't be used. The text has a line for each mistake."""

    def __init__(self, mistakes: list[Mistake], folder: Path = Path()) -> None:
        self.mistakes: Final = tuple(sorted(mistakes))
        lines = (mistake.said_in(folder) for mistake in self.mistakes)
        super().__init__("agent folder refused:\n  " + "\n  ".join(lines))
