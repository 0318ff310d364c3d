"""Conditional headers on a record: If-Match and If-None-Match (accounts), If-(Un)modified-Since.

Source: REST guide, "Conditional Request Headers". Times are compared in whole seconds, as
LastModifiedDate has no finer ones.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from simulator.org.clock import read_datetime, read_http_date
from simulator.org.errors import EmptyError, OrgError
from simulator.org.schema.model import SObject
from simulator.org.store import Row


def etag(sobject: SObject, stored: Row) -> str | None:
    """The entity tag of an account; other objects have none."""
    if sobject.name != "Account":
        return None
    digest = hashlib.sha1(repr(sorted(stored.items())).encode(), usedforsecurity=False)
    return f'"{digest.hexdigest()}"'


def modified(stored: Row) -> datetime | None:
    return read_datetime(str(stored.get("LastModifiedDate") or stored["SystemModstamp"]))


def check_write(headers: Mapping[str, str], sobject: SObject, stored: Row) -> None:
    """Raises 412 when the record is not as the headers of a PATCH want it, 400 for a bad date."""
    _check_tags(headers, sobject, stored)
    if _changed_since(headers, stored):
        # Whether a body comes with the 412 is not confirmed [K].
        raise EmptyError(412, "PRECONDITION_FAILED")


def check_read(headers: Mapping[str, str], sobject: SObject, stored: Row) -> dict[str, str]:
    """The validators of a row's answer. Raises 304 for a row the client has, 412 as above."""
    tag, moment = etag(sobject, stored), modified(stored)
    since = read_http_date(headers.get("if-modified-since", ""))
    if since is not None and moment is not None and moment <= since:
        raise EmptyError(304, "NOT_MODIFIED")
    if tag is not None and tag in headers.get("if-none-match", ""):
        raise EmptyError(304, "NOT_MODIFIED")
    check_write({k: v for k, v in headers.items() if k != "if-none-match"}, sobject, stored)
    shown = {} if moment is None else {"Last-Modified": f"{moment:%a, %d %b %Y %H:%M:%S} GMT"}
    return shown if tag is None else {**shown, "ETag": tag}


def _check_tags(headers: Mapping[str, str], sobject: SObject, stored: Row) -> None:
    tag = etag(sobject, stored)
    if tag is None:
        return
    unmatched = "if-match" in headers and tag not in headers["if-match"]
    if unmatched or tag in headers.get("if-none-match", ""):
        raise EmptyError(412, "PRECONDITION_FAILED")


def _changed_since(headers: Mapping[str, str], stored: Row) -> bool:
    given = headers.get("if-unmodified-since")
    if given is None:
        return False
    since, moment = read_http_date(given), modified(stored)
    if since is None:
        raise OrgError(400, "INVALID_HEADER", f"Invalid If-Unmodified-Since: {given}")
    return moment is not None and moment > since
