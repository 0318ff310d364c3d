"""What is wrong with an agent folder: every mistake of it, each with its file, line and remedy."""

from dataclasses import dataclass

from shared.settings import SettingsError


@dataclass(frozen=True, order=True)
class Mistake:
    """file: its path within the folder. line: 0 when the mistake has no place in the file.

    problem: what is wrong. remedy: what would be right.
    """

    file: str
    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.problem}; {self.remedy}"


class AgentError(SettingsError):
    """An agent folder can't be used. The text has a line for each mistake."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("agent folder refused:\n  " + "\n  ".join(map(str, self.mistakes)))
