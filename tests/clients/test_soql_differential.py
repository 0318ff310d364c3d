"""The local org's SOQL parser against two others, on thousands of generated statements.

A statement that one accepts and ours does not, or the other way round, has to be explained by a
class of soql_disagreements.toml: with the disputed place taken out, the two have to agree.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.org.errors import OrgError
from simulator.org.soql.parser import parse
from tests.clients.node import Node
from tests.clients.soql_queries import Generator

SEEDS = (20261123, 4, 8)
STATEMENTS_A_SEED = 2_000
JUDGES = ("jetstream", "salesforce")
# Without one disputed place the next may show.
PASSES = 4

Verdicts = list[dict[str, bool]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A class of the table. verdicts: of the local org and of both judges on the example."""

    name: str
    example: str
    verdicts: dict[str, bool]
    pattern: re.Pattern[str]
    neutral: str
    why: str

    @classmethod
    def read(cls, entry: dict[str, Any]) -> "Disagreement":
        verdicts = {judge: entry[judge] for judge in ("ours", *JUDGES)}
        assert set(verdicts.values()) <= {"accepts", "refuses"}, entry
        return cls(
            entry["name"],
            entry["example"],
            {judge: word == "accepts" for judge, word in verdicts.items()},
            re.compile(entry["pattern"], re.IGNORECASE),
            entry["neutral"],
            entry["why"],
        )

    def concerns(self, judge: str, accepted_by_us: bool) -> bool:
        ours = self.verdicts["ours"]
        return ours == accepted_by_us and self.verdicts[judge] != ours

    def neutralised(self, statement: str) -> str:
        return self.pattern.sub(self.neutral, statement)


TABLE = [
    Disagreement.read(entry)
    for entry in tomllib.loads(
        (Path(__file__).parent / "soql_disagreements.toml").read_text(encoding="utf-8")
    )["class"]
]


def ours(statement: str) -> bool:
    try:
        parse(statement)
    except OrgError as refusal:
        if refusal.code != "MALFORMED_QUERY":
            raise
        return False
    return True


def judged(node: Node, statements: Iterable[str]) -> Verdicts:
    """For each statement the verdicts of both judges and of the local org."""
    asked = list(statements)
    if not asked:
        return []
    verdicts = node.lines("soql_verdicts.cjs", given="\n".join(map(json.dumps, asked)))
    assert len(verdicts) == len(asked)
    return [{**verdict, "ours": ours(item)} for item, verdict in zip(asked, verdicts, strict=True)]


def neutralised(statement: str, judge: str, accepted_by_us: bool) -> str:
    """The statement without any of the disputed places that could explain this difference."""
    for known in TABLE:
        if known.concerns(judge, accepted_by_us):
            statement = known.neutralised(statement)
    return statement


def unexplained(node: Node, statements: list[str], verdicts: Verdicts, judge: str) -> list[str]:
    """Statements on which org and judge differ and that the table does not explain."""
    differing = [
        (item, item, verdict)
        for item, verdict in zip(statements, verdicts, strict=True)
        if verdict[judge] != verdict["ours"]
    ]
    for _ in range(PASSES):
        neutral = [neutralised(left, judge, verdict["ours"]) for _, left, verdict in differing]
        judged_again = zip(differing, neutral, judged(node, neutral), strict=True)
        differing = [
            (outcome, left, verdict)
            for (outcome, _, _), left, verdict in judged_again
            if verdict[judge] != verdict["ours"]
        ]
    return [item for item, _, _ in differing]


@pytest.fixture(scope="session")
def statements() -> list[str]:
    def generated() -> Iterator[str]:
        for seed in SEEDS:
            yield from Generator(seed).statements(STATEMENTS_A_SEED)

    return list(dict.fromkeys(generated()))


def test_the_judge_is_the_one_the_documents_name(node20: Node) -> None:
    assert node20.package_version("@jetstreamapp/soql-parser-js") == "6.3.1"
    assert node20.package_version("@salesforce/soql-common") == "0.2.2"


def test_thousands_of_statements_are_judged_alike_or_the_table_says_why(
    node20: Node, statements: list[str]
) -> None:
    verdicts = judged(node20, statements)
    accepted = sum(verdict["ours"] for verdict in verdicts)
    assert len(statements) >= 3_000
    # Both answers must occur often, or agreement means little.
    assert min(accepted, len(statements) - accepted) > len(statements) // 4
    assert {judge: unexplained(node20, statements, verdicts, judge) for judge in JUDGES} == {
        judge: [] for judge in JUDGES
    }


@pytest.mark.parametrize("known", TABLE, ids=[known.name for known in TABLE])
def test_every_class_of_the_table_is_a_disagreement_still(
    node20: Node, known: Disagreement
) -> None:
    assert known.why
    assert judged(node20, [known.example]) == [known.verdicts]
    for judge in JUDGES:
        if known.concerns(judge, known.verdicts["ours"]):
            without = known.neutralised(known.example)
            verdict = judged(node20, [without])[0]
            assert verdict[judge] == verdict["ours"], without
