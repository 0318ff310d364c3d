"""Callers whom the local org knows: contacts, each with a phone number of its own."""

from demo.stack import Org

MAX_CALLERS = 10_000


def number(nth: int) -> str:
    """The nth caller's number. make_callers creates their contacts."""
    return f"+1415556{nth:04d}"


def make_callers(org: Org, count: int) -> list[str]:
    """Create contacts with the first `count` numbers. Returns their ids."""
    ids: list[str] = []
    for start in range(0, count, 200):
        fields = [
            {
                "LastName": f"Caller {nth}",
                "Phone": number(nth),
                "Email": f"caller{nth}@example.com",
                "MailingCity": "Oakland",
            }
            for nth in range(start, min(start + 200, count))
        ]
        ids += org.create("Contact", fields)
    return ids
