"""Alarms: what a person must look at now, sent to them once, and once more when it is over."""
