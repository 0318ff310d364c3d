"""Each page in a real browser: light and dark, on a phone and on a desktop."""

from collections.abc import Callable, Iterator

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
STYLED = "document.readyState === 'complete' && document.styleSheets.length > 0"
"""A click does not wait for the page that it opens, and contrasts are those of its style sheet."""

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
        page.wait_for_function(STYLED)
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
    page.get_by_role("button", name="Show it").click()
    yield "call, revealed"
    page.goto("/console/parked")
    page.get_by_role("button", name="Replay all").click()
    yield "plan of a group"
    page.goto("/console/parked")
    page.get_by_role("link", name="The last").click()
    yield "parked write"
    page.get_by_role("button", name="Edit …").click()
    yield "edit"
    page.get_by_label("Value of issue_type").fill("technical")
    page.get_by_role("button", name="Compare").click()
    yield "compare"
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Show it").click()
    yield "write, revealed"
    page.goto("/console/writes")
    page.get_by_label("Find a reference").fill("nobody")
    page.get_by_role("button", name="Find").click()
    yield "nothing found"
