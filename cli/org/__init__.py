"""The org as an operator needs it: its describe, its rules."""
