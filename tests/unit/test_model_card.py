"""The model card: every figure is its origin's, every list complete, and nothing unknown passes for known."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from importlib.resources import as_file, files
from math import exp, log
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scipy import stats

from bot.model_card import json_text, markdown
from bot.model_card.tables import table, tiny, with_error
from knowledge.card import CardError, ModelCard, build_card
from knowledge.card.found import Figure
from knowledge.card.texts import data_folder
from knowledge.evidence import load as load_evidence
from knowledge.model import data_folder as model_folder
from knowledge.model import load as load_model
from knowledge.synthesis.facts import CRS_CENTRES, ICANS_CENTRES, PRIOR_FACTS, model_fact_ids
from knowledge.synthesis.spec import Spec

REPOSITORY = Path(__file__).parents[2]
# The 27 items and their letters as Collins et al. (BMJ 2024) number them, by the last letter of each.
LETTERS = {3: "c", 5: "b", 6: "c", 8: "c", 9: "c", 12: "g", 18: "f", 20: "c", 23: "b", 27: "c"}


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return build_card("0.0.test")


@pytest.fixture(scope="module")
def text(card: ModelCard) -> str:
    return markdown(card)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A copy of the card's texts, to be spoilt."""
    with as_file(data_folder()) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "card"))


def study_json(name: str) -> Any:
    """A file of the study as plain data, past its own loader."""
    return json.loads((files("knowledge") / "data" / "simulation" / name).read_text(encoding="utf-8"))


# Identity


def test_identity_is_that_of_the_file_in_use(card: ModelCard) -> None:
    pointer = json.loads((model_folder() / "model.json").read_text(encoding="utf-8"))
    data = (model_folder() / str(pointer["file"])).read_bytes()
    assert card.identity.model == pointer["id"]
    assert card.identity.sha256 == hashlib.sha256(data).hexdigest()
    assert card.identity.seed == load_model().content.seed
    assert card.identity.facts == model_fact_ids(load_model().spec)
    assert card.identity.facts_sha256 == load_evidence().facts_hash(card.identity.facts)
    assert card.identity.evidence == load_evidence().version
    assert card.identity.program == "0.0.test"


# Data


def test_cohorts_are_those_of_the_evidence(card: ModelCard) -> None:
    """Counts from the evidence, limits from scipy's exact interval."""
    evidence = load_evidence()
    assert [cohort.fact for cohort in card.data.cohorts] == [*CRS_CENTRES, *ICANS_CENTRES]
    for cohort in card.data.cohorts:
        fact = evidence.fact(cohort.fact)
        assert (cohort.events, cohort.n, cohort.source) == (fact.count, fact.denominator, fact.source)
        exact = stats.binomtest(cohort.events, cohort.n).proportion_ci(method="exact")
        assert cohort.interval == pytest.approx((exact.low, exact.high), abs=1e-9)
        assert cohort.outcome.split(",")[0].lower() == fact.endpoint.split("_")[0]


def test_study_figures_are_as_published(card: ModelCard) -> None:
    """Checked against the evidence file as plain TOML; the 30 and the conditions agree with the specification."""
    raw = tomllib.loads((files("knowledge") / "data" / "evidence" / "incidence.toml").read_text(encoding="utf-8"))
    by_id = {fact["id"]: fact for fact in raw["fact"]}
    shown = {each.fact: each.value for each in card.data.published}
    assert len(shown) == 10
    for fact_id, value in shown.items():
        fact = by_id[fact_id]
        events = fact.get("events", fact.get("derived", {}).get("events"))
        if events is not None:
            assert value.startswith(f"{events}/{fact['n']}")
        else:
            assert str(fact["value"]) in value
        if "percent" in fact:
            assert fact["percent"].replace("%", " %") in value
    spec = load_model().spec
    assert shown["inc.joshi.crs_any"].startswith(f"{spec.crs_any}/{spec.n} ")
    assert shown["inc.joshi.icans_any"].startswith(f"{spec.icans_any}/{spec.n} ")
    assert shown["inc.joshi.crs_g3plus"] == shown["inc.joshi.icans_g3plus"]  # "3 events of each" in the text


