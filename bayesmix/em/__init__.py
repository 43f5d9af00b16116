"""The reference point estimates: EM from many starts, what they come to, their standard errors."""
