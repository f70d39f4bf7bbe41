"""Building: the same seed gives the same bytes whatever the number of processes, and what ships came from this code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from knowledge import PatientFactors, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import ModelContent, decode, encode, load
from knowledge.synthesis import build, diagnostics
from knowledge.synthesis.build import BATCH_SIZE, build_model
from knowledge.synthesis.centre import centre_posterior
from knowledge.synthesis.facts import published_spec
from knowledge.synthesis.spec import POOLS, Coding, Pool

# Few and wide priors meet the facts often, so that a build takes seconds.
SPEC = published_spec(load_evidence()).model_copy(update={"tau_crs": (2.5, 3.0), "tau_icans": (1.5, 2.0)})
EFFECTIVE_DRAWS = 80


@pytest.fixture(scope="module")
def short_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "BATCH_SIZE", 256)  # decide oftener: the same work, sooner done
        patch.setattr(diagnostics, "PRIOR_DRAWS", 2_000)
        yield


def small_build(seed: int, workers: int, progress: build.Progress | None = None) -> ModelContent:
    return build_model(SPEC, seed, effective_draws=EFFECTIVE_DRAWS, workers=workers, progress=progress)


@pytest.fixture(scope="module")
def alone(short_batches: None) -> tuple[ModelContent, list[tuple[Pool, float, float]]]:
    del short_batches
    seen: list[tuple[Pool, float, float]] = []
    return small_build(7, 1, lambda *step: seen.append(step)), seen


Alone = tuple[ModelContent, list[tuple[Pool, float, float]]]


def test_the_number_of_processes_changes_no_byte(alone: Alone) -> None:
    assert encode(small_build(7, 2), "test") == encode(alone[0], "test")


def test_repetition_changes_no_byte_and_another_seed_all(alone: Alone) -> None:
    assert encode(small_build(7, 1), "test") == encode(alone[0], "test")
    other = small_build(8, 1)
    assert encode(other, "test") != encode(alone[0], "test")
    assert not np.isin(other.crs["mu"], alone[0].crs["mu"]).any()


def test_a_build_reaches_its_size_and_says_how(alone: Alone) -> None:
    content, progress = alone
    for pool, draws in (("crs", content.crs), ("icans", content.icans)):
        assert draws.weight.sum() == pytest.approx(1.0)
        assert [draws.weight[part].sum() for part in draws.tau_slices] == pytest.approx([0.5, 0.5])
        diagnostics = content.diagnostics[pool]
        assert isinstance(diagnostics, dict)
        assert diagnostics["effective_size"] >= EFFECTIVE_DRAWS
        # So many were taken; one that deserved more than one place weighs more instead.
        taken = len(draws.weight)
        assert diagnostics["draws"] == taken
        assert 0.5 * EFFECTIVE_DRAWS < taken <= EFFECTIVE_DRAWS + 2
        for stratum in diagnostics["strata"]:
            assert stratum["simulated"] % build.BATCH_SIZE == 0
            assert 0 < min(stratum["passed"].values()) < stratum["simulated"]
            assert list(stratum["passed"]) == list(stratum["probability"])
            assert list(stratum["probability"].values())[-1] == pytest.approx(stratum["probability_of_facts"])
            assert 0 < stratum["standard_error"] < stratum["probability_of_facts"]
        taus = SPEC.tau_crs if pool == "crs" else SPEC.tau_icans
        for tau in taus:
            shares = [s["share_within_tau"] for s in diagnostics["strata"] if s["tau"] == tau]
            assert sum(shares) == pytest.approx(1.0)
        assert sum(diagnostics["coding_share"].values()) == pytest.approx(1.0)
        for summaries in diagnostics["parameters"].values():
            for each in summaries.values():
                assert each["low"] < each["median"] < each["high"]
        centre = diagnostics["parameters"]["a_new"]["posterior"]
        assert centre["mean"] == pytest.approx((draws.weight * draws["a_new"]).sum())
    assert {step[0] for step in progress} == set(POOLS)
    for pool in POOLS:
        reached = [step[1] / step[2] for step in progress if step[0] == pool]
        assert reached == sorted(reached)
        assert reached[-1] == 1.0


def test_what_was_built_answers(alone: Alone) -> None:
    model = decode(encode(alone[0], "test"))
    assert model.version.id == "test"
    answer = assess(PatientFactors(), model)
    assert answer.model == model.version
    assert answer != assess(PatientFactors())
    # The same facts under wider priors: another model, but not another world.
    for built, shipped in zip(answer.outcomes, assess(PatientFactors()).outcomes, strict=True):
        assert built.risk == pytest.approx(shipped.risk, abs=0.12)


@pytest.mark.parametrize(("pool", "batches"), [("crs", 3), ("icans", 3)])
def test_the_shipped_draws_are_what_this_code_simulates(pool: Pool, batches: int) -> None:
    """The first batches of the widest prior again: as many of their cohorts as deserve it are in the artefact."""
    model = load()
    spec, draws = model.spec, model.draws(pool)
    centres = {each: centre_posterior(spec.centres(each), spec.centre_mean_sd, spec.centre_sd_scale) for each in POOLS}
    build._prepare(spec, model.content.seed, centres)
    widest = [
        entry
        for entry in model.content.diagnostics[pool]["strata"]  # type: ignore[index]  # JSON
        if entry["tau"] == spec.taus(pool)[2]
    ]
    # The weight that deserves one place among those taken.
    unit = sum(entry["probability_of_facts"] for entry in widest) * len(spec.taus(pool)) / build.MOST_DRAWS
    unit *= widest[0]["simulated"]
    shipped = draws["a_study"][(draws.tau == 2) & (draws.coding == 0)].round(9)
    coding: Coding | None = "elevated" if pool == "crs" else None
    simulated = [build._run(build._Task(pool, 2, coding, number, BATCH_SIZE)) for number in range(batches)]
    weight = np.concatenate([batch.weight for batch in simulated])
    there = np.isin(np.concatenate([batch.columns["a_study"] for batch in simulated]).round(9), shipped)
    expected = np.minimum(1.0, weight / unit).sum()
    assert expected > 40
    assert abs(there.sum() - expected) < 3 * np.sqrt(expected), "the model was built by other code: make model"
    assert there[weight > 1.01 * unit].all()


def test_more_draws_are_kept_where_asked_for() -> None:
    few, more = (build.build_model(SPEC, 3, effective_draws=300, most_draws=most, workers=1) for most in (60, 300))
    for pool in ("crs", "icans"):
        sizes = [len(getattr(content, pool).weight) for content in (few, more)]
        assert sizes[0] <= 63
        assert sizes[1] > 200
