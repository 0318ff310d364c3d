"""SOQL: text to tokens, tokens to a tree, tree to SQL, rows back to Salesforce's JSON."""
