"""Two ways to use a page: with a mouse, and with the keyboard alone."""

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page

MAX_TABS = 120
"""From the top of a page to its last control."""


class Hands(Protocol):
    @property
    def page(self) -> Page: ...

    def press(self, role: str, name: str) -> None:
        """Press a button, or follow a link, by its whole name."""

    def fill(self, label: str, text: str) -> None:
        """Replace what is in a field."""


def _named(page: Page, role: str, name: str) -> Locator:
    if role == "button":
        return page.get_by_role("button", name=name, exact=True)
    return page.get_by_role("link", name=name, exact=True)


@dataclass
class Mouse:
    page: Page

    def press(self, role: str, name: str) -> None:
        _named(self.page, role, name).click()

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)


@dataclass
class Keyboard:
    page: Page

    def press(self, role: str, name: str) -> None:
        self._tab_to(_named(self.page, role, name))
        self.page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        self._tab_to(self.page.get_by_label(label))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def _tab_to(self, wanted: Locator) -> None:
        wanted.wait_for()
        for _ in range(MAX_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {wanted}")
