"""Plain words: names and prose use the field's terms, so that a stack trace needs no glossary."""

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from demo.stack import ROOT

FOLDERS = ("web", "workers", "shared", "cli", "demo", "bench", "simulator", "proof", "tests")

BANNED_WORDS = {
    "closeout": "end_of_call",
    "desk": "DeliveryContext",
    "door": "client, session",
    "doorbell": "wake-up",
    "doors": "clients, sessions",
    "forget": "purge",
    "forgets": "purges",
    "forgotten": "purged",
    "gate": "API budget, circuit breaker",
    "gates": "API budgets, circuit breakers",
    "hear": "record the event; a caller or an agent: get, learn",
    "heard": "recorded; last_speech_at",
    "hears": "records; a caller or an agent: gets, learns",
    "keyed": "idempotent",
    "mend": "fix, remedy",
    "mended": "fixed",
    "mends": "fixes, remedies",
    "news": "call updates",
    "notice": "record the event",
    "noticed": "recorded",
    "notices": "records",
    "notnow": "denied",
    "occasion": "MessageStamp",
    "occasions": "MessageStamps",
    "ring": "notify",
    "rings": "notifies",
    "rung": "dial result",
    "slot": "permit, capacity",
    "slots": "permits, capacity",
    "strike": "failure",
    "strikes": "consecutive failures",
    "told": "said, shown, reported",
    "unsure": "in doubt",
    "wish": "write request",
    "wished": "requested",
    "wishes": "write requests",
}
"""A word of a name, in whatever style the name is written, and what to say instead."""

BANNED_PAIRS = {
    ("close", "out"): "end_of_call",
    ("let", "go"): "release holds",
    ("not", "now"): "denied",
}

BANNED_NAMES = {
    "kept": "what the thing is",
    "leave": "permit",
    "mark": "fingerprint",
    "one": "what the thing is",
    "people": "contacts, contact resolver",
    "room": "capacity",
    "subject": "dedup_key",
    "there": "what the thing is",
}
"""Whole names. As a part of a longer one (`leave_out`, `one_went_through`) they say enough."""

ALLOWED = {
    ("mark", "tests/"): "pytest.mark",
    ("mark", "simulator/org/soql/"): "a punctuation mark of SOQL",
    ("people", "simulator/org/"): "the schema and the seed of those who use the org",
    ("slots", ""): "dataclass(slots=True)",
    ("subject", "shared/salesforce/customers.py"): "Case.Subject",
    ("subject", "simulator/org/oauth/jwt.py"): "the subject of a JWT",
    ("subject", "simulator/org/seed.py"): "Case.Subject",
    ("subject", "tests/contract/"): "Case.Subject",
    ("subject", "tests/shared/test_store_addresses.py"): "the subject of an X.509 certificate",
    ("subject", "tests/web/test_end_of_call.py"): "Task.Subject",
    ("subject", "web/"): "Case.Subject",
    ("subject", "workers/delivery/call_text.py"): "Task.Subject",
}
"""(name, beginning of the path) → what it is there."""

PRIVATE = re.compile(
    r"\b(?:wish(?:es|ed)?|doorbells?|desks?|mend(?:s|ed)?|rings? for|rung|of late|unsure)\b", re.I
)
"""What comments, docstrings and Markdown do without."""

LUA = re.compile(
    r"""(--\[\[.*?\]\]|--[^\n]*)|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|([A-Za-z_]\w*)""", re.S
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources(*endings: str) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in endings and "node_modules" not in path.parts:
                yield path


def markdown() -> list[Path]:
    """What a reader of the project reads, the schema among it."""
    everywhere = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *sources(".md")]
    return sorted({*everywhere, *(ROOT / "agent").rglob("*.md")})


