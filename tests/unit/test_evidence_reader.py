"""Evidence files that are not whole or not right are refused, with the place named."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.evidence import CentreTerm, EvidenceError, Fact, load_from
from tests.support.evidence_files import FACT, LINK, SOURCE, TERM, write_evidence


def test_small_folder_loads(tmp_path: Path) -> None:
    """The starting point of every refusal below is itself accepted."""
    evidence = load_from(write_evidence(tmp_path))
    assert isinstance(evidence.fact("inc.a"), Fact)
    assert evidence.fact("inc.a").rate == 0.1
    assert evidence.facts_on("incidence") == (evidence.fact("inc.a"),)
    assert evidence.facts_on("covariates") == ()
    assert evidence.association("rf.a").topic == "risk_factors"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "paper"', 'source = "rumour"', r"'inc\.a': unknown source 'rumour'"),
        ("events = 3", "events = 31", r"31 events among 30 patients"),
        ("events = 3", "derived = { events = 31, how = 'x' }", r"31 events among 30 patients"),
        ("events = 3", "events = -1", r"events: .*greater than or equal to 0"),
        ("events = 3", "events = 3.0", r"events: .*integer"),
        ("events = 3", "events = true", r"events: .*integer"),
        ("events = 3", "events = 4", r"percent 10% does not agree with 4 of 30"),
        ("events = 3", "derived = { events = 4, how = 'x' }", r"percent 10% does not agree with 4 of 30"),
        ("n = 30", "derived = { n = 40, how = 'x' }", r"percent 10% does not agree with 3 of 40"),
        ("n = 30", "n = 30\nderived = { percent = '11%', how = 'x' }", r"percent 11% does not agree with 3 of 30"),
        ('"10%"', '"10.1%"', r"percent 10\.1% does not agree"),
        ('"10%"', '"43% / 29%"', r"not a single percentage: '43% / 29%'"),
        ('"10%"', '"101%"', r"not a single percentage: '101%'"),
        ("n = 30", "n = 30\ndiscrepancy = 'misprint'", r"a discrepancy is described"),
        ("n = 30", "n = 30\nderived = { n = 30, how = 'x' }", r"n is both printed and derived"),
        ("n = 30", "n = 30\nderived = { how = 'x' }", r"derived: derived holds no figure"),
        ("n = 30", "n = 30\nderived = { value = '10%' }", r"derived\.?.*how: Field required"),
        ("n = 30", "n = 0", r"n: .*greater than or equal to 1"),
        ('events = 3\nn = 30\npercent = "10%"', "n = 30", r"neither events, percent nor value"),
        ("n = 30", "n = 30\nabsent = true", r"absent, yet it holds a figure"),
        ("n = 30", "n = 30\nseen_url = 'x'", r"seen_url: Extra inputs are not permitted"),
        ("n = 30", "n = 30\ntopic = 'incidence'", r"unknown key 'topic'"),
        ("n = 30", "n = 30\nvalue = nan", r"value"),
        ("n = 30\n", "", r"centre term, but without events and patients"),
        ("n = 30", "n = 30\nbased_on = ['inc.b']", r"based on unknown fact 'inc\.b'"),
        ("n = 30", "n = 30\nbased_on = ['inc.a']", r"based on unknown fact 'inc\.a'"),
        ('population = "adults"\n', "", r"population: Field required"),
        ('population = "adults"', 'population = ""', r"population: "),
        ('window = "after dose 1"\n', "", r"window: Field required"),
        ('window = "after dose 1"', 'window = " "', r"window: "),
        ('source = "paper"\n', "", r"source: Field required"),
        ('id = "inc.a"\n', "", r"'\(without id\)': id: Field required"),
    ],
)
def test_bad_fact_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FACT
    with pytest.raises(EvidenceError, match=rf"^incidence\.toml: fact .*{message}"):
        load_from(write_evidence(tmp_path, fact=FACT.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("absent = true\n", "", r"no effect, and not marked absent"),
        ("absent = true", "absent = true\neffect = 'OR 4'", r"effect marked absent, yet one is given"),
        ('"higher"', '"up"', r"direction: Input should be 'higher', 'lower', 'none' or 'unclear'"),
        ('window = "not stated"\n', "", r"window: Field required"),
        ('source = "paper"', 'source = "rumour"', r"unknown source 'rumour'"),
        ("absent = true", "absent = true\nevents = 5\nn = 4", r"5 events among 4 patients"),
        ("absent = true", "absent = true\nodds_ratio = 4", r"odds_ratio: Extra inputs"),
        ('"rf.a"', '"inc.a"', r"id occurs twice"),
    ],
)
def test_bad_association_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in LINK
    with pytest.raises(EvidenceError, match=rf"^risk_factors\.toml: association .*{message}"):
        load_from(write_evidence(tmp_path, link=LINK.replace(old, new)))


def test_ids_are_unique(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"incidence\.toml: fact 'inc\.a': id occurs twice"):
        load_from(write_evidence(tmp_path, extra="[[fact]]" + FACT))
    with pytest.raises(EvidenceError, match=r"sources\.toml: source 'paper': id occurs twice"):
        load_from(write_evidence(tmp_path, source=SOURCE + "[[source]]" + SOURCE))
    folder = write_evidence(tmp_path)
    (folder / "covariates.toml").write_text("[[fact]]" + FACT, encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"covariates\.toml: fact 'inc\.a': id occurs twice"):
        load_from(folder)


@pytest.mark.parametrize("compiled", ["'last week'", "2026-11-22", "'2026-11'", "'2026-11-2२'", "''"])
def test_compiled_must_be_a_date_text(tmp_path: Path, compiled: str) -> None:
    with pytest.raises(EvidenceError, match=r"sources\.toml: compiled must be a date"):
        load_from(write_evidence(tmp_path, compiled=compiled))


def test_files_are_all_there_and_no_others(tmp_path: Path) -> None:
    folder = write_evidence(tmp_path)
    (folder / "rumours.toml").write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"rumours\.toml: not a file of the evidence"):
        load_from(folder)
    (folder / "rumours.toml").unlink()
    (folder / "covariates.toml").unlink()
    with pytest.raises(EvidenceError, match=r"covariates\.toml: cannot be read"):
        load_from(folder)
    (folder / "sources.toml").unlink()
    with pytest.raises(EvidenceError, match=r"sources\.toml: cannot be read"):
        load_from(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fact", "cannot be read"),
        ("[[facts]]", "unknown key 'facts'"),
        ("[fact]\nid = 'x'", "must be an array of tables"),
        ("fact = [1]", "must be an array of tables"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    folder = write_evidence(tmp_path)
    (folder / "prophylaxis.toml").write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError, match=rf"prophylaxis\.toml: .*{message}"):
        load_from(folder)


@pytest.mark.parametrize(
    ("fact", "extra", "message"),
    [
        (None, "", r"'inc\.a' does not say whether it informs the centre term"),
        ("", "[[left_out]]\nreason = 'x'\nfacts = ['inc.a']", r"'inc\.a' already says"),
        (None, "[[left_out]]\nreason = 'x'\nfacts = ['inc.a', 'inc.a']", r"'inc\.a' already says"),
        (None, "[[left_out]]\nreason = 'x'\nfacts = ['inc.b']", r"unknown fact 'inc\.b'"),
        (None, "[[left_out]]\nreason = 'x'\nfacts = []", r"left_out: facts: "),
        (None, "[[left_out]]\nfacts = ['inc.a']", r"left_out: reason: Field required"),
        (None, "[[left_out]]\nreason = 'x'\nuse = true\nfacts = ['inc.a']", r"left_out: use: Extra inputs"),
        ("crs_any -> male_sex", "", r"'inc\.a' is no rate of CRS or ICANS"),
    ],
)
def test_a_rate_without_one_clear_word_on_the_centre_term_is_refused(
    tmp_path: Path, fact: str | None, extra: str, message: str
) -> None:
    text = FACT.replace(TERM, "") if fact is None else FACT.replace(*(fact.split(" -> ") if fact else ("", "")))
    with pytest.raises(EvidenceError, match=message):
        load_from(write_evidence(tmp_path, fact=text, extra=extra))


def test_rates_may_share_the_reason_why_they_are_left_out(tmp_path: Path) -> None:
    shared = "[[left_out]]\nreason = 'x'\nfacts = ['inc.a']"
    evidence = load_from(write_evidence(tmp_path, fact=FACT.replace(TERM, ""), extra=shared))
    assert evidence.centre_terms["inc.a"] == CentreTerm(use=False, reason="x")
    # The reason stands outside the record, so the hash that binds a model to its facts is the same.
    assert evidence.fact("inc.a").centre_term is None


def test_hash_changes_with_any_figure_of_the_fact_and_no_other(tmp_path: Path) -> None:
    before = load_from(write_evidence(tmp_path)).facts_hash(["inc.a"])
    other_figure = FACT.replace("events = 3", "events = 4").replace("10%", "13%")
    assert load_from(write_evidence(tmp_path, fact=other_figure)).facts_hash(["inc.a"]) != before
    other_fact = "[[fact]]" + FACT.replace("inc.a", "inc.b")
    assert load_from(write_evidence(tmp_path, extra=other_fact)).facts_hash(["inc.a"]) == before
