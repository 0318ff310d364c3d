"""Whatever a model passes to a tool is arguments that can be stored, or is refused as such."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.agent.arguments import BadArgumentsError, schema_of
from shared.agent.folder import load_agent
from shared.agent.tool_files import ArgumentFile, ArgumentType
from shared.agent.tools import all_arguments
from shared.agent.wrong_arguments import sentence_of
from tests.fuzz.arguments import given_to, right
from tests.fuzz.running import for_all

AGENTS = {name: load_agent(name) for name in ("agent", "examples/orders")}

EVERY_TYPE = {
    type_.value.replace("_", ""): ArgumentFile(
        type=type_, choices=["a", "b"] if type_ is ArgumentType.CHOICE else None
    )
    for type_ in ArgumentType
}
TOOLS: dict[str, Mapping[str, ArgumentFile]] = {
    "every type": EVERY_TYPE,
    **{
        f"{folder}/{tool.name}": all_arguments(tool.file)
        for folder, agent in AGENTS.items()
        for tool in agent.tools.values()
    },
}

SCHEMAS = {name: schema_of(arguments) for name, arguments in TOOLS.items()}

Drawn = tuple[str, Any]


def drawn(names: Iterable[str]) -> st.SearchStrategy[Drawn]:
    """The name of a tool, and what it is given."""
    return st.sampled_from(sorted(names)).flatmap(
        lambda name: st.tuples(st.just(name), given_to(TOOLS[name]))
    )


@pytest.mark.parametrize("name", TOOLS)
def test_the_right_arguments_are_all_taken(name: str) -> None:
    """The property below would hold for a reader that refuses everything."""
    read = SCHEMAS[name].read(right(TOOLS[name]), "US")
    assert set(read.values) == set(TOOLS[name])


def test_any_json_is_arguments_that_can_be_stored_or_bad_ones() -> None:
    def check(call: Drawn) -> None:
        name, given = call
        try:
            read = SCHEMAS[name].read(given, "US")
        except BadArgumentsError as bad:
            wrong = {problem.argument for problem in bad.problems}
            assert wrong <= {"", *TOOLS[name]}
            return
        assert set(read.values) <= set(TOOLS[name])
        stored = json.dumps([dict(read.values), read.stored()], allow_nan=False, ensure_ascii=False)
        stored.encode()

    for_all(drawn(TOOLS), check, count=400)


def test_any_bad_arguments_have_a_sentence() -> None:
    agent = AGENTS["agent"]

    def check(call: Drawn) -> None:
        name, given = call[0].rpartition("/")[2], call[1]
        tool = agent.tools[name]
        try:
            tool.arguments.read(given, "US")
        except BadArgumentsError as bad:
            said = sentence_of(agent.sentences, "en", name, tool.verb, bad.problems)
            assert said.endswith((".", "?"))
            assert "\n" not in said

    for_all(drawn(name for name in TOOLS if name.startswith("agent/")), check, count=100)
