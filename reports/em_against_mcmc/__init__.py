"""What EM gets wrong, measured: plug-in estimates against the posterior on simulated mixtures with known groups."""
