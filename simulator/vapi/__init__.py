"""A Vapi that plays scripted calls: own signing, own field names, from Vapi's documents."""
