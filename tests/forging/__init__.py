"""Webhooks as Vapi proves them under every scheme, and what turns such a webhook into a forgery."""

from tests.forging import of_bodies, of_requests, of_signatures, of_tokens

FORGERS = (of_bodies, of_requests, of_signatures, of_tokens)
"""Importing them lists their forgeries."""
