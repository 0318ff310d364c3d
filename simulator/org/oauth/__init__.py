"""Signing in: the token endpoint and what hangs on it."""
