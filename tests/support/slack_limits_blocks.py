"""Slack's rules for blocks: which, how many, how long, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block as SdkBlock

from tests.support.slack_limits_elements import URL_MAX, check_element
from tests.support.slack_limits_rich import check_rich_text, check_table
from tests.support.slack_limits_text import Report, characters, check_text_object

Block = dict[str, Any]

BLOCK_ID_MAX = 255
SECTION_TEXT_MAX, SECTION_FIELDS_MAX, SECTION_FIELD_MAX = 3_000, 10, 2_000
HEADER_MAX = 150
CONTEXT_ELEMENTS_MAX = 10
ACTIONS_ELEMENTS_MAX = 25
IMAGE_TEXT_MAX = 2_000
INPUT_TEXT_MAX = 2_000
MARKDOWN_MAX = 12_000
TABLES_MAX = 1

_KEYS = {
    "section": {"text", "fields", "accessory", "expand"},
    "divider": set(),
    "header": {"text"},
    "context": {"elements"},
    "actions": {"elements"},
    "image": {"image_url", "slack_file", "alt_text", "title"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "markdown": {"text"},
    "rich_text": {"elements"},
    "table": {"rows", "column_settings"},
}
MESSAGES_ONLY = frozenset({"markdown", "table"})


def check_blocks(blocks: Any, surface: str, most: int, report: Report) -> None:
    """Check the blocks of a ``message``, ``home`` or ``modal``, each alone and all together."""
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= most:
        count = len(blocks) if isinstance(blocks, list) else "no list"
        report.add("blocks", f"{count}, but 1 to {most} are needed")
        return
    known: list[Block] = []
    for number, block in enumerate(blocks):
        if not isinstance(block, dict) or block.get("type") not in _KEYS:
            kind = block.get("type") if isinstance(block, dict) else block
            report.add(f"blocks[{number}]", f"block type {kind!r} is unknown here")
            continue
        known.append(block)
        _check_block(f"blocks[{number}] {block['type']}", block, surface, report)
    _check_together(known, report)


def _check_together(blocks: list[Block], report: Report) -> None:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) != len(ids):
        report.add("blocks", f"block_id is used twice: {sorted(i for i in set(ids) if ids.count(i) > 1)}")
    if (tables := sum(block["type"] == "table" for block in blocks)) > TABLES_MAX:
        report.add("blocks", f"{tables} tables of at most {TABLES_MAX}")
    markdown = sum(characters(str(block.get("text"))) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_MAX:
        report.add("blocks", f"{markdown:,} characters of markdown together, of at most {MARKDOWN_MAX:,}")


def _check_block(where: str, block: Block, surface: str, report: Report) -> None:
    kind = block["type"]
    before = len(report.violations)
    if surface != "message" and kind in MESSAGES_ONLY:
        report.add(where, f"a {surface} view cannot hold it")
    if unknown := set(block) - _KEYS[kind] - {"type", "block_id"}:
        report.add(where, f"unknown keys {sorted(unknown)}")
    if "block_id" in block:
        report.longest(f"{where}.block_id", str(block["block_id"]), BLOCK_ID_MAX)
        if block["block_id"] == "":
            report.add(where, "block_id is empty")
    if kind in _CHECKS:
        _CHECKS[kind](where, block, report)
    if len(report.violations) == before:
        _check_with_sdk(where, block, report)


def _check_section(where: str, block: Block, report: Report) -> None:
    if "text" not in block and "fields" not in block:
        report.add(where, "neither text nor fields")
    if "text" in block:
        check_text_object(f"{where}.text", block["text"], SECTION_TEXT_MAX, report)
    if "fields" in block:
        fields = _listed(f"{where}.fields", block["fields"], SECTION_FIELDS_MAX, report)
        for number, text in enumerate(fields):
            check_text_object(f"{where}.fields[{number}]", text, SECTION_FIELD_MAX, report)
    accessory = block.get("accessory")
    if isinstance(accessory, dict) and accessory.get("type") == "image":
        _check_image(f"{where}.accessory", accessory, report)
    elif accessory is not None:
        check_element(f"{where}.accessory", accessory, "section", report)


def _check_header(where: str, block: Block, report: Report) -> None:
    check_text_object(f"{where}.text", block.get("text"), HEADER_MAX, report, plain=True)


def _check_context(where: str, block: Block, report: Report) -> None:
    for number, element in enumerate(_listed(where, block.get("elements"), CONTEXT_ELEMENTS_MAX, report)):
        at = f"{where}.elements[{number}]"
        if isinstance(element, dict) and element.get("type") == "image":
            _check_image(at, element, report)
        else:
            check_text_object(at, element, SECTION_TEXT_MAX, report)


def _check_actions(where: str, block: Block, report: Report) -> None:
    elements = _listed(where, block.get("elements"), ACTIONS_ELEMENTS_MAX, report)
    for number, element in enumerate(elements):
        check_element(f"{where}.elements[{number}]", element, "actions", report)
    ids = [element.get("action_id") for element in elements if isinstance(element, dict)]
    if len(set(ids)) != len(ids):
        report.add(where, "an action_id is used twice")


def _check_input(where: str, block: Block, report: Report) -> None:
    check_text_object(f"{where}.label", block.get("label"), INPUT_TEXT_MAX, report, plain=True)
    if "hint" in block:
        check_text_object(f"{where}.hint", block["hint"], INPUT_TEXT_MAX, report, plain=True)
    check_element(f"{where}.element", block.get("element"), "input", report)
    if "block_id" not in block:
        report.add(where, "block_id is missing: the submitted value could not be found")


def _check_image(where: str, image: Block, report: Report) -> None:
    if ("image_url" in image) == ("slack_file" in image):
        report.add(where, "exactly one of image_url and slack_file is needed")
    report.longest(f"{where}.image_url", str(image.get("image_url", "")), URL_MAX)
    alt_text = image.get("alt_text")
    if not isinstance(alt_text, str) or not alt_text.strip():
        report.add(where, "alt_text is missing")
    else:
        report.longest(f"{where}.alt_text", alt_text, IMAGE_TEXT_MAX)
    if "title" in image:
        check_text_object(f"{where}.title", image["title"], IMAGE_TEXT_MAX, report, plain=True)


def _check_markdown(where: str, block: Block, report: Report) -> None:
    if not isinstance(block.get("text"), str) or not block["text"].strip():
        report.add(where, "text is missing or empty")


def _listed(where: str, items: Any, most: int, report: Report) -> list[Any]:
    if not isinstance(items, list) or not 1 <= len(items) <= most:
        report.add(where, f"1 to {most} elements are needed")
        return []
    return items


def _check_with_sdk(where: str, block: Block, report: Report) -> None:
    """A second opinion from Slack's own Python models, once our rules are content."""
    try:
        (parsed,) = SdkBlock.parse_all([block])
        if parsed is None:
            report.add(where, "slack_sdk does not know this block")
        else:
            parsed.to_dict()  # validates what is inside, too
    except (SlackObjectFormationError, AttributeError, KeyError, TypeError, ValueError) as error:
        report.add(where, f"slack_sdk refuses it: {error}")


_CHECKS: dict[str, Callable[[str, Block, Report], None]] = {
    "section": _check_section,
    "header": _check_header,
    "context": _check_context,
    "actions": _check_actions,
    "image": _check_image,
    "input": _check_input,
    "markdown": _check_markdown,
    "rich_text": check_rich_text,
    "table": check_table,
}
