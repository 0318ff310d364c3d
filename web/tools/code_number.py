"""Which number of a contact may get a one-time code: one that has been there unchanged for a while.

Whoever changes a number could otherwise get the code themselves. So the age must be shown, by one
of three things; without any of them it is not claimed, and no code is sent:

1. nothing of the contact was changed since;
2. the org tracks the field, and its last recorded change is older and gave it today's value;
3. this service changed the contact itself in the meantime: when it read the contact before its
   write, the number was there, and nothing else had been changed since then.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from shared.domain.text import comparable
from shared.journal.record_writes import RecordWrite, digest
from shared.phone import takes_messages
from shared.salesforce.numbers_on_file import NumbersOnFile

ORDER = ("MobilePhone", "Phone", "OtherPhone", "HomePhone")


def number_for_code(
    contact_id: str,
    on_file: NumbersOnFile,
    writes: Sequence[RecordWrite],
    before: datetime,
    regions: Collection[str],
) -> str | None:
    """The first number (E.164) that was on the contact before that time and since; else None.

    None as well for numbers that another contact or an account has, for those of other countries,
    and for those that take no messages. writes: our own to this contact.
    """
    for field in ORDER:
        number = on_file.numbers.get(field)
        holders = on_file.holders.get(number or "")
        if not number or not holders or not takes_messages(number, regions):
            continue
        if holders.is_main_line or holders.contact_ids != {contact_id}:
            continue
        if is_unchanged(contact_id, field, on_file, writes, before):
            return number
    return None


def is_unchanged(
    contact_id: str,
    field: str,
    on_file: NumbersOnFile,
    writes: Sequence[RecordWrite],
    before: datetime,
) -> bool:
    """Whether something shows that the field has had its value since before that time."""
    if on_file.modified_at <= before:
        return True
    now = comparable(on_file.written[field])
    if last := on_file.changes.get(field):
        return last.at <= before and comparable(last.value) == now
    value = digest(contact_id, field, now)
    if any(field in write.fields and _at(write.noted_at) > before for write in writes):
        return False
    return any(_at(write.before) <= before and write.was.get(field) == value for write in writes)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
