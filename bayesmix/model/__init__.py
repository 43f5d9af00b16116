"""The mixture as a PyMC model."""
