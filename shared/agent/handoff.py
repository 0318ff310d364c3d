"""Which assistant takes over: `[handoff]` of `transfer.toml`.

Vapi asks with `handoff-destination-request` when the agent called a handoff tool whose destination
is "dynamic" (docs/vendors.md V27).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.agent.destinations import AssistantId

DEFAULT = "default"
PARAMETER = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
MESSAGE = "handoff-destination-request"

_HISTORY = {
    "all": "all",
    "none": "none",
    "words": "userAndAssistantMessages",
    "previous": "previousAssistantMessages",
}
"""Ours → Vapi's `contextEngineeringPlan.type`."""


class Target(BaseModel):
    """One of assistant (the name of a member of the squad), assistant_id and squad_id (ids at
    Vapi).

    history: what the next assistant gets of the conversation: all of it; none; the words of caller
    and assistants, without tool calls; or what was said before the present assistant. None for
    Vapi's choice.
    """

    model_config = ConfigDict(extra="forbid")

    assistant: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    assistant_id: AssistantId | None = None
    squad_id: AssistantId | None = None
    history: Literal["all", "none", "words", "previous"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.assistant, self.assistant_id, self.squad_id))) != 1:
            raise ValueError("needs one of assistant, assistant_id and squad_id")
        return self

    def as_destination(self) -> dict[str, Any]:
        """As Vapi reads it (HandoffDestinationAssistant, HandoffDestinationSquad)."""
        where: dict[str, Any]
        if self.squad_id:
            where = {"type": "squad", "squadId": self.squad_id}
        elif self.assistant_id:
            where = {"type": "assistant", "assistantId": self.assistant_id}
        else:
            where = {"type": "assistant", "assistantName": self.assistant}
        plan = {"contextEngineeringPlan": {"type": _HISTORY[self.history]}} if self.history else {}
        return where | plan


class Handoff(BaseModel):
    """parameter: of the handoff tool, which names one of `to`. "default" is for every other value,
    and for none."""

    model_config = ConfigDict(extra="forbid")

    parameter: Annotated[str, StringConstraints(pattern=PARAMETER)] = "department"
    to: dict[str, Target] = Field(min_length=1)

    def target(self, parameters: Mapping[str, Any]) -> Target | None:
        """None without a default, when none of the rules fits."""
        given = str(parameters.get(self.parameter) or "").strip().casefold()
        by_name = {name.casefold(): target for name, target in self.to.items()}
        return by_name.get(given) or self.to.get(DEFAULT)
