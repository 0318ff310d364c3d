"""Text search: the index that lags behind the records, SOSL, and parameterised search."""
