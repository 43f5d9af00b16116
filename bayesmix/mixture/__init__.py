"""The mixture that a user declares, and what follows from the declaration alone."""
