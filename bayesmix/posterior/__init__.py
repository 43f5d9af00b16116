"""What is read off a posterior: responsibilities, densities, LOO, labels, files."""
