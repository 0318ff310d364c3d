"""What the org says about its objects: the list, the basics of one, and the full describe."""

from typing import Any

from simulator.org.clock import read_http_date
from simulator.org.errors import EmptyError
from simulator.org.message import Answer
from simulator.org.rest.request import Request
from simulator.org.schema.catalog import View
from simulator.org.schema.model import TEXT_KINDS, Field, SObject

SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "time": "xsd:time",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
}


def global_describe(request: Request) -> Answer:
    """GET /sobjects."""
    fresh = _unless_modified(request)
    view = request.org.view
    shown = [sobject for sobject in view.schema.objects.values() if view.sobject(sobject.name)]
    body = {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_summary(request, view, sobject) for sobject in shown],
    }
    return Answer(200, body, fresh)


def basic_information(request: Request, name: str) -> Answer:
    """GET /sobjects/X."""
    sobject = request.sobject(name)
    summary = _summary(request, request.org.view, sobject)
    return Answer(200, {"objectDescribe": summary, "recentItems": []})


def describe(request: Request, name: str) -> Answer:
    """GET /sobjects/X/describe; 304 when the schema hasn't changed since If-Modified-Since."""
    sobject = request.sobject(name)
    fresh = _unless_modified(request)
    view = request.org.view
    body = _summary(request, view, sobject)
    body["fields"] = [_field(sobject, field) for field in view.fields(sobject)]
    body["childRelationships"] = [
        {
            "cascadeDelete": relationship.field.detail,
            "childSObject": relationship.child.name,
            "deprecatedAndHidden": False,
            "field": relationship.field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": relationship.name,
            "restrictedDelete": False,
        }
        for relationship in view.schema.children[sobject.name.lower()]
        if view.child(sobject, relationship.name)
    ]
    body["recordTypeInfos"] = [
        *(_record_type(*found) for found in _record_types(request, sobject)),
        _record_type("012000000000000AAA", "Master", "Master", active=True, master=True),
    ]
    body["namedLayoutInfos"] = []
    body["supportedScopes"] = [{"label": f"All {sobject.plural}", "name": "everything"}]
    body["actionOverrides"] = []
    return Answer(200, body, fresh)


def _record_types(request: Request, sobject: SObject) -> list[tuple[str, str, str, bool]]:
    """Id, label, developer name and whether it is active, of each record type of the object."""
    found = request.org.store.execute(
        'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" '
        'WHERE "SobjectType" = ? AND "IsDeleted" = 0 ORDER BY rowid',
        (sobject.name,),
    )
    return [(str(row[0]), str(row[1]), str(row[2]), bool(row[3])) for row in found]


def _record_type(
    record_type_id: str, label: str, developer_name: str, active: bool, master: bool = False
) -> dict[str, Any]:
    # The profile says which record type is the default; here none of them is.
    return {
        "active": active,
        "available": active,
        "defaultRecordTypeMapping": master,
        "developerName": developer_name,
        "master": master,
        "name": label,
        "recordTypeId": record_type_id,
        "urls": {},
    }


def _unless_modified(request: Request) -> dict[str, str]:
    changed = request.org.schema_changed.replace(microsecond=0)
    since = read_http_date(request.call.headers.get("if-modified-since", ""))
    if since is not None and changed <= since:
        raise EmptyError(304, "NOT_MODIFIED")
    return {"Last-Modified": f"{changed:%a, %d %b %Y %H:%M:%S} GMT"}


def _summary(request: Request, view: View, sobject: SObject) -> dict[str, Any]:
    url = f"{request.base}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": sobject.create and view.allows(sobject, "create"),
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.delete and view.allows(sobject, "delete"),
        "deprecatedAndHidden": False,
        "feedEnabled": sobject.name in ("Account", "Contact", "Case"),
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": sobject.create,
        "mergeable": sobject.name in ("Account", "Contact", "Case", "Lead"),
        "mruEnabled": True,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": sobject.searchable,
        "triggerable": sobject.create,
        "undeletable": sobject.delete and view.allows(sobject, "delete"),
        "updateable": sobject.update and view.allows(sobject, "update"),
        "urls": {
            "sobject": url,
            "describe": f"{url}/describe",
            "rowTemplate": f"{url}/{{ID}}",
        },
    }


def _field(sobject: SObject, field: Field) -> dict[str, Any]:
    text = field.kind in TEXT_KINDS
    whole = {"int": 8}.get(field.kind, 0)
    real = field.kind in ("double", "currency", "percent")
    default = field.default if field.kind == "boolean" else None
    return {
        "aggregatable": field.filterable and field.kind != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.auto_number,
        "byteLength": (field.max_bytes or field.length * 3) if text or field.length else 0,
        "calculated": field.mirror is not None or field.calculated,
        "calculatedFormula": field.formula or None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": _compound(sobject, field),
        "controllerName": None,
        "createable": field.create and sobject.create,
        "custom": field.custom,
        "defaultValue": default,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.default is not None
        or field.kind == "boolean"
        or not field.create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": whole,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": field.groupable,
        "highScaleNumber": False,
        "htmlFormatted": field.html,
        "idLookup": field.id_lookup,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.max_bytes or field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name == sobject.name_field,
        "namePointing": field.polymorphic,
        "nillable": field.nillable,
        "permissionable": (field.nillable or (field.custom and field.kind == "boolean"))
        and not field.auto_number,
        "picklistValues": [
            _picklist_value(field, value, label)
            for value, label in zip(field.values, field.labels or field.values, strict=True)
        ],
        "polymorphicForeignKey": field.polymorphic,
        "precision": field.precision if real else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.targets),
        "relationshipName": field.relationship or None,
        "relationshipOrder": 0 if field.custom and field.detail else None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": field.kind == "reference",
        "soapType": SOAP_TYPES.get(field.kind, "xsd:string"),
        "sortable": field.filterable,
        "type": field.kind,
        "unique": field.unique,
        "updateable": field.update and sobject.update,
        "writeRequiresMasterRead": False,
    }


def _compound(sobject: SObject, field: Field) -> str | None:
    for other in sobject.fields:
        if other.kind == "address" and field.name in (
            f"{other.address}{part}"
            for part in (
                "Street",
                "City",
                "State",
                "PostalCode",
                "Country",
                "Latitude",
                "Longitude",
            )
        ):
            return other.name
    if field.name in ("FirstName", "LastName", "Salutation") and "name" in sobject.by_name:
        return "Name"
    return None


def _picklist_value(field: Field, value: str, label: str) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": value == field.default,
        "label": label,
        "validFor": None,
        "value": value,
    }
