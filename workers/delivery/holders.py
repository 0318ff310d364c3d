"""Who has the phone numbers that callers want on their contacts, and which are new there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from shared.domain.drafts import ContactDraft
from shared.phone import as_e164
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.phones import COUNTRY, COUNTRY_FIELDS, numbers_shown, plain_number
from workers.delivery.context import DeliveryContext


class Holders:
    """Who has the phone numbers that callers want on their records. A number of another contact, or
    the main line of an account, is never written: who calls from there would be unknown from then
    on, or taken for this contact. The org is asked each time."""

    def __init__(self, context: DeliveryContext, drafts: Iterable[ContactDraft]) -> None:
        self._fields = context.agents.number_fields.contact
        wanted = {
            number
            for draft in drafts
            for name in self._fields
            if (number := draft.changes.get(name))
        }
        self._registered = context.contacts.registered(sorted(wanted))
        self._region = context.settings.calls.phone_region

    def of_others(self, draft: ContactDraft, contact_id: str) -> SalesforceError | None:
        """The error for the phone fields whose number this contact may not take; None if there is
        none.

        The numbers in the other fields count as this contact's from now on, for the whole batch.
        """
        numbers = {name: draft.changes[name] for name in self._fields if name in draft.changes}
        taken = [
            name
            for name, number in numbers.items()
            if not self._registered[number].is_open_to(contact_id)
        ]
        for name, number in numbers.items():
            if name not in taken:
                known = self._registered[number]
                self._registered[number] = replace(
                    known, contact_ids=known.contact_ids | {contact_id}
                )
        if not taken:
            return None
        code = "NUMBER_OF_ANOTHER_CONTACT"
        return SalesforceError(FailureClass.VALUE, code, fields=tuple(taken))

    def moved(self, contact: dict[str, Any], fields: dict[str, Any]) -> tuple[set[str], set[str]]:
        """The numbers that the contact gets, and those that it has now and loses or keeps."""
        before = {
            number
            for name in self._fields
            if (number := plain_number(contact.get(name) or "", contact.get(COUNTRY), self._region))
        }
        wanted = {value for name, value in fields.items() if name in self._fields}
        added = {number for text in wanted if (number := as_e164(text, self._region))}
        return added - before, before if wanted else set()


def reads_otherwise(
    context: DeliveryContext, draft: ContactDraft, contact: dict[str, Any]
) -> SalesforceError | None:
    """The error for a country by which a number that stays on file would be another one, or none;
    None if all are read as before."""
    countries = tuple(name for name in COUNTRY_FIELDS if name in draft.changes)
    if not countries:
        return None
    fields = [it for it in context.agents.number_fields.contact if it not in draft.changes]
    region = context.settings.calls.phone_region
    before = numbers_shown(contact, region, fields)
    if all(
        numbers_shown(contact, region, fields, country=draft.changes[name]) == before
        for name in countries
    ):
        return None
    return SalesforceError(FailureClass.VALUE, "NUMBER_READ_OTHERWISE", fields=countries)