def words(name: str) -> list[str]:
    """The words of a name in snake_case, CamelCase or both."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word.lower() for word in snake.split("_") if word]


def better(name: str) -> str:
    """What to say instead; "" for a name that may stay."""
    if name in BANNED_NAMES:
        return BANNED_NAMES[name]
    if name.startswith("MOST_") or "_MOST_" in name:
        return "MAX_..."
    parts = words(name)
    for pair in pairwise(parts):
        if pair in BANNED_PAIRS:
            return BANNED_PAIRS[pair]
    return next((BANNED_WORDS[word] for word in parts if word in BANNED_WORDS), "")


def is_allowed(name: str, path: str) -> bool:
    return any(name == known and path.startswith(start) for known, start in ALLOWED)


@cache
def python_tokens(path: Path) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(path.read_text()).readline))


def names(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of everything that is neither keyword, string nor comment."""
    if path.suffix == ".py":
        for token in python_tokens(path):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                yield token.start[0], token.string
        return
    text = path.read_text()
    for match in LUA.finditer(text):
        if match[2]:
            yield line_of(text, match.start()), match[2]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of comments and docstrings, or all of a Markdown file."""
    text = path.read_text()
    if path.suffix == ".py":
        for token in python_tokens(path):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        yield from docstrings(ast.parse(text))
    elif path.suffix == ".lua":
        for match in LUA.finditer(text):
            if match[1]:
                yield line_of(text, match.start()), match[1]
    else:
        yield 1, text


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Of modules, classes and functions, and those that stand below a constant."""
    for node in ast.walk(tree):
        for statement in node.body if isinstance(node, DOCUMENTED) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement.lineno, str(statement.value.value)


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def in_names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sources(".py", ".lua"):
        place = str(path.relative_to(ROOT))
        for line, name in names(path):
            if better(name) and not is_allowed(name, place):
                found.setdefault(place, []).append(f"{line}: {name} (rather: {better(name)})")
    return found


def in_prose() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in (*sources(".py", ".lua"), *markdown()):
        if path == Path(__file__):
            continue
        for line, text in prose(path):
            for match in PRIVATE.finditer(text):
                at = line + text.count("\n", 0, match.start())
                found.setdefault(str(path.relative_to(ROOT)), []).append(f"{at}: {match[0]}")
    return found


def test_names_use_the_terms_of_the_field() -> None:
    assert in_names() == {}


def test_comments_docstrings_and_markdown_use_them_too() -> None:
    assert in_prose() == {}


def test_every_exception_is_made_use_of() -> None:
    used = {
        entry
        for path in sources(".py", ".lua")
        for name in {name for _, name in names(path)}
        for entry in ALLOWED
        if name == entry[0] and str(path.relative_to(ROOT)).startswith(entry[1])
    }
    assert set(ALLOWED) - used == set()


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("WishList", "write request"),
        ("wished_ms", "requested"),
        ("let_go", "release holds"),
        ("drop_those_let_go", "release holds"),
        ("closeOut", "end_of_call"),
        ("MOST_LEASES", "MAX_..."),
        ("HTTPDoor", "client, session"),
        ("one", "what the thing is"),
        ("string", ""),  # a word is a whole word
        ("during", ""),
        ("leave_out", ""),
        ("Subject", ""),  # as vendors write it
    ],
)
def test_a_name_is_taken_apart_into_words(name: str, instead: str) -> None:
    assert better(name) == instead


def test_strings_are_no_names_and_no_prose(tmp_path: Path) -> None:
    python = tmp_path / "a.py"
    python.write_text('"""A wish."""\ndesk = "a mend"  # rings for it\n"""Of late."""\n')
    assert list(names(python)) == [(2, "desk")]
    assert {text for _, text in prose(python)} == {"A wish.", "# rings for it", "Of late."}
    lua = tmp_path / "a.lua"
    lua.write_text("-- a wish\nlocal one = 'wish'\n")
    assert list(names(lua)) == [(2, "local"), (2, "one")]
    assert list(prose(lua)) == [(1, "-- a wish")]
