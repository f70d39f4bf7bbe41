"""What one may ask the evidence about, the conflicts and the gaps: complete, and no figure without a record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledge.comparators import shown_ids
from knowledge.evidence import Association, Conflict, Evidence, EvidenceError, load, load_from
from knowledge.exact import clopper_pearson, fisher_exact
from knowledge.label import Monitoring
from knowledge.label import load as load_label
from tests.support.evidence_files import CONFLICTS, SUBJECTS, write_evidence

# Years, numbers of trials, grades, doses and the name of a cohort: no figures of a record.
NO_FIGURES = {2014, 2019, 2025, 2026, 300, 301, 304, 1, 2, 3, 102}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load()


# Subjects


def test_every_record_has_a_subject_and_every_subject_a_record(evidence: Evidence) -> None:
    placed: set[str] = set()
    for name in evidence.subjects:
        records = evidence.on(name)
        assert records, name
        placed |= {record.id for record in records}
        assert [record.id for record in records] == [each.id for each in evidence if name in evidence.subjects_of(each)]
    assert placed == {record.id for record in evidence}
    with pytest.raises(KeyError, match="weather"):
        evidence.on("weather")


def test_the_subjects_asked_for_are_there(evidence: Evidence) -> None:
    assert evidence.subjects.keys() >= {
        *("crs", "icans", "ldh", "liver", "diabetes", "cvd", "tocilizumab", "steroids", "onset", "real_world"),
        *("brain", "sex", "age", "monitoring", "trials", "founding_study"),
    }


@pytest.mark.parametrize(
    ("subject", "inside", "outside"),
    [
        ("crs", "inc.joshi.crs_any rf.joshi.ldh.crs inc.label473.crs_toci rf.guo.sex.crs_g2", "inc.joshi.icans_any"),
        ("icans", "inc.joshi.icans_any rf.joshi.cvd.icans inc.label473.neurotox_any", "inc.joshi.crs_any"),
        ("severity", "inc.joshi.crs_g3plus inc.d304.crs_serious inc.d300F.grading", "inc.d304.fatal_ar cov.age.d304"),
        ("onset", "inc.eu473.crs_onset inc.eu473.crs_after_dose2 inc.label473.icans_resolution", "inc.eu473.crs_any"),
        ("ldh", "rf.joshi.ldh.crs rf.guo.ldh.icans cov.ref.uci cov.unit.factor", "rf.joshi.liver.crs"),
        ("liver", "rf.joshi.liver.crs rf.multi102.liver.crs cov.liver.d304 pro.concern.lft", "rf.guo.other6.crs_g2"),
        ("diabetes", "rf.joshi.diabetes.icans cov.dm.spain pro.concern.diabetes", "rf.joshi.cvd.icans"),
        ("cvd", "rf.joshi.cvd.icans rf.class.friedman.cerebrovasc cov.hf.spain", "rf.joshi.diabetes.icans"),
        ("brain", "rf.uva.brain.icans rf.multi102.cns.icans cov.brain.d304", "rf.joshi.liver.crs"),
        ("sex", "rf.multi102.female.crs rf.guo.sex.crs_g2", "rf.guo.ecog.icans"),
        ("age", "rf.guo.age.icans inc.joshi.age", "inc.wclc25.steroids rf.guo.ldh.icans"),
        (
            "tocilizumab",
            "pro.joshi.compare inc.joshi.toci_crs inc.label473.crs_toci",
            "inc.joshi.crs_any pro.label.steroid",
        ),
        ("steroids", "pro.label.steroid inc.label473.crs_steroids pro.cart.c6", "pro.joshi.with"),
        ("real_world", "inc.multi102.crs_dose1 inc.joshi.crs_any inc.winship.admit", "inc.eu473.crs_any"),
        ("trials", "inc.eu473.crs_any inc.d304.icans_any", "inc.joshi.crs_any"),
        ("class", "rf.class.friedman.toci pro.class.emory", "inc.joshi.toci_crs"),
    ],
)
def test_subject_holds_what_belongs_to_it(evidence: Evidence, subject: str, inside: str, outside: str) -> None:
    found = {record.id for record in evidence.on(subject)}
    assert found >= set(inside.split())
    assert not found & set(outside.split())


def test_a_subject_shows_what_contradicts_too(evidence: Evidence) -> None:
    directions = {link.direction for link in evidence.on("sex") if isinstance(link, Association)}
    assert {"higher", "none"} <= directions
    assert {link.id for link in evidence.on("brain")} >= {"rf.multi102.cns.icans", "rf.uva.brain.icans"}


# Conflicts and gaps


def test_conflicts_and_gaps_are_all_there(evidence: Evidence) -> None:
    assert len(evidence.conflicts) == 17
    assert len(evidence.gaps) == 7
    assert evidence.order_of_trust.startswith("Label text first")
    assert [each.id for each in evidence.conflicts_on("sex")] == ["con.sex"]
    assert "con.icans_definition" in {each.id for each in evidence.conflicts_on("icans")}
    assert "con.tocilizumab_icans" in {each.id for each in evidence.conflicts_on("tocilizumab")}
    assert {each.id for each in evidence.gaps_on("monitoring")} == {"gap.us_label_2026"}
    assert [each.id for each in evidence.conflicts_about("inc.wclc25.readmit")] == ["con.readmission25"]
    assert "con.monitoring" in {each.id for each in evidence.conflicts_about("news_label_update_2026_09")}
    assert evidence.conflicts_about("cov.ref.mayo") == ()
    for ask in (evidence.conflicts_on, evidence.gaps_on):
        with pytest.raises(KeyError, match="weather"):
            ask("weather")


def test_a_gap_names_no_record_with_the_figure_it_misses(evidence: Evidence) -> None:
    absent = {name for gap in evidence.gaps.values() for name in gap.facts if evidence.facts[name].absent}
    assert absent >= {"rf.joshi.odds_ratios", "pro.tarla.other", "cov.ldh.tarlatamab", "inc.uva.crs_any"}


def _numbers(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}


def test_every_figure_that_a_conflict_concerns_leads_to_it(evidence: Evidence) -> None:
    """Above all a rate of ICANS beside an estimate never stands without the word that it depends on the definition."""
    rates = [evidence.facts[name] for name in shown_ids() if name in evidence.facts]
    icans = {each.id for each in rates if each.endpoint.startswith("icans_") and not each.absent}
    assert icans >= {
        "inc.label473.icans_c1d1",
        "inc.multi102.icans_any",
        "inc.joshi.icans_g3plus",
        "inc.wclc25.icans_g3",
    }
    assert icans <= set(evidence.conflicts["con.icans_definition"].facts)
    for name, conflict in (
        ("inc.multi102.icans_any", "con.multi102"),
        ("rf.pan.active_brain", "con.brain"),
        ("inc.d300F.crs_serious_out", "con.grading_scale"),
        ("inc.d300F.crs_serious_in", "con.grading_scale"),
    ):
        assert conflict in {each.id for each in evidence.conflicts_about(name)}, name


def test_every_number_of_a_conflict_stands_in_its_records_or_working(evidence: Evidence) -> None:
    """No figure without a record; hours of monitoring are those of the labels' own records."""
    labels = ("lab.us.monitor.c1d1_d8", "lab.eu.monitor")
    entries = [entry for entry in load_label() if isinstance(entry, Monitoring) and entry.id in labels]
    assert len(entries) == len(labels)
    hours = {"con.monitoring": {float(hour) for entry in entries for hour in entry.hours}}
    for conflict in evidence.conflicts.values():
        known = _numbers(conflict.working or "") | hours.get(conflict.id, set()) | NO_FIGURES
        for name in conflict.facts:
            known |= _numbers((evidence.facts.get(name) or evidence.association(name)).model_dump_json())
        assert _numbers(f"{conflict.statement} {conflict.trust}") <= known, conflict.id


