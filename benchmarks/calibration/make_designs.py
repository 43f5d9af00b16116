"""Write the layouts that are calibrated: rows, covariates and labelled rows; the observations are replaced anyway."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def answers(rng, n=80):
    """Columns of two, three and four levels, with one answer in seven missing."""
    levels = {"a": ["no", "yes"], "b": ["low", "mid", "high"], "c": [1, 2, 3, 4], "d": ["no", "yes"]}
    drawn = pd.DataFrame({name: rng.choice(np.array(own, dtype=object), n) for name, own in levels.items()})
    return drawn.mask(rng.random(drawn.shape) < 1 / 7)


def designs(rng):
    """A table for each folder."""
    labels = np.where(np.arange(60) % 3 == 0, np.where(np.arange(60) % 2 == 0, "a", "b"), "")
    effort = np.random.default_rng(2).uniform(0.5, 2, 80).round(2)
    gappy = np.random.default_rng(5)
    cells = pd.DataFrame(gappy.normal(size=(60, 2)).round(3), columns=["x", "y"])
    plane = lambda n: pd.DataFrame(rng.normal(size=(n, 2)).round(3), columns=["x", "y"])  # noqa: E731
    return {
        "zip_constant": pd.DataFrame({"count": rng.poisson(2.0, 60)}),
        "zip_regression": plane(80).set_axis(["a", "b"], axis=1).assign(count=rng.poisson(2.0, 80), effort=effort),
        "gaussian_1d": plane(50)[["x"]],
        "gaussian_2d_full": plane(60),
        "gaussian_2d_tied": plane(90),
        "poisson": pd.DataFrame(np.random.default_rng(3).poisson(4.0, (60, 2)), columns=["a", "b"]),
        "bernoulli": pd.DataFrame(np.random.default_rng(4).integers(2, size=(80, 5)), columns=list("abcde")),
        "fixed_parameters": pd.DataFrame(np.random.default_rng(5).normal(size=(60, 2)).round(3), columns=["x", "y"]),
        "categorical": answers(np.random.default_rng(5)),
        "semi_supervised_2d": plane(60).assign(label=labels),
        "gaussian_gaps": cells.mask(gappy.random((60, 2)) < 0.15).assign(label=labels),
        "factor_analysis": pd.DataFrame(np.random.default_rng(5).normal(size=(60, 5)).round(3), columns=list("abcde")),
        "many_modes": pd.DataFrame(np.random.default_rng(7).normal(size=(60, 1)).round(3), columns=["x"]),
        "gaussian_eve_2d": pd.DataFrame(np.random.default_rng(7).normal(size=(80, 2)).round(3), columns=["x", "y"]),
        "gaussian_vev_3d": pd.DataFrame(np.random.default_rng(8).normal(size=(80, 3)).round(3), columns=list("xyz")),
        "ppca_mixture": pd.DataFrame(np.random.default_rng(6).normal(size=(80, 3)).round(3), columns=list("abc")),
    }


if __name__ == "__main__":
    for name, table in designs(np.random.default_rng(1)).items():
        table.to_csv(HERE / name / "data.csv", index=False)
