"""An org's schema, and records for it, from a folder in SFDX source format."""
