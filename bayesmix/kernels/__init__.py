"""The E-step: one pass over the rows serves EM, NUTS and everything read off their results."""
