"""Every page of the look-ups: Slack's limits, where each number comes from, versions, warnings and closing words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.blockkit import ephemeral
from handlers.evidence.markup import spaced
from handlers.lookup.page import CLOSING, NEWER_LABEL, SUPERSEDED
from handlers.lookup.registry import LOOK_UPS
from handlers.lookup.reply import LookUp, LookUpRefusal
from knowledge.evidence import load as load_evidence
from knowledge.label import Version, load
from tests.support.evidence_views import allowed_links
from tests.support.lookups import COMMANDS, SPEC, TODAY, all_look_ups, look_up, resolve
from tests.support.shown_numbers import in_record, numbers, shown, uncovered
from tests.support.slack_limits import check_message

PAGES = [pytest.param(page, id=name) for name, page in all_look_ups()]
# Limits of what is read, not figures of a label: 0 to 365 days, 20 to 300 kg.
INPUT_LIMITS = ("0", "365", "20", "300")


@pytest.mark.parametrize("page", PAGES)
def test_slack_takes_it(page: LookUp) -> None:
    check_message(ephemeral(page.text, list(page.blocks)))


@pytest.mark.parametrize("page", PAGES)
def test_every_number_has_its_record_beside_it(page: LookUp) -> None:
    assert uncovered(page.blocks, resolve, [str(dict(page.arguments))]) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_plain_text_says_the_same(page: LookUp) -> None:
    """No number only in the text or only in the blocks; nothing of markup in the text."""
    blocks = "\n".join(shown(page.blocks))
    assert set(numbers(page.text)) == set(numbers(blocks))
    assert not re.search(r"[*`•]|&amp;", page.text)
    assert page.text.endswith(CLOSING)


@pytest.mark.parametrize("page", PAGES)
def test_records_are_those_shown(page: LookUp) -> None:
    blocks = "\n".join(shown(page.blocks))
    assert set(page.records) == {name for name in re.findall(r"`([a-z0-9_.]+)`", blocks) if resolve(name)}
    assert all(resolve(record) for record in page.records)
    assert all(f"{record}" in page.text for record in page.records)


@pytest.mark.parametrize("page", PAGES)
def test_versions_review_date_and_closing_words_stand_last(page: LookUp) -> None:
    last = page.blocks[-1]
    assert last["type"] == "context"
    (element,) = last["elements"]
    text = str(element["text"])
    assert "IMDELLTRA, US prescribing information: effective 2025-11-19, version 5" in text
    assert f"`lab.us.version` `{NEWER_LABEL}`" in text
    assert ("IMDYLLTRA" in text) or ("RoActemra" in text)
    assert text.endswith(CLOSING)
    assert "not for time-critical decisions" in text
    assert "past its review date" not in text


@pytest.mark.parametrize("page", PAGES)
def test_every_us_monitoring_time_is_marked(page: LookUp) -> None:
    times = re.compile(r"22 to 24 hours|\b(?:6 to 8|3 to 4|2) hours after the infusion")
    for block in page.blocks:
        for line in "\n".join(shown(block)).split("\n"):
            if times.search(line):
                assert SUPERSEDED in line
                assert f"`{NEWER_LABEL}`" in line


@pytest.mark.parametrize("page", PAGES)
def test_no_risk_estimate(page: LookUp) -> None:
    said = page.text.removesuffix(CLOSING)
    assert not re.search("risk of CRS|estimate|odds|predict", said)


def test_only_what_was_worked_out_for_a_patient_is_about_one() -> None:
    about = {page.code for _, page in all_look_ups() if page.about_patient}
    assert about == {"dose.restart", "toci.dose", "grade.crs", "grade.icans"}


def test_every_record_is_on_some_page() -> None:
    on_pages = {record for _, page in all_look_ups() for record in page.records}
    assert on_pages >= {*load().records, load().compiled.id}
    assert all(resolve(record) for record in on_pages)


@pytest.mark.parametrize("page", PAGES)
def test_every_source_is_named_on_the_page(page: LookUp) -> None:
    """By the document at the foot, or by its citation among the other sources."""
    foot = "\n".join(shown(page.blocks[-1]))
    at_foot = {each.source for each in load().all(Version) if f"`{each.id}`" in foot}
    quoted = "\n".join("\n".join(shown(block)) for block in page.blocks[:-1])
    for name in re.findall(r"`((?:lab|toc|grd)\.[a-z0-9_.]+)`", quoted):
        for source in load().records[name].sources:
            citation = load_evidence().source(source).citation
            assert source in at_foot or (citation in page.text and f"`{source}`" in quoted), (name, source)


def test_what_another_product_s_label_says_is_not_put_under_the_us_label_alone() -> None:
    text = look_up("toci interactions").text
    assert "US, TOFIDENCE: IL-6 lowers the expression" in text
    assert "US: IL-6" not in text
    assert "TOFIDENCE (tocilizumab-bavi), US prescribing information" in text
    assert "US: No live vaccines" in text
    assert "ASH 2023" in look_up("toci prophylaxis").text
    assert "Blood Adv" in look_up("toci prophylaxis").text
    assert "EU summaries of product characteristics" in look_up("toci biosimilars").text


RECORDS = (*load().records, load().compiled.id)


def _leaves(value: Any) -> Iterator[str]:
    """Every text and number in a record, but those that are said in other words."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield spaced(str(value))


