"""Where the simulation looks for cohorts: proposals of standard normals, and the weights that undo them.

The prior seldom yields a cohort that shows the published facts: with tau 0.75, four
in a thousand meet the conditions on CRS of any grade. So part of the cohorts is drawn from
normals near those that pass, the rest from the prior itself, and each carries the
weight prior/mixture (a defensive mixture: Hesterberg, Technometrics 1995). Every
expectation under the prior stays what it was, so the posterior and the probability of the facts
do too, and no weight can exceed 1/(share of the prior). The constants are moments of the
posterior, widened; they decide how fast the answer comes, not what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Proposal:
    """Independent standard normals, of which a share is drawn from N(mean, sd) all together instead."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    share: float

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Values (k, size) and their weight prior/mixture (size,)."""
        mean, sd = np.array(self.mean)[:, None], np.array(self.sd)[:, None]
        shifted = rng.random(size) < self.share
        z = rng.standard_normal((len(self.mean), size))
        z = np.where(shifted, mean + sd * z, z)
        # The ratio of the two densities: log N(z; mean, sd) - log N(z; 0, 1), summed over the k.
        log_ratio = (0.5 * (z * z - ((z - mean) / sd) ** 2) - np.log(sd)).sum(axis=0)
        weight: Floats = 1.0 / (1.0 - self.share + self.share * np.exp(log_ratio))
        return z, weight

    def off(self) -> Proposal:
        """The prior itself."""
        return Proposal(self.mean, self.sd, 0.0)


@dataclass(frozen=True)
class Proposals:
    """For the CRS cohort (centre, LDH, liver), its severity (c, LDH), the ICANS cohort (centre, diabetes, CVD)."""

    crs: Proposal
    severity: Proposal
    icans: Proposal

    def off(self) -> Proposals:
        """The priors themselves."""
        return Proposals(self.crs.off(), self.severity.off(), self.icans.off())


# In units of the prior's sd.
SHIFTED = Proposals(
    crs=Proposal(mean=(0.2, 0.9, 0.9), sd=(0.9, 0.9, 0.9), share=0.85),
    severity=Proposal(mean=(0.4, 0.8), sd=(0.9, 0.9), share=0.8),
    icans=Proposal(mean=(0.0, 0.75, 0.75), sd=(0.9, 0.9, 0.9), share=0.8),
)
