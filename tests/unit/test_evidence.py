"""The evidence: what ships is whole and right, and files that are not are refused with the place named."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from pydantic import ValidationError

from knowledge.evidence import Evidence, load
from knowledge.evidence.printed import agrees, parse_percent
from knowledge.exact import fisher_exact
from knowledge.factors import U_PER_MICROKATAL, ULN_MAX_U_L, ULN_MIN_U_L
from knowledge.synthesis.facts import CRS_CENTRES, ICANS_CENTRES, published_spec

DATA = files("knowledge") / "data" / "evidence"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load()


# What ships


@pytest.mark.parametrize(
    ("fact_id", "count", "n", "percent"),
    [
        ("inc.joshi.male", 22, 40, "55%"),
        ("inc.joshi.ecog01", 35, 40, "87.5%"),
        ("inc.joshi.crs_any", 16, 30, "53.3%"),
        ("inc.joshi.crs_g3plus", 3, 30, "10%"),
        ("inc.joshi.icans_any", 7, 30, "23.3%"),
        ("inc.joshi.icans_g3plus", 3, 30, "10%"),
        ("inc.joshi.toci_crs", 1, 10, None),
        ("inc.joshi.toci_icans", 0, 10, None),
        ("inc.joshi.discontinued", 3, None, None),
        ("inc.joshi.deaths", 2, None, None),
        ("inc.eu473.crs_after_dose1", 196, 473, "41.4%"),
        ("inc.eu473.crs_g2plus_day1", 65, 473, "13.7%"),
        ("inc.eu473.crs_g2plus", 82, 473, None),
        ("inc.eu473.crs_g3plus", 9, 473, None),
        ("inc.eu473.icans_any", 22, 473, "4.7%"),
        ("inc.label473.crs_any", 268, 473, "57%"),
        ("inc.label473.icans_broad", None, 473, "10%"),
        ("inc.label473.icans_c1d1", None, 473, "2.5%"),
        ("inc.d304.icans_any", None, None, "6%"),
        ("inc.d301.crs_dose1", 54, 133, None),
        ("inc.d301.icans_update", None, None, "10%"),
        ("inc.multi102.crs_dose1", 56, 102, "approximately 55%"),
        ("inc.multi102.icans_any", 26, 102, None),
        ("inc.wclc25.crs_any", 12, 25, "48%"),
        ("inc.wclc25.icans_any", 4, 25, "16%"),
        ("inc.guo.crs_g2plus", 11, 43, None),
        ("inc.guo.icans_any", 12, 44, None),
        ("inc.trinetx643.icans_any", 146, 643, None),
        ("inc.trinetx658.icans_any", 108, 658, "16.41%"),
        ("cov.ldh.high163", 90, 163, "55.20%"),
        ("cov.liver.d304", None, 509, "35.2%"),
    ],
)
def test_figures(evidence: Evidence, fact_id: str, count: int | None, n: int | None, percent: str | None) -> None:
    fact = evidence.fact(fact_id)
    assert (fact.count, fact.denominator, fact.percent) == (count, n, percent)


def test_founding_study_is_complete(evidence: Evidence) -> None:
    """Every fact and direction read of the founding study is there, and so is what was not found."""
    assert {fact.id for fact in evidence.facts.values() if fact.source == "joshi2025_hmp"} >= {
        *("inc.joshi." + name for name in ("n", "age", "male", "ecog01", "crs_any", "crs_g2plus", "crs_g3plus")),
        *("inc.joshi." + name for name in ("icans_any", "icans_g3plus", "discontinued", "deaths")),
        *("inc.joshi." + name for name in ("toci_crs", "toci_icans")),
        *("pro.joshi." + name for name in ["with", "without", "compare", "conclusion"]),
    }
    assert evidence.fact("inc.joshi.age").value == 66.5
    for missing in ("inc.joshi.crs_g2plus", "rf.joshi.odds_ratios", "cov.liver.joshi", "cov.dm.tarlatamab"):
        assert evidence.fact(missing).absent, missing
    directions = {link.id: link for link in evidence.associations.values() if ".joshi." in link.id}
    assert set(directions) == {
        "rf.joshi.ldh.crs",
        "rf.joshi.ldh.crs_g2",
        "rf.joshi.liver.crs",
        "rf.joshi.diabetes.icans",
        "rf.joshi.cvd.icans",
    }
    assert all(link.direction == "higher" and link.absent and link.n == 30 for link in directions.values())
    assert evidence.source("joshi2025_hmp").seen == "secondary_report"


def test_guo_contradicts_where_it_does(evidence: Evidence) -> None:
    assert evidence.association("rf.guo.ldh.icans").coefficient == 0.219
    assert evidence.association("rf.guo.ldh.crs_g2").coefficient == 0.396
    first, *others = evidence.associations_with("icans_any")
    assert first.id == "rf.joshi.diabetes.icans"
    assert {"rf.guo.ecog.icans", "rf.guo.sites3.icans"} <= {link.id for link in others}


def test_centre_cohorts_are_those_of_the_centre_term(evidence: Evidence) -> None:
    def counts(endpoint: str) -> set[tuple[int | None, int | None]]:
        return {(fact.count, fact.denominator) for fact in evidence.centre_cohorts(endpoint)}

    assert counts("crs_any") == {(196, 473), (56, 102)}
    assert counts("icans_any") == {(12, 44), (4, 25), (26, 102)}


def test_every_rate_of_crs_or_icans_is_used_in_the_centre_term_or_says_why_not(evidence: Evidence) -> None:
    """Whatever is named after CRS or ICANS is a rate, unless it is a time; the used ones are those of the model."""
    named = {fact.id for fact in evidence.facts_on("incidence") if re.match("crs|icans", fact.endpoint)}
    times = {fact.id for fact in evidence.facts_on("incidence") if fact.unit in {"hours", "days", "hours, typically"}}
    assert set(evidence.centre_terms) == named - times
    assert len(evidence.centre_terms) >= 90
    spec = published_spec(evidence)
    used = {name for name, term in evidence.centre_terms.items() if term.use}
    assert used == {cohort.fact for cohort in (*spec.crs_centres, *spec.icans_centres)}
    # Two used rates of one outcome never count the same patients twice.
    sources = [{evidence.fact(name).id.split(".")[1] for name in group} for group in (CRS_CENTRES, ICANS_CENTRES)]
    assert [len(found) for found in sources] == [len(CRS_CENTRES), len(ICANS_CENTRES)]


def test_rates_by_grade_dose_and_seriousness_are_as_printed(evidence: Evidence) -> None:
    """The rates that no answer shows, against the figures themselves."""
    printed = {
        "label473": "crs_g1 39 crs_g2 15 crs_g3 1.7 crs_g4 0.2 crs_recurrent 24 crs_after_dose2 60 "
        "crs_after_dose3plus 15 crs_g2plus_cycle2on 1.5 icans_g2plus_c1d1 1.3 icans_g2plus_c1d8 1.3 "
        "icans_g2plus_c1d15 0.4 icans_recurrent 1.5",
        "d304": "crs_any 56 crs_any_esmo 56 crs_g34 1.2 crs_any_control 1.2 crs_serious 17 icans_serious 3.6 "
        "icans_fatal 0.4",
        "d300301": "crs_any 55 crs_g1 34 crs_g2 19 crs_g3 1.1 crs_g4 0.5 crs_g34 1.6 crs_serious 24 crs_recurrent 24 "
        "crs_dose1 43 crs_dose2 29 crs_dose3plus 9 crs_g2plus_day1 16 crs_g2plus_day8 4.3 crs_g2plus_day15 2.1",
        "d300F": "crs_any_out 60 crs_any_in 62 crs_serious_out 17 crs_serious_in 22",
        "d300": "crs_any 52",
        "d301": "crs_10 51 crs_100 61 crs_update 53",
        "dellpro300": "crs 82.5",
        "trinetx643": "tox 48.8",
        "trinetx658": "crs_g12 19.45 crs_g35 1.98 crs_ungraded 9.52 icans_g12 7.75 icans_g35 1.67 icans_ungraded 10.33",
    }
    for cohort, text in printed.items():
        words = text.split()
        for name, figure in zip(words[::2], words[1::2], strict=True):
            assert evidence.fact(f"inc.{cohort}.{name}").percent == f"{figure}%"
    counts = {"label473.icans_fatal": (1, 473), "d301.crs_dose2": (39, 133), "d301.crs_dose3": (10, 133)}
    counts |= {
        "winship.admit": (6, 27),
        "d304.crs_g45": (0, None),
        "faers942.crs": (201, 942),
        "faers942.icans": (106, 942),
    }
    for name, (events, n) in counts.items():
        assert (evidence.fact(f"inc.{name}").events, evidence.fact(f"inc.{name}").n) == (events, n)
    assert evidence.fact("inc.multi102.crs_groups").value == "63% versus 59%"


def test_count_derived_from_a_percent_is_the_only_one_that_rounds_to_it(evidence: Evidence) -> None:
    derived = [fact for fact in evidence.facts.values() if fact.percent and fact.derived and fact.derived.events]
    assert len(derived) >= 15
    for fact in derived:
        assert fact.percent is not None
        assert fact.denominator is not None
        printed = parse_percent(fact.percent)
        fitting = [count for count in range(fact.denominator + 1) if agrees(printed, count, fact.denominator)]
        assert fitting == [fact.count], fact.id


def test_sums_agree_with_their_parts(evidence: Evidence) -> None:
    def count(name: str) -> int:
        found = evidence.fact(name).count
        assert found is not None
        return found

    grades = [count(f"inc.eu473.crs_g{grade}") for grade in (1, 2, 3, 4)]
    assert sum(grades) == count("inc.eu473.crs_any") == count("inc.label473.crs_any")
    assert sum(grades[1:]) == count("inc.eu473.crs_g2plus")
    assert sum(grades[2:]) == count("inc.eu473.crs_g3plus") == count("inc.label473.crs_g3plus")
    assert count("inc.trinetx643.crs_only") + count("inc.trinetx643.both") == count("inc.trinetx643.crs_any")
    assert count("inc.trinetx643.icans_only") + count("inc.trinetx643.both") == count("inc.trinetx643.icans_any")


def test_derivation_of_icans_among_the_102_gives_the_printed_p(evidence: Evidence) -> None:
    """33 % of 60 and 14 % of 42 are 20 and 6, and these give back the p value the abstract prints."""
    ineligible = evidence.fact("cov.ineligible.multi102").count
    assert ineligible == 60
    events = round(0.33 * ineligible), round(0.14 * (102 - ineligible))
    assert sum(events) == evidence.fact("inc.multi102.icans_any").count
    p = fisher_exact(events[0], ineligible - events[0], events[1], 102 - ineligible - events[1])
    assert f"{p:.3f}" == "0.038"
    assert "0.038" in (evidence.fact("inc.multi102.icans_inelig").p or "")


def test_comparison_of_prophylaxis_is_our_fisher_test(evidence: Evidence) -> None:
    def p(without: str, with_tocilizumab: str) -> str:
        a, b = evidence.fact(without), evidence.fact(with_tocilizumab)
        assert a.count is not None
        assert a.denominator is not None
        assert b.count is not None
        assert b.denominator is not None
        return f"{fisher_exact(a.count, a.denominator - a.count, b.count, b.denominator - b.count):.2g}"

    crs, icans = p("inc.joshi.crs_any", "inc.joshi.toci_crs"), p("inc.joshi.icans_any", "inc.joshi.toci_icans")
    derived = evidence.fact("pro.joshi.compare").derived
    assert derived is not None
    assert derived.value == f"CRS p = {crs}; ICANS p = {icans}"


def test_units_and_upper_limits_agree_with_what_is_accepted(evidence: Evidence) -> None:
    factor = evidence.fact("cov.unit.factor").value
    assert isinstance(factor, float)
    assert round(1 / U_PER_MICROKATAL, 4) == factor
    values = [fact.value for fact in evidence.facts.values() if fact.id.startswith("cov.ref.")]
    limits = [value for value in values if isinstance(value, float)]
    assert len(values) == len(limits) == 14
    assert ULN_MIN_U_L < min(limits) == 199
    assert ULN_MAX_U_L > max(limits) == 414


def test_icans_rates_carry_their_definition(evidence: Evidence) -> None:
    for fact in evidence.facts_on("incidence"):
        if fact.endpoint in {"icans_any", "icans_grade3plus"}:
            assert fact.definition, fact.id


def test_version_is_the_day_of_compilation(evidence: Evidence) -> None:
    assert evidence.version == evidence.compiled == "2026-11-22"


def test_load_reads_once_and_nothing_can_be_changed(evidence: Evidence) -> None:
    assert load() is evidence
    with pytest.raises(ValidationError, match="frozen"):
        evidence.fact("inc.joshi.crs_any").n = 31  # type: ignore[misc]  # the field is read-only
    with pytest.raises(TypeError):
        evidence.facts["new"] = evidence.fact("inc.joshi.crs_any")  # type: ignore[index]  # the mapping is read-only
    with pytest.raises(KeyError, match=r"inc\.nowhere"):
        evidence.fact("inc.nowhere")


def test_iteration_gives_each_record_once(evidence: Evidence) -> None:
    ids = [record.id for record in evidence]
    assert len(ids) == len(set(ids)) == len(evidence.facts) + len(evidence.associations)


# Hash of facts


def test_hash_binds_content_not_order(evidence: Evidence) -> None:
    ids = ["inc.joshi.crs_any", "rf.joshi.ldh.crs"]
    digest = evidence.facts_hash(ids)
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert digest == evidence.facts_hash([*reversed(ids), ids[0]])
    assert digest != evidence.facts_hash(ids[:1])


def test_hash_of_nothing_or_of_the_unknown_is_refused(evidence: Evidence) -> None:
    with pytest.raises(ValueError, match="no facts"):
        evidence.facts_hash([])
    with pytest.raises(KeyError, match=r"inc\.nowhere"):
        evidence.facts_hash(["inc.nowhere"])


def test_what_a_label_of_tocilizumab_says_names_the_drug(evidence: Evidence) -> None:
    """It stands under topics such as liver and diabetes too, among figures on tarlatamab."""
    said = [fact for fact in evidence.facts.values() if fact.source in ("uspi_actemra", "smpc_roactemra")]
    assert {"pro.concern.lft", "pro.concern.diabetes", "pro.concern.infection"} <= {fact.id for fact in said}
    for fact in said:
        assert "tocilizumab" in str(fact.value), fact.id
