r"""Covariance structures by what components share of volume, shape and orientation.

Sigma_k = sigma_k^2 D_k A_k D_k',  A_k = diag(delta_k1^2, ..., delta_kd^2),  prod_j delta_kj = 1,

(Banfield and Raftery 1993, doi:10.2307/2532201; Celeux and Govaert 1995, doi:10.1016/0031-3203(94)00125-6), each of the
three equal (E) or variable (V), the orientation also that of the axes (I). Where shape and orientation go together,
D_k A_k D_k' is any matrix of determinant 1, and is written by the features: its correlations and the ratios delta of
its standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.inputs.prior import Prior
from bayesmix.parts.parameter import Parameter

VOLUMES = "scales"
"""sigma_k = |Sigma_k|^(1/2d), the geometric mean of the standard deviations along a component's axes."""
RATIOS = "shapes"
"""delta_k: standard deviations along axes, or of features, over their geometric mean."""
LOG_SPREAD = 0.8
"""Of the logarithm of an InverseGamma(2, .) variable, as the scales of the other kinds have it: sqrt(pi^2/6 - 1)."""


@dataclass(frozen=True)
class Structure:
    """One structure: ``volume``, ``shape`` E or V, ``orientation`` E, V or I, as in mclust's names."""

    volume: str
    shape: str
    orientation: str

    @property
    def name(self) -> str:
        """Mclust's.

        Examples
        --------
        >>> Structure("V", "E", "V").name
        'VEV'
        """
        return self.volume + self.shape + self.orientation

    @property
    def shared(self) -> bool:
        """Whether size and shape are those of all components: then none of them can collapse by itself."""
        return self.volume == self.shape == "E"

    @property
    def correlated(self) -> bool:
        """Whether features depend on each other within components."""
        return self.orientation != "I"

    @property
    def turned(self) -> bool:
        """Whether axes of their own are needed: shape and orientation are not shared by the same components."""
        return self.correlated and self.shape != self.orientation

    @property
    def scale_dims(self) -> tuple[str, ...]:
        """Dimensions of the sizes."""
        return ("component",) if self.volume == "V" else ()

    @property
    def shape_dims(self) -> tuple[str, ...]:
        """Dimensions of the shapes."""
        return (*(["component"] if self.shape == "V" else []), "axis" if self.turned else "feature")

    @property
    def correlation_dims(self) -> tuple[str, ...]:
        """Dimensions of the correlations."""
        return ("component", "pair") if self.orientation == "V" else ("pair",)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Sizes and shapes, and correlations where they are parameters."""
        k, of = {"E": "", "V": "_k"}, "axes" if self.turned else "features"
        sizes = Parameter(
            VOLUMES,
            self.scale_dims,
            "positive",
            rf"\sigma{k[self.volume]}",
            "sizes (geometric means of standard deviations)",
            r"sizes $\sigma$",
            nuisance=True,
            knowable=False,
        )
        ratios = Parameter(
            RATIOS,
            self.shape_dims,
            "positive",
            rf"\delta{k[self.shape]}",
            f"shapes (ratios of the {of}' standard deviations to their geometric mean)",
            r"shapes $\delta$",
            nuisance=True,
            knowable=False,
        )
        correlations = Parameter(
            "correlations",
            self.correlation_dims,
            "correlation",
            f"R{'_k' if self.orientation == 'V' else ''}",
            "correlations",
            r"correlations $\rho$",
            centred=True,
            nuisance=True,
            knowable=False,
        )
        return (sizes, ratios, correlations) if self.correlated and not self.turned else (sizes, ratios)

    def default_priors(self, K: int, sd: np.ndarray) -> dict[str, Prior]:
        """On the scale of the data, ``sd`` (d,): see :class:`bayesmix.families.gaussian.maths.Gaussian`."""
        d = len(sd)
        size, ratio = np.exp(np.log(sd).mean()), np.log(sd) - np.log(sd).mean()
        spread = float(np.hypot(LOG_SPREAD, ratio.std())) if self.turned else LOG_SPREAD
        priors = {
            VOLUMES: Prior("InverseGamma", alpha=2.0, beta=size / K ** (1 / d)),
            RATIOS: Prior("LogNormal", mu=0.0 if self.turned else ratio, sigma=spread),
        }
        return priors | ({} if self.turned or not self.correlated else {"correlations": Prior("LKJ", eta=2.0)})


STRUCTURES = {
    s.name: s
    for s in (
        Structure("V", "E", "I"),
        Structure("E", "V", "I"),
        Structure("V", "E", "E"),
        Structure("E", "V", "E"),
        Structure("V", "V", "E"),
        Structure("E", "E", "V"),
        Structure("V", "E", "V"),
        Structure("E", "V", "V"),
    )
}
"""Those that are more than one statement about the entries of Cholesky factors."""
