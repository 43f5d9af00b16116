"""What likelihoods are made of, in NumPy: weights, components, their parameters; sums over rows say all of them."""
