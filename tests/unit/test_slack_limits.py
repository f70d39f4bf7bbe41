"""The check of Slack's limits accepts a rich, valid answer and names every violation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.slack_limits import check_message, check_view

Json = dict[str, Any]
DOCS = "https://example.org/evidence"


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text)} | more


def button(action_id: str = "why", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain("Evidence")} | more


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def cell(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def table(rows: int = 2, columns: int = 2, text: str = "x", **more: Any) -> Json:
    return {"type": "table", "rows": [[cell(text) for _ in range(columns)] for _ in range(rows)]} | more


def rich(*pieces: Json, container: str = "rich_text_section", **more: Any) -> Json:
    return {"type": "rich_text", "elements": [{"type": container, "elements": list(pieces)} | more]}


def word(text: str, **more: Any) -> Json:
    return {"type": "text", "text": text} | more


def options(count: int) -> list[Json]:
    return [{"text": plain(f"option {n}"), "value": str(n)} for n in range(count)]


def menu(kind: str = "static_select", **more: Any) -> Json:
    return {"type": kind, "action_id": "menu", "options": options(2)} | more


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": "ldh", "label": plain("LDH"), "element": element} | more


def image(**more: Any) -> Json:
    return {"type": "image", "image_url": DOCS + ".png", "alt_text": "forest plot"} | more


def answer(*blocks: Json, **more: Any) -> Json:
    return (
        {"response_type": "ephemeral", "text": "CRS, any grade: aa %"}
        | ({"blocks": list(blocks)} if blocks else {})
        | more
    )


RICH_ANSWER = answer(
    {"type": "header", "text": plain("Before cycle 1 day 1"), "block_id": "top"},
    section(f"*CRS* &gt;= 2: aa % &amp; more, <{DOCS}|evidence>\n```a   b\n1   2```", accessory=button(value="1284")),
    {"type": "section", "fields": [mrkdwn("*LDH*"), plain("1.9 x ULN")]},
    table(
        3,
        3,
        "CRS >= 2 & < 1 %",
        column_settings=[{"is_wrapped": True}, None, {"align": "right"}],
    ),
    rich(word("bold", style={"bold": True}), {"type": "link", "url": DOCS, "text": "evidence"}),
    rich(word("a_b_c  *as typed*"), container="rich_text_preformatted", border=0),
    rich(
        {"type": "rich_text_section", "elements": [word("one")]}, container="rich_text_list", style="bullet", indent=1
    ),
    actions(button("what_if"), button("share", style="primary"), menu("overflow")),
    image(title=plain("Forest plot")),
    {"type": "divider"},
    {"type": "markdown", "text": "# Heading"},
    {"type": "context", "elements": [mrkdwn("_planning aid_"), plain("receipt 1284-3f9a"), image()]},
)
HOME = {"type": "home", "blocks": [section("Hello"), actions(button())]}
MODAL = {
    "type": "modal",
    "title": plain("What if"),
    "submit": plain("Show"),
    "close": plain("Cancel"),
    "callback_id": "what_if",
    "private_metadata": "{}",
    "blocks": [
        field(menu("radio_buttons", initial_option=options(2)[0])),
        field({"type": "plain_text_input", "action_id": "a", "max_length": 3_000}, block_id="b", hint=plain("U/L")),
        field({"type": "number_input", "action_id": "n", "is_decimal_allowed": True, "min_value": "50"}, block_id="c"),
    ],
}


def test_a_rich_answer_passes() -> None:
    check_message(RICH_ANSWER, allowed_links=[DOCS])


@pytest.mark.parametrize(
    "payload",
    [
        {"delete_original": True},
        answer(replace_original=True),
        answer(section("x" * 3_000), {"type": "header", "text": plain("x" * 150)}),
        answer(table(100, 20)),
        answer(table(1, 1, "x" * 10_000)),
        answer(actions(*(button(str(n)) for n in range(25)))),
        answer(*[{"type": "divider"}] * 50),
        answer(section("> a quote, five_o_clock, 2 * 3 * 4")),
    ],
)
def test_what_just_fits_passes(payload: Json) -> None:
    check_message(payload)


def test_an_api_call_needs_no_response_type() -> None:
    check_message({"channel": "C1", "user": "U1", "text": "seen"}, response=False)


@pytest.mark.parametrize("view", [HOME, MODAL], ids=["home", "modal"])
def test_good_views_pass(view: Json) -> None:
    check_view(view)


MESSAGE_VIOLATIONS: dict[str, tuple[Json, str]] = {
    "no response_type": ({"text": "x"}, "response_type"),
    "response_type unknown": (answer(response_type="private"), "response_type"),
    "unknown key": (answer(respones_type="ephemeral"), "unknown keys"),
    "not JSON": (answer(metadata={"x": float("nan")}), "not JSON"),
    "no text": ({"response_type": "ephemeral", "blocks": [section("x")]}, "text: missing"),
    "blank text": (answer(text=" "), "text: missing"),
    "long text": (answer(text="x" * 4_001), "4,001 characters"),
    "astral characters count twice": (answer(text="𝛼" * 2_001), "4,002 characters"),
    "51 blocks": (answer(*[{"type": "divider"}] * 51), "1 to 50"),
    "no blocks": (answer(blocks=[]), "1 to 50"),
    "101 attachments": (answer(attachments=[{"text": "x"}] * 101), "of at most 100"),
    "unknown block": (answer({"type": "sektion"}), "'sektion' is unknown"),
    "unknown block key": (answer(section("x", colour="red")), "unknown keys"),
    "block_id twice": (answer(section("x", block_id="a"), section("y", block_id="a")), "used twice"),
    "long block_id": (answer(section("x", block_id="b" * 256)), "256 characters"),
    "empty block_id": (answer(section("x", block_id="")), "block_id is empty"),
    "unescaped &": (answer(section("R&D")), "'&' is not escaped"),
    "unescaped <": (answer(section("LDH < 250")), "'<' is not escaped"),
    "unescaped >": (answer(text="CRS >= 2"), "'>' is not escaped"),
    "channel mention": (answer(section("<!channel>")), "'<!channel>'"),
    "user mention": (answer(text="hello <@U0SOMEONE1>"), "'<@U0SOMEONE1>'"),
    "link not allowed": (answer(section("<http://example.net|here>")), "example.net"),
    "fence left open": (answer(section("```a")), "not closed"),
    "empty section": (answer({"type": "section"}), "neither text nor fields"),
    "blank section text": (answer(section("")), "missing or empty"),
    "long section": (answer(section("x" * 3_001)), "3,001 characters"),
    "text is a string": (answer({"type": "section", "text": "x"}), "text object"),
    "text of unknown type": (answer({"type": "section", "text": {"type": "html", "text": "x"}}), "'html'"),
    "emoji flag on mrkdwn": (answer({"type": "section", "text": mrkdwn("x") | {"emoji": True}}), "do not belong"),
    "11 fields": (answer({"type": "section", "fields": [plain("x")] * 11}), "1 to 10"),
    "long field": (answer({"type": "section", "fields": [plain("x" * 2_001)]}), "2,001 characters"),
    "long header": (answer({"type": "header", "text": plain("x" * 151)}), "151 characters"),
    "mrkdwn header": (answer({"type": "header", "text": mrkdwn("x")}), "'mrkdwn' is not allowed"),
    "bold in a header": (answer({"type": "header", "text": plain("a *bold* word")}), "where plain text"),
    "label in a header": (answer({"type": "header", "text": plain("<https://x|y>")}), "where plain text"),
    "11 context elements": (answer({"type": "context", "elements": [plain("x")] * 11}), "1 to 10"),
    "no context elements": (answer({"type": "context", "elements": []}), "1 to 10"),
    "26 actions": (answer(actions(*(button(str(n)) for n in range(26)))), "1 to 25"),
    "action_id twice": (answer(actions(button("a"), button("a"))), "action_id is used twice"),
    "no action_id": (answer(actions({"type": "button", "text": plain("x")})), "action_id is missing"),
    "long action_id": (answer(actions(button("a" * 256))), "256 characters"),
    "unknown element": (answer(actions({"type": "knob", "action_id": "a"})), "'knob'"),
    "input element among actions": (answer(actions({"type": "plain_text_input", "action_id": "a"})), "not allowed"),
    "unknown element key": (answer(actions(button(colour="red"))), "do not belong to button"),
    "long button text": (answer(actions(button(text=plain("x" * 76)))), "76 characters"),
    "mrkdwn button text": (answer(actions(button(text=mrkdwn("x")))), "not allowed here"),
    "long button value": (answer(actions(button(value="x" * 2_001))), "2,001 characters"),
    "button style": (answer(actions(button(style="green"))), "'green'"),
    "button link": (answer(actions(button(url="https://example.net"))), "not one of those allowed"),
    "confirm without title": (answer(actions(button(confirm={"text": plain("x")}))), "confirm.title"),
    "6 overflow options": (answer(actions(menu("overflow", options=options(6)))), "1 to 5"),
    "101 options": (answer(actions(menu(options=options(101)))), "1 to 100"),
    "11 radio buttons": (answer(actions(menu("radio_buttons", options=options(11)))), "1 to 10"),
    "option without value": (answer(actions(menu(options=[{"text": plain("x")}]))), "value is missing"),
    "long option text": (answer(actions(menu(options=[{"text": plain("x" * 76), "value": "x"}]))), "76 characters"),
    "long option value": (answer(actions(menu(options=[{"text": plain("x"), "value": "x" * 151}]))), "151 characters"),
    "option value twice": (answer(actions(menu(options=options(1) * 2))), "same value"),
    "initial option not listed": (answer(actions(menu(initial_option=options(3)[2]))), "initial option"),
    "long placeholder": (answer(actions(menu(placeholder=plain("x" * 151)))), "151 characters"),
    "image without alt_text": (answer({"type": "image", "image_url": DOCS}), "alt_text is missing"),
    "image without address": (answer({"type": "image", "alt_text": "x"}), "exactly one"),
    "long alt_text": (answer(image(alt_text="x" * 2_001)), "2,001 characters"),
    "two tables": (answer(table(), table()), "2 tables"),
    "101 rows": (answer(table(101)), "1 to 100 rows"),
    "21 columns": (answer(table(1, 21)), "1 to 20 cells"),
    "10,001 characters in a table": (answer(table(1, 1, "x" * 10_001)), "10,001 characters"),
    "empty cell": (answer(table(text="")), "empty cell"),
    "rows differ": (answer({"type": "table", "rows": [[cell("x")], [cell("x"), cell("y")]]}), "rows differ"),
    "cell of unknown type": (answer({"type": "table", "rows": [[mrkdwn("x")]]}), "not 'mrkdwn'"),
    "markup in a cell": (answer(table(text="*bold*")), "where plain text"),
    "escape in a cell": (answer(table(text="CRS &gt;= 2")), "shown as these characters"),
    "emoji name in a cell": (answer(table(text=":warning: high")), "shown as these characters"),
    "too many column settings": (answer(table(column_settings=[{}] * 3)), "column_settings"),
    "column alignment": (answer(table(column_settings=[{"align": "middle"}])), "'middle'"),
    "column setting unknown": (answer(table(column_settings=[{"width": 3}])), "only align"),
    "long markdown": (answer(*[{"type": "markdown", "text": "x" * 6_001}] * 2), "12,002 characters of markdown"),
    "empty markdown": (answer({"type": "markdown", "text": ""}), "missing or empty"),
    "empty rich text": (answer({"type": "rich_text", "elements": []}), "missing or empty"),
    "rich text without a section": (answer({"type": "rich_text", "elements": [word("x")]}), "cannot stand directly"),
    "empty rich section": (answer(rich()), "missing or empty"),
    "empty rich word": (answer(rich(word(""))), "missing or empty"),
    "unknown rich piece": (answer(rich({"type": "sparkle"})), "'sparkle'"),
    "emoji in preformatted": (
        answer(rich({"type": "emoji", "name": "x"}, container="rich_text_preformatted")),
        "stand in",
    ),
    "unknown rich style": (answer(rich(word("x", style={"loud": True}))), "style"),
    "broadcast": (answer(rich({"type": "broadcast", "range": "channel"})), "not one of those allowed"),
    "markup in rich text": (answer(rich(word("*bold*"))), "where plain text"),
    "words straight in a list": (answer(rich(word("x"), container="rich_text_list", style="bullet")), "only rich_text"),
    "list without style": (
        answer(rich({"type": "rich_text_section", "elements": [word("x")]}, container="rich_text_list")),
        "'bullet' or 'ordered'",
    ),
    "input without block_id": (
        answer({"type": "input", "label": plain("x"), "element": menu()}),
        "block_id is missing",
    ),
}


@pytest.mark.parametrize(("payload", "complaint"), MESSAGE_VIOLATIONS.values(), ids=MESSAGE_VIOLATIONS.keys())
def test_every_violation_of_a_message_is_named(payload: Json, complaint: str) -> None:
    with pytest.raises(AssertionError) as found:
        check_message(payload)
    assert complaint in str(found.value)


def set_in(view: Json, **changes: Any) -> Callable[[], Json]:
    return lambda: copy.deepcopy(view) | changes


VIEW_VIOLATIONS: dict[str, tuple[Callable[[], Json], str]] = {
    "unknown type": (set_in(HOME, type="page"), "'page'"),
    "title on Home": (set_in(HOME, title=plain("x")), "do not belong"),
    "101 blocks": (set_in(HOME, blocks=[{"type": "divider"}] * 101), "1 to 100"),
    "no blocks": (set_in(HOME, blocks=None), "1 to 100"),
    "table on Home": (set_in(HOME, blocks=[table()]), "home view cannot hold it"),
    "table in a modal": (set_in(MODAL, blocks=[table()]), "modal view cannot hold it"),
    "markdown on Home": (set_in(HOME, blocks=[{"type": "markdown", "text": "x"}]), "cannot hold it"),
    "long title": (set_in(MODAL, title=plain("x" * 25)), "25 characters"),
    "no title": (lambda: {key: MODAL[key] for key in MODAL if key != "title"}, "must have one"),
    "long submit": (set_in(MODAL, submit=plain("x" * 25)), "25 characters"),
    "no submit": (lambda: {key: MODAL[key] for key in MODAL if key != "submit"}, "must have one"),
    "long close": (set_in(MODAL, close=plain("x" * 25)), "25 characters"),
    "long metadata": (set_in(MODAL, private_metadata="x" * 3_001), "3,001 characters"),
    "long callback_id": (set_in(MODAL, callback_id="x" * 256), "256 characters"),
    "mrkdwn label": (set_in(MODAL, blocks=[field(menu(), label=mrkdwn("x"))]), "not allowed here"),
    "long hint": (set_in(MODAL, blocks=[field(menu(), hint=plain("x" * 2_001))]), "2,001 characters"),
    "button as an input": (set_in(MODAL, blocks=[field(button())]), "not allowed in block type input"),
    "long input": (
        set_in(MODAL, blocks=[field({"type": "plain_text_input", "action_id": "a", "max_length": 3_001})]),
        "at most 3,000",
    ),
    "decimals undecided": (
        set_in(MODAL, blocks=[field({"type": "number_input", "action_id": "a"})]),
        "is_decimal_allowed",
    ),
    "number as a number": (
        set_in(
            MODAL,
            blocks=[field({"type": "number_input", "action_id": "a", "is_decimal_allowed": True, "min_value": 50})],
        ),
        "strings",
    ),
}


@pytest.mark.parametrize(("view", "complaint"), VIEW_VIOLATIONS.values(), ids=VIEW_VIOLATIONS.keys())
def test_every_violation_of_a_view_is_named(view: Callable[[], Json], complaint: str) -> None:
    with pytest.raises(AssertionError) as found:
        check_view(view())
    assert complaint in str(found.value)


def test_all_violations_are_told_at_once() -> None:
    with pytest.raises(AssertionError) as found:
        check_message({"text": "a & b", "blocks": [section("x" * 3_001)]})
    told = str(found.value)
    assert all(part in told for part in ("response_type", "'&'", "3,001"))


def test_slack_sdk_has_the_last_word() -> None:
    """Its models know some rules that ours leave to them: here, what a confirmation's style may be."""
    confirm = {part: plain("x") for part in ("title", "text", "confirm", "deny")} | {"style": "loud"}
    with pytest.raises(AssertionError, match="slack_sdk refuses it"):
        check_message(answer(actions(button(confirm=confirm))))
