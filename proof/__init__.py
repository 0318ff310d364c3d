"""Explores the journal's scripts: all orders of steps in small worlds, and what must hold there.

The scripts run as they are shipped. docs/proofs.md says what is explored, and what is not.
"""