def test_the_working_of_conflicts_is_right(evidence: Evidence) -> None:
    working = {each.id: each.working for each in evidence.conflicts.values() if each.working}
    lower, upper = clopper_pearson(3, 30)
    assert f"{100 * lower:.1f} to {100 * upper:.1f} %" in working.pop("con.crs_real_world")
    assert f"is {0.24 * 268:.1f}, and 64.3 of 473 is {100 * 64.3 / 473:.1f} %" in working.pop("con.crs_grade2_by_dose")
    assert (159 + 96, 159 + 50 + 96, f"{100 * 255 / 643:.1f}") == (255, 305, "39.7")
    assert "159 + 96 = 255" in working.pop("con.trinetx")
    assert (round(0.59 * 102), 102 - 60) == (60, 42)
    assert "leaves 42" in working.pop("con.multi102")
    assert working.pop("con.readmission25") == f"5 of 25 is {100 * 5 // 25} %; 5 of 20 is {100 * 5 // 20} %"
    assert not working
    assert f"p = {fisher_exact(7, 23, 0, 10):.2f}" in evidence.conflicts["con.tocilizumab_icans"].statement


def test_every_source_is_cited_by_something(evidence: Evidence) -> None:
    cited = {record.source for record in evidence}
    for remark in (*evidence.conflicts.values(), *evidence.gaps.values()):
        cited |= set(remark.sources)
    for entry in load_label():
        cited.add(entry.source)
        fields = entry.model_dump()
        cited |= {*fields.get("cross_check", ()), fields.get("grade5_source", entry.source)}
    assert set(evidence.sources) - cited == set()
    assert len(evidence.sources) == 82


