"""The sentences for wrong and missing arguments of a tool call."""

from collections.abc import Iterable

from shared.agent.arguments import Problem
from shared.agent.sentences import Sentences, Value, own


def sentence_of(
    sentences: Sentences, language: str, tool: str, verb: str, problems: Iterable[Problem]
) -> str:
    """What is missing comes first. Of `createSalesforceCase-issueType-missing`,
    `create-issueType-missing`, `argument-issueType-missing` and `argument-missing`, the first that
    exists."""
    ordered = sorted(problems, key=lambda problem: problem.what not in ("missing", "nothing"))
    said = [
        sentences.first(
            language,
            _keys(tool, verb, problem),
            name=spoken_name(sentences, language, problem.argument, tool),
            **_choices(sentences, language, problem),
        )
        for problem in ordered
    ]
    return " ".join(dict.fromkeys(said))


def spoken_name(sentences: Sentences, language: str, name: str, tool: str) -> str:
    """How an argument, or a value that a tool reads, is spoken: the tool's own name for it, else
    the language's, else words made of the name ("order number" for `orderNumber`)."""
    try:
        return sentences.first(language, name_keys(name, tool))
    except LookupError:
        return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def name_keys(name: str, tool: str) -> tuple[str, ...]:
    """The keys of the sentences that may have a spoken name; the first that exists counts."""
    return f"{tool}-{name}-name", f"argument-name-{name}"


def _keys(tool: str, verb: str, problem: Problem) -> tuple[str, ...]:
    what = problem.what.replace("_", "-")
    if not problem.argument:
        return (*own(tool, verb, what), f"argument-{what}")
    of_argument = f"{problem.argument}-{what}"
    named = (*own(tool, verb, of_argument), f"argument-{of_argument}")
    of_choices = (f"argument-{what}-choice",) if problem.choices else ()
    return (*named, *of_choices, f"argument-{what}")


def _choices(sentences: Sentences, language: str, problem: Problem) -> dict[str, Value]:
    """The words that the caller may say; a language may have its own for some of them."""
    if not problem.choices:
        return {}
    words = [
        sentences.first(language, (f"choice-{word}",)) if sentences.has(f"choice-{word}") else word
        for word in problem.choices
    ]
    return {"choices": sentences.any_of(language, words)}
