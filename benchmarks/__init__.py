"""Speed and memory beside peers: the same model, priors, data and machine; see README.md."""
