"""The admin's rules, switched on by faults: validation, duplicates on Contact, case assignment."""

from typing import Any

from simulator.org.errors import OrgError
from simulator.org.faults import ValidationRule
from simulator.org.schema.catalog import View
from simulator.org.schema.model import SObject
from simulator.org.soql.conditions import Conditions
from simulator.org.soql.parser import Parser
from simulator.org.soql.scope import Scope
from simulator.org.store import Row
from simulator.org.world import Context, Org

DUPLICATE_MESSAGE = "Use one of these records?"


def check_validation(context: Context, sobject: SObject, record_id: str) -> None:
    """Raises FIELD_CUSTOM_VALIDATION_EXCEPTION when a rule holds for the written record."""
    for rule in context.org.faults.validation_rules:
        if rule.sobject == sobject.name and _holds(context.org, rule, record_id):
            fields = [rule.field] if rule.field else []
            raise OrgError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)


def _holds(org: Org, rule: ValidationRule, record_id: str) -> bool:
    # Rules see every field, whatever the integration user may see.
    scope = Scope.over(View(org.schema), rule.when, org.schema.objects[rule.sobject.lower()])
    conditions = Conditions(scope, org.clock.now())
    where = conditions.sql(Parser(rule.when).condition())
    found = org.store.execute(
        f'SELECT 1 FROM {scope.from_sql} WHERE {scope.root.alias}."Id" = ? AND ({where})',
        [record_id, *conditions.params],
    ).fetchone()
    return found is not None


def check_duplicates(context: Context, sobject: SObject, record: Row, base: str) -> None:
    """Raises DUPLICATES_DETECTED for a contact that looks like another one.

    The standard matching rule is fuzzy; here two contacts match on the same e-mail address, or on
    the same name with the same phone [K]. An alert rule yields to `Sforce-Duplicate-Rule-Header:
    allowSave=true`, a block rule does not.
    """
    kind = context.org.faults.duplicate_rule
    if not kind or sobject.name != "Contact" or context.internal:
        return
    options = header_options(context.headers.get("sforce-duplicate-rule-header", ""))
    if kind == "alert" and options.get("allowsave") == "true":
        return
    found = context.org.store.execute(
        'SELECT "Id" FROM "Contact" WHERE "IsDeleted" = 0 AND "Id" <> ? AND '
        '("Email" = ? OR ("Name" = ? AND ("Phone" = ? OR "MobilePhone" = ?))) ORDER BY rowid',
        (
            record["Id"],
            record.get("Email"),
            record.get("Name"),
            record.get("Phone"),
            record.get("MobilePhone"),
        ),
    ).fetchall()
    if found:
        matches = [str(row[0]) for row in found]
        detail = options.get("includerecorddetails") == "true"
        result = duplicate_result(kind, matches, record if detail else None, base)
        raise OrgError(
            400, "DUPLICATES_DETECTED", DUPLICATE_MESSAGE, None, {"duplicateResult": result}
        )


def duplicate_result(
    kind: str, matches: list[str], record: Row | None, base: str
) -> dict[str, Any]:
    """The duplicateResult body (shape from public client tests [F])."""
    details = {} if record is None else {"Name": record.get("Name"), "Email": record.get("Email")}
    return {
        "allowSave": kind == "alert",
        "duplicateRule": "Standard_Contact_Duplicate_Rule",
        "duplicateRuleEntityType": "Contact",
        "errorMessage": DUPLICATE_MESSAGE,
        "matchResults": [
            {
                "entityType": "Contact",
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": [
                    {
                        "additionalInformation": [],
                        "fieldDiffs": [],
                        "matchConfidence": 100.0,
                        "record": {
                            "attributes": {
                                "type": "Contact",
                                "url": f"{base}/sobjects/Contact/{record_id}",
                            },
                            "Id": record_id,
                            **details,
                        },
                    }
                    for record_id in matches
                ],
                "rule": "Standard_Contact_Match_Rule_v1_1",
                "size": len(matches),
                "success": True,
            }
        ],
    }


def assigned_owner(context: Context, sobject: SObject) -> str | None:
    """The owner the active assignment rule gives a case, or None.

    `Sforce-Auto-Assign` defaults to TRUE and works on creates and updates alike [D].
    """
    target = context.org.faults.assignment_rule
    if not target or sobject.name != "Case" or context.internal:
        return None
    if context.headers.get("sforce-auto-assign", "TRUE").upper() == "FALSE":
        return None
    row = context.org.store.execute(
        'SELECT "Id" FROM "Group" WHERE "DeveloperName" = ? OR "Name" = ? OR "Id" = ? '
        'UNION ALL SELECT "Id" FROM "User" WHERE "Username" = ? OR "Id" = ?',
        (target, target, target, target, target),
    ).fetchone()
    return None if row is None else str(row[0])


def header_options(text: str) -> dict[str, str]:
    """`allowSave=true; includeRecordDetails=true` as lower-case keys and values."""
    pairs = (part.partition("=") for part in text.replace(",", ";").split(";"))
    return {key.strip().lower(): value.strip().lower() for key, _, value in pairs if key.strip()}
