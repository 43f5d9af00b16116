"""How many components, and of which kind: `choose`."""