def test_everything_looked_for_and_not_found_in_the_study_is_said(card: ModelCard) -> None:
    absent = {record.id for record in load_evidence() if record.absent and record.source == "joshi2025_hmp"}
    assert {fact for each in card.data.not_published for fact in each.facts} == absent
    assert absent >= {"rf.joshi.odds_ratios", "inc.joshi.crs_g2plus", "rf.joshi.cvd.icans"}


def test_every_source_the_model_rests_on_is_cited(card: ModelCard) -> None:
    evidence = load_evidence()
    records = [evidence.facts.get(each) or evidence.association(each) for each in card.identity.facts]
    cited = {source.id: source for source in card.data.sources}
    assert {record.source for record in records} == set(cited)
    for source in cited.values():
        origin = evidence.source(source.id)
        assert (source.citation, source.doi, source.pmid) == (origin.citation, origin.doi, origin.pmid)
    assert cited["joshi2025_hmp"].read.startswith("a report of it, not the source itself")


# Assumptions


def test_every_field_of_the_specification_is_told_once(card: ModelCard) -> None:
    told = [each.field for each in card.assumptions.priors] + [each.field for each in card.assumptions.choices]
    conditions = tomllib.loads((data_folder() / "assumptions.toml").read_text(encoding="utf-8"))["condition"]
    told += [field for each in conditions for field in each["fields"]]
    assert sorted(told) == sorted(Spec.model_fields)
    named = {fact for each in card.assumptions.priors for fact in each.facts}
    assert named == set(PRIOR_FACTS)


def test_priors_say_what_scipy_says(card: ModelCard) -> None:
    """Means and 95 % ranges in words, from scipy's distributions with the specification's values."""
    spec = load_model().spec
    prior = {each.field: each for each in card.assumptions.priors}
    for field in ("liver_prevalence", "diabetes_prevalence", "cvd_prevalence"):
        a, b = getattr(spec, field)
        dist = stats.beta(a, b)
        assert prior[field].prior == f"Beta({a:g}, {b:g})"
        assert prior[field].meaning == f"mean {100 * dist.mean():.0f} %, sd {100 * dist.std():.0f} points"
    low, high = stats.lognorm(spec.ldh_mean[1] * log(2), scale=2 ** spec.ldh_mean[0]).ppf([0.025, 0.975])
    assert prior["ldh_mean"].meaning == f"{2 ** spec.ldh_mean[0]:.2f} × the limit ({low:.2f} to {high:.2f})"
    for field in ("grade2_given_any", "grade3_given_grade2"):
        centre, sd = getattr(spec, field)
        limits = 1 / (1 + 1 / (centre / (1 - centre) * stats.lognorm(sd).ppf([0.025, 0.975])))
        shown = [float(number) for number in re.findall(r"\d+", prior[field].meaning)]
        assert shown == pytest.approx([100 * centre, *(100 * limits)], abs=0.5)
    factors = ", ".join(f"{exp(stats.norm.ppf(0.975) * tau):.0f}" for tau in spec.tau_crs)
    assert factors in prior["tau_crs"].meaning
    assert ", ".join(f"{tau:g}" for tau in spec.tau_icans) in prior["tau_icans"].prior


def test_another_specification_gives_another_card() -> None:
    """Nothing of the assumptions is typed: change the model's specification and the card follows."""
    model = load_model()
    changed = model.spec.model_copy(update={"liver_prevalence": (3.0, 1.0), "lr_threshold": 2.5, "ldh_sd": (1.0, 2.0)})
    content = type(model.content)(changed, 7, model.content.crs, model.content.icans, model.content.diagnostics)
    other = build_card("x", type(model)(model.version, content, model.facts_sha256, {}))
    prior = {each.field: each for each in other.assumptions.priors}
    assert prior["liver_prevalence"].prior == "Beta(3, 1)"
    assert prior["liver_prevalence"].meaning.startswith("mean 75 %")
    assert prior["ldh_sd"].meaning.endswith("2.0 to 4.0")
    assert any("at least 2.5" in each.text for each in other.assumptions.conditions)
    assert other.identity.seed == 7


# Build, size, study


