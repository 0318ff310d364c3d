"""What a model may pass to a tool."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from shared.agent.tool_files import ArgumentFile, ArgumentType
from tests.fuzz.json_values import any_json, spoken

RIGHT: dict[ArgumentType, Any] = {
    ArgumentType.TEXT: "a word", ArgumentType.CHOICE: "", ArgumentType.INTEGER: 3,
    ArgumentType.NUMBER: "2.5", ArgumentType.BOOLEAN: True, ArgumentType.PHONE: "(415) 555-0199",
    ArgumentType.EMAIL: "ann@acme.example", ArgumentType.DATE: "2026-11-22",
    ArgumentType.TIME: "10:30", ArgumentType.DATETIME: "2026-11-22T10:30",
    ArgumentType.IDENTIFIER: "A C C dash 1", ArgumentType.REFERENCE: "k7m 2qx",
    ArgumentType.CASE_NUMBER: "00001042", ArgumentType.COMMENT: "It is still broken.",
    ArgumentType.SECRET: "4271",
}  # fmt: skip


def right(arguments: Mapping[str, ArgumentFile]) -> dict[str, Any]:
    """Arguments with which nothing is wrong."""
    return {
        name: next(iter(argument.choices)) if argument.choices else RIGHT[argument.type]
        for name, argument in arguments.items()
    }


@st.composite
def given_to(draw: st.DrawFn, arguments: Mapping[str, ArgumentFile]) -> Any:
    """The right arguments, of which some are missing and some are others; sometimes any JSON."""
    if draw(st.integers(0, 9)) == 7:
        return draw(any_json())
    made = right(arguments)
    names = st.sampled_from(sorted(made) or ["nothing"])
    for name in draw(st.lists(names, max_size=2)):
        made.pop(name, None)
    for name in draw(st.lists(names | st.text(max_size=9), max_size=2)):
        made[name] = draw(spoken() | any_json())
    return made
