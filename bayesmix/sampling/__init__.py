"""The whole way to a posterior."""
