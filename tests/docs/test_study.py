"""The committed results of the evidence study are of the model that ships, and its page says what they say."""

from __future__ import annotations

from pathlib import Path

from bot.simulation_report import study_report
from knowledge import Outcome, PatientFactors, assess
from knowledge.evidence import load as load_evidence
from knowledge.model import load as load_model
from knowledge.simulation.results import METHODS, load_sensitivity, load_study
from knowledge.simulation.scenarios import scenarios
from knowledge.simulation.sensitivity import shown
from knowledge.simulation.variants import PATIENTS, parts, rebuilt
from knowledge.synthesis.spec import POOLS

PAGE = Path(__file__).parents[2] / "docs" / "study.md"
STALE = "the evidence study is not of the model that ships: make evidence-study"


def test_results_are_of_the_shipped_model() -> None:
    """By the SHA-256 of its file, and by what it answers."""
    assert load_study().model == load_model().version, STALE
    assert load_sensitivity().model == load_model().version, STALE
    risk = assess(PatientFactors()).risk_of(Outcome.CRS_GRADE2PLUS)
    assert abs(load_study().external.risk - risk.risk) < 2e-6, STALE
    now = shown(load_model(), POOLS)
    for kept in load_sensitivity().base:
        for one, other in zip(kept.shown, now[kept.outcome].shown, strict=True):
            assert abs(one.risk - other.risk) + abs(one.low - other.low) + abs(one.high - other.high) < 6e-6, STALE


def test_page_says_what_the_results_say() -> None:
    page = study_report(load_study(), load_sensitivity())
    assert PAGE.read_text(encoding="utf-8") == page, "docs/study.md is not of these results: make evidence-study"


def test_every_truth_and_variant_is_there() -> None:
    found = [(scenario.id, scenario.pool) for scenario in load_study().scenarios]
    assert found == [(scenario.id, pool) for scenario in scenarios() for pool in scenario.pools]
    for result in load_study().scenarios:
        for outcome in (Outcome.ICANS_ANY,) if result.pool == "icans" else (Outcome.CRS_ANY, Outcome.CRS_GRADE2PLUS):
            for method in METHODS:
                result.of(outcome, "study", method)
                result.of(outcome, "new", method)
    spec = load_model().spec
    variants = [variant.id for variant in load_sensitivity().variants]
    assert variants == [variant.id for variant in (*parts(spec), *rebuilt(spec))]
    assert [patient.id for patient in load_sensitivity().patients] == [patient.id for patient, _ in PATIENTS]


def test_monte_carlo_errors_are_small_enough_to_print() -> None:
    """Coverage to 1.5 points, slopes to 0.03 of themselves or 0.03."""
    for scenario in load_study().scenarios:
        for row in scenario.performance:
            coverage, slope = row.measures.coverage, row.measures.slope
            assert coverage.se is not None
            if row.coding in ("both", "none"):
                assert coverage.se < 0.015, (scenario.id, row.outcome, row.method)
                if row.method == "engine":
                    assert slope.se is not None
                    assert slope.value is not None
                    assert slope.se < 0.03 * max(1.0, slope.value), (scenario.id, row.outcome)


def test_published_rates_of_the_external_check_are_the_evidences() -> None:
    for rate in load_study().external.rates:
        fact = load_evidence().fact(rate.fact)
        assert (rate.events, rate.n) == (fact.count, fact.denominator)
        assert rate.interval[0] < rate.events / rate.n < rate.interval[1]


def test_every_shortcoming_is_on_the_page() -> None:
    """Each engine's interval that surely covers less than 95 %, and each rival that is surely nearer."""
    page = PAGE.read_text(encoding="utf-8").split("## Where the engine falls short")[1].split("\n## ")[0]
    short, beaten = 0, 0
    for scenario in load_study().scenarios:
        for row in scenario.performance:
            if row.coding in ("elevated", "log2_ratio") or row.own_prior_again:
                continue
            coverage, excess = row.measures.coverage, row.measures.brier_excess_over_engine
            assert coverage.value is not None
            assert coverage.se is not None
            if row.method == "engine" and coverage.value + 2 * coverage.se < 0.95:
                short += 1
                assert f"{scenario.title}: {100 * coverage.value:.1f} ± {100 * coverage.se:.1f} %" in page
            assert excess.value is not None
            assert excess.se is not None
            if row.method != "engine" and excess.value + 2 * excess.se < 0:
                beaten += 1
                assert f"by {-excess.value:.4f}" in page
    lists = [part.splitlines() for part in page.split(":\n\n")[1:]]
    coverages, _, rivals = (sum(line.startswith("- ") and line != "- none" for line in each) for each in lists)
    assert (coverages, rivals) == (short, beaten)


def test_comparisons_are_counted_by_outcome_and_kind() -> None:
    """Every comparison stands in one cell, none that is the own prior again, and the engine's taus stand apart."""
    page = PAGE.read_text(encoding="utf-8").split("In how many comparisons")[1].split("\n\n")[1]
    counted = {}
    for line in page.splitlines()[2:]:
        label, kind, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        counted[label, kind] = [tuple(int(number) for number in cell.split("/")) for cell in cells]
    rivals = ("firth", "flic", "rate", "pooled", "counts")
    outcomes = {
        "CRS, any grade": Outcome.CRS_ANY,
        "CRS, grade >= 2": Outcome.CRS_GRADE2PLUS,
        "ICANS, any grade": Outcome.ICANS_ANY,
    }
    kinds = {"one tau of the own prior": "part", "wrong prior": "prior", "wrong structure": "structure"}
    assert counted.keys() == {(label, kind) for label in outcomes for kind in kinds}
    for (label, kind), cells in counted.items():
        for rival, cell in zip(rivals, cells, strict=True):
            expected = [0, 0, 0]
            for scenario in load_study().scenarios:
                for row in scenario.performance:
                    if (row.outcome, row.method, scenario.kind) != (outcomes[label], rival, kinds[kind]):
                        continue
                    if scenario.id == "severity_apart" and (row.outcome, row.centre) != (Outcome.CRS_GRADE2PLUS, "new"):
                        continue
                    excess = row.measures.brier_excess_over_engine
                    assert excess.value is not None
                    assert excess.se is not None
                    z = excess.value / excess.se
                    expected[0 if z > 2 else 2 if z < -2 else 1] += 1
            assert cell == tuple(expected), (label, kind, rival)
