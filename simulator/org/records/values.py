"""JSON values to stored values, one reader per kind of field, with the errors each kind has."""

import base64
import binascii
import json
import math
import re
from datetime import date
from typing import Any

from simulator.org import ids
from simulator.org.clock import read_datetime, write_datetime
from simulator.org.errors import OrgError, json_parser, malformed_id
from simulator.org.schema.model import NUMBER_KINDS, TEXT_KINDS, Field

# Salesforce's own check is unpublished. This accepts what is known to pass, and refuses "123" [K].
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]{2,}\Z")
_BREAK = re.compile(r"\r\n|\r|\n")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?Z?\Z")
MAX_INT = 2**31 - 1
# Base64 files in JSON may have 37.5 MB.
MAX_FILE_BYTES = 37_500_000


def read_value(field: Field, value: object, *, crlf: bool = False) -> Any:
    """The stored form of a JSON value; None for null and for blank text. Raises OrgError.

    crlf: line breaks of text areas are stored, and counted, as two characters.
    """
    if value is None:
        return _boolean_null(field) if field.kind == "boolean" else None
    if field.kind in TEXT_KINDS:
        return _text(field, value, crlf and field.kind == "textarea")
    if field.kind == "boolean":
        return _boolean(value)
    if field.kind in NUMBER_KINDS:
        return _number(field, value)
    if field.kind == "date":
        return _date(value)
    if field.kind == "datetime":
        return _datetime(value)
    if field.kind == "time":
        return _time(value)
    if field.kind == "reference":
        return _reference(field, value)
    if field.kind == "base64":
        return _base64(field, value)
    raise json_parser(f"{field.name} can not be written")


def unreadable(kind: str, value: object) -> OrgError:
    """The parser's complaint about a value of the wrong JSON type (without its line and column)."""
    token = {
        bool: "VALUE_BOOLEAN",
        str: "VALUE_STRING",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
    }
    name = token.get(type(value), "START_OBJECT" if isinstance(value, dict) else "START_ARRAY")
    shown = value if isinstance(value, str) else json.dumps(value)
    return json_parser(
        f"Cannot deserialize instance of {kind} from {name} value {shown} or request may be "
        "missing a required field"
    )


def _boolean_null(field: Field) -> None:
    raise OrgError(
        400,
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        f"{field.label}: value not of required type: null",
        [field.name],
    )


def html_bytes(text: str) -> int:
    """How long a text is in HTML: a single `&` counts five bytes (help 000382141). That `'` counts
    five as well is not confirmed [K].
    """
    return len(text.encode()) + sum(len(name) - 1 for char in text if (name := _HTML.get(char)))


def _text(field: Field, value: object, crlf: bool) -> str | None:
    if not isinstance(value, str):
        raise unreadable("string", value)
    text = value.encode("utf-8", "replace").decode().strip()
    if not text:
        return None
    if crlf:
        text = "\r\n".join(_BREAK.split(text))
    size, limit = len(text), field.length
    if field.max_bytes:
        size, limit = html_bytes(text), field.max_bytes
    if limit and size > limit:
        raise OrgError(
            400,
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text[:255]} (max length={limit})",
            [field.name],
        )
    if field.kind == "email" and not _EMAIL.match(text):
        raise OrgError(
            400,
            "INVALID_EMAIL_ADDRESS",
            f"{field.label}: invalid email address: {text}",
            [field.name],
        )
    several = field.kind == "multipicklist"
    parts = [part.strip() for part in text.split(";")] if several else [text]
    if field.restricted:
        known = {value.lower() for value in field.values}
        for part in parts:
            if part.lower() not in known:
                raise not_in_picklist(field, part)
    return ";".join(dict.fromkeys(filter(None, parts))) if several else text


def not_in_picklist(field: Field, value: str) -> OrgError:
    return OrgError(
        400,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{field.label}: bad value for restricted picklist field: {value}",
        [field.name],
    )


def _boolean(value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return int(value.lower() == "true")
    raise unreadable("boolean", value)


def _number(field: Field, value: object) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise unreadable(field.kind, value) from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise unreadable(field.kind, value)
    whole = field.kind == "int"
    if whole and value != int(value):
        raise unreadable("int", value)
    # Whether digits beyond the scale are rounded or stored is not confirmed [K]: they are stored.
    if abs(value) > (MAX_INT if whole else 10.0 ** (field.precision - field.scale) - 1e-9):
        raise OrgError(
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            [field.name],
        )
    return int(value) if whole else float(value)


def _date(value: object) -> str:
    if not isinstance(value, str) or not _DATE.match(value):
        raise unreadable("date", value)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise unreadable("date", value) from None


def _datetime(value: object) -> str:
    moment = read_datetime(value) if isinstance(value, str) else None
    if moment is None:
        raise unreadable("datetime", value)
    return write_datetime(moment.replace(microsecond=0))


def _time(value: object) -> str:
    read = read_time(value) if isinstance(value, str) else None
    if read is None:
        raise unreadable("time", value)
    return read


def read_time(text: str) -> str | None:
    """10:30:00.000Z, as the API shows it; None for another text. Seconds and their thousandths may
    be left out.
    """
    match = _TIME.match(text)
    if match is None:
        return None
    hours, minutes, seconds, thousandths = match.groups()
    return f"{hours}:{minutes}:{seconds or '00'}.{thousandths or '':0<3}Z"


def _reference(field: Field, value: object) -> str | None:
    if value == "":
        return None
    normal = ids.normalise(value)
    if normal is None:
        raise malformed_id(field.label, field.name, value)
    return normal


def _base64(field: Field, value: object) -> bytes:
    if not isinstance(value, str):
        raise unreadable("base64", value)
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise unreadable("base64", value[:40]) from None
    if len(data) > MAX_FILE_BYTES:
        raise OrgError(400, "STRING_TOO_LONG", f"{field.label}: file too large", [field.name])
    return data
