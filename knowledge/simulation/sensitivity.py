"""How far the shown estimates and limits move when one thing about the model is changed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from knowledge.assessment import Outcome
from knowledge.engine import assess
from knowledge.model import Draws, Model
from knowledge.simulation.cohorts import Setting, as_draws, simulate, with_draws
from knowledge.simulation.results import Moves, Sensitivity, Shown, ShownRisk, Variant
from knowledge.simulation.run import Progress, mapping
from knowledge.simulation.variants import PATIENTS, Part, parts, rebuilt
from knowledge.synthesis.pooling import effective_size
from knowledge.synthesis.spec import Pool

OUTCOMES: dict[Pool, tuple[Outcome, ...]] = {
    "crs": (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS),
    "icans": (Outcome.ICANS_ANY,),
}
DECIMALS = 6


def run_sensitivity(
    model: Model, seed: int, effective: int, *, workers: int | None = None, progress: Progress | None = None
) -> Sensitivity:
    """Every variant against the model as it ships; new simulations are worth ``effective`` draws a pool."""
    base = shown(model, tuple(OUTCOMES))
    variants = [_variant(part.id, part.title, part.change, _part_of(model, part), part.pools, base)
                for part in parts(model.spec)]  # fmt: skip
    again = rebuilt(model.spec)
    setting = Setting(seed, again, model.spec)
    with mapping(setting, workers) as mapper:
        for index, scenario in enumerate(again):
            draws: dict[Pool, Draws] = {}
            for place, pool in enumerate(scenario.pools):

                def report(share: float, index: int = index, place: int = place) -> None:
                    if progress:
                        pools = len(again[index].pools)
                        progress(again[index].title, (index + (place + share) / pools) / len(again))

                report(0.0)
                cohorts = simulate(
                    setting, index, pool, effective=effective, patients=0, batches_per_round=2,
                    mapper=mapper, progress=report,
                )  # fmt: skip
                draws[pool] = as_draws(cohorts)
            changed = with_draws(model, draws, setting.scenarios[index].spec(model.spec).ldh_hold)
            variants.append(_variant(scenario.id, scenario.title, scenario.truth, changed, scenario.pools, base))
    if progress:
        progress("finished", 1.0)
    return Sensitivity(
        model=model.version,
        seed=seed,
        patients=tuple(patient for patient, _ in PATIENTS),
        base=tuple(base.values()),
        variants=tuple(variants),
    )


def shown(model: Model, pools: Iterable[Pool]) -> dict[Outcome, Shown]:
    """Estimates and limits of the fixed patients at a new centre."""
    answers = [assess(factors, model) for _, factors in PATIENTS]
    found = {}
    for outcome in (outcome for pool in pools for outcome in OUTCOMES[pool]):
        risks = [answer.risk_of(outcome) for answer in answers]
        found[outcome] = Shown(
            outcome=outcome,
            shown=tuple(
                ShownRisk(risk=round(each.risk, DECIMALS), low=round(each.interval[0], DECIMALS),
                          high=round(each.interval[1], DECIMALS))
                for each in risks
            ),
        )  # fmt: skip
    return found


def moves(base: Shown, changed: Shown) -> Moves:
    """Changes from ``base`` to ``changed``, patient by patient."""
    before, after = (np.array([(each.risk, each.low, each.high) for each in of.shown]) for of in (base, changed))
    change = after - before
    size = np.abs(change)
    return Moves(
        outcome=base.outcome,
        shown=changed.shown,
        largest_risk=round(float(size[:, 0].max()), DECIMALS),
        mean_risk=round(float(size[:, 0].mean()), DECIMALS),
        largest_limit=round(float(size[:, 1:].max()), DECIMALS),
        mean_limit=round(float(size[:, 1:].mean()), DECIMALS),
        largest_risk_patient=PATIENTS[int(size[:, 0].argmax())][0].id,
        mean_shift=round(float(change[:, 0].mean()), DECIMALS),
    )


def _part_of(model: Model, part: Part) -> Model:
    """The model on one tau's or one coding's draws, the taus that are left weighing the same."""
    draws: dict[Pool, Draws] = {}
    for pool in part.pools:
        whole = model.draws(pool)
        keep = np.ones(len(whole.weight), bool)
        if part.tau is not None:
            keep &= whole.tau == part.tau
        if part.coding is not None:
            keep &= whole.coding == part.coding
        weight, tau = whole.weight[keep], whole.tau[keep]
        for index in np.unique(tau):
            weight[tau == index] /= weight[tau == index].sum()
        tau = np.searchsorted(np.unique(tau), tau)
        matrix = np.ascontiguousarray(whole.matrix[:, keep])
        draws[pool] = Draws(whole.names, matrix, weight / weight.sum(), tau, whole.coding[keep])
    return with_draws(model, draws, model.spec.ldh_hold)


def _variant(
    identity: str, title: str, change: str, changed: Model, pools: tuple[Pool, ...], base: dict[Outcome, Shown]
) -> Variant:
    after = shown(changed, pools)
    return Variant(
        id=identity,
        title=title,
        change=change,
        effective_draws=round(min(effective_size(changed.draws(pool).weight) for pool in pools), 1),
        moves=tuple(moves(base[outcome], after[outcome]) for outcome in after),
    )
