"""`python -m proof.mutants`: would an error in the scripts be found, and by what?

Each mutant runs in the worlds of the explorer. With those that break no invariant there,
tests/journal runs in a copy of this folder. The results are kept in a file, so that a later run
goes on where this one ended. docs/proofs.md has the figures.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from proof.engine import Engine, valkey
from proof.explorer import NO_SCRIPT_FAILS, explore
from proof.mutation import Mutant, mutants
from proof.report import story
from proof.worlds import WORLDS

ROOT = Path(__file__).parent.parent
EQUIVALENT = Path(__file__).parent / "equivalent.toml"
RESULTS = ROOT / ".proof-mutants.jsonl"
COPIED = (
    "agent",
    "demo",
    "examples",
    "proof",
    "salesforce",
    "shared",
    "simulator",
    "tests",
    "web",
    "workers",
)
SLOWEST = "test_replicas.py"
"""Runs last, because most mutants fail before."""
FIRST_STATES = 150
STATES = 1_200
TESTS_S = 600
PROCESSES = 2
QUICK = {"PYTHONDONTWRITEBYTECODE": "1", "PROOF_SHRINKS": "no"}


def killed_by_explorer(mutant: Mutant, max_states: int) -> tuple[str, str]:
    """The invariant that a mutant breaks, and how; "" when none does within so many states of each
    world. A few states of each come first: most errors show there."""
    with valkey() as client:
        try:
            runs = Engine(client, mutant.of)
        except redis.ResponseError as error:
            return NO_SCRIPT_FAILS, str(error)
        for states in (FIRST_STATES, max_states):
            for world in WORLDS:
                found = explore(runs, world, max_states=states)
                if found.history:
                    return found.history.breach.name, story(found.history)
    return "", ""


def killed_by_tests(mutant: Mutant) -> bool:
    """Whether tests/journal fails with it."""
    with TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        file = tree / "shared" / "journal" / "scripts" / f"{mutant.file}.lua"
        file.write_text(mutant.texts()[1])
        names = {file.name for file in tree.glob("tests/journal/test_*.py")}
        files = [f"tests/journal/{name}" for name in (*sorted(names - {SLOWEST}), SLOWEST)]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
        try:
            ended = subprocess.run(
                command, cwd=tree, env=os.environ | QUICK,
                capture_output=True, check=False, timeout=TESTS_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False  # a test that hangs has failed before; this machine was busy
    return ended.returncode == 1


def examined(
    mutant: Mutant, max_states: int, with_tests: bool, ends: float
) -> dict[str, str] | None:
    """None when the time is over."""
    began = time.monotonic()
    if began > ends:
        return None
    invariant, how = killed_by_explorer(mutant, max_states) if max_states else ("", "")
    by_tests = ""
    if with_tests and not invariant:
        by_tests = "yes" if killed_by_tests(mutant) else "no"
    seconds = f"{time.monotonic() - began:.1f}"
    return {
        "name": mutant.name, "line": str(mutant.number), "invariant": invariant,
        "tests": by_tests, "seconds": seconds, "story": how,
    }  # fmt: skip


def known(path: Path) -> dict[str, dict[str, str]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {found["name"]: found for found in map(json.loads, lines)}


def equivalent() -> dict[str, str]:
    """Mutants that change nothing that anybody can see: name → reason."""
    return {str(name): str(why) for name, why in tomllib.loads(EQUIVALENT.read_text()).items()}


def chosen(count: int, within: str, seed: int | None) -> list[Mutant]:
    """So many mutants: drawn at random with a seed, evenly spread over all without."""
    found = [mutant for mutant in mutants() if within in mutant.name]
    if seed is not None and 0 < count < len(found):
        return random.Random(seed).sample(found, count)
    step = max(1, len(found) // count) if count else 1
    return found[::step]


def counted(results: dict[str, dict[str, str]]) -> Iterator[str]:
    same = equivalent()
    counts: Counter[str] = Counter()
    for name, found in results.items():
        if found["invariant"]:
            counts["explorer"] += 1
        if found["tests"] == "yes":
            counts["tests"] += 1
        is_killed = found["invariant"] or found["tests"] == "yes"
        if name in same:
            counts["equivalent"] += 1
            if is_killed:
                yield f"not equivalent: {name} (line {found['line']})"
        elif not is_killed:
            counts["left"] += 1
            yield f"left: {name} (line {found['line']})"
    yield (
        f"mutants: generated={len(mutants())} examined={len(results)} "
        f"explorer={counts['explorer']} "
        f"tests_journal={counts['tests']} equivalent={counts['equivalent']} left={counts['left']}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proof.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="how many (0: all; default: 300)")
    parser.add_argument("--seed", type=int, help="draw them at random (default: evenly spread)")
    parser.add_argument("--only", default="", help="those whose name contains this text")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--states", type=int, default=STATES, help="of each world, at most")
    parser.add_argument("--without-tests", action="store_true", help="do not run tests/journal")
    parser.add_argument("--without-explorer", action="store_true", help="run tests/journal only")
    parser.add_argument("--minutes", type=float, default=10**6, help="begin none after this time")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many at a time")
    parser.add_argument("--story", action="store_true", help="print how each was found")
    given = parser.parse_args()
    wanted = chosen(given.count, given.only, given.seed)
    done = known(given.results)
    todo = [mutant for mutant in wanted if mutant.name not in done]
    ends = time.monotonic() + given.minutes * 60
    examine = partial(
        examined,
        max_states=0 if given.without_explorer else given.states,
        with_tests=not given.without_tests,
        ends=ends,
    )
    with ProcessPoolExecutor(given.processes) as pool, given.results.open("a") as file:
        for found in filter(None, pool.map(examine, todo)):
            file.write(json.dumps(found) + "\n")
            file.flush()
            done[found["name"]] = found
            by = found["invariant"] or ("tests/journal" if found["tests"] == "yes" else "-")
            print(f"{found['seconds']:>6} s  {by}  {found['name']}", flush=True)
            if given.story and found["story"]:
                print(found["story"], flush=True)
    names = [mutant.name for mutant in wanted if mutant.name in done]
    lines = list(counted({name: done[name] for name in names}))
    print("\n".join(lines))
    return 1 if len(lines) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
