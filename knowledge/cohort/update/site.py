"""A site model: a parent's draws updated by a centre's patients, as an artefact with its origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from knowledge.cohort.record import CohortRow
from knowledge.cohort.update.expected import outside, surprise
from knowledge.cohort.update.likelihood import Progress
from knowledge.cohort.update.patients import SitePatients, site_patients
from knowledge.cohort.update.thinning import site_draws
from knowledge.cohort.update.weighing import LEAST_EFFECTIVE, Weighed, most_patients, weigh
from knowledge.factors import Presence
from knowledge.model import Draws, Model, ModelContent, decode, encode
from knowledge.site_origin import SiteOrigin
from knowledge.synthesis.diagnostics import BY_CODING, summarise
from knowledge.synthesis.spec import CODINGS, POOLS, Pool

SEED = 20261124
BUILD_LARGER = "tarla model build --draws 240000 --keep 240000"
HASH_IN_ID = 8

NAMES: dict[Pool, str] = {"crs": "CRS", "icans": "ICANS"}


class UpdateError(Exception):
    """No site model can be made of these patients and this parent; the reason and what to do instead."""


class TooManyError(UpdateError):
    """The parent's draws cannot bear the weight of the patients. ``most`` says how many they bear, by pool."""

    def __init__(
        self,
        weighed: tuple[Weighed, ...],
        entered: dict[Pool, int],
        most: dict[Pool, int],
        remarks: list[str],
        *,
        dated: bool = True,
    ) -> None:
        self.weighed, self.most = weighed, most
        reasons = [_reason(each, entered[each.pool], most[each.pool], dated=dated) for each in weighed] + remarks
        super().__init__(
            f"{' '.join(reasons)} No site model was made. Either build a model with more draws and update that: "
            f"{BUILD_LARGER} --out FOLDER, then tarla study update with --parent FOLDER; "
            "or take fewer patients, chosen by date and never by outcome. Several hundred patients say more than "
            "any such model can take in: check it against them (tarla study validate), and see their own regressions "
            "(tarla study report)."
        )


@dataclass(frozen=True, eq=False)
class SiteUpdate:
    """A new model and what made it: its file's bytes, and the pools that were updated."""

    model: Model
    data: bytes
    parent: Model
    patients: SitePatients
    weighed: tuple[Weighed, ...]

    @property
    def origin(self) -> SiteOrigin:
        """What the file says of its making."""
        origin = self.model.site
        assert origin is not None  # noqa: S101 - update() has just written it
        return origin


