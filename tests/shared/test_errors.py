"""Exceptions: one base, whole from the start, and usable wherever Python handles an exception."""

import ast
import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

import pytest

from cli.chain import Problem
from cli.vapi.api import VapiRefusedError
from demo.stack import ROOT
from shared.errors import ServiceError
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.store import StoreFullError
from web.body import BodyRefusedError

BUSY = SalesforceError(
    FailureClass.AWAY, "HTTP_503", ambiguous=True, fields=("Email",), retry_after_s=4.0
)
ERRORS = [
    (BUSY, "retry_after_s"),
    (Problem("No token.", "Log in."), "remedy"),
    (VapiRefusedError("no", 401), "status"),
    (BodyRefusedError(HTTPStatus.REQUEST_TIMEOUT), "status"),
]


@pytest.mark.parametrize(("error", "name"), ERRORS)
def test_an_error_can_not_be_changed(error: ServiceError, name: str) -> None:
    before = getattr(error, name)
    with pytest.raises(AttributeError, match=name):
        setattr(error, name, None)
    assert getattr(error, name) == before


@pytest.mark.parametrize(("error", "name"), [*ERRORS, (StoreFullError("full"), "args")])
def test_an_error_can_be_pickled_and_copied(error: ServiceError, name: str) -> None:
    error.add_note("a note")
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(copied) is type(error)
        assert (str(copied), vars(copied)) == (str(error), vars(error))
        assert getattr(copied, name) == getattr(error, name)
        copied.add_note("another note")


def test_an_error_can_be_raised_again_from_another_and_through_a_context_manager() -> None:
    @contextmanager
    def named() -> Iterator[None]:
        try:
            yield
        except ValueError as trouble:
            raise BUSY from trouble

    for _ in range(2):
        with pytest.raises(SalesforceError) as raised, named():
            raise ValueError("first")
        assert raised.value is BUSY
        assert isinstance(BUSY.__cause__, ValueError)
        BUSY.__traceback__ = None  # as contextlib and concurrent.futures do
    assert BUSY.with_traceback(None) is BUSY


def test_a_changed_copy_of_a_record_is_another_error() -> None:
    whole = replace(BUSY, whole=True)
    assert (whole.whole, BUSY.whole) == (True, False)
    assert whole.retry_after_s == BUSY.retry_after_s
    assert len({BUSY, replace(BUSY)}) == 2


def test_every_exception_of_the_service_has_the_common_base() -> None:
    bases = {
        str(path.relative_to(ROOT)): node.name
        for folder in ("shared", "web", "workers", "cli")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in PYTHONS for base in node.bases)
    }
    assert bases == {"shared/errors.py": "ServiceError"}


PYTHONS = {"Exception", "RuntimeError", "ValueError", "OSError", "LookupError", "TypeError"}
"""Classes of Python that an exception of ours might derive from instead."""
