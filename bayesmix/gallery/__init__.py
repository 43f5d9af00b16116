"""Model folders: read, checked, made for new data."""
