"""The sentences that a tool's own file brings: `[sentences.en]` with `accepted`, `none`, `one`."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from textwrap import indent

from shared.agent.errors import Mistake
from shared.agent.sentence_file import SentenceFile, read_sentence_file
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import (
    CloseFile,
    CreateFile,
    ReadFile,
    UpdateFile,
    Verb,
    VerifyFile,
)
from shared.agent.tools import Tool


def place_in(folder: Path, tool: str, path: tuple[str, ...]) -> tuple[str, int]:
    """The file of a tool, and the line on which it says something; its verb's for a default."""
    lines = lines_of((folder / "tools" / f"{tool}.toml").read_text(encoding="utf-8-sig"))
    return f"tools/{tool}.toml", line_of(lines, path) or line_of(lines, ("verb",))


def sentences_of_tools(
    folder: Path, tools: Iterable[Tool]
) -> tuple[dict[str, list[SentenceFile]], list[Mistake]]:
    """By language, the sentences under the keys that the tools say them by; and every mistake."""
    found: dict[str, list[SentenceFile]] = {}
    mistakes: list[Mistake] = []
    for tool in tools:
        for language, sentences in tool.file.sentences.items():
            for what, text in sentences.items():
                file, line = place_in(folder, tool.name, ("sentences", language, what))
                key = f"{tool.name}-{what}"
                read = read_sentence_file(file, f"{key} =\n{indent(text.strip(), '    ')}\n")
                mistakes += [
                    Mistake(file, line, wrong.problem, wrong.remedy) for wrong in read.mistakes
                ]
                if problem_and_remedy := _unknown(tool, what):
                    mistakes.append(Mistake(file, line, *problem_and_remedy))
                    continue
                for problem, remedy in _wrong_variables(tool, what, read.variables.get(key)):
                    mistakes.append(Mistake(file, line, problem, remedy))
                found.setdefault(language, []).append(read)
    return found, mistakes


SAID = {
    Verb.CREATE: ("accepted", "not-known"),
    Verb.READ: ("one", "many", "none", "not-known"),
    Verb.COMMENT: ("accepted",),
    Verb.UPDATE: (
        "accepted",
        "for-colleague",
        "rest-for-colleague",
        "not-known",
        "nothing",
    ),
    Verb.CLOSE: ("accepted", "nothing", "taken-back", "with-colleague"),
    Verb.CALL_BACK: ("accepted", "another-number", "not-called"),
    Verb.IDENTIFY: (),
    Verb.VERIFY: ("verified", "known", "failed", "incomplete", "code-sent", "code-not-sent"),
}
"""The sentences that a tool of each verb says, besides those of its arguments."""

SAID_OF_TEAM = {
    Verb.UPDATE: ("accepted", "not-known", "not-found", "which", "gone", "nothing"),
    Verb.CLOSE: (
        "accepted",
        "taken-back",
        "with-colleague",
        "not-known",
        "not-found",
        "which",
    ),
}
"""Of those, what they say of a record of the team's own object."""

OF_AN_ARGUMENT = ("missing", "wrong", "too-long")


NAME = "-name"
"""The end of such a key: `status-name = "Stand"` is the spoken name of `status` in German."""


def names_of(tool: Tool) -> list[str]:
    """What a tool's sentences may name: its arguments, and the values that it reads."""
    read = tool.file.fields if isinstance(tool.file, ReadFile) else ()
    return list(dict.fromkeys((*tool.file.arguments, *read)))


def _unknown(tool: Tool, what: str) -> tuple[str, str] | None:
    """A sentence that the tool never says, and those that it does."""
    of_arguments = [f"{name}-{end}" for name in tool.file.arguments for end in OF_AN_ARGUMENT]
    names = [f"{name}{NAME}" for name in names_of(tool)]
    said = [*(SAID_OF_TEAM if tool.change else SAID)[tool.verb], *of_arguments, *names]
    if what in said:
        return None
    near = get_close_matches(what, said, n=1)
    named = near[0] if near else ", ".join(said)
    return f"{tool.verb} says no sentence {what}", f"write {named}"


def _wrong_variables(
    tool: Tool, what: str, used: frozenset[str] | None
) -> Iterator[tuple[str, str]]:
    known = _known(tool, what)
    for name in sorted((used or frozenset()) - known):
        variables = ", ".join(f"${entry}" for entry in sorted(known)) or "no variable"
        yield f"{what} does not know ${name}", f"it has {variables}"


def _known(tool: Tool, what: str) -> frozenset[str]:
    """The variables that a tool gives its own sentences."""
    if what.endswith(NAME):
        return frozenset()
    match tool.file, what:
        case CreateFile(), "accepted":
            return frozenset({*tool.file.arguments, "reference"})
        case UpdateFile() | CloseFile(), "accepted" if tool.change:
            return frozenset({*tool.file.arguments, "reference"})
        case ReadFile(), "one":
            return frozenset({*tool.file.fields, "facts"})
        case ReadFile(), "many":
            return frozenset({"count", "records"})
        case VerifyFile(), "code-sent":
            return frozenset({"digits", "tool"})
        case _, "accepted":
            return frozenset({"reference", "fields"})
        case _:
            return frozenset({"name", "choices"})
