"""Simulated Salesforce, Vapi and Twilio, as processes. The product imports nothing from here."""
