"""Twilio, as far as the service uses it: account and numbers, Verify, text messages."""
