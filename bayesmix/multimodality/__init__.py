"""Where a posterior has its mass: local maxima, the regions that chains do not leave, bridge sampling."""
