"""Each page in a real browser: light and dark, on a phone and on a desktop."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from demo.console import OPERATOR_NAME
from demo.stack import Stack
from shared.journal.journal import Journal
from tests.console.browser.conftest import NARROW, WIDE, log_in
from tests.console.browser.parking import new_call, park_group, send

PAGES = ("now", "writes", "parked", "calls", "kinds", "audit")
SERIOUS = ("serious", "critical")

pytestmark = pytest.mark.leaves_threads("the browser's processes end with the session")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_page_has_a_serious_fault_or_scrolls_sideways(
    open_page: Callable[..., Page], stack: Stack, journal: Journal, theme: str, width: int
) -> None:
    call = new_call()
    park_group(stack, journal, 3)
    send(stack, call.status("in-progress"))
    send(stack, call.transcript("user", "My last invoice is wrong."))
    page = open_page(width=width, theme=theme)
    wrong = []
    for name in _every_page(page, call.id):
        found = Axe().run(page).response["violations"]
        wrong += [f"{name}: {fault['id']}" for fault in found if fault["impact"] in SERIOUS]
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        wrong += [f"{name}: {wide} pixels too wide"] if wide > 0 else []
    assert wrong == []


def _every_page(page: Page, call_id: str) -> Iterator[str]:
    page.goto("/console/")
    yield "login"
    log_in(page, OPERATOR_NAME)
    for name in PAGES:
        page.goto(f"/console/{name}")
        yield name
    page.goto(f"/console/calls/{call_id}")
    yield "call"
    _follow(page, "button", "Show it")
    yield "call, revealed"
    page.goto("/console/parked")
    _follow(page, "button", "Replay all")
    yield "plan of a group"
    page.goto("/console/parked")
    _follow(page, "link", "The last")
    yield "parked write"
    _follow(page, "button", "Edit …")
    yield "edit"
    page.get_by_label("Value of issue_type").fill("technical")
    _follow(page, "button", "Compare")
    yield "compare"
    _follow(page, "link", "Cancel")
    _follow(page, "button", "Show it")
    yield "write, revealed"
    page.goto("/console/writes")
    page.get_by_label("Find a reference").fill("nobody")
    _follow(page, "button", "Find")
    yield "nothing found"


def _follow(page: Page, role: Literal["button", "link"], name: str) -> None:
    """Click, and wait for the page that it opens: contrasts are those of its style sheet."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).click()
