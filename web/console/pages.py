"""Imports every page, so that its routes exist."""

from web.console import audit, calls, kinds, now, parked, settling, writes

__all__ = ["audit", "calls", "kinds", "now", "parked", "settling", "writes"]
