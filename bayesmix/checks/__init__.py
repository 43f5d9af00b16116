"""What can be wrong with a fit, and with a model; comparison and scores."""
