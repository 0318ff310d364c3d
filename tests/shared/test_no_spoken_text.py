"""What a caller can hear and what staff read is in the agent folder: none of it is in Python."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from demo.stack import ROOT
from shared.agent.languages import AGENT_FOLDER
from shared.agent.sentences import Sentences, own

FOLDERS = ("web", "workers", "shared")

ANSWERING = frozenset({"result", "refusal", "trouble", "Answer", "CallUpdate"})
"""Calls whose arguments the agent gets to say."""

SPOKEN_NAMES = frozenset({"said", "message", "content", "error", "result", "firstMessage"})
"""Keywords and JSON keys whose value is spoken, or read by the agent."""

WRITTEN_NAMES = frozenset({"Subject", "Description", "Title", "CommentBody"})
"""Fields of records whose value staff read. What a draft says they read as well."""

NOT_SPOKEN = {
    ("shared/settings.py", "error"): "the settings' own errors",
    ("shared/agent/transfer.py", "error"): "errors of a file, for operators",
}

SAYING = frozenset({"say", "for_staff", "first", "phrase", "own", "_say", "_error"})
"""Calls with the keys of sentences."""


@cache
def sources() -> dict[Path, str]:
    return {
        path.relative_to(ROOT): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def has_words(node: ast.AST) -> bool:
    """A literal with two words or more is somewhere in an expression; not in the arguments of a
    call, which has its own name to be judged by."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(re.search(r"\w[^\w{]* +\w", node.value))
    if isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values
        )
        return bool(re.search(r"[A-Za-z]{2,}\W* +\w|\w\W* +[A-Za-z]{2,}", text))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and has_words(node.func.value)
    return any(has_words(child) for child in ast.iter_child_nodes(node))


def spoken(tree: ast.AST) -> Iterator[tuple[int, str, ast.AST]]:
    """(line, name, expression) of what is said."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name in ANSWERING or name == "say":
                    for argument in node.args:
                        yield node.lineno, name, argument
                for keyword in node.keywords:
                    if keyword.arg in SPOKEN_NAMES or (name.endswith("Draft") and keyword.arg):
                        yield keyword.value.lineno, keyword.arg, keyword.value
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in SPOKEN_NAMES | WRITTEN_NAMES:
                        yield value.lineno, key.value, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
                is_text = isinstance(value, ast.Constant | ast.JoinedStr | ast.BinOp)
                if is_text and is_sentence(value):
                    yield node.lineno, name, value


def is_sentence(node: ast.AST) -> bool:
    """A constant that reads like something said: words, and the end of a sentence."""
    text = " ".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return bool(re.fullmatch(r"[A-Z][\w',]* .*[.?!]", text, re.DOTALL))


def in_python(path: Path, text: str) -> list[str]:
    return [
        f"{path}:{line}: {name}"
        for line, name, node in spoken(ast.parse(text))
        if has_words(node) and (str(path), name) not in NOT_SPOKEN
    ]


def test_no_spoken_text_lives_in_python() -> None:
    found = [place for path, text in sources().items() for place in in_python(path, text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'result("The case is open.")',
        'refusal(f"I found no case with that {by}.")',
        'trouble("I can\'t " + why)',
        'Answer("One moment, please." if is_long else turn.say("wait"))',
        'WriteRequest(kind, said="It is being done.")',
        'json.dumps({"error": "Nobody is here."})',
        '{"message": f"I am connecting you with {whom}."}',
        'voice.say("Thank you. Goodbye.")',
        'SORRY = "We are sorry, nobody can take your call now."',
        'result("It is {} now".format(state))',
        'CommentDraft(text="Taken back by the caller")',
        '{"Subject": f"Call back {phone}"}',
    ],
)
def test_the_check_finds_what_is_spoken(text: str) -> None:
    assert in_python(Path("web/a.py"), text)


@pytest.mark.parametrize(
    "text",
    [
        'result(turn.say("case-being-opened", reference=intent.reference))',
        'result(" ".join((first, second)))',
        '{"type": "say", "content": text}',
        'log.info("call_told", reason="NOT HERE")',
    ],
)
def test_the_check_leaves_alone_what_is_not(text: str) -> None:
    assert in_python(Path("web/a.py"), text) == []


# -- keys ------------------------------------------------------------------------------------------

SENTENCES = Sentences.load(AGENT_FOLDER)


@cache
def keys_said() -> set[str]:
    """Every literal key in the calls that say something."""
    found: set[str] = set()
    for text in sources().values():
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Name(id="own"), args=[_, verb, what]):
                    if isinstance(verb, ast.Constant) and isinstance(what, ast.Constant):
                        found.add(own("", str(verb.value), str(what.value))[0])
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SAYING:
                    found |= {
                        argument.value
                        for argument in node.args
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                    }
                case ast.Assign(targets=[ast.Name(id="key")], value=ast.Constant(value=str(key))):
                    found.add(key)
    return {key for key in found if "-" in key}


def test_every_key_that_python_says_has_a_sentence() -> None:
    assert {key for key in keys_said() if not SENTENCES.has(key)} == set()
    assert len(keys_said()) > 70


BUILT = (
    "argument-",
    "choice-",
    "claim-",
    "field-",
    "letter-",
    "the-field-",
    "update-nothing",
    "call-back-phone",
)
"""Keys that are made of the name of an argument, a field or a kind of claim."""


def test_every_sentence_is_said_or_part_of_one() -> None:
    text = (AGENT_FOLDER / "sentences" / "en.ftl").read_text(encoding="utf-8")
    for key in SENTENCES.keys:
        built = key.startswith(BUILT)
        of_a_tool = not key.partition("-")[0].islower()
        is_part = bool(re.search(rf"{{ {key} }}", text))
        named = any(f'"{key}"' in python for python in sources().values())
        assert key in keys_said() or built or of_a_tool or is_part or named, key
