"""``tarla study from-ledger``: what was recorded in Slack comes back as a cohort file, and nothing else does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.cohort.from_ledger import FromLedger
from handlers.outcome.record import PatientOutcome
from handlers.ports import Entry, Kind, Recorded
from handlers.records import computed_payload
from knowledge import PatientFactors, assess
from knowledge.cohort.file import read_cohort
from knowledge.cohort.record import CohortRow
from knowledge.factors import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, Presence, UpperLimit
from tests.support.outcomes import ASKER, RecordedCentre
from tests.support.pruned import prune_first
from tests.support.site_models import site_model

HIGH = PatientFactors(
    ldh=LdhMeasured(value=480.0, uln=UpperLimit(value=250.0)),
    liver_metastases=Presence.YES,
    diabetes=Presence.NO,
    cardiovascular_disease=Presence.YES,
)
LOW = PatientFactors(ldh=LdhMultiple(multiple=0.8), diabetes=Presence.YES)
SEEN = PatientOutcome(1, 0, Presence.NO, 8)
WORSE = PatientOutcome(2, None, Presence.YES, 15)
BACK = PatientOutcome(None, None, Presence.UNKNOWN, 8)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RecordedCentre]:
    with closing(RecordedCentre(tmp_path / "ledger.db")) as made:
        yield made


def run(tmp_path: Path, *options: str, out: str = "cohort.csv") -> Result:
    """The command, on the ledger of this folder."""
    environment = os.environ | {"TARLA_LEDGER": str(tmp_path / "ledger.db")}
    return CliRunner(env=environment).invoke(main, ["study", "from-ledger", "--out", str(tmp_path / out), *options])


def rows(tmp_path: Path, out: str = "cohort.csv") -> tuple[CohortRow, ...]:
    """What is in the file."""
    return read_cohort((tmp_path / out).read_bytes()).rows


def _row(factors: PatientFactors, outcome: PatientOutcome) -> CohortRow:
    """The patient, written out by hand."""
    return CohortRow(
        **{name: getattr(factors, name) for name in PatientFactors.model_fields},
        tocilizumab_prophylaxis=outcome.prophylaxis,
        crs_grade_dose1=outcome.crs_grade,
        icans_grade=outcome.icans_grade,
        follow_up_days=outcome.day - 1,
    )


def alter(path: Path, seq: int) -> None:
    """Change a payload behind the ledger's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER payload_no_update")
        connection.execute(
            "UPDATE payload SET body = replace(body, '\"version\":1', '\"version\":2') WHERE seq = ?", (seq,)
        )
        connection.execute(
            "CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload BEGIN\n"
            "  SELECT RAISE(ABORT, 'ledger: a payload is never changed');\nEND"
        )


def test_each_answer_with_an_outcome_is_a_patient(tmp_path: Path, centre: RecordedCentre) -> None:
    first, second = centre.answer(HIGH), centre.answer(LOW)
    centre.answer(PatientFactors())  # nothing is known of what became of this one
    centre.answer(HIGH, edits=first.seq, compared=True)
    centre.outcome(second, WORSE)
    centre.outcome(first, SEEN)
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert rows(tmp_path) == (_row(HIGH, SEEN), _row(LOW, WORSE))
    assert "2 patients written; CRS grade known in 2, ICANS grade in 1; prophylactic tocilizumab in 1." in done.stdout
    assert "3 answers for one patient are kept" in done.stdout
    text = (tmp_path / "cohort.csv").read_text()
    for secret in ("U0FELLOW01", "C0TUMOURBD", "T0TARLADEV", first.receipt, first.time, first.time[:10]):
        assert secret not in text
    checked = CliRunner().invoke(main, ["study", "check", str(tmp_path / "cohort.csv")])
    assert (checked.exit_code, "No problems" in checked.output) == (0, True), checked.output
    assert {row.dose_day for row in rows(tmp_path)} == {None}
    assert not any(row.simulated for row in rows(tmp_path))
    assert (tmp_path / "cohort.csv").stat().st_mode & 0o077 == 0


