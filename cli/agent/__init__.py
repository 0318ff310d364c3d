"""The commands about an agent folder: what it says, and what Salesforce needs for it."""