@pytest.mark.parametrize("name", RECORDS)
def test_every_label_record_can_be_opened_whole_with_its_citation(name: str) -> None:
    page = look_up(f"evidence {name}")
    check_message(ephemeral(page.text, list(page.blocks)), allowed_links=allowed_links())
    assert (page.code, page.arguments) == ("evidence.record", {"record": name})
    text = "\n".join(shown(page.blocks)).replace("\N{NO-BREAK SPACE}", " ")
    record = resolve(name)
    held = {key: value for key, value in record.items() if key not in ("source", "cross_check", "grade5_source")}
    assert in_record(held) <= set(numbers(text))
    assert all(leaf in (page.long_text or "") for leaf in _leaves(held))
    assert uncovered(page.blocks, resolve) == []
    for source in load().records[name].sources if name in load().records else ():
        assert f"`{source}`" in text
        assert load_evidence().source(source).reference.split(". ")[0] in text
    assert "past review date" not in text
    assert "past review date" in str(look_up(f"evidence {name}", "2027-05-23").blocks)


@pytest.mark.parametrize("name", ["lab.us.crs", "lab.us.icans", "lab.us.monitor.c1d1_d8", "lab.us.monitor.c5"])
def test_us_times_are_marked_in_the_record_itself_too(name: str) -> None:
    text = look_up(f"evidence {name}").text
    assert SUPERSEDED in text
    assert NEWER_LABEL in text


def test_after_the_review_day_every_page_says_so() -> None:
    for command in COMMANDS:
        page = look_up(command, "2027-05-23")
        assert "past its review date of 2027-05-22" in page.text
        check_message(ephemeral(page.text, list(page.blocks)))


def test_the_monitoring_page_begins_with_the_warning_and_the_footnote() -> None:
    first = str(look_up("monitor").blocks[0]["text"]["text"])
    assert "15 September 2026" in first
    assert "Its text was not seen" in first
    assert "No extended monitoring is needed unless" in first


def test_commands_on_the_pages_work() -> None:
    found = {command for _, page in all_look_ups() for command in re.findall(r"`/tarla ([^`]*)`", str(page.blocks))}
    assert len(found) >= 10
    for command in found:
        look_up(command)


@pytest.mark.parametrize("case", SPEC["refused"]["cases"], ids=lambda case: case["text"])
def test_a_refusal_has_no_number_but_limits_and_quoted_records(case: dict[str, str]) -> None:
    first, *rest = case["text"].split()
    with pytest.raises(LookUpRefusal) as refused:
        LOOK_UPS[first](rest, TODAY)
    block = {"text": refused.value.message}
    assert uncovered([block], resolve, INPUT_LIMITS) == []


@pytest.mark.parametrize("name", sorted(LOOK_UPS))
def test_nothing_typed_comes_back(name: str) -> None:
    """A name, a record number or markup among the words is refused, and no part of it is in what is raised."""
    for typed in ("mrs", "smith-jones", "4711-0815", "<@u1>", "*bold*", "&amp;", "`x`", "\u202e", ""):
        for words in ([typed], ["c1d8", typed], ["crs", typed], ["82kg", typed]):
            try:
                page = LOOK_UPS[name](words, TODAY)
            except LookUpRefusal as refusal:
                said = f"{refusal} {refusal.message} {refusal.example} {refusal.__cause__}"
                assert not typed or typed not in said
            else:
                assert not typed or typed not in page.text


def test_the_look_ups_keep_no_figure_of_their_own() -> None:
    """What the labels say stands in the data: the code's only figures are places in the schedule and input limits."""
    folder = Path(__file__).parents[2] / "handlers" / "lookup"
    for name in ("dose", "monitor", "manage", "toci", "grade"):
        code = (folder / f"{name}.py").read_text(encoding="utf-8")
        code = re.sub(r'_EXAMPLE = .*|command="[^"]*"', "", code)
        assert not re.search(r"\b(?:14|21|22|24|28|48|250|656|800)\b", code), name
