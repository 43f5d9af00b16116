"""Two overlapping Gaussians in the plane, drawn by random-walk Metropolis from the density up to its constant.

p(x) is proportional to 0.6 N(x | m_1, S_1) + (28.4 / 29) N(x | m_2, S_2). Metropolis needs no normalization, so the
weights of the mixture are 0.6 and 28.4/29 over their sum: 0.3799 and 0.6201.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import multivariate_normal

UNNORMALISED = (0.6, 28.4 / 29)
MEANS = ((0.0, 0.0), (2.5, 1.5))
COVARIANCES = (((1.0, 0.5), (0.5, 1.0)), ((1.2, -0.6), (-0.6, 0.8)))
WALKERS, BURN_IN, THIN, KEPT, STEP = 20, 1_000, 100, 75, 1.7


def density(x: np.ndarray) -> np.ndarray:
    """p(x) up to its constant, at the rows of x."""
    components = [multivariate_normal(m, S) for m, S in zip(MEANS, COVARIANCES, strict=True)]
    return sum(w * component.pdf(x) for w, component in zip(UNNORMALISED, components, strict=True))


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name: every 100th state of 20 walkers."""
    rng = np.random.default_rng(1)
    x = rng.normal(1.0, 1.0, (WALKERS, 2))
    now, rows = density(x), []
    for step in range(1, BURN_IN + THIN * KEPT + 1):
        proposed = x + STEP * rng.normal(size=x.shape)
        there = density(proposed)
        accept = rng.random(WALKERS) * now < there
        x, now = np.where(accept[:, None], proposed, x), np.where(accept, there, now)
        if step > BURN_IN and (step - BURN_IN) % THIN == 0:
            rows.append(x)
    return {"data.csv": pd.DataFrame(np.concatenate(rows), columns=["x", "y"])}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
