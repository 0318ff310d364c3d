"""The attacking part works against any server: it needs nothing of this project."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
MAY_USE = {"requests"}
OWN = "tests.hostile.attack"
TARGET_MAY_USE = {"demo", "redis", "requests"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            yield node.module or ""


def foreign(file: Path, may_use: set[str]) -> set[str]:
    return {
        name
        for name in imported(file)
        if not (name == OWN or name.startswith(f"{OWN}."))
        and name.partition(".")[0] not in may_use | set(sys.stdlib_module_names)
    }


def test_the_attack_needs_the_standard_library_and_requests_alone() -> None:
    files = sorted((HERE / "attack").rglob("*.py"))
    assert len(files) > 15
    assert {str(file.relative_to(HERE)): foreign(file, MAY_USE) for file in files} == {
        str(file.relative_to(HERE)): set() for file in files
    }


def test_the_target_knows_how_to_start_the_service_and_nothing_inside_it() -> None:
    assert foreign(HERE / "target.py", TARGET_MAY_USE) == set()
