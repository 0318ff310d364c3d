"""The outside worlds of demo and tests, as processes; the product imports nothing from here."""
