"""A simulated Vapi that plays scripted calls. It takes signing and field names from Vapi's docs."""
