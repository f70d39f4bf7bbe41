"""Completed data sets by chained equations: statsmodels' MICE, with donors chosen so that ties are broken at random.

With few distinct predictors (liver metastases yes or no, outcome yes or no) many patients have the same predicted
value. statsmodels 0.15 then takes the same first few of them as the only donors for everyone, set after set; R's mice
had a milder form of the fault (amices/mice, pull request 758). Values drawn from five fixed patients are biased, and
vary between sets far too much.

Patients whose value is known are matched by the fitted parameters, those whose value is not by drawn ones, as in mice
(its ``matchtype`` 1). statsmodels takes the drawn ones for both: the draws then cancel, sets differ too little, and
pooled intervals are too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it has no type hints of its own
from numpy.typing import NDArray
from statsmodels.imputation.mice import MICEData  # type: ignore[import-untyped]  # it has no type hints

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Rounds of the chain before the first set and between two; the chains here have two or three columns.
BURN_IN, APART = 10, 3
# Donors of a value: about 5 to 10 (Morris, White and Royston, BMC Med Res Methodol 2014;14:75); statsmodels has 20.
DONORS = 5
# Predicted values are of standardised columns; what differs by less is rounding.
DECIMALS = 9


def completed_sets(values: Floats, outcome: Floats, sets: int, seed: int) -> Iterator[Floats]:
    """``values`` (n, p) with each NaN filled in, ``sets`` times; ``outcome`` (n,) helps and must be complete.

    Every column needs at least ``DONORS`` observed values, and no more columns than they. The chain draws from a
    generator of its own; numpy's global state is neither used nor moved. What is filled in are observed values.
    """
    names = [f"x{place}" for place in range(values.shape[1])]
    middle, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scaled = (values - middle) / np.where(spread > 0, spread, 1.0)
    frame = pd.DataFrame(scaled, columns=names).assign(y=outcome - outcome.mean())
    chain = _Chain(frame, values, seed)
    for place in range(sets):
        chain.update_all(BURN_IN if place == 0 else APART)
        yield chain.filled.copy()


def choose_donors(observed: Floats, wanted: Floats, donors: int, random: np.random.Generator) -> Integers:
    """For each predicted value of ``wanted`` (m,), the place of one of the ``donors`` nearest of ``observed`` (n,).

    Where as many or more are equally near, with the same predicted value, each of them is as likely.
    ``donors`` is at most n.
    """
    observed, wanted = np.round(observed, DECIMALS), np.round(wanted, DECIMALS)
    shuffled = random.permutation(len(observed))
    order = shuffled[np.argsort(observed[shuffled], kind="stable")]
    ranked = observed[order]
    left, right = np.searchsorted(ranked, wanted, "left"), np.searchsorted(ranked, wanted, "right")
    place = random.integers(left, np.maximum(right, left + 1))
    few = np.flatnonzero(right - left < donors)
    if len(few):
        window = left[few, None] + np.arange(-donors, 2 * donors)
        inside = (window >= 0) & (window < len(ranked))
        held = np.clip(window, 0, len(ranked) - 1)
        distance = np.where(inside, np.abs(ranked[held] - wanted[few, None]), np.inf)
        nearest = np.lexsort((random.random(distance.shape), distance), axis=1)[:, :donors]
        chosen = nearest[np.arange(len(few)), random.integers(0, donors, len(few))]
        value = ranked[held[np.arange(len(few)), chosen]]
        # Of all with the chosen one's predicted value any will do: the window holds but the nearest in rank.
        place[few] = random.integers(np.searchsorted(ranked, value, "left"), np.searchsorted(ranked, value, "right"))
    return order[place]


class _Chain(MICEData):  # type: ignore[misc]  # statsmodels has no type hints
    """The chain; ``filled`` (n, p) are the caller's values with the present draws, on the caller's scale."""

    def __init__(self, frame: pd.DataFrame, values: Floats, seed: int) -> None:
        super().__init__(frame, rng=np.random.default_rng(seed))
        self.filled = values.copy()

    def get_fitting_data(self, vname: str) -> tuple[Floats, Floats, dict[str, object], dict[str, object]]:
        """Column and design of one imputation model; by formula, as statsmodels does it, this is most of the time."""
        seen = self.ix_obs[vname]
        return self.data[vname].to_numpy()[seen], self._design(vname)[seen], {}, {}

    def impute(self, vname: str) -> None:
        """Fill one column by predictive mean matching: the fit predicts those seen, parameters just drawn the gaps."""
        column = self.data.columns.get_loc(vname)
        seen, gaps = self.ix_obs[vname], self.ix_miss[vname]
        design = self._design(vname)
        fitted = design[seen] @ np.asarray(self.results[vname].params)
        drawn = design[gaps] @ np.asarray(self.params[vname])
        donors = seen[choose_donors(fitted, drawn, DONORS, self.rng)]
        self.data.iloc[gaps, column] = self.data.iloc[donors, column].to_numpy()
        self.filled[gaps, column] = self.filled[donors, column]

    def _design(self, vname: str) -> Floats:
        others = self.data[[name for name in self.data.columns if name != vname]].to_numpy()
        return np.column_stack([np.ones(len(others)), others])
