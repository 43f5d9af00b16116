"""Pictures of Gaussian mixtures: one feature, two, or more."""

from bayesmix.drawing.measurements import OneFeature, PairGrid, TwoFeatures

PICTURES = (OneFeature(), TwoFeatures(), PairGrid())
