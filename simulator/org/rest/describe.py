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
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": True,
            "developerName": "Master",
            "master": True,
            "name": "Master",
            "recordTypeId": "012000000000000AAA",
            "urls": {},
        }
    ]
    body["namedLayoutInfos"] = []
    body["supportedScopes"] = [{"label": f"All {sobject.plural}", "name": "everything"}]
    body["actionOverrides"] = []
    return Answer(200, body, fresh)


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
        "custom": False,
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
    real = field.kind in ("double", "currency")
    default = field.default if field.kind == "boolean" else None
    return {
        "aggregatable": field.filterable and field.kind != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.auto_number,
        "byteLength": (field.max_bytes or field.length * 3) if text or field.length else 0,
        "calculated": field.mirror is not None,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
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
        "htmlFormatted": False,
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
        "permissionable": field.nillable and not field.auto_number,
        "picklistValues": [_picklist_value(field, value) for value in field.values],
        "polymorphicForeignKey": field.polymorphic,
        "precision": 18 if real else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.targets),
        "relationshipName": field.relationship or None,
        "relationshipOrder": None,
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


def _picklist_value(field: Field, value: str) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": value == field.default,
        "label": value,
        "validFor": None,
        "value": value,
    }
