"""Settings of the operators' console. It is off without a file of users."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings.environment import Group

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


class ConsoleSettings(Group):
    model_config = SettingsConfigDict(env_prefix="CONSOLE_")

    users: str | None = Field(
        None, description="the path of a file that `python -m cli console user add` writes"
    )
    user_header: str | None = Field(
        None, description="a header that your proxy sets, such as X-Forwarded-User"
    )
    proxies: str = Field(
        "",
        description="the proxy's addresses or networks with a comma between them, such as "
        "10.0.0.5,10.1.0.0/28",
    )

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(map(ip_network, _parts(self.proxies)))

    def is_proxy(self, address: str) -> bool:
        """The address is one of CONSOLE_PROXIES."""
        try:
            asked = ip_address(address)
        except ValueError:
            return False
        return any(asked in network for network in self.proxy_networks)

    @field_validator("user_header")
    @classmethod
    def _is_header(cls, name: str | None) -> str | None:
        if name is not None and not _HEADER.fullmatch(name):
            raise ValueError
        return name

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        for part in _parts(proxies):
            ip_network(part)
        return proxies

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.user_header and not self.proxies:
            raise ValueError(
                "CONSOLE_PROXIES is missing: anybody could send the header of CONSOLE_USER_HEADER; "
                f"it must be {self.must_be('proxies')}"
            )
        return self


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
