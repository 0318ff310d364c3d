"""The local org: a Salesforce over HTTP, with its own store, schema, SOQL and faults."""
