"""What callers saw, what the journal and the org show in the end, and whether the two agree.

The demo, the drill, the soak, most benches and the journeys count with it.
"""
