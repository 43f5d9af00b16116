"""Does the model describe the data? Discrepancies of the data from every draw, beside those of replicated data."""

from bayesmix.misfit.check import NOT_ASKED, ModelCheck, check_model

__all__ = ["NOT_ASKED", "ModelCheck", "check_model"]
