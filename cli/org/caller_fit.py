"""Whether what makes a caller known fits the org: the fields that `identify.toml` names.

A field that does not fit is found here, and not by callers: while the org refuses a field, nobody
is recognised, or nobody acts for anybody.
"""

from collections.abc import Iterable, Iterator

from cli.org.field_fit import Fit
from cli.org.objects import Objects, SObject, meant
from shared.agent.errors import Mistake
from shared.agent.folder import Agent
from shared.agent.identify import FILE, Identify
from shared.agent.toml_lines import line_of, lines_of
from shared.salesforce.phones import ACCOUNT_COUNTRY

GRANT_IT = "grant it in the permission set of the service's user"
PHONES = frozenset({"phone", "string"})
RELATION = "AccountContactRelation"
OF_RELATION = ("AccountId", "ContactId", "IsActive", "StartDate", "EndDate")

Misfit = tuple[tuple[str, ...], str, str]
"""Where in the file, what does not fit, and what would."""


def caller_misfits(agent: Agent, org: Objects) -> list[Mistake]:
    """Nothing for a folder without the file. Raises SalesforceError."""
    path = agent.folder / FILE
    if not path.exists():
        return []
    lines = lines_of(path.read_text(encoding="utf-8-sig"))
    return [
        Mistake(FILE, line_of(lines, where), problem, remedy)
        for where, problem, remedy in _misfits(agent.identify, org)
    ]


def _misfits(identify: Identify, org: Objects) -> Iterator[Misfit]:
    contact, account = org.describe("Contact"), org.describe("Account")
    if contact is None or account is None:
        hidden = "Contact" if contact is None else "Account"
        yield (), f"the user can't see {hidden}", "assign the permission set Voice_Integration"
        return
    yield from _phones(org, contact, ("phone_fields",), identify.phone_fields)
    lines, household = identify.account, identify.household
    if lines.phone_fields:
        yield from _phones(org, account, ("account", "phone_fields"), lines.phone_fields)
        if not account.field(ACCOUNT_COUNTRY):
            yield _hidden(account, ("account", "phone_fields"), ACCOUNT_COUNTRY)
    if lines.contact:
        yield from _lookup(org, account, ("account", "contact"), lines.contact)
    if household.acting_field:
        yield from _lookup(org, contact, ("household", "acting_field"), household.acting_field)
    if household.roles or household.flag:
        yield from _relation(identify, org)


def _relation(identify: Identify, org: Objects) -> Iterator[Misfit]:
    household = identify.household
    where = ("household", "roles" if household.roles else "flag")
    relation = org.describe(RELATION)
    if relation is None:
        remedy = "switch on contacts to multiple accounts, and let the service's user read it"
        yield where, f"the org has no {RELATION}, or the user can't see it", remedy
        return
    for name in (*OF_RELATION, *(("Roles",) if household.roles else ())):
        if not relation.field(name):
            yield _hidden(relation, where, name)
    if household.roles and (roles := relation.field("Roles")):
        listed = [str(v["value"]) for v in roles.get("picklistValues", ()) if v.get("active")]
        known = {value.casefold() for value in listed}
        for nth, role in enumerate(household.roles):
            if role.casefold() not in known:
                remedy = meant(role, listed) or "add it to the values of the field, or correct it"
                yield (*where, str(nth)), f"{RELATION}.Roles has no value {role}", remedy
    if household.flag:
        flag = relation.field(household.flag)
        if not _is_there(flag, household.flag):
            yield _missing(org, relation, ("household", "flag"), household.flag)
        elif not Fit(flag).is_one_of({"boolean"}):
            problem = f"{RELATION}.{household.flag} is not a checkbox"
            yield ("household", "flag"), problem, "name a checkbox"


def _phones(
    org: Objects, sobject: SObject, where: tuple[str, ...], names: Iterable[str]
) -> Iterator[Misfit]:
    for nth, name in enumerate(names):
        place, field = (*where, str(nth)), sobject.field(name)
        if not _is_there(field, name):
            yield _missing(org, sobject, place, name)
        elif not Fit(field).is_one_of(PHONES):
            problem = f"{sobject.name}.{name} is neither a phone field nor a text field"
            yield place, problem, "name one of these types"
        elif not field.get("filterable"):
            problem = f"the org can't search {sobject.name} by {name}"
            yield place, problem, "name a field that can be filtered"


def _lookup(org: Objects, sobject: SObject, where: tuple[str, ...], name: str) -> Iterator[Misfit]:
    field = sobject.field(name)
    if not _is_there(field, name):
        yield _missing(org, sobject, where, name)
    elif not Fit(field).leads_to("Contact") or len(Fit(field).targets) > 1:
        yield (
            where,
            f"{sobject.name}.{name} is not a lookup of a contact",
            "name a lookup of Contact",
        )
    elif not field.get("filterable"):
        problem = f"the org can't search {sobject.name} by {name}"
        yield where, problem, "name a field that can be filtered"


def _is_there(field: dict[str, object], name: str) -> bool:
    """Under exactly this name: the rows of an answer have the org's spelling."""
    return bool(field) and field["name"] == name


def _missing(org: Objects, sobject: SObject, where: tuple[str, ...], name: str) -> Misfit:
    return where, *org.no_field(sobject, name)


def _hidden(sobject: SObject, where: tuple[str, ...], name: str) -> Misfit:
    """A field that Salesforce brings, and that the service needs for this key."""
    return where, f"the user can't see {sobject.name}.{name}", GRANT_IT
