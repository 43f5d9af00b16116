"""What a likelihood is made of: the maths that families share, in NumPy."""
