"""The objects in the SFDX source of an agent folder (`salesforce/`), without any org.

The local org reads the source and describes it (`python -m simulator describe`). It runs as a
process, because it shares no code with the service.

Source has what a team defines: custom objects and fields, record types, queues. It does not have
the objects and fields of Salesforce and of packages, so any such name counts as right.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cli.org.objects import ANY, FROM_SOURCE, Objects, SObject, Words
from shared.agent.languages import PROJECT
from shared.errors import ServiceError
from shared.salesforce.org_setup import FieldSetup, Setup, Wanted

SOURCE = "salesforce"
"""The folder in an agent folder, and that of our own package in the project."""

DESCRIBE_S = 60.0

SALESFORCES_OWN = frozenset(
    {"currencyisocode", "division", "lastactivitydate", "lastvieweddate", "lastreferenceddate"}
)
"""Fields that Salesforce gives to custom objects of some orgs. Object Reference, "Custom Objects"
and "System Fields"."""


class UnreadableSourceError(ServiceError):
    """The source can't be read. The text has a line for each mistake, with its file."""


class NoLocalOrgError(ServiceError):
    """The local org is not installed here, as in a container of the service."""


def source_of(folder: Path) -> "SourceObjects | None":
    """The objects of an agent folder's source, and of our package; None for a folder without.

    Raises UnreadableSourceError and NoLocalOrgError.
    """
    own = folder / SOURCE
    if not own.is_dir():
        return None
    if not (PROJECT / "simulator").is_dir():
        raise NoLocalOrgError("the local org is not installed here")
    command = [sys.executable, "-P", "-m", "simulator", "describe"]
    for source in (PROJECT / SOURCE, own):
        command += ["--source", str(source)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, encoding="utf-8",
            timeout=DESCRIBE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnreadableSourceError(f"{own}: was not read within {DESCRIBE_S:.0f} s") from None
    if done.returncode:
        raise UnreadableSourceError(done.stderr.strip())
    return SourceObjects(json.loads(done.stdout))


class SourceObjects(Objects):
    """What the source describes. A name that is Salesforce's own may mean anything."""

    def __init__(self, described: dict[str, Any]) -> None:
        """described: see `simulator/org/described.py`."""
        retrieve = "add its source: `sf project retrieve start --metadata"
        self.words = Words(
            no_object=f"{SOURCE}/ has no object {{name}}",
            add_object=f"{retrieve} CustomObject:Its_Name__c`",
            no_field=f" in {SOURCE}/",
            add_field="add its field-meta.xml",
            read_only="can't be written",
            let_edit="leave it out",
            own_field="add what `python -m cli agent source` writes for this tool",
        )
        self._left_out = {str(name).casefold() for name in described["left_out"]}
        self._objects = {
            str(body["name"]).casefold(): _SourceObject(body, self._left_out)
            for body in described["sobjects"]
        }
        self._record_types = {
            str(body["name"]): [str(info["developerName"]) for info in body["recordTypeInfos"]
                                if info["active"] and not info["master"]]
            for body in described["sobjects"]
        }  # fmt: skip
        self._queues = [str(name) for name in described["queues"]]

    @property
    def names(self) -> list[str]:
        return [sobject.name for sobject in self._objects.values()]

    def describe(self, sobject: str) -> SObject | None:
        known = self._objects.get(sobject.casefold())
        if known or (is_of_team(sobject) and sobject.casefold() not in self._left_out):
            return known
        nothing = {"name": sobject, "createable": True, "updateable": True, "fields": []}
        return _SourceObject(nothing, self._left_out)

    def describe_all(self, sobjects: Iterable[str]) -> None:
        """Everything was read at once."""

    def setup(self, wanted: Wanted) -> Setup:
        """What the source has of this. Users are in no source, and all of them count as there; so
        do queues and record types of a source that has none."""
        cases = self._record_types["Case"]
        fields: dict[str, FieldSetup] = {}
        for full_name in wanted.fields:
            sobject, _, name = full_name.partition(".")
            described = self.describe(sobject)
            if field := described.field(name) if described else {}:
                fields[full_name] = FieldSetup(
                    str(field["type"]),
                    createable=field["createable"],
                    updateable=field["updateable"],
                )
        return Setup(
            users=_present(wanted.users),
            queues=_present(self._queues or wanted.queues),
            record_types=_present(cases or wanted.record_types),
            fields=fields,
        )


class _SourceObject(SObject):
    """An object with the fields of its source, and any field of Salesforce's own."""

    def __init__(self, described: dict[str, Any], left_out: set[str]) -> None:
        super().__init__(described)
        self._is_custom = bool(described.get("custom"))
        self._left_out = left_out
        for field in self.fields.values():
            field[FROM_SOURCE] = bool(field["custom"])

    def field(self, name: str) -> dict[str, Any]:
        return super().field(name) or (_anything(name) if self._may_be(name) else {})

    def lookup(self, relationship: str) -> dict[str, Any]:
        found = super().lookup(relationship)
        name = f"{relationship[:-1]}c" if relationship.endswith("__r") else f"{relationship}Id"
        return found or (_anything(name) if self._may_be(name) else {})

    def _may_be(self, name: str) -> bool:
        folded = name.casefold()
        if f"{self.name.casefold()}.{folded}" in self._left_out:
            return True
        return folded in SALESFORCES_OWN if self._is_custom else not is_of_team(name)


def is_of_team(name: str) -> bool:
    """Whether an API name is one that a team gave: custom, and of no package."""
    return name.casefold().endswith("__c") and name.count("__") == 1


def _anything(name: str) -> dict[str, Any]:
    """The describe of a field about which nothing is known: everything fits it."""
    rights = ("createable", "updateable", "nillable", "filterable", "sortable")
    return {"name": name, "type": ANY, "externalId": True, "unique": True, "length": 255} | (
        dict.fromkeys(rights, True)
    )


def _present(names: Iterable[str]) -> dict[str, str]:
    """Names in lower case, as a setup has them with their ids."""
    return dict.fromkeys((name.lower() for name in names), "")
