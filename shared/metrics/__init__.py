"""What the processes of the fleet count, added up in the store."""