def update(
    parent: Model, rows: Iterable[CohortRow], data_sha256: str, *, seed: int = SEED, progress: Progress | None = None
) -> SiteUpdate:
    """Update a model by the patients of one centre who had no prophylaxis.

    Args:
        parent: the shipped model, or another one built from the published facts.
        rows: the cohort.
        data_sha256: of the cohort's content, for the record.
        seed: of the levels of the centre and of the choice of draws.
        progress: told how many patients more were weighed.

    Raises:
        UpdateError: the parent is a site model, or nobody can enter.
        TooManyError: the draws cannot bear that many patients.
    """
    if parent.site is not None:
        raise UpdateError(
            f"{parent.version.id} has been updated by patients already, and would count them twice if the cohort holds "
            "them too. An update starts from a model built from the published facts: put all patients into one file."
        )
    cohort = tuple(rows)
    patients = site_patients(cohort)
    counts: dict[Pool, tuple[int, ...]] = {"crs": patients.crs_counts, "icans": patients.icans_counts}
    entered: dict[Pool, int] = {pool: sum(counts[pool]) for pool in POOLS}
    if not any(entered.values()):
        raise UpdateError(
            f"of {patients.patients} patients none is known to have had no tocilizumab prophylaxis and has a known "
            "outcome; only they can update the model."
        )
    weighed = tuple(weigh(parent, pool, patients, seed, progress) for pool in POOLS if entered[pool])
    if failed := tuple(each for each in weighed if not each.bears):
        most = {each.pool: most_patients(parent, each.pool, cohort, seed) for each in failed}
        dated = all(row.dose_day is not None for row in cohort if row.tocilizumab_prophylaxis is Presence.NO)
        raise TooManyError(failed, entered, most, outside(surprise(parent, patients, seed)), dated=dated)
    by_pool = {each.pool: each for each in weighed}
    draws = {pool: _draws(parent, pool, by_pool.get(pool), seed) for pool in POOLS}
    khat = {pool: float(each.khat) for pool, each in by_pool.items()}
    effective = {pool: float(each.effective) for pool, each in by_pool.items()}
    origin = SiteOrigin(
        parent_id=parent.version.id,
        parent_sha256=parent.version.sha256,
        data_sha256=data_sha256,
        simulated=patients.simulated,
        seed=seed,
        patients=patients.patients,
        with_prophylaxis=patients.with_prophylaxis,
        prophylaxis_unknown=patients.prophylaxis_unknown,
        crs_patients=entered["crs"],
        crs_events=sum(counts["crs"][1:]),
        crs_grade2plus_events=counts["crs"][2],
        crs_unknown=patients.without_prophylaxis - entered["crs"],
        icans_patients=entered["icans"],
        icans_events=counts["icans"][1],
        icans_unknown=patients.without_prophylaxis - entered["icans"],
        khat_crs=khat.get("crs"),
        khat_icans=khat.get("icans"),
        effective_crs=effective.get("crs"),
        effective_icans=effective.get("icans"),
    )
    content = ModelContent(
        spec=parent.spec,
        seed=parent.content.seed,
        crs=draws["crs"],
        icans=draws["icans"],
        diagnostics={pool: _diagnostics(parent, pool, draws[pool], effective.get(pool)) for pool in POOLS},
        site=origin,
    )
    data = encode(content, f"{parent.version.id}+site-{data_sha256[:HASH_IN_ID]}")
    return SiteUpdate(decode(data), data, parent, patients, weighed)


def _draws(parent: Model, pool: Pool, weighed: Weighed | None, seed: int) -> Draws:
    if weighed is None:  # no patient's outcome is known: the pool stays as it is
        return parent.draws(pool)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2 * len(POOLS) + POOLS.index(pool),)))
    return site_draws(weighed, rng)


def _diagnostics(parent: Model, pool: Pool, draws: Draws, effective: float | None) -> dict[str, object]:
    """The parent's, with what the update changed: draws, effective size, share of each coding, every posterior."""
    before = parent.content.diagnostics[pool]
    if effective is None or not isinstance(before, dict):
        return before if isinstance(before, dict) else {}
    parameters = {}
    for label, found in before["parameters"].items():
        name, _, coding = label.removesuffix(")").partition(" (")
        inside = np.ones(len(draws.weight), dtype=bool)
        if name in BY_CODING:
            inside = draws.coding == next((index for index, each in enumerate(CODINGS) if each == coding), 0)
        if inside.any():
            parameters[label] = {**found, "posterior": summarise(draws[name][inside], draws.weight[inside])}
    shares = {
        name: float(draws.weight[draws.coding == CODINGS.index(name)].sum()) if name in CODINGS else share
        for name, share in before["coding_share"].items()
    }
    changed = {"parameters": parameters, "coding_share": shares, "draws": len(draws.weight)}
    return {**before, **changed, "effective_size": effective}


def _reason(weighed: Weighed, entered: int, most: int, *, dated: bool) -> str:
    name = NAMES[weighed.pool]
    fault = (
        f"Pareto k {weighed.khat:.2f}, more than {weighed.largest_khat:.2f}"
        if weighed.khat > weighed.largest_khat
        else f"effective sample size {weighed.effective:.0f}, less than {LEAST_EFFECTIVE:.0f}"
    )
    said = f"{name}: too few of the model's draws agree with {entered} patients for a safe answer ({fault})."
    if most:
        order = "by day of dose" if dated else "by day of dose, then, where it is not known, by place in the file"
        return f"{said} They would bear the first {most} {order}, {entered - most} fewer."
    return f"{said} They would not bear a single one."