def test_build_findings_are_the_artefacts(card: ModelCard) -> None:
    diagnostics: Any = load_model().description["diagnostics"]
    for pool, summary in zip(("crs", "icans"), card.build.pools, strict=True):
        assert summary.draws == diagnostics[pool]["draws"] == len(load_model().draws(pool).weight)  # type: ignore[arg-type]
        assert summary.effective_size == diagnostics[pool]["effective_size"]
    strata = [each for pool in ("crs", "icans") for each in diagnostics[pool]["strata"]]
    assert len(strata) == len(card.build.strata) == 9
    for shown, origin in zip(card.build.strata, strata, strict=True):
        for name in (
            "tau",
            "simulated",
            "probability_of_facts",
            "standard_error",
            "effective_size",
            "share_within_tau",
        ):
            assert getattr(shown, name) == origin[name]
        # Every condition, rarer from one to the next, the last being all the facts.
        reached = [each.probability for each in shown.reached]
        assert sorted(reached) == sorted(origin["probability"].values())
        assert reached == sorted(reached, reverse=True)
        assert reached[-1] == pytest.approx(origin["probability_of_facts"])
    expected = {
        (pool, name): each for pool in ("crs", "icans") for name, each in diagnostics[pool]["parameters"].items()
    }
    assert {(each.outcome.lower(), each.name) for each in card.build.parameters} == expected.keys()
    for parameter in card.build.parameters:
        origin = expected[parameter.outcome.lower(), parameter.name]
        for summary, kind in ((parameter.prior, "prior"), (parameter.posterior, "posterior")):
            assert summary == tuple(origin[kind][name] for name in ("median", "low", "high"))
    assert len({each.label for each in card.build.parameters if each.outcome == "CRS"}) == 15  # none told twice


def test_size_of_the_study(card: ModelCard, text: str) -> None:
    """383 for CRS whatever the number of predictors, as published criteria give; the heuristic turns negative at 4."""
    rows = {(row.outcome, row.parameters): row for row in card.sample_size.rows}
    assert len(rows) == 6
    assert {row.needed for (outcome, _), row in rows.items() if outcome.startswith("CRS")} == {383}
    assert rows["ICANS, any grade", 2].needed == 275
    assert rows["CRS, any grade", 4].heuristic_shrinkage < 0 < rows["CRS, any grade", 2].heuristic_shrinkage
    assert "at least 383" in " ".join(card.risks)
    assert "| CRS, any grade | 4 | 0.112 | 301 | 99 | **383** | 0.49 | -0.12: none |" in text


def test_performance_is_the_studys(card: ModelCard) -> None:
    """Row by row against the committed file, read as plain JSON."""
    study = study_json("evidence_study.json")
    expected = {
        (scenario["id"], row["outcome"], row["centre"], row["method"]): row["measures"]
        for scenario in study["scenarios"]
        for row in scenario["performance"]
        if row["coding"] in ("both", "none")
    }
    shown = {(row.truth_id, row.outcome.value, row.centre, row.method): row for row in card.performance.results}
    assert shown.keys() == expected.keys()
    assert len(shown) == len(card.performance.results)
    for key, measures in expected.items():
        for name in ("intercept", "slope", "mean_difference", "coverage", "width", "brier", "brier_excess_over_engine"):
            assert getattr(shown[key], name).model_dump() == measures[name], (key, name)
    assert [each.pvalue for each in card.performance.ranks] == [each["pvalue"] for each in study["ranks"]]
    assert card.performance.outside_risk == study["external"]["risk"]
    assert {truth.id for truth in card.performance.truths} >= {"own_prior", "half_null", "tau_0.5"}


def test_sensitivity_is_the_studys(card: ModelCard) -> None:
    found = study_json("sensitivity.json")
    assert [each.id for each in card.sensitivity.changes] == [each["id"] for each in found["variants"]]
    for shown, origin in zip(card.sensitivity.changes, found["variants"], strict=True):
        for move, expected in zip(shown.moves, origin["moves"], strict=True):
            for name in ("outcome", "largest_risk", "mean_risk", "largest_limit", "mean_shift"):
                assert getattr(move, name) == expected[name]


