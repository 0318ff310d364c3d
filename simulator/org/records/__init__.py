"""Writing a record: reading the body, rules, derived fields, storing."""
