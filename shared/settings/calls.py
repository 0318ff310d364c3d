"""Settings of calls: who is believed, what a call may ask for, and where it is transferred to."""

import re
from functools import cached_property
from ipaddress import ip_network
from typing import Literal

from langcodes import tag_is_valid
from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, field_validator

from shared.domain.attestation import Attestation
from shared.redaction import DEFAULT, Kind, kinds_of
from shared.settings.environment import (
    COUNTRIES,
    NUMBER,
    SWITCH,
    Countries,
    Group,
    PhoneNumber,
    countries_in,
)

_HOST_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE
)


class CallSettings(Group):
    sip_trunks: str = Field(
        "",
        description="host names, addresses or networks with a comma between them, such as "
        "sip.carrier.example,203.0.113.0/28",
    )
    max_tool_calls_per_message: int = Field(
        20, ge=1, le=1000, description="a whole number from 1 to 1000, such as 20"
    )
    max_writes_per_call: int = Field(
        50, ge=1, le=10_000, description="a whole number from 1 to 10000, such as 50"
    )
    max_writes_per_number_and_day: int = Field(
        1000, ge=1, le=1_000_000, description="a whole number from 1 to 1000000, such as 1000"
    )
    max_writes_per_number_and_hour: int = Field(
        200, ge=1, le=1_000_000, description="a whole number from 1 to 1000000, such as 200"
    )
    max_writes_without_number_per_hour: int = Field(
        500, ge=1, le=1_000_000, description="a whole number from 1 to 1000000, such as 500"
    )
    max_lookups_per_call: int = Field(
        100, ge=1, le=10_000, description="a whole number from 1 to 10000, such as 100"
    )
    max_lookups_per_number_and_hour: int = Field(
        500, ge=1, le=1_000_000, description="a whole number from 1 to 1000000, such as 500"
    )
    max_missed_calls_per_number_and_hour: int = Field(
        5, ge=1, le=1000, description="a whole number from 1 to 1000, such as 5"
    )
    callback_countries: Countries = Field("", description=COUNTRIES)
    idle_call_min: float = Field(
        10, ge=1, le=24 * 60, description="a number of minutes from 1 to 1440, such as 10"
    )
    check_claims: bool = Field(True, description=SWITCH)
    correct_claims: bool = Field(False, description=SWITCH)
    broken_promise_h: float = Field(
        24, ge=0, le=24 * 30, description="a number of hours from 0 (off) to 720, such as 24"
    )
    reconcile_every_min: float = Field(
        10, ge=0, le=24 * 60, description="a number of minutes from 0 (off) to 1440, such as 10"
    )
    agent_dir: str = Field(
        "agent",
        min_length=1,
        description="the path of an agent folder, or several with a colon between them, such as "
        "agents/one:agents/two",
    )
    default_language: str = Field("en", description="a language tag, such as en, de or pt-BR")
    fallback_phone_number: PhoneNumber | None = Field(None, description=NUMBER)
    notify_old_address: bool = Field(True, description=SWITCH)
    new_number_age_h: float = Field(
        72, ge=1, le=720, description="a number of hours from 1 to 720, such as 72"
    )
    phone_region: str = Field("US", description="a country's two letters, such as US")
    needed_attestation: Literal["none", "C", "B", "A"] = Field(
        "none", description="none, C, B or A"
    )

    redact: str = Field(
        ",".join(kind.setting for kind in Kind if kind in DEFAULT),
        description="kinds with a comma between them, of "
        + ", ".join(sorted(kind.setting for kind in Kind)),
    )

    @cached_property
    def redacted(self) -> frozenset[Kind]:
        """The kinds of REDACT."""
        return kinds_of(self.redact)

    @property
    def attestation(self) -> Attestation:
        """The level of NEEDED_ATTESTATION."""
        return Attestation(self.needed_attestation)

    @property
    def agent_dirs(self) -> tuple[str, ...]:
        """The paths of AGENT_DIR."""
        return tuple(part.strip() for part in self.agent_dir.split(":"))

    @property
    def may_be_called(self) -> frozenset[str]:
        """The countries of CALLBACK_COUNTRIES, else the one of PHONE_REGION."""
        return countries_in(self.callback_countries) or frozenset({self.phone_region})

    @cached_property
    def trusted_sip_hosts(self) -> tuple[str, ...]:
        """The hosts, addresses and networks of SIP_TRUNKS."""
        return tuple(part.strip() for part in self.sip_trunks.split(",") if part.strip())

    @field_validator("sip_trunks")
    @classmethod
    def _are_trunks(cls, trunks: str) -> str:
        for trunk in filter(None, map(str.strip, trunks.split(","))):
            try:
                ip_network(trunk)
            except ValueError:
                if not _HOST_NAME.fullmatch(trunk):
                    raise ValueError from None
        return trunks

    @field_validator("redact")
    @classmethod
    def _are_kinds(cls, names: str) -> str:
        kinds_of(names)
        return names

    @field_validator("default_language")
    @classmethod
    def _is_language(cls, tag: str) -> str:
        if "_" in tag or not tag_is_valid(tag):
            raise ValueError
        return tag

    @field_validator("phone_region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        if region not in SUPPORTED_REGIONS:
            raise ValueError
        return region
