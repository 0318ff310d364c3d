"""Numbers that are the line of an account, such as a company's main number.

Whoever calls from there, the number shows the account and no person, unless the org names the one
contact who calls from it (`CallerRules.account_contact`). A person account, or a sole trader, has
the same number on account and contact: there the account bears the contact's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.salesforce.caller_rules import CallerRules
from shared.salesforce.phones import ACCOUNT_COUNTRY, condition, holders
from shared.salesforce.soql import columns

OF_CONTACT = ("Name", "AccountId", "Account.Name")
"""The fields of a contact that `line_of` reads."""


@dataclass(frozen=True)
class Line:
    """The number is the line of an account. account_id: None when several accounts have it.

    contact_id: the contact whom the org names for it, None for none.
    """

    account_id: str | None = None
    contact_id: str | None = None


def accounts_query(rules: CallerRules, numbers: Sequence[str]) -> str:
    """The accounts that may have one of the numbers (E.164). It has no LIMIT yet."""
    named = (rules.account_contact,) if rules.account_contact else ()
    fields = tuple(dict.fromkeys(("Id", *rules.account_fields, ACCOUNT_COUNTRY, *named)))
    where = condition(numbers, rules.account_fields)
    return f"SELECT {columns(fields)} FROM Account WHERE {where} ORDER BY Id"


def named_contacts(rules: CallerRules, numbers: Sequence[str]) -> str:
    """A condition on Contact: those whom the accounts with one of these numbers name.

    A semi join has no OR beside it (docs/vendors.md S24), so it takes a query of its own.
    """
    return (
        f"Id IN (SELECT {columns((rules.account_contact,))} FROM Account "
        f"WHERE {condition(numbers, rules.account_fields)})"
    )


def line_of(
    rules: CallerRules,
    accounts: Sequence[dict[str, Any]],
    contacts: Sequence[dict[str, Any]],
    number: str,
    region: str,
) -> Line | None:
    """The line that the number is; None for a number of no account, or of the caller alone.

    contacts: those who have the number, with the fields OF_CONTACT.
    """
    found = holders(accounts, number, region, rules.account_fields, country=ACCOUNT_COUNTRY)
    own = {row["AccountId"] for row in contacts if _is_their_own(row)}
    lines = [row for row in found if row["Id"] not in own]
    if not lines:
        return None
    if len(lines) > 1:
        return Line()
    return Line(lines[0]["Id"], lines[0].get(rules.account_contact) or None)


def _is_their_own(contact: dict[str, Any]) -> bool:
    account = contact.get("Account") or {}
    return bool(contact.get("AccountId")) and account.get("Name") == contact.get("Name")