def test_study_and_sensitivity_were_made_with_this_model(card: ModelCard) -> None:
    """Otherwise the card would say so; what ships must agree."""
    assert card.performance.same_model
    assert card.sensitivity.same_model
    assert card.performance.model_sha256 == card.sensitivity.model_sha256 == card.identity.sha256


# Lists


def test_all_source_attributes_in_order(card: ModelCard) -> None:
    assert [each.number for each in card.source_attributes.attributes] == list(range(1, 32))
    status = {each.number: each.status for each in card.source_attributes.attributes}
    # What nobody has measured or published is not to pass for known.
    assert {number for number, value in status.items() if value == "unknown"} >= {1, 2, 11, 13, 21, 22, 23, 24, 27, 29}
    validation = {each.number: each.text for each in card.source_attributes.attributes if each.number in range(17, 21)}
    assert all("o external validation" in words for words in validation.values())


def test_all_items_of_tripod_ai_in_order(card: ModelCard) -> None:
    expected = []
    for number in range(1, 28):
        last = LETTERS.get(number)
        letters = [chr(code) for code in range(ord("a"), ord(last) + 1)] if last else [""]
        expected += [f"{number}{letter}" for letter in letters]
    assert len(expected) == 52
    assert [each.id for each in card.tripod_ai.items] == expected


def headings(path: Path) -> set[str]:
    return {match[1].strip() for match in re.finditer(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)}


def test_every_named_place_exists(card: ModelCard) -> None:
    """A file, and if one is named a heading in it, word for word; in the card itself as in any other file."""
    places = {place for item in card.tripod_ai.items for place in item.places}
    assert len(places) > 15
    for place in places:
        file, _, heading = place.partition("#")
        assert (REPOSITORY / file).is_file(), place
        if heading:
            assert heading in headings(REPOSITORY / file), place


def test_files_and_sections_named_in_sentences_exist(card: ModelCard, text: str) -> None:
    for file in re.findall(r"\b(?:docs|knowledge)/[a-z_/-]+\.[a-z]+\b|\b[A-Z]+\.md\b", text):
        assert (REPOSITORY / file).is_file(), file
    own = {match[1].strip() for match in re.finditer(r"^#+ (.+)$", text, re.MULTILINE)}
    for section in re.findall(r"[Ss]ee \*([^*]+)\*(?: and \*([^*]+)\*)?", text):
        assert {name for name in section if name} <= own
    assert card.fairness[0].startswith("No fairness analysis has been done")


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "complaint"),
    [
        ("attributes.toml", r"\[\[attribute\]\]\nnumber = 17\n.*?(?=\[\[)", "", "missing: 17"),
        ("attributes.toml", r"number = 17\n", "number = 16\n", "missing: 17"),
        ("attributes.toml", r"number = 31\n", "number = 32\n", "missing: 31"),
        ("attributes.toml", r'status = "unknown"', 'status = "fine"', "status"),
        ("attributes.toml", r"\{study_n\}", "{study_m}", "no figure is called 'study_m'"),
        ("tripod_ai.toml", r'\[\[item\]\]\nid = "12g"\n.*?(?=\[\[)', "", "missing: 12g"),
        ("tripod_ai.toml", r'places = \["docs/model-card.md#Use"\]\n', "", "no place is named"),
        ("tripod_ai.toml", r'text = "Not looked into."\n', "", "no reason is given"),
        ("assumptions.toml", r'\[\[prior\]\]\nfield = "cvd_prevalence"\n.*?(?=\[\[)', "", "missing: cvd_prevalence"),
        ("assumptions.toml", r'field = "ldh_sd"', 'field = "ldh_mean"', "missing: ldh_sd"),
        ("assumptions.toml", r'form = "log2_sd"', 'form = "gamma"', "no form is called 'gamma'"),
        (
            "assumptions.toml",
            r"by_value\.true = .The published",
            'by_value.no = "The',
            "no text for 'true'",
        ),
        ("card.toml", r"^summary = .*?^\]\n", "", "summary"),
        ("card.toml", r"^fairness = ", "fair_ness = ", "fair"),
        ("card.toml", r"\A", "[[", "cannot be read"),
    ],
)
def test_incomplete_texts_are_refused(texts: Path, name: str, pattern: str, replacement: str, complaint: str) -> None:
    file = texts / name
    before = file.read_text(encoding="utf-8")
    after = re.sub(pattern, replacement, before, count=1, flags=re.DOTALL | re.MULTILINE)
    assert after != before
    file.write_text(after, encoding="utf-8")
    with pytest.raises(CardError, match=complaint):
        build_card("x", folder=texts)


