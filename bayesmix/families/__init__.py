"""The mixture families, a folder each, and one table of them."""
