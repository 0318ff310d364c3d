"""What operators do, in a real browser on the whole service: by mouse, and by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from demo.console import CONSOLE_PASSWORD, OPERATOR_NAME, READER_NAME
from demo.stack import Stack
from shared.journal.journal import Journal
from tests.console.browser.conftest import log_in
from tests.console.browser.hands import Hands, Keyboard, Mouse
from tests.console.browser.parking import new_call, park_case, park_group, send
from tests.console.writing import RULE

GROUP = "case_create FIELD_CUSTOM_VALIDATION_EXCEPTION"
SOON_MS = 30_000
OpenPage = Callable[..., Page]
Picture = Callable[[Page, str], None]

pytestmark = pytest.mark.leaves_threads("the browser's processes end with the session")


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hands(request: pytest.FixtureRequest, open_page: OpenPage, journal: Journal) -> Hands:
    """An operator's, who is logged in."""
    hands: Hands = request.param(open_page())
    hands.page.goto("/console/")
    hands.fill("Name", OPERATOR_NAME)
    hands.fill("Password", CONSOLE_PASSWORD)
    hands.press("button", "Log in")
    expect(hands.page.get_by_role("button", name="Log out")).to_be_visible()
    return hands


def test_an_operator_watches_a_call_and_settles_what_salesforce_refused(
    hands: Hands, stack: Stack, journal: Journal, picture: Picture
) -> None:
    page, call = hands.page, new_call()
    hands.press("link", "Calls")
    expect(page.get_by_role("link", name=call.id)).to_have_count(0)
    send(stack, call.status("in-progress"))
    expect(page.get_by_role("link", name=call.id)).to_be_visible(timeout=SOON_MS)
    park_case(stack, journal, call)

    hands.press("link", "Writes")
    hands.fill("Find a reference", "(415) 555-0101")
    hands.press("button", "Find")
    expect(page.get_by_text(RULE)).to_be_visible()
    expect(page.get_by_text("Next step:")).to_be_visible()

    hands.press("button", "Edit …")
    hands.fill("Value of issue_type", "technical")
    hands.press("button", "Compare")
    row = page.get_by_role("row", name="issue_type")
    expect(row.locator("del")).to_have_text("billing")
    expect(row.locator("ins")).to_have_text("technical")
    picture(page, "edit")
    hands.press("button", "Correct and replay")
    expect(page.get_by_role("status")).to_have_text("The write was corrected and replayed.")
    _reload_until(page, "delivered")
    expect(page.get_by_text(re.compile("^In Salesforce:"))).to_be_visible()

    hands.press("link", call.id)
    expect(page.get_by_text("as said:")).to_be_visible()
    picture(page, "call")


def test_a_group_is_replayed_after_a_plan_until_all_of_it_is_delivered(
    hands: Hands, stack: Stack, journal: Journal, picture: Picture
) -> None:
    park_group(stack, journal, 60)
    page = hands.page
    hands.press("link", "Now")
    expect(page.get_by_role("img", name="parked: 60 in the last hour")).to_be_visible()
    picture(page, "now")
    hands.press("link", "Parked")
    expect(page.get_by_text(RULE)).to_be_visible()
    picture(page, "parked")
    hands.press("button", f"Replay all {GROUP}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 60 × case_create?")
    expect(page.get_by_text("API requests, roughly")).to_be_visible()
    assert journal.counts()["parked"] == 60, "a plan changes nothing"
    hands.press("button", "Replay 60")
    expect(page.get_by_role("status")).to_have_text("Done.", timeout=SOON_MS)
    assert journal.counts()["parked"] == 0


def test_an_operator_aborts_a_replay_and_the_others_stay_parked(
    hands: Hands, stack: Stack, journal: Journal
) -> None:
    park_group(stack, journal, 400)
    page = hands.page
    hands.press("link", "Parked")
    hands.press("button", f"Replay all {GROUP}")
    hands.press("button", "Replay 400")
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"[1-9]\d* of 400 taken"))
    hands.press("button", "Abort")
    expect(page.get_by_role("status")).to_contain_text("Aborted after", timeout=SOON_MS)
    assert 0 < journal.counts()["parked"] < 400


def test_a_reader_sees_the_same_and_changes_nothing(
    open_page: OpenPage, stack: Stack, journal: Journal
) -> None:
    park_group(stack, journal, 1)
    page = open_page()
    log_in(page, READER_NAME)
    page.get_by_role("link", name="Parked").click()
    expect(page.get_by_text(RULE)).to_be_visible()
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    page.get_by_role("link", name=f"The last of {GROUP}").click()
    expect(page.get_by_text("Operators can show it.")).to_be_visible()
    token = page.locator("input[name=token]").first.get_attribute("value")
    for verb in ("replay", "discard", "edit", "reveal"):
        refused = page.request.post(
            f"{page.url}/{verb}", form={"token": token or ""}, headers={"Origin": stack.ops_url}
        )
        assert refused.status == 403
        assert "You are a reader" in refused.text()
    assert journal.counts()["parked"] == 1


def _reload_until(page: Page, state: str) -> None:
    figure = page.locator("dt", has_text="state").locator("xpath=../dd")
    for _ in range(60):
        if figure.inner_text() == state:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"the write is {figure.inner_text()}")
