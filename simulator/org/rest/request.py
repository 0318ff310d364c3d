"""A request to a REST resource, and what all resources need from it."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.org.errors import OrgError, not_found
from simulator.org.message import Answer, Call
from simulator.org.schema.model import Field, SObject
from simulator.org.world import Context, Org


@dataclass(frozen=True, slots=True)
class Request:
    """version: 68.0 as a number. base: `/services/data/v68.0`. dispatch: answers a subrequest."""

    call: Call
    context: Context
    version: float
    base: str
    dispatch: Callable[[Context, Call], Answer]

    @property
    def org(self) -> Org:
        return self.context.org

    def sobject(self, name: str) -> SObject:
        """The object of a path; 404 when unknown or unreadable."""
        found = self.org.view.sobject(name)
        if found is None:
            raise not_found()
        return found

    def key_field(self, sobject: SObject, name: str) -> Field:
        """An external id (or idLookup) field of a path; 404 for any other field."""
        found = self.org.view.field(sobject, name)
        if found is None or not (found.external_id or found.id_lookup):
            raise OrgError(
                404,
                "NOT_FOUND",
                f"Provided external ID field does not exist or is not accessible: {name}",
            )
        return found
