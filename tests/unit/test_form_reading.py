"""What is sent with the form: findings, or a fixed sentence under the field it belongs to, never a guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.form import NotUnderstood, Origin, fields, form_view, read_form
from handlers.form.origin import Door
from handlers.form.reading import (
    CHOOSE,
    LIMIT_ALONE,
    LIMIT_NOT_NEEDED,
    LIMIT_RANGE,
    NO_FIGURE,
    NO_LIMIT,
    NOT_PLAIN,
)
from handlers.parsing import Understood, parse
from handlers.parsing.figures import canonical_number
from handlers.parsing.parse import high_limit_note, low_limit_note, site_limit_note
from handlers.requests import MalformedPayloadError
from knowledge import LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, PatientFactors, Presence, UpperLimit
from tests.support.forms import filled, untouched
from tests.support.slack_limits import check_view

SITE = UpperLimit(value=250)


def findings(values: dict[str, Any], site: UpperLimit | None = None) -> PatientFactors:
    read = read_form(values, site)
    assert isinstance(read, Understood), read
    return read.factors


def errors(values: dict[str, Any], site: UpperLimit | None = None) -> dict[str, str]:
    read = read_form(values, site)
    assert isinstance(read, NotUnderstood), read
    return dict(read.errors)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "ldh 480/250 liver yes dm no cvd yes"),
        ({"ldh": "8.0", "ldh_as": "ukat_per_l", "uln": "4.1"}, "ldh 8.0 µkat/L uln 4.1 liver yes dm no cvd yes"),
        ({"ldh": "1.9", "ldh_as": "multiple", "uln": None}, "ldh 1.9x liver yes dm no cvd yes"),
        ({"ldh": None, "ldh_as": "high", "uln": None}, "ldh high liver yes dm no cvd yes"),
        ({"ldh": None, "ldh_as": "normal", "uln": None}, "ldh normal liver yes dm no cvd yes"),
        ({"ldh": None, "uln": None, "liver": "unknown"}, "ldh unknown liver unknown dm no cvd yes"),
        ({"ldh": "400", "uln": "500"}, "ldh 400/500 liver yes dm no cvd yes"),
        ({"ldh": "50"}, "ldh 50/250 liver yes dm no cvd yes"),
        ({"ldh": "9999", "uln": "600"}, "ldh 9999/600 liver yes dm no cvd yes"),
    ],
)
def test_the_form_is_understood_as_the_same_words_are(changed: dict[str, str | None], words: str) -> None:
    assert read_form(filled(**changed), None) == parse(words)


@pytest.mark.parametrize("site", [None, SITE])
@pytest.mark.parametrize(
    ("changed", "where", "sentence"),
    [
        ({"ldh_as": None}, fields.LDH_AS, CHOOSE),
        ({"liver": None}, fields.LIVER, CHOOSE),
        ({"diabetes": None}, fields.DIABETES, CHOOSE),
        ({"cvd": None}, fields.CVD, CHOOSE),
        ({"uln": None}, fields.ULN, NO_LIMIT),
        ({"ldh_as": "high"}, fields.LDH, NO_FIGURE),
        ({"ldh_as": "normal"}, fields.LDH, NO_FIGURE),
        ({"ldh": None, "uln": "251"}, fields.LDH, LIMIT_ALONE),
        # 8.0 µkat/L with a limit of 4.1 is 2 x ULN, not 8.
        ({"ldh": "8.0", "ldh_as": "multiple", "uln": "4.1"}, fields.ULN, LIMIT_NOT_NEEDED),
        ({"ldh": None, "ldh_as": "high", "uln": "251"}, fields.ULN, LIMIT_NOT_NEEDED),
        ({"ldh": None, "ldh_as": "normal", "uln": "251"}, fields.ULN, LIMIT_NOT_NEEDED),
        ({"uln": "99"}, fields.ULN, LIMIT_RANGE),
        ({"uln": "601"}, fields.ULN, LIMIT_RANGE),
        ({"ldh": "8.0", "ldh_as": "ukat_per_l"}, fields.ULN, LIMIT_RANGE),
        ({"ldh": "49.9"}, fields.LDH, "LDH must lie between 50 and 9,999 U/L (about 0.83 and 167 µkat/L)."),
        ({"ldh": "9999.1"}, fields.LDH, "LDH must lie between 50 and 9,999 U/L (about 0.83 and 167 µkat/L)."),
        ({"ldh": "9000", "uln": "200"}, fields.LDH, "LDH must lie between 0.1 and 40 times its upper limit of normal."),
        (
            {"ldh": "41", "ldh_as": "multiple"},
            fields.LDH,
            "LDH must lie between 0.1 and 40 times its upper limit of normal.",
        ),
        *[({"ldh": each}, fields.LDH, NOT_PLAIN) for each in ("", "4e2", "-480", "0480", "4,8", "٤١٢", "nan", " 480")],
        ({"ldh": "480.00001"}, fields.LDH, NOT_PLAIN),
        ({"uln": "1_0"}, fields.ULN, NOT_PLAIN),
    ],
)
def test_each_error_is_under_its_own_field(
    changed: dict[str, str | None], where: str, sentence: str, site: UpperLimit | None
) -> None:
    assert errors(filled(**changed), site) == {where: sentence}


def test_a_form_with_nothing_in_it_says_so_wherever_a_choice_is_due() -> None:
    due = (fields.LDH_AS, fields.LIVER, fields.DIABETES, fields.CVD)
    assert errors({}) == errors(filled(**dict.fromkeys(("ldh", "ldh_as", "uln", "liver", "diabetes", "cvd"))))
    assert errors({}, SITE) == dict.fromkeys(due, CHOOSE)


def test_the_sites_limit_that_comes_back_is_named_as_the_sites() -> None:
    read = read_form(filled(), SITE)
    assert isinstance(read, Understood)
    assert isinstance(read.factors.ldh, LdhMeasured)
    assert read.factors.ldh.uln_from == "site"
    assert read.notes == (site_limit_note(SITE),)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"ldh": "1.9", "ldh_as": "multiple"}, "ldh 1.9x"), ({"ldh": None, "ldh_as": "high"}, "ldh high")],
)
def test_the_sites_limit_beside_an_ldh_that_needs_none_says_nothing(changed: dict[str, Any], words: str) -> None:
    assert read_form(filled(**changed), SITE) == parse(f"{words} liver yes dm no cvd yes")


def test_the_sites_figure_in_another_unit_is_not_the_sites_limit() -> None:
    site = UpperLimit(value=4.2, unit=LdhUnit.MICROKATAL_PER_L)
    assert errors(filled(ldh="480", uln="4.2"), site) == {fields.ULN: LIMIT_RANGE}


def test_a_limit_that_may_have_been_swapped_is_noted() -> None:
    read = read_form(filled(ldh="250", uln="480"), None)
    assert isinstance(read, Understood)
    assert read.notes == (high_limit_note(UpperLimit(value=480)),)


def test_a_limit_that_may_be_a_lower_end_is_noted() -> None:
    read = read_form(filled(ldh="200", uln="122"), None)
    assert isinstance(read, Understood)
    assert read.notes == (low_limit_note(UpperLimit(value=122)),)


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "values",
        {fields.LDH: "480"},
        {fields.LDH: {fields.LDH: "480"}},
        {fields.LDH: {fields.LDH: {"value": 480}}},
        {fields.LDH_AS: {fields.LDH_AS: {"selected_option": "u_per_l"}}},
        {fields.LDH_AS: {fields.LDH_AS: {"selected_option": {"value": "Zaphod"}}}},
        {fields.LIVER: {fields.LIVER: {"selected_option": {"value": None}}}},
        {fields.LIVER: {fields.LIVER: {"selected_option": {"value": ["yes"]}}}},
    ],
)
def test_what_slack_would_not_send_is_no_form(values: object) -> None:
    with pytest.raises(MalformedPayloadError) as raised:
        read_form(values, None)
    assert "Zaphod" not in str(raised.value)


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_sentence_holds_what_was_written(ldh: str, limit: str) -> None:
    read = read_form(filled(ldh=ldh, uln=limit), None)
    if isinstance(read, NotUnderstood):
        assert set(read.errors.values()) <= set(errors_possible())
    else:
        assert canonical_number(ldh) is not None
        assert canonical_number(limit) is not None


def errors_possible() -> tuple[str, ...]:
    ranges = (
        "LDH must lie between 50 and 9,999 U/L (about 0.83 and 167 µkat/L).",
        "LDH must lie between 0.1 and 40 times its upper limit of normal.",
    )
    return (*ranges, CHOOSE, LIMIT_ALONE, LIMIT_NOT_NEEDED, LIMIT_RANGE, NO_FIGURE, NO_LIMIT, NOT_PLAIN)


_NUMBERS = st.decimals(min_value=100, max_value=600, places=3).map(float)
_LDH = st.one_of(
    st.none(),
    st.builds(LdhCategory, category=st.sampled_from(("high", "normal"))),
    st.builds(LdhMultiple, multiple=st.decimals(min_value="0.1", max_value=40, places=3).map(float)),
    st.builds(LdhMeasured, value=_NUMBERS, uln=st.builds(UpperLimit, value=_NUMBERS)),
    st.builds(
        LdhMeasured,
        value=st.decimals(min_value=2, max_value=100, places=2).map(float),
        unit=st.just(LdhUnit.MICROKATAL_PER_L),
        uln=st.builds(
            UpperLimit,
            value=st.decimals(min_value=3, max_value=10, places=2).map(float),
            unit=st.just(LdhUnit.MICROKATAL_PER_L),
        ),
    ),
)
_FACTORS = st.builds(
    PatientFactors,
    ldh=_LDH,
    liver_metastases=st.sampled_from(Presence),
    diabetes=st.sampled_from(Presence),
    cardiovascular_disease=st.sampled_from(Presence),
)


@given(_FACTORS)
def test_an_edited_form_sent_untouched_says_the_same(factors: PatientFactors) -> None:
    view = form_view(Origin(Door.MODAL), None, factors)
    check_view(view)
    assert findings(untouched(view)) == factors


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        (UpperLimit(value=4.1, unit=LdhUnit.MICROKATAL_PER_L), "246"),
        # No plain number of U/L is exactly this limit, so it is asked for instead of rounded.
        (UpperLimit(value=4.1234567, unit=LdhUnit.MICROKATAL_PER_L), None),
    ],
)
def test_a_limit_in_another_unit_is_converted_only_where_that_changes_nothing(
    limit: UpperLimit, shown: str | None
) -> None:
    factors = PatientFactors(ldh=LdhMeasured(value=480, uln=limit))
    view = form_view(Origin(Door.MODAL), None, factors)
    sent = untouched(view)
    assert sent[fields.ULN][fields.ULN]["value"] == shown
    if shown is None:
        assert errors({**filled(), **sent}) == {fields.ULN: NO_LIMIT}
    else:
        ldh = findings({**filled(), **sent}).ldh
        assert isinstance(ldh, LdhMeasured)
        assert ldh.ratio == factors.ldh_ratio


def test_no_field_takes_free_text() -> None:
    view = form_view(Origin(Door.SHORTCUT), SITE)
    kinds = {block["element"]["type"] for block in view["blocks"] if block["type"] == "input"}
    assert kinds == {"number_input", "static_select", "radio_buttons"}
