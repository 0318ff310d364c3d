"""Imports every page, so that its routes exist."""

from web.console import now

__all__ = ["now"]
