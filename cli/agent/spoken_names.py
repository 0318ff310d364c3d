"""Names that a caller would hear in English in the middle of a sentence in another language."""

from collections.abc import Iterator

from shared.agent.folder import Agent
from shared.agent.sentences import SHIPPED, own
from shared.agent.tool_files import ReadFile, is_of_team
from shared.agent.tool_sentences import NAME, names_of
from shared.agent.tools import Tool
from shared.agent.wrong_arguments import name_keys


def missing_names(agent: Agent) -> Iterator[str]:
    """A sentence for each tool that lacks names, and for the languages that lack the same ones."""
    for tool in agent.tools.values():
        lacking: dict[str, list[str]] = {}
        for language in agent.sentences.languages:
            missing = [name for name in names_of(tool) if _is_missing(agent, tool, language, name)]
            lacking.setdefault(", ".join(f"{name}{NAME}" for name in missing), []).append(language)
        lacking.pop("", None)
        for names, languages in lacking.items():
            tables = " and ".join(f"[sentences.{language}]" for language in languages)
            yield (
                f"tools/{tool.name}.toml: callers may hear names in English in a sentence of "
                f"another language; add {names} to {tables}"
            )


def _is_missing(agent: Agent, tool: Tool, language: str, name: str) -> bool:
    sentences = agent.sentences
    if language == SHIPPED or not _is_spoken(agent, tool, language, name):
        return False
    return not any(sentences.has_in(language, key) for key in name_keys(name, tool.name))


def _is_spoken(agent: Agent, tool: Tool, language: str, name: str) -> bool:
    """Whether a sentence of this language says the name. An argument's name is said when it is
    asked for; that of a value in the verb's list of facts, unless the tool has its own sentence."""
    if name in tool.file.arguments:
        return True
    of_tool, _ = own(tool.name, tool.verb, "one")
    is_listed = isinstance(tool.file, ReadFile) and is_of_team(tool.file)
    return is_listed and not agent.sentences.has_in(language, of_tool)
