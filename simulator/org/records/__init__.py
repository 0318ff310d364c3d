"""What happens to a record when it is written: reading the body, rules, derived fields, storing."""
