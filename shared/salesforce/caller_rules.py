"""Which fields of the org say who has a number, and who may act for whom.

`shared/agent/identify.py` reads them from an agent folder. The defaults are those of a folder
without such a file.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from shared.salesforce.phones import PHONES

DIGEST_CHARACTERS = 10


@dataclass(frozen=True)
class CallerRules:
    """phone_fields: of Contact, those that count. first_field_decides: of several fields, the first
    in which anybody has the number decides alone; else all of them count alike.

    account_fields: of Account, those whose number is the line of the account and no person's; ()
    when such lines don't matter. account_contact: the lookup field of Account that names the
    contact who calls from its line, "" for none.
    acting_field: the lookup field of Contact that names who may act for this contact, "" for none.
    roles, flag: of AccountContactRelation, what makes a contact act for the others of an account:
    one of the roles, and the checkbox. () and "" for none.
    """

    phone_fields: tuple[str, ...] = PHONES
    first_field_decides: bool = False
    account_fields: tuple[str, ...] = ()
    account_contact: str = ""
    acting_field: str = ""
    roles: tuple[str, ...] = ()
    flag: str = ""

    @property
    def reads_relations(self) -> bool:
        return bool(self.roles or self.flag)

    @property
    def has_households(self) -> bool:
        return bool(self.acting_field) or self.reads_relations

    def keys(self, keys: str) -> str:
        """The prefix of what is cached about numbers. keys: the one of the org (namespace.keys_of).

        Folders with other rules never share an answer: the same number may have other holders.
        """
        if self == DEFAULT:
            return keys
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
        return f"{keys.removesuffix(':')}-{digest}:"


DEFAULT = CallerRules()


def relationship(lookup: str) -> str:
    """The path up from a lookup field: Guardian__r of Guardian__c, ReportsTo of ReportsToId."""
    return f"{lookup[:-3]}__r" if lookup.endswith("__c") else lookup.removesuffix("Id")
