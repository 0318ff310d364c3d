"""A chain of links to examine: each is ok, a warning, a problem with its remedy, or not checked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from shared.agent.errors import AgentError
from shared.errors import ServiceError
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.store import StoreUnavailableError

T = TypeVar("T")

AGENT_FOLDER = "agent folder"
"""The link that names the mistakes of the agent folder, which other links only read."""


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


class Problem(ServiceError):  # noqa: N818 - what a check found, and no failure of the check
    """What is wrong, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy: Final = remedy


class Suspicion(Problem):
    """What may be wrong. The service works, so the doctor's exit code stays 0."""


class Problems(ServiceError):  # noqa: N818
    """Several things that are wrong, each a finding of its own."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems: Final = problems


class NotSetUp(ServiceError):  # noqa: N818
    """The link is not in use here. The text names the setting that would put it to use."""


@dataclass(frozen=True)
class Finding:
    """message: what the check saw, what is wrong, or why the link was not checked.

    remedy: what to do, "" when nothing is wrong.
    """

    link: str
    status: Status
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Link(Generic[T]):
    """after: the link without which this link can't be checked, "" for none.

    check returns what it saw. It raises Problem, Problems, NotSetUp, AgentError, SalesforceError
    and StoreUnavailableError.
    """

    name: str
    after: str
    check: Callable[[T], str]


def examine(links: Iterable[Link[T]], context: T) -> list[Finding]:
    """A finding for each link, in order, and several for one with several problems. A link behind
    a link with a problem is not checked."""
    findings: list[Finding] = []
    broken: set[str] = set()
    for link in links:
        if link.after in broken:
            found = [not_checked(link.name, link.after)]
        else:
            found = _examine(link, context)
        if found[-1].status in (Status.PROBLEM, Status.NOT_CHECKED):
            broken.add(link.name)
        findings += found
    return findings


def not_checked(name: str, because_of: str) -> Finding:
    return Finding(name, Status.NOT_CHECKED, f"not checked because of {because_of}")


def _examine(link: Link[T], context: T) -> list[Finding]:
    try:
        return [Finding(link.name, Status.OK, link.check(context))]
    except Problems as several:
        return [_of_problem(link.name, problem) for problem in several.problems]
    except Problem as problem:
        return [_of_problem(link.name, problem)]
    except AgentError:
        return [not_checked(link.name, AGENT_FOLDER)]
    except NotSetUp as reason:
        return [Finding(link.name, Status.NOT_CHECKED, str(reason))]
    except SalesforceError as error:
        message, remedy = _of_salesforce(error)
        return [Finding(link.name, Status.PROBLEM, message, remedy)]
    except StoreUnavailableError as trouble:
        message = f"Redis does not answer ({trouble})"
        remedy = "Check REDIS_URL, and check that the server runs."
        return [Finding(link.name, Status.PROBLEM, message, remedy)]


def _of_problem(link: str, problem: Problem) -> Finding:
    status = Status.WARNING if isinstance(problem, Suspicion) else Status.PROBLEM
    return Finding(link, status, str(problem), problem.remedy)


def _of_salesforce(error: SalesforceError) -> tuple[str, str]:
    if error.failure is FailureClass.AWAY:
        return (
            f"Salesforce does not answer ({error})",
            "Check that this machine can reach Salesforce.",
        )
    if error.failure in (FailureClass.BUDGET, FailureClass.DAILY_LIMIT):
        return (
            f"No API request to Salesforce is left for this check ({error})",
            "Wait, or buy more API requests. Then run the doctor again.",
        )
    return f"Salesforce answered {error}", "Look up this code in docs/runbook.md."
