"""Vapi as an operator needs it: its API, what is provisioned there, and the probe."""
