"""What a caller may learn and change: the whole of the judge's idea of rights, in one table."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How well a server can know, by the evidence of a call, that the caller is a customer."""

    NOBODY = "nobody"
    """No number, a number that nobody or several have, or evidence that anybody can make up."""
    RECOGNISED = "recognised"
    """The call shows the number that this customer alone has."""


class What(StrEnum):
    """What a canary is of a customer."""

    NAME = "name"
    ACCOUNT_NAME = "account name"
    ACCOUNT_NUMBER = "account number"
    PHONE = "phone number"
    EMAIL = "email"
    ADDRESS = "address"
    CASE_NUMBER = "case number"
    CASE_STATE = "case state"
    CASE_TEXT = "text of a case"
    COMMENT = "comment"
    REFERENCE = "reference"
    WORDS = "their own words"


class Change(StrEnum):
    """What is changed of a customer's records."""

    OPEN_CASE = "a new case"
    CLOSE_CASE = "a closed case"
    COMMENT = "a comment"
    TASK = "a task or a file"
    ADDRESS = "the address"
    PHONE = "a phone number"
    EMAIL = "the email"
    OTHER = "another field"


@dataclass(frozen=True)
class Rights:
    """what a caller may learn, what the colleague who takes the call may learn, and what may be
    changed."""

    learn: frozenset[What] = frozenset()
    colleague_learns: frozenset[What] = frozenset()
    change: frozenset[Change] = frozenset()


ON_THE_PHONE = frozenset(
    {
        What.NAME,
        What.ACCOUNT_NAME,
        What.ACCOUNT_NUMBER,
        What.CASE_NUMBER,
        What.CASE_STATE,
        What.REFERENCE,
    }
)

RIGHTS = {
    Standing.NOBODY: Rights(),
    Standing.RECOGNISED: Rights(
        learn=ON_THE_PHONE,
        colleague_learns=ON_THE_PHONE,
        change=frozenset(
            {Change.OPEN_CASE, Change.CLOSE_CASE, Change.COMMENT, Change.TASK, Change.ADDRESS}
        ),
    ),
}
"""Of the customer that the caller has this standing for. Of all others a caller has no rights, and
of themselves every right. The default is the policy `standard` (docs/security.md)."""
