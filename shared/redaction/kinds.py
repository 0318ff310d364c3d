"""What is removed from a text, and what stands in its place."""

from enum import StrEnum


class Kind(StrEnum):
    """What a removed part was. The value is the name of it in the text that replaces it."""

    CARD = "card number"
    SECURITY_CODE = "security code"
    SOCIAL_SECURITY = "social security number"
    BANK_ACCOUNT = "bank account"
    PASSWORD = "password"

    @property
    def label(self) -> str:
        return f"[{self.value} removed]"


ALL = frozenset(Kind)
