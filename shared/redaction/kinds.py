"""What is removed from a text, and what stands in its place."""

from enum import StrEnum


class Kind(StrEnum):
    """What a removed part was. The value is the name of it in the text that replaces it, and
    `setting` the name in REDACT."""

    CARD = "card number"
    SECURITY_CODE = "security code"
    SOCIAL_SECURITY = "social security number"
    BANK_ACCOUNT = "bank account"
    PASSWORD = "password"
    STEUER_ID = "tax number"
    DNI = "identity number"

    @property
    def label(self) -> str:
        return f"[{self.value} removed]"

    @property
    def setting(self) -> str:
        return self.name.lower()


ALL = frozenset(Kind)

DEFAULT = ALL - {Kind.STEUER_ID, Kind.DNI}
"""What is removed unless REDACT says something else. An identifier of one country is a customer
number, an order or nothing at all in another."""


def kinds_of(names: str) -> frozenset[Kind]:
    """The kinds of REDACT, with a comma between them; DEFAULT for "". Raises ValueError."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    by_name = {kind.setting: kind for kind in Kind}
    if unknown := [name for name in wanted if name not in by_name]:
        raise ValueError(f"does not know {unknown[0]}")
    return frozenset(by_name[name] for name in wanted) or DEFAULT