# Files that are refused


def test_small_folder_has_its_conflict_and_gap(tmp_path: Path) -> None:
    evidence = load_from(write_evidence(tmp_path))
    assert [each.id for each in evidence.conflicts_on("crs")] == ["con.a"]
    assert isinstance(evidence.conflicts["con.a"], Conflict)
    assert [each.id for each in evidence.gaps_on("all")] == ["gap.a"]
    assert [record.id for record in evidence.on("all")] == ["inc.a", "rf.a"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('order_of_trust = "labels first"', "", r"order_of_trust must be a text"),
        ('subjects = ["crs"]', 'subjects = ["weather"]', r"conflict 'con\.a': unknown subject 'weather'"),
        ('facts = ["inc.a", "rf.a"]', 'facts = ["inc.b"]', r"conflict 'con\.a': unknown fact 'inc\.b'"),
        ('facts = ["inc.a", "rf.a"]', 'facts = ["inc.a", "inc.a"]', r"conflict 'con\.a': facts names one twice"),
        ('trust = "Neither."\n', "", r"conflict 'con\.a': trust: Field required"),
        ('"con.a"', '"a"', r"conflict 'a': id: "),
        ('subjects = ["all"]', "subjects = []", r"gap 'gap\.a': subjects: "),
        ('not seen."\nsources = ["paper"]', 'not seen."\nsources = ["book"]', r"gap 'gap\.a': unknown source 'book'"),
        ('not seen."\nsources = ["paper"]', 'not seen."', r"gap 'gap\.a': names neither facts nor sources"),
        ("[[gap]]", "[[gaps]]", r"unknown key 'gaps'"),
    ],
)
def test_bad_conflict_or_gap_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CONFLICTS
    with pytest.raises(EvidenceError, match=rf"^conflicts\.toml: {message}"):
        load_from(write_evidence(tmp_path, conflicts=CONFLICTS.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'endpoints = ["crs"]\n\n[[subject]]\nid = "all"\ntitle = "All"\nids = ["."]',
            'ids = ["^inc"]\n\n[[subject]]\nid = "all"\ntitle = "All"\nids = ["^inc"]',
            r"'rf\.a' belongs to no subject",
        ),
        ('endpoints = ["crs"]', 'endpoints = ["icans"]', r"subject 'crs': no record belongs to it"),
        ('ids = ["."]', 'ids = ["("]', r"subject 'all': ids: not a regular expression: '\('"),
        ('ids = ["."]\n', "", r"subject 'all': no pattern says what belongs to it"),
        ('id = "all"', 'id = "crs"', r"subject 'crs': id occurs twice"),
        ('id = "all"', 'id = "All"', r"subject 'All': id: "),
    ],
)
def test_bad_subject_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SUBJECTS
    with pytest.raises(EvidenceError, match=rf"^subjects\.toml: {message}"):
        load_from(write_evidence(tmp_path, subjects=SUBJECTS.replace(old, new), conflicts=CONFLICTS))
