"""A posterior that others have drawn too: ours beside a hand-written PyMC model's and posteriordb's."""
