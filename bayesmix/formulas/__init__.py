"""Right-hand sides of formulas: parsed, allowed by name, made into design matrices in orthonormal coordinates."""
