"""Slack's rules for text: lengths, escapes, links, and no markup where none is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# Bold, italic, struck, code, or a link with a label, as mrkdwn writes them.
_MARKUP = re.compile(
    r"""(?<!\w)\*(?=\S)[^*\n]+(?<=\S)\*(?!\w)
      | (?<!\w)_(?=\S)[^_\n]+(?<=\S)_(?!\w)
      | (?<!\w)~(?=\S)[^~\n]+(?<=\S)~(?!\w)
      | `[^`\n]+` | ``` | <[^<>\s]+\|[^<>]*>""",
    re.VERBOSE,
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]*:")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_ANGLED = re.compile(r"<([^<>\n]*)>")
_QUOTE = re.compile(r"^>{1,3} ?", re.MULTILINE)


@dataclass
class Report:
    """Violations found so far, and what links are allowed."""

    allowed_links: frozenset[str] = frozenset()
    violations: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Note one violation."""
        self.violations.append(f"{where}: {what}")

    def longest(self, where: str, text: str, most: int) -> None:
        """Note a text of more than ``most`` characters."""
        if (length := characters(text)) > most:
            self.add(where, f"{length:,} characters of at most {most:,}")

    def finish(self) -> None:
        """Raise AssertionError with every violation, if there is one."""
        if self.violations:
            raise AssertionError("Slack would not show this as meant:\n" + "\n".join(self.violations))


def characters(text: str) -> int:
    """Length in UTF-16 units, as JavaScript counts."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def check_text_object(where: str, text: Any, most: int, report: Report, *, plain: bool = False) -> None:
    """Check a text object: its type, its length and what it says. ``plain`` asks for plain_text."""
    if not isinstance(text, dict):
        report.add(where, f"a text object is needed, not {text!r}")
        return
    kind, content = text.get("type"), text.get("text")
    if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        report.add(where, f"text type {kind!r} is not allowed here")
    own = {"plain_text": "emoji", "mrkdwn": "verbatim"}.get(str(kind), "")
    if unknown := set(text) - {"type", "text", own}:
        report.add(where, f"keys {sorted(unknown)} do not belong to {kind}")
    if not isinstance(content, str) or not content.strip():
        report.add(where, "text is missing or empty")
        return
    report.longest(where, content, most)
    (check_mrkdwn if kind == "mrkdwn" else check_plain)(where, content, report)


def check_plain(where: str, text: str, report: Report) -> None:
    """A place that shows text as it stands: markup would be read as stars and underscores."""
    if found := _MARKUP.search(text):
        report.add(where, f"mrkdwn {found[0]!r} where plain text is shown")


def check_literal(where: str, text: str, report: Report) -> None:
    """A table cell or a piece of rich text: neither markup nor escapes nor emoji names are read."""
    check_plain(where, text, report)
    if found := _ENTITY.search(text) or _EMOJI.search(text):
        report.add(where, f"{found[0]!r} would be shown as these characters")


def check_mrkdwn(where: str, text: str, report: Report) -> None:
    """mrkdwn: every &, < and > escaped but in allowed links and in quotes, every code fence closed."""
    if text.count("```") % 2:
        report.add(where, "a code fence is not closed")
    if _BARE_AMPERSAND.search(text):
        report.add(where, "'&' is not escaped")
    for inside in _ANGLED.findall(text):
        target = inside.split("|")[0]
        if target not in report.allowed_links:
            report.add(where, f"'<{inside}>' is a link, a mention or an unescaped '<'")
    rest = _QUOTE.sub("", _ANGLED.sub("", text))
    for character in "<>":
        if character in rest:
            report.add(where, f"{character!r} is not escaped")
