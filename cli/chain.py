"""A chain of links to examine: each is ok, a problem with its mend, or not checked, and why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError

T = TypeVar("T")


class Status(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


class Problem(Exception):  # noqa: N818 - what a check found, and no failure of the check
    """What is wrong, and what to do about it."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.remedy = remedy


class NotSetUp(Exception):  # noqa: N818
    """The link is not in use here; the text says which setting would put it to use."""


@dataclass(frozen=True)
class Finding:
    """told: what was seen, what is wrong, or why it was not checked. mend: "" unless wrong."""

    link: str
    status: Status
    said: str
    remedy: str = ""


@dataclass(frozen=True)
class Link(Generic[T]):
    """after: the link without which this one can't be checked, "" for none.

    check returns what it saw. Raises Problem, NotSetUp, and what the outside worlds raise.
    """

    name: str
    after: str
    check: Callable[[T], str]


def examine(links: Iterable[Link[T]], context: T) -> list[Finding]:
    """A finding for each link, in order. What hangs on a link that is not ok is not checked."""
    findings: dict[str, Finding] = {}
    for link in links:
        before = findings.get(link.after)
        if before and before.status is not Status.OK:
            findings[link.name] = not_checked(link.name, link.after)
        else:
            findings[link.name] = _examine(link, context)
    return list(findings.values())


def not_checked(name: str, because_of: str) -> Finding:
    return Finding(name, Status.NOT_CHECKED, f"because of {because_of}")


def _examine(link: Link[T], context: T) -> Finding:
    try:
        return Finding(link.name, Status.OK, link.check(context))
    except Problem as problem:
        return Finding(link.name, Status.PROBLEM, str(problem), problem.remedy)
    except NotSetUp as why:
        return Finding(link.name, Status.NOT_CHECKED, str(why))
    except SalesforceError as error:
        said = f"Salesforce answered {error}"
        return Finding(
            link.name,
            Status.PROBLEM,
            said,
            "that is Salesforce's own error code; docs/runbook.md has the usual ones",
        )
    except StoreUnavailableError as trouble:
        said = f"Redis does not answer ({trouble})"
        return Finding(link.name, Status.PROBLEM, said, "check REDIS_URL, and that the server runs")
