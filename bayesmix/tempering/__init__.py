"""Replica exchange over powers of the likelihood: draws that cross between modes, and their evidence."""
