"""The likelihood of a mixture bound to rows: weights and components together, in NumPy."""
