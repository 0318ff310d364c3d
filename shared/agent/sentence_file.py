"""Reads a file of sentences (Project Fluent) and finds what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from shared.agent.errors import Mistake

FUNCTIONS = frozenset({"NUMBER", "DATETIME"})


@dataclass(frozen=True)
class SentenceFile:
    """name: the file's, as a mistake shows it. resource: what the file says, for the runtime.

    variables: of each sentence, those of the sentences that it refers to among them. parts: the
    sentences that others refer to.
    """

    name: str
    resource: ast.Resource
    lines: dict[str, int] = field(default_factory=dict)
    variables: dict[str, frozenset[str]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, key: str) -> int:
        return self.lines.get(key, 0)


def read_sentence_file(name: str, text: str) -> SentenceFile:
    resource = FluentParser().parse(text)
    file = SentenceFile(name, resource)
    mistakes = file.mistakes
    uses: dict[str, _Uses] = {}
    for entry in resource.body:
        if isinstance(entry, ast.Junk):
            mistakes.append(_not_fluent(name, text, entry))
        elif isinstance(entry, ast.Message | ast.Term):
            key = _key(entry)
            if key in uses:
                mistakes.append(
                    Mistake(name, _line(text, entry), f"{key} is there twice", "remove one of them")
                )
                continue
            file.lines[key] = _line(text, entry)
            uses[key] = found = _Uses()
            found.visit(entry)
            if isinstance(entry, ast.Message) and entry.value is None:
                mistakes.append(
                    Mistake(name, file.lines[key], f"{key} says nothing", "write it after the =")
                )
    for key, used in uses.items():
        mistakes += _wrong_references(file, key, used, uses)
        file.parts.update(used.entries)
        if not key.startswith("-"):
            file.variables[key] = frozenset(_variables(key, uses))
    return file


class _Uses(Visitor):
    """What an entry uses: variables, other entries, functions."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.entries: set[str] = set()
        self.functions: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802
        self.variables.add(node.id.name)

    def visit_MessageReference(self, node: ast.MessageReference) -> None:  # noqa: N802
        self.entries.add(node.id.name)

    def visit_TermReference(self, node: ast.TermReference) -> None:  # noqa: N802
        self.entries.add(f"-{node.id.name}")

    def visit_FunctionReference(self, node: ast.FunctionReference) -> None:  # noqa: N802
        self.functions.add(node.id.name)
        self.generic_visit(node)


def _wrong_references(
    file: SentenceFile, key: str, used: _Uses, uses: dict[str, _Uses]
) -> Iterator[Mistake]:
    line = file.line_of(key)
    for other in sorted(used.entries - uses.keys()):
        yield Mistake(
            file.name,
            line,
            f"{key} refers to the sentence {other}, which is not in this file",
            f"write {{ ${other} }} for a value, or add {other}",
        )
    for function in sorted(used.functions - FUNCTIONS):
        known = " or ".join(sorted(FUNCTIONS))
        yield Mistake(file.name, line, f"{key} uses {function}()", f"use {known}")
    if key in _reached(key, uses):
        yield Mistake(file.name, line, f"{key} refers to itself", "break the circle")


def _variables(key: str, uses: dict[str, _Uses]) -> Iterator[str]:
    for name in {key, *_reached(key, uses)}:
        if not name.startswith("-"):  # a term sees no variables
            yield from uses[name].variables


def _reached(key: str, uses: dict[str, _Uses]) -> set[str]:
    """The entries that this one refers to, directly or through others."""
    reached: set[str] = set()
    ahead = list(uses[key].entries)
    while ahead:
        name = ahead.pop()
        if name in uses and name not in reached:
            reached.add(name)
            ahead += uses[name].entries
    return reached


def _key(entry: ast.Message | ast.Term) -> str:
    return entry.id.name if isinstance(entry, ast.Message) else f"-{entry.id.name}"


def _not_fluent(name: str, text: str, junk: ast.Junk) -> Mistake:
    # The parser begins the entry where it could still read it; what is wrong comes later.
    found = next(iter(junk.annotations or ()), None)
    at = found.span if found and found.span else junk.span
    line = _line_at(text, at.start) if at else 0
    message = (found.message or "") if found else ""
    return Mistake(
        name,
        line,
        f"is not Fluent: {message[:1].lower()}{message[1:]}",
        "write key = sentence, and indent every further line of it",
    )


def _line(text: str, node: ast.SyntaxNode) -> int:
    return _line_at(text, node.span.start) if node.span else 0


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
