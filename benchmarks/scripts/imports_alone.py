"""What neither side can do without: PyMC, nutpie and ArviZ are imported, and nothing else is done."""

import json

import arviz  # noqa: F401
import nutpie  # noqa: F401
import pymc  # noqa: F401

if __name__ == "__main__":
    print(json.dumps({}))
