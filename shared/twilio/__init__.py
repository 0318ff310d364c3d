"""Twilio's REST API, as far as calls and deliveries need it: one-time codes and text messages."""