def test_the_last_outcome_counts_also_where_it_takes_one_back(tmp_path: Path, centre: RecordedCentre) -> None:
    first, second = centre.answer(HIGH), centre.answer(LOW)
    for outcome in (SEEN, PatientOutcome(0, 0, Presence.NO, 2), WORSE):
        centre.outcome(first, outcome)
    centre.outcome(second, SEEN)
    centre.outcome(second, BACK)
    done = run(tmp_path)
    assert rows(tmp_path) == (_row(HIGH, WORSE),)
    assert "3 outcomes had a later one in their place." in done.stdout
    assert "1 answers left out: their outcome was taken back." in done.stdout


def test_of_answers_edited_one_into_the_other_the_last_with_an_outcome_counts(
    tmp_path: Path, centre: RecordedCentre
) -> None:
    first = centre.answer(LOW)
    second = centre.answer(HIGH, edits=first.seq)
    third = centre.answer(PatientFactors(), edits=second.seq)
    centre.outcome(second, WORSE)
    centre.outcome(first, SEEN)
    done = run(tmp_path)
    assert rows(tmp_path) == (_row(HIGH, WORSE),)
    assert "1 answers left out: an edited answer of the same patient has an outcome too." in done.stdout
    assert "1 patients' findings were edited later" in done.stdout
    centre.outcome(third, SEEN)
    assert run(tmp_path, out="again.csv").exit_code == 0
    assert rows(tmp_path, "again.csv") == (_row(PatientFactors(), SEEN),)


def test_the_same_findings_twice_are_told(tmp_path: Path, centre: RecordedCentre) -> None:
    site = LdhMeasured(value=480.0, uln=UpperLimit(value=250.0), uln_from="site")
    for factors in (HIGH, HIGH.model_copy(update={"ldh": site}), LOW):
        centre.outcome(centre.answer(factors), SEEN)
    done = run(tmp_path)
    assert len(rows(tmp_path)) == 3
    assert "2 patients have the same findings as another. Nobody can tell" in done.stdout


def test_early_outcomes_are_kept_and_counted(tmp_path: Path, centre: RecordedCentre) -> None:
    for day in (1, 7, 8):
        centre.outcome(centre.answer(HIGH), PatientOutcome(0, 0, Presence.NO, day))
    assert "2 patients were looked at for less than 7 days" in run(tmp_path).stdout
    assert [row.follow_up_days for row in rows(tmp_path)] == [0, 6, 7]


@pytest.mark.parametrize("which", ["answer", "outcome", "other"])
def test_an_altered_row_is_named_and_nothing_is_made_of_it(tmp_path: Path, centre: RecordedCentre, which: str) -> None:
    answer, other, third = centre.answer(HIGH), centre.answer(LOW), centre.answer(PatientFactors())
    centre.outcome(answer, SEEN)
    last = centre.outcome(answer, WORSE)
    centre.outcome(third, SEEN)
    centre.close()
    seq = {"answer": answer, "outcome": last, "other": other}[which].seq
    alter(tmp_path / "ledger.db", seq)
    stopped = run(tmp_path)
    assert stopped.exit_code == 1
    assert f"event {seq} (payload_hash)" in stopped.stderr
    assert not (tmp_path / "cohort.csv").exists()
    done = run(tmp_path, "--all-the-same")
    assert done.exit_code == 1
    kept = (_row(HIGH, WORSE),) if which == "other" else ()
    # An altered last outcome does not bring the one before it back.
    assert rows(tmp_path) == (*kept, _row(PatientFactors(), SEEN))


def test_pruned_payloads_are_counted(tmp_path: Path, centre: RecordedCentre) -> None:
    old, kept = centre.answer(HIGH), centre.answer(LOW)
    centre.outcome(old, SEEN)
    centre.outcome(kept, SEEN)
    centre.close()
    path = tmp_path / "ledger.db"
    prune_first(path, 1)
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert rows(tmp_path) == (_row(LOW, SEEN),)
    assert "1 answers left out: outcome or findings are no longer kept." in done.stdout


def test_an_outcome_of_a_later_version_is_named_and_the_one_before_it_not_used(
    tmp_path: Path, centre: RecordedCentre
) -> None:
    answer, other = centre.answer(HIGH), centre.answer(LOW)
    centre.outcome(answer, SEEN)
    strange = centre.outcome(answer, WORSE, crs_grade="two")
    centre.outcome(other, SEEN)
    done = run(tmp_path)
    assert done.exit_code == 1
    assert f"event {strange.seq} (unreadable)" in done.stderr
    assert rows(tmp_path) == (_row(LOW, SEEN),)


