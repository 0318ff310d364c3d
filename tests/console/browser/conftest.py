"""The console in a real browser. Collected by `make console-test` only, which names a Chromium in
CHROMIUM. `make test` collects nothing here, and does not import playwright.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from demo.console import CONSOLE_PASSWORD, console_users
from demo.stack import Stack
from shared.journal.journal import Journal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = os.environ.get("CHROMIUM", "")
PICTURES = os.environ.get("CONSOLE_PICTURES", "")
"""A folder for the pictures of docs/console.md; without it they are made and thrown away."""

WIDE, NARROW = 1280, 380
HEIGHT = 800

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("console")
    users = console_users(folder)
    with Stack(folder, ("web", "ops", "worker", "beat"), extra=users) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def journal(stack: Stack) -> Iterator[Journal]:
    """The journal, empty, and an org without faults."""
    stack.org.fault()
    stack.empty_journal()
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        yield Journal(client)
    stack.org.fault()


@pytest.fixture
def open_page(chromium: "Browser", stack: Stack) -> Iterator[Callable[..., "Page"]]:
    """A page of a browser that nobody is logged in with. Whatever the browser says is wrong with a
    page fails the test."""
    wrong: list[str] = []

    def note(message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            wrong.append(f"{message.type}: {message.text}")

    def opened(*, width: int = WIDE, theme: str = "light") -> "Page":
        context = chromium.new_context(
            base_url=stack.ops_url,
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if theme == "dark" else "light",
            locale="en-GB",
            timezone_id="UTC",
        )
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield opened
    for context in chromium.contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def picture(tmp_path: Path) -> Callable[["Page", str], None]:
    """Takes a picture of what the page shows."""
    folder = Path(PICTURES) if PICTURES else tmp_path

    def take(page: "Page", name: str) -> None:
        page.screenshot(path=folder / f"console-{name}.png")

    return take


def log_in(page: "Page", name: str) -> None:
    page.goto("/console/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(CONSOLE_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
