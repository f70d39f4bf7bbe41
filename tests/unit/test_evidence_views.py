"""What ``/tarla evidence`` shows: all of it, within Slack's limits, every figure beside its record."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from handlers.answer import TableMode
from handlers.answer.elsewhere import elsewhere
from handlers.answer.view import LABELS
from handlers.blockkit import Block
from handlers.evidence.for_answer import QUOTED
from handlers.evidence.topics import BY_WORD, TOPICS
from handlers.evidence.view import evidence_look_up
from handlers.lookup import LookUpCode, LookUpRefusal
from handlers.outcomes import LookedUp
from handlers.replies import message
from knowledge.evidence import Association, Evidence, Fact, load
from tests.support.evidence_views import (
    LATER,
    TODAY,
    allowed_links,
    counted,
    every_id,
    record_behind,
    texts_of,
    topic_look_ups,
)
from tests.support.shown_numbers import uncovered
from tests.support.slack_limits import check_message

PAGES = [(topic, number) for topic, number, _ in topic_look_ups()]
# Slack refuses posted messages of about 12,000 characters in all; a receipt still joins them.
MESSAGE_TEXT_MAX = 10_500


def _blocks(*words: str, today: str = TODAY) -> tuple[Block, ...]:
    return evidence_look_up(words, today).blocks


def _shown(*words: str, today: str = TODAY) -> str:
    return "\n".join(texts_of(_blocks(*words, today=today)))


def _whole(topic: str, today: str = TODAY) -> str:
    return "\n".join("\n".join(texts_of(look_up.blocks)) for name, _, look_up in topic_look_ups(today) if name == topic)


@pytest.mark.parametrize(("topic", "number"), PAGES)
def test_every_page_fits_slack_with_its_receipt(topic: str, number: int) -> None:
    reply = LookedUp(evidence_look_up([topic, str(number)], TODAY), "1284-3f9a")
    sent = message(reply, TableMode.TEXT)
    assert sent is not None
    check_message(sent, allowed_links=allowed_links())
    assert sum(map(len, texts_of(sent["blocks"]))) <= MESSAGE_TEXT_MAX
    assert all(block["type"] != "table" for block in sent["blocks"])


@pytest.mark.parametrize(("topic", "number"), PAGES)
def test_every_number_of_an_entry_stands_in_a_record_named_beside_it(topic: str, number: int) -> None:
    blocks = _blocks(topic, str(number))
    # The first and the last block count entries and pages and tell how old the evidence is; they are tested below.
    assert uncovered(blocks[1:-1], record_behind) == []


@pytest.mark.parametrize(("topic", "number"), [page for page in PAGES if page[0] in load().subjects])
def test_gist_and_small_print_count_entries_and_pages(topic: str, number: int) -> None:
    evidence = load()
    records = evidence.on(topic)
    links = Counter(record.direction for record in records if isinstance(record, Association))
    given = counted(topic, number)
    blocks = _blocks(topic, str(number))
    assert uncovered([blocks[0], blocks[-1]], record_behind, given) == []
    if number == 1:
        said = {"higher": "higher", "lower": "lower", "none": "no link", "unclear": "unclear"}
        assert all(f"{count} {said[way]}" in texts_of(blocks)[0] for way, count in links.items())
        second_hand = sum(not evidence.is_primary(record) for record in records)
        assert f"{second_hand} of them second-hand" in texts_of(blocks)[0]


@pytest.mark.parametrize("name", every_id(load()))
def test_one_record_whole_fits_slack_and_every_number_in_it_is_its_own(name: str) -> None:
    look_up = evidence_look_up([name.lower()], TODAY)
    sent = message(LookedUp(look_up, "1284-3f9a"), TableMode.TEXT)
    assert sent is not None
    check_message(sent, allowed_links=allowed_links())
    assert look_up.code == "evidence.record"
    assert look_up.records[0] == look_up.arguments["record"] == name
    assert f"`{name}`" in texts_of(look_up.blocks)[0]
    due = [load().compiled, "2027-05-22"]
    assert uncovered(look_up.blocks[:-1], record_behind, due) == []


def test_the_list_counts_what_there_is() -> None:
    evidence = load()
    look_up = evidence_look_up([], TODAY)
    sent = message(LookedUp(look_up, "1284-3f9a"), TableMode.TEXT)
    assert sent is not None
    check_message(sent)
    text = "\n".join(texts_of(look_up.blocks))
    second_hand = sum(source.seen == "secondary_report" for source in evidence.sources.values())
    entries = len(evidence.facts) + len(evidence.associations)
    assert f"{entries} entries from {len(evidence.sources)} sources, {second_hand} of which" in text
    assert "Compiled 2026-11-22 (2 days ago), review due 2027-05-22" in text
    for subject, records in evidence.by_subject.items():
        (line,) = [line for line in text.split("\n") if line.startswith(f"• `{subject}` ")]
        assert f"· {len(records)} entries" in line
    assert all(f"`{gap}`" in text for gap in evidence.gaps)


def test_every_subject_of_the_data_is_a_topic() -> None:
    assert set(load().subjects) <= {topic.id for topic in TOPICS}
    words = [word for topic in TOPICS for word in (topic.id, *topic.also)]
    assert len(words) == len(set(words))


def test_every_record_stands_on_a_page_and_is_kept_with_it() -> None:
    shown, kept = set(), set()
    for _, _, look_up in topic_look_ups():
        text = "\n".join(texts_of(look_up.blocks))
        for name in look_up.records:
            assert f"`{name}`" in text
        kept |= set(look_up.records)
        shown |= set(re.findall(r"`([^`\s]+)`", text))
    assert set(every_id(load())) <= kept & shown


@pytest.mark.parametrize("subject", load().subjects)
def test_a_topic_shows_its_records_conflicts_and_gaps_once(subject: str) -> None:
    evidence = load()
    text = _whole(subject)
    for record in evidence.on(subject):
        assert len(re.findall(rf"• .*`{re.escape(record.id)}`$", text, re.MULTILINE)) == 1
    for conflict in evidence.conflicts_on(subject):
        assert text.count(f"*{conflict.title}* `{conflict.id}`") == 1
        assert f"*Trust:* {_as_shown(conflict.trust)}" in text
        assert _as_shown(conflict.statement) in text
    for gap in evidence.gaps_on(subject):
        assert f"*{gap.title}* `{gap.id}`" in text
    assert (
        f"{len(evidence.on(subject))} entries from {len({each.source for each in evidence.on(subject)})} source" in text
    )


def _as_shown(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    ("topic", "conflict"),
    [
        ("icans", "con.icans_definition"),
        ("icans", "con.tocilizumab_icans"),
        ("crs", "con.crs_grade2_by_dose"),
        ("crs", "con.crs_by_dose"),
        ("monitoring", "con.monitoring"),
        ("ldh", "con.ldh"),
        ("sex", "con.sex"),
        ("brain", "con.brain"),
        ("diabetes", "con.comorbidity_icans"),
        ("real_world", "con.multi102"),
    ],
)
def test_a_conflict_stands_before_the_entries_where_it_matters(topic: str, conflict: str) -> None:
    text = _whole(topic)
    assert 0 < text.index(f"`{conflict}`") < text.index("*FROM TEXTS THAT WERE READ*")


@pytest.mark.parametrize("subject", load().subjects)
def test_what_was_read_stands_before_what_is_known_second_hand(subject: str) -> None:
    evidence = load()
    text = _whole(subject)
    entries = [name for name in re.findall(r"^• .*`([^`]+)`$", text, re.MULTILINE) if record_behind(name)]
    read = [
        evidence.is_primary(evidence.facts.get(name) or evidence.associations[name]) for name in entries if "." in name
    ]
    assert read == sorted(read, reverse=True)
    for name in entries:
        record = evidence.facts.get(name) or evidence.associations.get(name)
        if record is not None and not evidence.is_primary(record):
            assert text.index("*SECOND-HAND: READ IN A REPORT, THE TEXT ITSELF NOT SEEN*") < text.index(f"`{name}`\n")


def test_each_direction_is_said_and_absence_too() -> None:
    evidence = load()
    words = {"higher": "higher.", "lower": "lower.", "none": "no link found.", "unclear": "named only as possible."}
    text = {record.id: _shown(record.id.lower()) for record in evidence}
    for record in evidence:
        if isinstance(record, Association):
            assert f"{words[record.direction]}*" in text[record.id]
            if record.absent:
                assert "ize of the effect not seen" in text[record.id]
        elif record.absent:
            assert "no figure found.*" in text[record.id]


def test_an_absent_figure_does_not_read_as_no_events() -> None:
    """The EU text does report fatal CRS, without a number; elsewhere it is the figure that was not found."""
    fatal = _shown("inc.eu473.crs_fatal")
    assert "*Fatal CRS:* Reported after authorisation; number not given." in fatal
    assert "figure found" not in fatal
    for absent in (record.id for record in load() if record.absent and not isinstance(record, Association)):
        text = _shown(absent.lower())
        assert "no figure found.*" in text
        assert "looked for and not found" not in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("inc.eu473.crs_any", "56.7 % of 473. Derived: 268/473 (the only count of 473 that rounds to 56.7 %"),
        ("inc.label473.crs_any", "57 % (268/473)."),
        ("inc.eu473.crs_g3plus", "Derived: 9/473 = 1.9 % (8 of grade 3 (1.7 %) and 1 of grade 4 (0.2 %))"),
        ("inc.label473.icans_c1d1", "2.5 %. Derived: n = 473 (the denominator is not printed"),
        ("inc.d301.crs_dose1", "54/133."),
        ("inc.d304.icans_any", "6 %, n not printed."),
        ("inc.label473.icans_onset", "16 days; range 1 to 862 days. From the first dose."),
        ("rf.multi102.inelig.icans", "33 % versus 14 %, p = 0.038. n = 102."),
        ("cov.ldh.high163", "The source contradicts itself: 90 of 163 is 55.21 %; the last digit is printed as 0."),
    ],
)
def test_figures_stand_as_printed_and_what_is_derived_says_how(name: str, said: str) -> None:
    assert said in _shown(name)


@pytest.mark.parametrize("topic", ["icans", "crs", "tocilizumab"])
def test_marks_appear_when_the_review_is_past_and_not_before(topic: str) -> None:
    assert "past review date" not in _whole(topic)
    later = _whole(topic, LATER)
    entries = re.findall(r"^\*[^*]+\* `\w+` · (?!page).*$", later, re.MULTILINE)
    assert entries
    assert all("*past review date*" in line for line in entries)
    assert "review due 2027-05-22 · *past review date*" in later


def test_a_superseded_label_and_one_with_a_newer_report_are_marked() -> None:
    text = _whole("crs")
    assert "`uspi_imdelltra_2024_05` · label text read, in part · *superseded label* `uspi_imdelltra_2025_11`" in text
    assert "`uspi_imdelltra_2025_11` · label text read · *newer label reported* `news_label_update_2026_09`" in text


def test_a_citation_gives_what_was_seen_and_says_what_was_not() -> None:
    text = _whole("sources")
    assert (
        "*Sands 2025* `sands2025` Sands JM, Champiat S, Hummel HD, et al. Practical management of adverse events in "
        "patients receiving tarlatamab, a delta-like ligand 3-targeted bispecific T-cell engager immunotherapy, for "
        "previously treated small cell lung cancer. Cancer 131(3):e35738. 2025-02-01. "
        "<https://doi.org/10.1002/cncr.35738|DOI 10.1002/cncr.35738> · PMID 39876075 · abstract read"
    ) in text
    assert "`multi102_pubmed` Authors not seen." in text
    assert "Journal or meeting not seen. Date not printed. No DOI, PMID or publisher's address seen" in text
    for source in load().sources.values():
        assert f"`{source.id}` {_as_shown(source.reference)}" in text
        assert source.pmid is None or f"PMID {source.pmid}" in text
        if source.seen == "secondary_report":
            assert "the text itself not seen" in _shown(source.id.lower())


def test_no_address_but_those_of_the_data() -> None:
    known = allowed_links()
    for _, _, look_up in topic_look_ups():
        text = "\n".join(texts_of(look_up.blocks))
        assert set(re.findall(r"<([^|>]*)\|", text)) <= known
        assert "://" not in re.sub(r"<[^>]*>", "", text)
        whole = look_up.long_text or look_up.text
        assert {found.rstrip() for found in re.findall(r"https?://\S+", whole)} <= {
            address.replace("&amp;", "&") for address in known
        }


@pytest.mark.parametrize(("topic", "number"), PAGES)
def test_the_fallback_text_reads_on_where_it_ends(topic: str, number: int) -> None:
    look_up = evidence_look_up([topic, str(number)], TODAY)
    of = sum(name == topic for name, _ in PAGES)
    last = look_up.text.split("\n")[-1]
    if number < of:
        assert last == f"Read on with /tarla evidence {topic} {number + 1}"
        assert f"`/tarla evidence {topic} {number + 1}`" in texts_of(look_up.blocks)[-1]
    assert "`" not in look_up.text
    assert "*" not in look_up.text
    shown = sum(f"[{name}]" in look_up.text for name in look_up.records)
    assert shown == len(look_up.records) or "The rest of this page stands in the message itself." in look_up.text


@pytest.mark.parametrize("topic", [topic.id for topic in TOPICS])
def test_a_terminal_gets_the_whole_topic(topic: str) -> None:
    whole = evidence_look_up([topic], TODAY).long_text
    assert whole is not None
    for name, _, look_up in topic_look_ups():
        if name == topic:
            assert all(f"[{record}]" in whole for record in look_up.records)
    assert "`" not in whole


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("dm", "diabetes"),
        ("toci", "tocilizumab"),
        ("realworld", "real_world"),
        ("real-world", "real_world"),
        ("real world", "real_world"),
        ("heart", "cvd"),
        ("car-t", "class"),
        ("car t", "class"),
        ("joshi", "founding_study"),
    ],
)
def test_other_words_for_a_topic_are_understood(words: str, topic: str) -> None:
    assert evidence_look_up(words.split(), TODAY).code == f"evidence.{topic}"


def test_a_page_is_asked_for_with_or_without_the_word() -> None:
    second = evidence_look_up(["icans", "2"], TODAY)
    assert second.arguments == {"topic": "icans", "page": 2}
    assert evidence_look_up(["icans", "page", "2"], TODAY) == second
    assert evidence_look_up(["icans", "1"], TODAY).blocks == evidence_look_up(["icans"], TODAY).blocks


@pytest.mark.parametrize(
    "word", ["icns", "mueller", "inc.eu473.crs_an", "icans2", "ican", "0", "icans 0", "icans 02", "icans two"]
)
def test_what_is_not_known_is_refused_with_the_topics_and_nothing_typed(word: str) -> None:
    with pytest.raises(LookUpRefusal) as refused:
        evidence_look_up(word.split(), TODAY)
    refusal = refused.value
    assert refusal.code is LookUpCode.UNKNOWN_TOPIC
    assert refusal.example == "/tarla evidence icans"
    assert all(topic.id in refusal.message for topic in TOPICS)
    assert "mueller" not in refusal.message
    assert refusal.position == 2


@pytest.mark.parametrize(
    ("words", "said", "example"),
    [
        ("icans 99", "This topic has 7 pages.", "/tarla evidence icans 7"),
        ("liver 2", "This topic has 1 page.", "/tarla evidence liver"),
    ],
)
def test_a_page_that_is_not_there_is_refused_with_the_last(words: str, said: str, example: str) -> None:
    with pytest.raises(LookUpRefusal) as refused:
        evidence_look_up(words.split(), TODAY)
    assert (refused.value.code, refused.value.message) == (LookUpCode.OUT_OF_RANGE, said)
    assert (refused.value.example, refused.value.position) == (example, 3)


def test_words_for_topics_are_ascii_and_joined_by_one_sign() -> None:
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", word) for word in BY_WORD)


class _Recording(Evidence):
    """The evidence, which notes what was asked of it."""

    asked: set[str] = set()  # noqa: RUF012 - one test, one set

    def fact(self, fact_id: str) -> Fact:
        self.asked.add(fact_id)
        return super().fact(fact_id)


def test_the_evidence_of_an_answer_is_what_the_answer_quotes() -> None:
    evidence = load()
    recording = _Recording(**{name: getattr(evidence, name) for name in evidence.__slots__})
    for outcome in LABELS:
        elsewhere(outcome, recording)
    assert recording.asked <= {name for _, names in QUOTED for name in names}