def test_no_figure_is_typed_into_the_texts() -> None:
    """Digits in the prose belong to names, grades or levels; figures of model and study come in by their names."""
    allowed = r"ECOG 0 or 1|[Gg]rades? [23]|95 %|log2|cycle 1 day 1|guo2026_calc"
    prose = tomllib.loads((data_folder() / "card.toml").read_text(encoding="utf-8"))
    for name in ("chai", "reference", "notes"):  # citations, and how measures are read (1 is right, ...)
        del prose[name]
    told = [prose]
    for name, key in (("attributes.toml", "attribute"), ("tripod_ai.toml", "item"), ("assumptions.toml", "condition")):
        told += tomllib.loads((data_folder() / name).read_text(encoding="utf-8"))[key]
    for words in strings(told):
        named = re.findall(r"\b(?:rf|inc|cov)\.[a-z0-9_.]+\b", words)
        assert all(each in load_evidence().facts or load_evidence().association(each) for each in named)
        left = re.sub(r"\{[a-z0-9_]+\}|\b(?:rf|inc|cov)\.[a-z0-9_.]+\b", "", words)
        left = re.sub(allowed, "", left)
        assert not re.search(r"\d", left), words


def strings(value: Any) -> list[str]:
    """Texts of nested data, without ids, places and the names of fields and facts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        skipped = ("id", "number", "places", "facts", "fields", "field")
        return [text for key, each in value.items() if key not in skipped for text in strings(each)]
    return [text for each in value for text in strings(each)] if isinstance(value, list) else []


# Rendering


def test_json_is_the_card_again_and_fits_its_schema(card: ModelCard) -> None:
    body = json_text(card)
    assert ModelCard.model_validate_json(body) == card
    jsonschema.validate(json.loads(body), ModelCard.model_json_schema())


def test_markdown_is_well_formed(text: str) -> None:
    """Every table has one width, one rule below its head and a heading above; no braces or None are left over."""
    assert text.startswith("# Model card: Tarla ")
    assert text.endswith("\n")
    assert not re.search(r"[{}]|\bnan\b|\binf\b", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = block.splitlines()
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(widths) == 1, lines[0]
        assert re.fullmatch(r"\|(-+:?\|)+", lines[1])
        assert len(lines) > 2, lines[0]
    assert "compliant" not in text
    assert not re.search(r"\b(meets|satisfies|fulfils) (the|all) (require|rule)", text)


def test_what_must_be_read_first_stands_first(text: str) -> None:
    first = text.partition("## Identity")[0]
    for words in ("never been validated on patients", "No fairness analysis", "news summary only", "not fitted to"):
        assert words in first


def test_a_pipe_in_a_cell_does_not_break_the_table() -> None:
    assert table(("a", ">b"), [("x|y", "1")]).splitlines() == ["| a | b |", "|---|---:|", "| x\\|y | 1 |"]


@pytest.mark.parametrize(
    ("value", "se", "shown"),
    [(0.9412, 0.003, "0.941 (0.003)"), (1.05, 0.2, "1.05 (0.20)"), (0.5, None, "0.50"), (None, None, "not defined"),
     (0.123456, 0.0000001, "0.1235 (0.0000)"), (-0.004, 0.0, "0.00 (0.00)")],
)  # fmt: skip
def test_a_figure_shows_as_many_decimals_as_its_error(value: float | None, se: float | None, shown: str) -> None:
    assert with_error(Figure(value=value, se=se)) == shown


@pytest.mark.parametrize(
    ("p", "shown"), [(4e-6, "1 in 250,000"), (0.5, "1 in 2"), (0.00024, "1 in 4,200"), (0.0, "none")]
)
def test_rare_facts_as_one_in_so_many(p: float, shown: str) -> None:
    assert tiny(p) == shown
