"""Evidence of two to ten groups in galaxies and enzyme under published priors: ours, published, and judges."""
