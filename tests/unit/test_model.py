"""The model artefact: what ships is what it claims to be, and anything else is refused with what to do."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import PatientFactors, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import POINTER, Model, ModelError, data_folder, decode, encode, load, load_from, pointer_text
from knowledge.synthesis.facts import model_fact_ids, published_spec
from knowledge.synthesis.parameters import CRS_COLUMNS, ICANS_COLUMNS
from knowledge.synthesis.spec import POOLS, Pool

PROMISED_EFFECTIVE_DRAWS = 4_000
BUILD_AGAIN = "build it again: tarla model build"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model, to be spoilt."""
    with as_file(data_folder()) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "model"))


def shipped_bytes() -> bytes:
    pointer = json.loads((data_folder() / POINTER).read_text(encoding="utf-8"))
    return (data_folder() / str(pointer["file"])).read_bytes()


def rewritten(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The shipped artefact with its description changed, otherwise whole."""
    with np.load(io.BytesIO(shipped_bytes()), allow_pickle=False) as arrays:
        contents = {name: arrays[name] for name in arrays.files}
    description = json.loads(contents["description"].tobytes())
    change(description)
    contents["description"] = np.frombuffer(json.dumps(description).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **contents)
    return buffer.getvalue()


# What ships


def test_the_hash_is_that_of_the_file() -> None:
    pointer = json.loads((data_folder() / POINTER).read_text(encoding="utf-8"))
    model = load()
    assert model.version.sha256 == pointer["sha256"]
    assert model.version.id == pointer["id"] == "facts-2"
    assert pointer_text(pointer["id"], pointer["file"], shipped_bytes()) == (data_folder() / POINTER).read_text(
        encoding="utf-8"
    )


def test_it_was_built_with_what_the_evidence_says_now() -> None:
    model, evidence = load(), load_evidence()
    assert model.spec == published_spec(evidence)
    assert model.facts_sha256 == evidence.facts_hash(model_fact_ids(model.spec))
    assert tuple(model.description["facts"]) == model_fact_ids(model.spec)  # type: ignore[arg-type]  # JSON


@pytest.mark.parametrize("pool", POOLS)
def test_draws_are_a_weighted_sample_of_the_promised_size(pool: Pool) -> None:
    draws = load().draws(pool)
    assert draws.names == (CRS_COLUMNS if pool == "crs" else ICANS_COLUMNS)
    assert draws.matrix.shape == (len(draws.names), len(draws.weight))
    assert np.isfinite(draws.matrix).all()
    assert (draws.weight > 0).all()
    assert draws.weight.sum() == pytest.approx(1.0, abs=1e-12)
    # Of the draws in the file themselves, and of the cohorts that they were taken from.
    assert draws.weight.sum() ** 2 / (draws.weight**2).sum() >= PROMISED_EFFECTIVE_DRAWS
    assert load().content.diagnostics[pool]["effective_size"] >= 60_000  # type: ignore[index]  # JSON


@pytest.mark.parametrize("pool", POOLS)
def test_each_prior_carries_a_third(pool: Pool) -> None:
    draws = load().draws(pool)
    assert len(draws.tau_slices) == len(load().spec.taus(pool)) == 3
    for index, part in enumerate(draws.tau_slices):
        assert (draws.tau[part] == index).all()
        assert draws.weight[part].sum() == pytest.approx(1 / 3, abs=1e-12)
    assert sum(part.stop - part.start for part in draws.tau_slices) == len(draws.weight)


def test_codings_share_by_their_evidence() -> None:
    draws = load().draws("crs")
    for stratum in load().content.diagnostics["crs"]["strata"]:  # type: ignore[index]  # JSON
        tau = load().spec.tau_crs.index(stratum["tau"])
        coding = ("elevated", "log2_ratio").index(stratum["coding"])
        share = 3 * draws.weight[(draws.tau == tau) & (draws.coding == coding)].sum()
        # Thinning by lot moves a share a little; the evidence of a coding it does not.
        assert share == pytest.approx(stratum["share_within_tau"], abs=0.02)
        assert stratum["probability_of_facts"] > 0


def test_parameters_lie_where_their_priors_put_them() -> None:
    crs, icans = load().draws("crs"), load().draws("icans")
    spec = load().spec
    for row, (low, high) in (
        (crs["ldh_sd"], spec.ldh_sd),
        (crs["ldh_liver_correlation"], spec.ldh_liver_correlation),
        (icans["diabetes_cvd_correlation"], spec.diabetes_cvd_correlation),
        (crs["liver_prevalence"], (0.0, 1.0)),
        (crs["t"], (0.0, 5.0 * spec.centre_sd_scale)),
    ):
        assert row.min() >= low
        assert row.max() <= high
    # Published because significant: the effects are positive on average, in proportion to their prior.
    for row in (crs["b_ldh"], crs["b_liver"], icans["b_diabetes"], icans["b_cvd"]):
        assert np.average(row, weights=(crs if len(row) == len(crs.weight) else icans).weight) > 0.5


def test_encoding_what_was_decoded_gives_the_same_bytes() -> None:
    model = load()
    assert encode(model.content, model.version.id) == shipped_bytes()


def test_the_centre_cohorts_are_those_the_evidence_names() -> None:
    evidence, spec = load_evidence(), load().spec
    for endpoint, cohorts in (("crs_any", spec.crs_centres), ("icans_any", spec.icans_centres)):
        named = {(fact.id, fact.count, fact.denominator) for fact in evidence.centre_cohorts(endpoint)}
        assert {(cohort.fact, cohort.events, cohort.n) for cohort in cohorts} == named


def test_counts_of_the_study_and_the_centres() -> None:
    """The specification against the figures themselves, not only against the file they are read from."""
    spec = load().spec
    assert (spec.n, spec.crs_any, spec.crs_grade3, spec.crs_grade2_least, spec.icans_any) == (30, 16, 3, 3, 7)
    assert [(cohort.events, cohort.n) for cohort in spec.crs_centres] == [(196, 473), (56, 102)]
    assert sorted((cohort.events, cohort.n) for cohort in spec.icans_centres) == [(4, 25), (12, 44), (26, 102)]


def test_another_model_may_be_given(folder: Path) -> None:
    other = load_from(folder)
    assert other is not load()
    assert assess(PatientFactors(), other) == assess(PatientFactors())


# What is refused


@pytest.mark.parametrize("position", [0, 1_000, -1])
def test_an_altered_file_is_refused(folder: Path, position: int) -> None:
    artefact = next(folder.glob("*.npz"))
    data = bytearray(artefact.read_bytes())
    data[position] ^= 1
    artefact.write_bytes(data)
    with pytest.raises(ModelError, match=r"does not have the SHA-256 recorded for it; install Tarla again"):
        load_from(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / POINTER).unlink(),
        lambda folder: (folder / POINTER).write_text("{"),
        lambda folder: (folder / POINTER).write_text("[]"),
        lambda folder: (folder / POINTER).write_text('{"file": "facts-2.npz"}'),
        lambda folder: next(folder.glob("*.npz")).unlink(),
        lambda folder: shutil.rmtree(folder),
    ],
    ids=["no pointer", "pointer not JSON", "pointer not a table", "pointer without hash", "no artefact", "nothing"],
)
def test_a_missing_model_is_said_so(folder: Path, spoil: Callable[[Path], object]) -> None:
    spoil(folder)
    with pytest.raises(ModelError, match=r"no usable model is installed .*; build one: tarla model build"):
        load_from(folder)


@pytest.mark.parametrize(
    "data",
    [
        lambda: b"",
        lambda: b"not an artefact",
        lambda: shipped_bytes()[:5_000],
        lambda: shipped_bytes()[:900_000] + bytes(9) + shipped_bytes()[900_009:],
        lambda: rewritten(lambda description: description.pop("spec")),
        lambda: rewritten(lambda description: description["spec"].update(tau_crs="wide")),
        lambda: rewritten(lambda description: description.pop("facts")),
    ],
    ids=["empty", "text", "cut short", "damaged inside", "without spec", "spec out of shape", "without facts"],
)
def test_what_is_no_artefact_is_refused(data: Callable[[], bytes]) -> None:
    with pytest.raises(ModelError, match=f"cannot be read .*{BUILD_AGAIN}"):
        decode(data())


@pytest.mark.parametrize(
    "change",
    [
        lambda description: description.update(facts_sha256="0" * 64),
        lambda description: description["facts"].append("inc.joshi.male"),
        lambda description: description["facts"].append("inc.of.a.study.withdrawn"),
        lambda description: description["facts"].clear(),
    ],
    ids=["another state of the facts", "one fact more", "a fact that is gone", "no fact"],
)
def test_a_model_built_from_other_facts_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ModelError, match=f"built from facts that have changed since; {BUILD_AGAIN}"):
        decode(rewritten(change))


def test_a_description_merely_rewritten_is_still_the_model() -> None:
    """The spoilt artefacts above differ in nothing but what they say was spoilt."""
    again: Model = decode(rewritten(lambda _: None))
    assert again.facts_sha256 == load().facts_sha256
    np.testing.assert_array_equal(again.draws("crs").matrix, load().draws("crs").matrix)
