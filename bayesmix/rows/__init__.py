"""What a fit says of rows, old and new: densities, groups, outliers; and rows that it makes itself."""
