"""The label data: what ships is whole, and files that are not are refused with the place named."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.evidence import load as load_evidence
from knowledge.evidence.days import add_months
from knowledge.evidence.marks import REVIEW_MONTHS
from knowledge.label import (
    HoldDifferences,
    Holds,
    Label,
    LabelError,
    Management,
    Monitoring,
    Schedule,
    Statement,
    Version,
    load,
    load_from,
)

DATA = files("knowledge") / "data" / "label"

IDS = frozenset(
    {
        *(
            "lab.us.version",
            "lab.eu.version",
            "toc.us.version",
            "toc.eu.version",
            "grd.version",
            "lab.us.update_2026_09",
        ),
        *("lab.us.indication", "lab.eu.indication", "lab.us.scope_note", "lab.us.boxed", "lab.us.contra"),
        *("lab.eu.contra", "lab.us.schedule", "lab.us.premed", "lab.eu.premed", "lab.us.monitor.c1d1_d8"),
        *("lab.us.monitor.c1d15", "lab.us.monitor.c3_4", "lab.us.monitor.c5", "lab.eu.monitor", "lab.us.labs"),
        *("lab.us.restart", "lab.us.crs", "lab.eu.crs", "lab.us.icans", "lab.eu.icans", "lab.us.other_holds"),
        *("lab.eu.other_holds", "lab.us.cyp", "lab.us.driving", "lab.us.pk"),
        *("grd.crs.astct2019", "grd.ice", "grd.icans.astct2019", "grd.original"),
        *(
            "toc.ind.us",
            "toc.ind.eu",
            "toc.ind.tarla_label",
            "toc.dose.us",
            "toc.dose.eu",
            "toc.dose.asco",
            "toc.volume",
        ),
        *("toc.prophylaxis.emory", "toc.prophylaxis.class", "toc.prophylaxis.tarla", "toc.boxed", "toc.contra.us"),
        *("toc.contra.eu", "toc.warn.infection", "toc.warn.gi", "toc.warn.liver", "toc.warn.blood"),
        *("toc.warn.crs_labs", "toc.warn.hypersensitivity", "toc.warn.demyelination", "toc.warn.lipids"),
        *("toc.warn.diabetes", "toc.warn.tb", "toc.int.cyp", "toc.int.vaccines", "toc.int.biologics"),
        *("toc.int.tarla_cyp", "toc.bio.tofidence", "toc.bio.eu", "toc.bio.us_other"),
    }
)


@pytest.fixture(scope="module")
def label() -> Label:
    return load()


def test_every_record_is_there_and_no_other(label: Label) -> None:
    assert set(label.records) == IDS
    assert [record.id for record in label] == list(label.records)
    assert label.record("lab.compiled") is label.compiled
    with pytest.raises(KeyError):
        label.record("lab.us.none")


def test_every_source_exists_and_labels_are_read_as_labels(label: Label) -> None:
    evidence = load_evidence()
    for record in label:
        for source in record.sources:
            assert source in evidence.sources
    for version in label.all(Version):
        if version.region in ("us", "eu"):
            assert evidence.source(version.source).seen == "label_text"


def test_versions_are_those_read(label: Label) -> None:
    us, eu = label.get(Version, "lab.us.version"), label.get(Version, "lab.eu.version")
    assert (us.date, us.number, us.superseded_by) == ("2025-11-19", 5, "lab.us.update_2026_09")
    assert (eu.date, eu.number, eu.superseded_by) == ("2026", None, None)
    assert "day not seen" in eu.date_says
    assert label.get(Version, "toc.us.version").date == "not printed"


def test_facts_count_as_old_after_their_review_day(label: Label) -> None:
    """As the evidence does: six months, the day itself not being past."""
    assert (label.compiled.date, label.compiled.review_by) == ("2026-11-22", "2027-05-22")
    assert label.compiled.review_by == add_months(label.compiled.date, REVIEW_MONTHS)
    assert not label.is_old("2027-05-22")
    assert label.is_old("2027-05-23")


def test_absent_is_said_where_something_was_not_read(label: Label) -> None:
    absent = {record.id for record in label.all(Statement) if record.absent}
    assert absent == {"toc.prophylaxis.tarla", "toc.bio.us_other"}


def test_the_schedule_by_day(label: Label) -> None:
    schedule = label.get(Schedule, "lab.us.schedule")
    doses = {(cycle, day): schedule.dose_mg(cycle, day) for cycle in (1, 2, 7) for day in (1, 8, 15, 22)}
    assert doses == {
        (1, 1): 1,
        (1, 8): 10,
        (1, 15): 10,
        (1, 22): None,
        (2, 1): 10,
        (2, 8): None,
        (2, 15): 10,
        (2, 22): None,
        (7, 1): 10,
        (7, 8): None,
        (7, 15): 10,
        (7, 22): None,
    }


def test_every_scheduled_dose_has_one_us_row_of_monitoring(label: Label) -> None:
    schedule = label.get(Schedule, "lab.us.schedule")
    for cycle in range(1, 12):
        for day in range(1, 29):
            rows = [row for row in label.all(Monitoring) if row.region == "us" and row.covers(cycle, day)]
            assert len(rows) == (schedule.dose_mg(cycle, day) is not None), (cycle, day)


def test_every_us_row_but_the_first_has_the_footnote(label: Label) -> None:
    footnotes = {row.id: row.footnote for row in label.all(Monitoring) if row.region == "us"}
    assert footnotes.pop("lab.us.monitor.c1d1_d8") is None
    assert len(set(footnotes.values())) == 1
    assert None not in footnotes.values()


def test_both_toxicities_have_four_grades(label: Label) -> None:
    for management in label.all(Management):
        assert [row.grade for row in management.grades] == [1, 2, 3, 4]
        assert [row.grade for row in management.grades if row.next_dose_monitoring] == [2, 3]
        assert [row.grade for row in management.grades if row.stops] == [4]
        with pytest.raises(KeyError):
            management.grade(5)


def test_holds_have_their_own_keys_and_eu_differences_name_them(label: Label) -> None:
    holds = label.get(Holds, "lab.us.other_holds")
    keys = [item.key for item in holds.items]
    assert len(set(keys)) == len(keys) == 7
    differences = label.get(HoldDifferences, "lab.eu.other_holds")
    assert {key for each in differences.items for key in each.keys} <= set(keys)
    assert (holds.sources, differences.sources) == (("uspi_imdelltra_2025_11",), ("smpc_imdylltra_eu_2026",))


def _drop(name: str, old: str, new: str = "") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "grading.toml").unlink(), "grading.toml: cannot be read"),
        (lambda folder: (folder / "extra.toml").touch(), "extra.toml: not a file of the label"),
        (_drop("tarlatamab.toml", "volume_ml = 250\n"), "volume_ml: Field required"),
        (_drop("tarlatamab.toml", "volume_ml = 250", "volume_ml = 250\ncolour = 1"), "colour: Extra inputs"),
        (_drop("tarlatamab.toml", 'source = "uspi_imdelltra_2025_11"', 'source = "nobody"'), "unknown source 'nobody'"),
        (_drop("tarlatamab.toml", "[schedule]", "[[schedule]]"), "schedule must be written []"),
        (_drop("tarlatamab.toml", "last_mg = 1,", "last_mg = 2,"), "c1d1 and the schedule give different doses"),
        (_drop("tocilizumab.toml", "total_doses = 4", "total_doses = 5"), "do not add up to the total"),
        (_drop("tocilizumab.toml", "mg_per_ml = 20", "mg_per_ml = 25"), "mL/kg times mg/mL is not mg/kg"),
        (_drop("tocilizumab.toml", 'id = "toc.ind.eu"', 'id = "toc.ind.us"'), "'toc.ind.us' occurs twice"),
        (_drop("tocilizumab.toml", "[volume]", "[volum]"), "unknown key 'volum'"),
        (_drop("grading.toml", "low = 3,", "low = 4,"), "must cover every score once"),
        (_drop("grading.toml", "total = 10", "total = 11"), "do not add up to the total"),
        (
            _drop("grading.toml", 'vasopressor", grade = 2', 'vasopressor", grade = 3'),
            "one level a grade",
        ),
        (_drop("grading.toml", 'key = "low_flow"', 'key = "none"'), "key occurs twice"),
        (_drop("management.toml", "as_grade = 2", "as_grade = 3"), "build on that of a lower grade"),
        (_drop("management.toml", "stops = true", "stops = true\nnext_dose = 'x'"), "stopped for good"),
        (_drop("versions.toml", "[compiled]", "[other]"), "compiled"),
        (_drop("versions.toml", 'superseded_by = "lab.us.update', 'superseded_by = "lab.us.updated'), "unknown record"),
        (_drop("versions.toml", 'superseded_by = "lab.us.update_2026_09"\n'), "and not by both"),
    ],
)
def test_files_that_are_not_whole_are_refused(tmp_path: Path, change: Callable[[Path], None], said: str) -> None:
    for entry in DATA.iterdir():
        (tmp_path / entry.name).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_from(tmp_path).records == load().records
    change(tmp_path)
    with pytest.raises(LabelError) as error:
        load_from(tmp_path)
    assert said in str(error.value)
