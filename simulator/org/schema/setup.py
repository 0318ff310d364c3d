"""The admin's setup as the API shows it, read-only: rules (names and objects only) and the statuses
of cases and tasks.

Data API: DuplicateRule and AssignmentRule. Tooling API: ValidationRule and its EntityDefinition
(here with an Id of its own; a real one has a DurableId). Each API has only its own objects.
A user without View Setup and Configuration sees no DuplicateRule [D]; `deny` hides it.
"""

from simulator.org.schema.model import SObject, flag, read_only, record_id, reference, system, text


def _setup(
    name: str, label: str, prefix: str, *fields: object, name_field: str, tooling: bool = False
) -> SObject:
    return SObject(
        name,
        label,
        f"{label}s",
        prefix,
        (record_id(label), *fields, *system()),  # type: ignore[arg-type]
        name_field=name_field,
        create=False,
        update=False,
        delete=False,
        searchable=False,
        tooling=tooling,
    )


DUPLICATE_RULE = _setup(
    "DuplicateRule",
    "Duplicate Rule",
    "0Bm",
    text("DeveloperName", "Object Name", 80, nillable=False),
    text("MasterLabel", "Rule Name", 80, nillable=False),
    text("SobjectType", "Object", 40, nillable=False),
    flag("IsActive", "Active"),
    name_field="MasterLabel",
)
ASSIGNMENT_RULE = _setup(
    "AssignmentRule",
    "Assignment Rule",
    "01Q",
    text("Name", "Name", 120, nillable=False),
    text("SobjectType", "Object", 40, nillable=False),
    flag("Active", "Active"),
    name_field="Name",
)
ENTITY_DEFINITION = _setup(
    "EntityDefinition",
    "Entity Definition",
    "4ie",
    text("QualifiedApiName", "Qualified API Name", 70, nillable=False),
    name_field="QualifiedApiName",
    tooling=True,
)
VALIDATION_RULE = _setup(
    "ValidationRule",
    "Validation Rule",
    "03d",
    text("ValidationName", "Validation Name", 255, nillable=False),
    text("ErrorMessage", "Error Message", 255, nillable=False),
    flag("Active", "Active"),
    reference("EntityDefinitionId", "Entity Definition ID", "EntityDefinition"),
    name_field="ValidationName",
    tooling=True,
)


def _statuses(name: str, label: str, prefix: str) -> SObject:
    """The values of a status, and which of them close. Key prefixes are not confirmed [K]."""
    return _setup(
        name,
        label,
        prefix,
        text("ApiName", "API Name", 255, nillable=False),
        text("MasterLabel", "Master Label", 255, nillable=False),
        flag("IsClosed", "Is Closed"),
        flag("IsDefault", "Is Default"),
        read_only("SortOrder", "int", "Sort Order"),
        name_field="MasterLabel",
    )


CASE_STATUS = _statuses("CaseStatus", "Case Status Value", "0Cs")
TASK_STATUS = _statuses("TaskStatus", "Task Status Value", "0Ts")

OBJECTS = (
    CASE_STATUS,
    TASK_STATUS,
    DUPLICATE_RULE,
    ASSIGNMENT_RULE,
    ENTITY_DEFINITION,
    VALIDATION_RULE,
)
