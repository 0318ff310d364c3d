"""Who may act for whom, as the org says now: a lookup of the contact, or AccountContactRelation.

A relation has a direction. Of a contact, the org names who may act for it (`acting_field`); of an
account, some contacts have a role or a checkbox, and act for the account's other contacts. More
than MAX_HOUSEHOLD contacts are no household: nobody acts for any of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.salesforce.caller_rules import CallerRules, relationship
from shared.salesforce.phones import condition
from shared.salesforce.soql import columns, soql

MAX_HOUSEHOLD = 10
"""For how many contacts somebody may act."""

MAX_CALLERS = 200
"""Contacts who may have a number, or who are asked for by their ids: with this many the answer may
be incomplete, and counts for nothing."""

_TODAY = (
    "IsActive = true AND (StartDate = null OR StartDate <= TODAY) "
    "AND (EndDate = null OR EndDate >= TODAY)"
)
"""Salesforce does not clear IsActive when EndDate passes."""

Acting = Mapping[str, frozenset[str]]
"""The contacts for whom a contact may act, by its id."""


def queries_by_phones(rules: CallerRules, numbers: Sequence[str]) -> list[str]:
    """At most two, for `acting`, about the contacts who may have one of the numbers (E.164)."""

    def have_numbers(path: str) -> str:
        return condition(numbers, [f"{path}.{name}" for name in rules.phone_fields])

    return list(
        _queries(
            rules,
            have_numbers(relationship(rules.acting_field)) if rules.acting_field else "",
            have_numbers("Contact"),
            MAX_CALLERS * len(numbers),
        )
    )


def queries_by_ids(rules: CallerRules, contact_ids: Collection[str]) -> list[str]:
    """The same about contacts by their ids."""
    ids = sorted(contact_ids)
    of_field = f"{columns((rules.acting_field,))} IN {{ids}}" if rules.acting_field else ""
    return list(
        _queries(
            rules,
            soql(of_field, ids=ids) if of_field else "",
            soql("ContactId IN {ids}", ids=ids),
            MAX_CALLERS * len(ids),
        )
    )


def _queries(rules: CallerRules, by_field: str, by_relation: str, limit: int) -> Iterator[str]:
    """by_field, by_relation: which contacts act, as conditions on Contact and on
    AccountContactRelation."""
    ordered = soql("ORDER BY Id LIMIT {limit}", limit=limit)
    if rules.acting_field:
        yield (
            f"SELECT {columns(('Id', rules.acting_field))} FROM Contact WHERE {by_field} {ordered}"
        )
    if rules.reads_relations:
        fields = ("ContactId", *(("Roles",) if rules.roles else ()))
        fields += (rules.flag,) if rules.flag else ()
        # The caller, those of the largest household, and one more, which makes it too large.
        members = soql("ORDER BY Id LIMIT {limit}", limit=1 + MAX_HOUSEHOLD + 1)
        # A semi join may not be on the object of the query around it (docs/vendors.md S24).
        yield (
            f"SELECT Id, (SELECT {columns(fields)} FROM AccountContactRelations "
            f"WHERE {_TODAY} {members}) FROM Account WHERE Id IN (SELECT AccountId FROM "
            f"AccountContactRelation WHERE {_entitled(rules)} AND ({by_relation})) {ordered}"
        )


def _entitled(rules: CallerRules) -> str:
    parts = [_TODAY]
    if rules.roles:
        parts.append(soql("Roles INCLUDES {roles}", roles=list(rules.roles)))
    if rules.flag:
        parts.append(f"{columns((rules.flag,))} = true")
    return " AND ".join(parts)


def acting(
    rules: CallerRules, answers: Sequence[Sequence[Mapping[str, Any]]], callers: int
) -> Acting:
    """Who acts for whom, from the rows of each query. callers: how many numbers or ids they ask
    for. An answer that may be incomplete, or a household that is too large, gives no right."""
    found: dict[str, set[str]] = defaultdict(set)
    rest = list(answers)
    limit = MAX_CALLERS * callers
    if rules.acting_field:
        rows = rest.pop(0)
        for row in rows if len(rows) < limit else ():
            if who := row.get(rules.acting_field):
                found[who].add(row["Id"])
    for accounts in rest:
        for account in accounts if len(accounts) < limit else ():
            relations = (account.get("AccountContactRelations") or {}).get("records") or []
            _add_members(rules, relations, found)
    everybody = {who: frozenset(others - {who}) for who, others in found.items()}
    return {who: others for who, others in everybody.items() if 0 < len(others) <= MAX_HOUSEHOLD}


def _add_members(
    rules: CallerRules, relations: Sequence[Mapping[str, Any]], found: dict[str, set[str]]
) -> None:
    members = {row["ContactId"] for row in relations}
    for row in relations:
        if _is_entitled(rules, row):
            found[row["ContactId"]] |= members


def _is_entitled(rules: CallerRules, relation: Mapping[str, Any]) -> bool:
    if rules.flag and relation.get(rules.flag) is not True:
        return False
    held = {role.strip().casefold() for role in str(relation.get("Roles") or "").split(";")}
    return not rules.roles or not held.isdisjoint(_folded(rules.roles))


def _folded(roles: Iterable[str]) -> set[str]:
    return {role.strip().casefold() for role in roles}
