"""How Vapi transfers a call to a person: keys of `transfer.toml` for Vapi's TransferPlan.

Which key counts with which mode: OpenAPI `TransferPlan`, `TransferDestinationSip`
(docs/vendors.md V26).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.domain.record_mapping import fill, placeholders
from shared.domain.text import one_line

Mode = Literal[
    "warm-transfer-say-message",
    "warm-transfer-say-summary",
    "warm-transfer-wait-for-operator-to-speak-first-and-then-say-message",
    "warm-transfer-wait-for-operator-to-speak-first-and-then-say-summary",
    "warm-transfer-experimental",
    "blind-transfer",
    "blind-transfer-add-summary-to-sip-header",
]
EXPERIMENTAL = "warm-transfer-experimental"
TO_SIP_HEADER = "blind-transfer-add-summary-to-sip-header"

CALLER_IDS = {"caller": "{{customer.number}}", "called": "{{phoneNumber.number}}"}
"""Ours → the variable of Vapi that stands for it."""

HEADER_VALUES = ("reference", "caseNumber", "callId")
"""What a SIP header may carry: no words of a caller's."""

MAX_HEADER = 200
HEADER = r"^[Xx]-[A-Za-z0-9-]{1,60}$"
Seconds = Annotated[int, Field(ge=1, le=600)]
HeaderName = Annotated[str, StringConstraints(pattern=HEADER)]
HeaderValue = Annotated[str, StringConstraints(min_length=1, max_length=MAX_HEADER)]


class TransferPlan(BaseModel):
    """mode: what the colleague hears before the caller is put through.

    caller_id: the number that the colleague's phone shows: one of yours, "caller" or "called"; ""
    for Vapi's choice. summary_prompt: what Vapi's own summary should say, for the modes with one.
    wait_s: how long Vapi waits for the colleague to speak. hold_audio: what the caller hears
    meanwhile. sip_verb, dial_s, sip_headers: how a SIP destination is reached.
    """

    model_config = ConfigDict(extra="forbid")

    mode: Mode = "warm-transfer-say-message"
    caller_id: Annotated[str, StringConstraints(pattern=r"^(\+[1-9]\d{6,14}|caller|called)?$")] = ""
    summary_prompt: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None
    wait_s: Seconds | None = None
    hold_audio: Annotated[str, StringConstraints(pattern=r"^https://\S{1,500}$")] | None = None
    sip_verb: Literal["refer", "bye", "dial"] | None = None
    dial_s: Seconds | None = None
    sip_headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _read_by_vapi(self) -> Self:
        """Refuses a key that Vapi does not read with this mode: it would change nothing."""
        waits = "wait-for-operator" in self.mode
        for key, counts, needs in (
            ("summary_prompt", self.says_summary, "a mode with a summary"),
            ("wait_s", waits, "a mode with wait-for-operator"),
            ("hold_audio", self.mode == EXPERIMENTAL, f'mode = "{EXPERIMENTAL}"'),
            ("dial_s", self.sip_verb == "dial", 'sip_verb = "dial"'),
        ):
            if getattr(self, key) is not None and not counts:
                raise ValueError(f"{key} needs {needs}")
        for name, value in self.sip_headers.items():
            unknown = set(placeholders(value)) - set(HEADER_VALUES)
            if unknown:
                known = ", ".join(f"{{{entry}}}" for entry in HEADER_VALUES)
                raise ValueError(f"sip_headers.{name} can have {known}, and not {unknown.pop()}")
        return self

    @property
    def says_message(self) -> bool:
        return self.mode.endswith("say-message") or self.mode in (EXPERIMENTAL, TO_SIP_HEADER)

    @property
    def says_summary(self) -> bool:
        return self.mode.endswith("say-summary") or self.mode in (EXPERIMENTAL, TO_SIP_HEADER)

    def plan(self, message: str, if_it_fails: str) -> dict[str, Any]:
        """Vapi's TransferPlan. message: for the colleague. if_it_fails: for the caller, with whom
        the assistant then stays, where Vapi finds out that nobody answered."""
        plan: dict[str, Any] = {"mode": self.mode}
        if self.says_message:
            plan["message"] = message
        if self.summary_prompt:
            plan["summaryPlan"] = {
                "enabled": True,
                "messages": [
                    {"role": "system", "content": self.summary_prompt},
                    {"role": "user", "content": "{{transcript}}"},
                ],
            }
        others = {
            "timeout": self.wait_s,
            "holdAudioUrl": self.hold_audio,
            "sipVerb": self.sip_verb,
            "dialTimeout": self.dial_s,
        }
        plan |= {name: value for name, value in others.items() if value is not None}
        return plan | {"fallbackPlan": {"message": if_it_fails, "endCallEnabled": False}}

    def headers(self, values: Mapping[str, str]) -> dict[str, str]:
        """The SIP headers, without those whose values are not known."""
        filled = {name: fill(value, values) for name, value in self.sip_headers.items()}
        return {name: one_line(str(value))[:MAX_HEADER] for name, value in filled.items() if value}
