"""What the org knows about objects and fields, as data."""
