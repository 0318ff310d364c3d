"""Callers who reach a person, or an assistant of their own, at once: `[vip]` of `transfer.toml`."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.agent.destinations import AssistantId, Destination
from shared.salesforce.soql import as_text

FIELD = r"^(Contact|Account)\.[A-Za-z][A-Za-z0-9_]{0,79}$"
FORM = 'a field of the contact or of its account, such as "Account.Rating"'


class Vip(BaseModel):
    """field: such as "Account.Rating". values: those that make a caller a VIP; true for a checkbox.

    number: who takes the call, instead of the assistant. assistant: the id at Vapi of the assistant
    that answers. One of the two. when_closed: outside the opening hours as well.
    """

    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, StringConstraints(pattern=FIELD)]
    values: tuple[str | bool, ...] = Field(min_length=1)
    number: Destination | None = None
    assistant: AssistantId | None = None
    when_closed: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.number is None) == (self.assistant is None):
            raise ValueError("needs number or assistant, and not both")
        return self

    @property
    def path(self) -> str:
        """The field as a query on Contact names it."""
        return self.field.removeprefix("Contact.")

    def matches(self, values: Mapping[str, str]) -> bool:
        """values: of the caller's fields, by path. A picklist of several values counts if one of
        them does."""
        stored = {part.strip().casefold() for part in values.get(self.path, "").split(";")}
        return any(as_text(value).casefold() in stored for value in self.values)
