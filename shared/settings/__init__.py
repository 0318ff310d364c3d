"""The environment, read once, typed, and refused by name when a value is missing or unsafe.

`.env.example` lists every variable with its unit, default and meaning; a test keeps the two equal.
A secret, or an address that may contain one, may also come from a file that `NAME_FILE` names.
Settings are in groups: a class or function that needs one group takes that group alone.
"""

from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from shared.settings.alarms import AlarmSettings
from shared.settings.calls import CallSettings
from shared.settings.console import ConsoleSettings
from shared.settings.environment import Group, SettingsError, may_be_in_a_file
from shared.settings.journal import JournalSettings
from shared.settings.ops import OpsSettings
from shared.settings.salesforce import SalesforceSettings
from shared.settings.store import REDIS_PREFIX, StoreSettings
from shared.settings.twilio import TwilioSettings
from shared.settings.vapi import VapiSettings
from shared.settings.web import WebSettings

__all__ = [
    "GROUPS",
    "REDIS_PREFIX",
    "AlarmSettings",
    "CallSettings",
    "ConsoleSettings",
    "JournalSettings",
    "OpsSettings",
    "SalesforceSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "TwilioSettings",
    "VapiSettings",
    "WebSettings",
    "load_settings",
    "may_be_in_a_file",
    "variables",
]


class Settings(BaseModel):
    """All groups. A group reads its variables when it is created, even from `{}`."""

    model_config = ConfigDict(frozen=True)

    web: WebSettings
    store: StoreSettings
    vapi: VapiSettings
    calls: CallSettings
    salesforce: SalesforceSettings
    journal: JournalSettings
    twilio: TwilioSettings
    ops: OpsSettings
    console: ConsoleSettings
    alarms: AlarmSettings

    @property
    def reconciles(self) -> bool:
        """Vapi's list of calls is compared with what was recorded, again and again."""
        return bool(self.calls.reconcile_every_min and self.vapi.api_key)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.salesforce.redirect_uri and not self.ops.operator_basic_auth:
            raise ValueError(
                "OPERATOR_BASIC_AUTH is missing: SALESFORCE_REDIRECT_URI lets an operator log in "
                f"at /oauth/login; it must be {self.ops.must_be('operator_basic_auth')}"
            )
        if self.ops.port == self.web.port:
            raise ValueError("OPS_PORT must differ from PORT: operators have a port of their own")
        if self.calls.correct_claims and not self.calls.check_claims:
            raise ValueError(
                "CORRECT_CLAIMS needs CHECK_CLAIMS: only a claim that is checked can be corrected; "
                "set CHECK_CLAIMS to true"
            )
        if self.calls.correct_claims and self.vapi.tell_by == "say":
            raise ValueError(
                "CORRECT_CLAIMS needs VAPI_TELL_BY=add-message: a correction is for the agent, and "
                "with say the caller would get it word for word"
            )
        if self.web.public_url:
            return self
        if self.twilio.auth_token:
            raise ValueError(
                "PUBLIC_URL is missing: Twilio signs its requests for that address; it must be "
                f"{self.web.must_be('public_url')}"
            )
        if "{url}" in self.vapi.hmac_payload_format:
            raise ValueError(
                "PUBLIC_URL is missing: VAPI_HMAC_PAYLOAD_FORMAT signs the {url}; it must be "
                f"{self.web.must_be('public_url')}"
            )
        return self


GROUPS: dict[str, type[Group]] = dict(Settings.__annotations__)


def variables() -> dict[str, FieldInfo]:
    """The fields of all groups by the names of their variables."""
    return {
        group.variable(name): field
        for group in GROUPS.values()
        for name, field in group.model_fields.items()
    }


@cache
def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError, which shows names and never values."""
    try:
        return Settings.model_validate({name: {} for name in GROUPS})
    except ValidationError as refused:
        raise SettingsError(_explain(refused)) from None


def _explain(refused: ValidationError) -> str:
    """A line for each variable, in our words: pydantic's own would quote types and values."""
    lines = []
    for error in refused.errors(include_input=False, include_url=False):
        problem = str(error.get("ctx", {}).get("error", ""))  # what our validator raised
        match error["loc"]:
            case (str(group_name), str(field_name)):
                group = GROUPS[group_name]
                name, required = group.variable(field_name), group.must_be(field_name)
            case _:  # variables that don't fit together; the problem names them
                lines.append(problem)
                continue
        if error["type"] == "missing":
            lines.append(f"{name} is missing; set it to {required}")
        elif problem:
            lines.append(f"{name} {problem}; set it to {required}")
        else:
            lines.append(f"{name} must be {required}")
    return "settings refused: " + "\n  ".join(lines)
