"""Whether a richer covariance structure is never less likely than one that it holds as a special case."""
