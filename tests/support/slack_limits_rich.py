"""Slack's rules for rich text and for tables, whose cells may hold rich text."""

from __future__ import annotations

from typing import Any

from tests.support.slack_limits_text import Report, characters, check_literal

TABLE_ROWS_MAX, TABLE_COLUMNS_MAX, TABLE_TEXT_MAX = 100, 20, 10_000
INDENT_MAX = 8

_CONTAINERS = {
    "rich_text_section": set[str](),
    "rich_text_preformatted": {"border"},
    "rich_text_quote": {"border"},
    "rich_text_list": {"style", "indent", "offset", "border"},
}
_PREFORMATTED_PIECES = frozenset({"text", "link"})
_STYLES = frozenset({"bold", "italic", "strike", "code", "underline"})
_PIECE_KEYS = {
    "text": {"text", "style"},
    "link": {"url", "text", "style", "unsafe"},
    "emoji": {"name", "unicode", "style"},
    "user": {"user_id", "style"},
    "channel": {"channel_id", "style"},
    "usergroup": {"usergroup_id", "style"},
    "broadcast": {"range", "style"},
}
# What a link or a mention points at: only what the caller of the check allows.
_TARGETS = {
    "link": "url",
    "user": "user_id",
    "channel": "channel_id",
    "usergroup": "usergroup_id",
    "broadcast": "range",
}


def check_rich_text(where: str, block: dict[str, Any], report: Report) -> None:
    """Check a rich_text block: sections, lists, quotes and preformatted parts, and the pieces in them."""
    parts = block.get("elements")
    if not isinstance(parts, list) or not parts:
        report.add(where, "elements are missing or empty")
        return
    for number, part in enumerate(parts):
        _check_part(f"{where}.elements[{number}]", part, report)


def _check_part(where: str, part: Any, report: Report) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _CONTAINERS:
        report.add(where, f"{kind!r} cannot stand directly in rich_text")
        return
    if unknown := set(part) - _CONTAINERS[kind] - {"type", "elements"}:
        report.add(where, f"unknown keys {sorted(unknown)}")
    inside = part.get("elements")
    if not isinstance(inside, list) or not inside:
        report.add(where, "elements are missing or empty")
        return
    if kind == "rich_text_list":
        if part.get("style") not in ("bullet", "ordered"):
            report.add(where, "style must be 'bullet' or 'ordered'")
        if not 0 <= part.get("indent", 0) <= INDENT_MAX:
            report.add(where, f"indent must lie between 0 and {INDENT_MAX}")
    for number, piece in enumerate(inside):
        at = f"{where}.elements[{number}]"
        if kind != "rich_text_list":
            _check_piece(at, piece, kind, report)
        elif isinstance(piece, dict) and piece.get("type") == "rich_text_section":
            _check_part(at, piece, report)
        else:
            report.add(at, "a list holds only rich_text_section")


def _check_piece(where: str, piece: Any, container: str, report: Report) -> None:
    kind = piece.get("type") if isinstance(piece, dict) else None
    if kind not in _PIECE_KEYS or (container == "rich_text_preformatted" and kind not in _PREFORMATTED_PIECES):
        report.add(where, f"{kind!r} is unknown or cannot stand in {container}")
        return
    if unknown := set(piece) - _PIECE_KEYS[kind] - {"type"}:
        report.add(where, f"unknown keys {sorted(unknown)}")
    style = piece.get("style", {})
    if not isinstance(style, dict) or set(style) - _STYLES or not all(isinstance(on, bool) for on in style.values()):
        report.add(where, f"style {style!r} is not one of {sorted(_STYLES)}, each true or false")
    if kind == "text":
        _check_words(where, piece, container, report)
    elif kind != "emoji":
        target = _TARGETS[kind]
        if piece.get(target) not in report.allowed_links:
            report.add(where, f"{kind} {piece.get(target)!r} is not one of those allowed")


def _check_words(where: str, piece: dict[str, Any], container: str, report: Report) -> None:
    text = piece.get("text")
    if not isinstance(text, str) or not text:
        report.add(where, "text is missing or empty")
    elif container != "rich_text_preformatted":
        check_literal(where, text, report)


def check_table(where: str, block: dict[str, Any], report: Report) -> None:
    """Check a table: 1 to 100 equal rows of 1 to 20 cells, none empty, 10,000 characters together."""
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= TABLE_ROWS_MAX:
        report.add(where, f"1 to {TABLE_ROWS_MAX} rows are needed")
        return
    if not all(isinstance(row, list) and 1 <= len(row) <= TABLE_COLUMNS_MAX for row in rows):
        report.add(where, f"a row needs 1 to {TABLE_COLUMNS_MAX} cells")
        return
    if len({len(row) for row in rows}) > 1:
        report.add(where, f"rows differ in their number of cells: {[len(row) for row in rows]}")
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            _check_cell(f"{where}.rows[{y}][{x}]", cell, report)
    if (length := sum(_length(cell) for row in rows for cell in row)) > TABLE_TEXT_MAX:
        report.add(where, f"{length:,} characters in the table, of at most {TABLE_TEXT_MAX:,}")
    settings = block.get("column_settings", [])
    if not isinstance(settings, list) or len(settings) > min(TABLE_COLUMNS_MAX, len(rows[0])):
        report.add(where, "column_settings describe more columns than there are")
        return
    for number, setting in enumerate(settings):
        _check_column(f"{where}.column_settings[{number}]", setting, report)


def _check_cell(where: str, cell: Any, report: Report) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if kind == "rich_text":
        check_rich_text(where, cell, report)
    elif kind != "raw_text":
        report.add(where, f"a cell is raw_text or rich_text, not {kind!r}")
    elif not isinstance(cell.get("text"), str) or not cell["text"].strip():
        report.add(where, "an empty cell is refused")
    else:
        if unknown := set(cell) - {"type", "text"}:
            report.add(where, f"unknown keys {sorted(unknown)}")
        check_literal(where, cell["text"], report)


def _check_column(where: str, setting: Any, report: Report) -> None:
    if setting is None:
        return
    if not isinstance(setting, dict) or set(setting) - {"align", "is_wrapped"}:
        report.add(where, "holds only align and is_wrapped")
    elif setting.get("align", "left") not in ("left", "center", "right"):
        report.add(where, f"align {setting['align']!r} is not left, center or right")
    elif not isinstance(setting.get("is_wrapped", False), bool):
        report.add(where, "is_wrapped is true or false")


def _length(value: Any) -> int:
    """Characters of every text in a cell, however deep."""
    if isinstance(value, dict):
        own = characters(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_length(inner) for key, inner in value.items() if key != "text")
    return sum(_length(inner) for inner in value) if isinstance(value, list) else 0
