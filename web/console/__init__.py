"""The operators' console: pages at /console, on server-rendered HTML. Off without CONSOLE_USERS."""

from web.console import login, pages
from web.console.access import blueprint

__all__ = ["blueprint", "login", "pages"]