def test_without_an_outcome_there_is_no_file(tmp_path: Path, centre: RecordedCentre) -> None:
    centre.answer(HIGH)
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "/tarla outcome" in done.stderr
    assert not (tmp_path / "cohort.csv").exists()


def test_files_are_not_written_over_and_the_ledger_never(tmp_path: Path, centre: RecordedCentre) -> None:
    centre.outcome(centre.answer(HIGH), SEEN)
    assert run(tmp_path).exit_code == 0
    again = run(tmp_path)
    assert again.exit_code == 2
    assert "--force writes over it" in again.stderr
    assert run(tmp_path, "--force").exit_code == 0
    before = (tmp_path / "ledger.db").read_bytes()
    assert run(tmp_path, "--force", out="ledger.db").exit_code == 2
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_without_a_ledger_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "TARLA_LEDGER" in done.stderr


grades = st.none() | st.integers(0, 5)
outcomes = st.builds(PatientOutcome, grades, grades, st.sampled_from(Presence), st.integers(1, 90))
ldh = (
    st.none()
    | st.builds(LdhMultiple, multiple=st.integers(10, 400).map(lambda tenths: tenths / 100))
    | st.builds(LdhCategory, category=st.sampled_from(["high", "normal"]))
    | st.builds(
        LdhMeasured,
        value=st.integers(150, 900).map(float),
        unit=st.just(LdhUnit.U_PER_L),
        uln=st.builds(UpperLimit, value=st.integers(200, 280).map(float)),
        uln_from=st.sampled_from(["given", "site"]),
    )
)
presence = st.sampled_from(Presence)
patients = st.builds(
    PatientFactors, ldh=ldh, liver_metastases=presence, diabetes=presence, cardiovascular_disease=presence
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    story=st.lists(st.tuples(patients, st.lists(outcomes, max_size=3)), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_what_was_recorded_comes_back_and_the_latest_wins(
    story: list[tuple[PatientFactors, list[PatientOutcome]]], order: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("law") / "ledger.db"
    with closing(RecordedCentre(path)) as centre:
        answers: list[Recorded] = [centre.answer(factors) for factors, _ in story]
        steps = [at for at, (_, recorded) in enumerate(story) for _ in recorded]
        order.shuffle(steps)  # type: ignore[attr-defined]  # a random.Random
        waiting = [iter(recorded) for _, recorded in story]
        for at in steps:
            centre.outcome(answers[at], next(waiting[at]))
    expected = [_row(factors, seen[-1]) for factors, seen in story if seen and not seen[-1].tells_nothing]
    reading = FromLedger(path)
    try:
        reading.gather()
        assert reading.patients == len(expected)
        found = list(reading.rows())
    finally:
        reading.close()
    assert found == expected
    assert reading.summary.rows == len(expected)
    assert reading.summary.outcomes == sum(len(seen) for _, seen in story)


def test_answers_by_a_model_of_simulated_patients_make_no_patient(tmp_path: Path, centre: RecordedCentre) -> None:
    centre.outcome(centre.answer(HIGH, by=site_model(simulated=True)), SEEN)
    none = run(tmp_path)
    assert none.exit_code == 2
    assert "1 were by a model made from simulated patients" in none.stderr
    assert not (tmp_path / "cohort.csv").exists()
    centre.outcome(centre.answer(LOW, by=site_model()), WORSE)
    done = run(tmp_path)
    assert done.exit_code == 0
    assert rows(tmp_path) == (_row(LOW, WORSE),)
    assert "1 answers left out: a model made from simulated patients gave them" in done.stdout


def test_an_outcome_of_what_is_no_answer_makes_no_patient(tmp_path: Path, centre: RecordedCentre) -> None:
    centre.outcome(centre.answer(LOW), WORSE)
    payload = computed_payload(assess(HIGH), (), ASKER, "2026-11-22", "0.1.0")
    foreign = centre.record(Entry("shared:1", Kind.SHARED, payload))
    centre.outcome(foreign, SEEN)
    done = run(tmp_path)
    assert done.exit_code == 1
    assert rows(tmp_path) == (_row(LOW, WORSE),)
    assert f"event {foreign.seq} (unreadable)" in done.stderr
