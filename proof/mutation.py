"""Small errors in the scripts, generated: each mutant is a script with one thing changed."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent / "shared" / "journal" / "scripts"
FILES = (
    "_common", "_cancel", "_purge", "accept", "cancel", "erase", "erase_texts", "extend", "lease",
    "purge", "release_holds", "replay", "settle", "sweep",
)  # fmt: skip
"""Those that write."""

COMPARED = {"==": "~=", "~=": "==", "<=": "<", ">=": ">", "<": "<=", ">": ">="}
WORDS = {"and": "or", "or": "and", "not ": "", "true": "false", "false": "true"}
CALCULATED = {"math.min": "math.max", "math.max": "math.min", " + ": " - ", " - ": " + "}
COMMANDS = re.compile(r"'(?:[A-Z]{3,}|[+-]inf)'")
"""Names of commands and their options: without them a script fails at once, which proves little."""

TOKEN = re.compile(
    r"(?P<text>'[^'\n]*')|(?P<compared>==|~=|<=|>=|<|>)|(?P<word>\b(?:and|or|true|false)\b|\bnot )"
    r"|(?P<calculated>math\.(?:min|max)| [+-] )|(?P<number>(?<![\w.'])\d+\b)"
)
STATEMENT = re.compile(
    r"^\s*(?:redis\.p?call\(.*\)|(?!local\b|return\b|for\b|if\b|else)[\w.\[\]#+ ]+ = [^=].*[^,{(]"
    r"|[a-z_]+\(.*\)|if .* then .* end|for .* do .* end)$"
)


@dataclass(frozen=True)
class Mutant:
    """number: of the line, from 1. was: that line, without its indent. became: the same, changed.
    nth: of the lines of this file that are alike."""

    file: str
    number: int
    was: str
    became: str
    nth: int = 1

    @property
    def name(self) -> str:
        """Says what it is whatever else changes in the file."""
        again = f" [{self.nth}]" if self.nth > 1 else ""
        return f"{self.file}: {self.was}{again} => {self.became or '(nothing)'}"

    def of(self, text: str) -> str:
        """The text of a script with the change, wherever it contains the file."""
        original, changed = self.texts()
        return text.replace(_body(original), _body(changed))

    def texts(self) -> tuple[str, str]:
        """The file as it is, and with the change."""
        original = (SCRIPTS / f"{self.file}.lua").read_text()
        lines = original.split("\n")
        line = lines[self.number - 1]
        lines[self.number - 1] = line.replace(self.was, self.became)
        return original, "\n".join(lines)


def _body(text: str) -> str:
    """Without the flags in the first line, which stand elsewhere in what is loaded."""
    return text.split("\n", 1)[1] if text.startswith("#!") else text


def mutants() -> list[Mutant]:
    """In the order of the files and their lines."""
    return list(dict.fromkeys(mutant for file in FILES for mutant in _of_file(file)))


def _of_file(file: str) -> Iterator[Mutant]:
    seen: Counter[str] = Counter()
    depth = 0  # how many brackets are open: only a statement that fits on a line is removed
    for number, line in enumerate((SCRIPTS / f"{file}.lua").read_text().split("\n"), 1):
        code = re.sub(r"\s*--.*$|^#!.*$", "", line)
        was = code.strip()
        if was:
            seen[was] += 1
            for became in _changes(was):
                yield Mutant(file, number, was, became, seen[was])
            bare = re.sub(r"'[^']*'", "", was)
            balance = sum(map(bare.count, "({")) - sum(map(bare.count, ")}"))
            if not depth and not balance and STATEMENT.match(was):
                yield Mutant(file, number, was, "", seen[was])
            depth += balance


def _changes(was: str) -> Iterator[str]:
    for found in TOKEN.finditer(was):
        token, kind = found[0], found.lastgroup
        match kind:
            case "text" if len(token) < 3 or COMMANDS.fullmatch(token):
                continue
            case "text":
                instead = f"{token[:-1]}-'"
            case "compared":
                instead = COMPARED[token]
            case "word":
                instead = WORDS[token]
            case "calculated":
                instead = CALCULATED[token]
            case _:
                instead = str(int(token) + 1)
        yield was[: found.start()] + instead + was[found.end() :]
