"""The runbook quotes what the program says: every text, code, metric and setting in it is the program's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checkpoints.signing import AlarmCode
from bot.logs import FIELDS
from bot.operations import Operations
from bot.operations import vocabulary as words
from bot.operations.exposition import exposition, registry_of
from bot.operations.operations import FIGURES
from bot.operations.readiness import NOT_CONNECTED, NOT_USABLE, SITE_NOT_USABLE, STARTING, STOPPING
from bot.settings import Settings
from handlers.parsing import RefusalCode
from knowledge.model import load as load_model

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = ROOT / "docs" / "prometheus" / "tarla.rules.yml"
# What /readyz may say, by probe.
REASONS = {
    "ledger": words.LEDGER_CODES,
    "model": {NOT_USABLE, SITE_NOT_USABLE},
    "evidence": {NOT_USABLE},
    "slack": {NOT_CONNECTED},
    "process": {STARTING, STOPPING},
    "checkpoint": frozenset(str(code) for code in AlarmCode),
}
# Closed words that may stand alone in backticks; those with an underscore are never ordinary words.
CODES = frozenset[str]().union(
    *REASONS.values(),
    *(words.DELIVERY_REASONS, words.KINDS, words.OUTCOMES, words.TURNED_AWAY, words.DOORS, words.WAYS, FIELDS),
    {"not_signed_by_slack"},
)
FAILURES = (
    *("The ledger cannot be written", "The ledger is missing or was moved", "The ledger is damaged"),
    *("An older copy was restored", "Checkpoints cannot be written", "The signing key is lost"),
    *("The signing key was stolen", "Slack is down, or the socket is deaf", "Slack refuses answers"),
    *("Tokens were revoked", "Too many connections", "The clock is wrong", "Busy, or slow"),
    *(
        "The model is not usable",
        "The site model is not usable",
        "The process was killed, or hangs",
        "The host is lost",
    ),
)


@cache
def metric_names() -> frozenset[str]:
    """Names of all families and samples."""
    operations = Operations("0.1.0", load_model)
    for name in FIGURES:
        operations.measure(name, lambda: 1.0)
    for histogram in operations.counts.histograms:
        histogram.observe(0.1, "http")
    text = exposition(registry_of(operations), "")[0].decode()
    return frozenset(re.findall(r"^(?:# TYPE )?([a-z_]+)", text, re.MULTILINE))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "%s" for part in node.values)


@cache
def said_by_the_program() -> str:
    """Every text in the program, with an ellipsis for what is filled in."""
    texts = []
    for package in ("bot", "handlers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            texts += _texts(ast.parse(path.read_text(encoding="utf-8")))
    return "\n".join(re.sub(r"%[sd]", "…", " ".join(text.split())) for text in texts)


def spans(text: str) -> list[str]:
    """What stands in backticks, line breaks undone."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def quotes(text: str) -> list[str]:
    """What stands in curly quotation marks, line breaks undone."""
    return [" ".join(quote.split()) for quote in re.findall(r"“([^”]+)”", text)]


def test_every_failure_has_its_section_with_all_five_parts() -> None:
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert list(sections) == ["Where to look", *FAILURES]
    for name in FAILURES:
        for part in ("The user reads", "The ledger holds", "You see", "For the auditor"):
            assert f"**{part}**" in sections[name], f"{name}: {part}"
        assert "**Do**" in sections[name] or "| do |" in sections[name], name


@pytest.mark.parametrize("quote", dict.fromkeys(quotes(RUNBOOK)))
def test_every_quoted_text_is_the_programs(quote: str) -> None:
    assert quote in said_by_the_program()


def test_a_text_of_nobodys_would_be_found() -> None:
    assert "The ledger is resting." not in said_by_the_program()


@pytest.mark.parametrize("text", [RUNBOOK, OPERATIONS], ids=["runbook", "operations"])
def test_every_metric_exists(text: str) -> None:
    named = {span for span in spans(text) if re.fullmatch(r"(tarla|process)_[a-z_]+", span)}
    assert named
    assert named <= metric_names()


def test_every_reason_of_readyz_exists() -> None:
    told = re.findall(r"`([a-z]+)`:\s`([a-z_]+)`", RUNBOOK)
    assert len(told) >= 12
    assert not [(probe, word) for probe, word in told if word not in REASONS[probe]]


def test_every_reason_of_readyz_is_explained() -> None:
    explained = set(spans(RUNBOOK))
    for probe in ("ledger", "model", "slack", "checkpoint"):
        assert REASONS[probe] <= explained, probe


def test_every_closed_word_exists() -> None:
    told = {span for span in spans(RUNBOOK) if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", span)}
    assert {word for word in told if not word.startswith(("tarla_", "process_"))} <= CODES | SLACKS
    refusals = {span for span in spans(RUNBOOK) if span.startswith("E_")}
    assert refusals
    assert refusals <= words.REFUSALS
    assert RefusalCode.EMPTY.value in words.REFUSALS


SLACKS = frozenset({"invalid_auth", "token_revoked", "account_inactive", "channel_not_found", "is_archived"})


def test_every_setting_exists() -> None:
    named = {span for span in spans(RUNBOOK) if re.fullmatch(r"(TARLA|SLACK)_[A-Z_]+", span)}
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_rests_on_metrics_that_exist_and_leads_to_its_section(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\b(?:tarla|process)_[a-z_]+", re.sub(r'"[^"]*"', "", rule["expr"])))
    assert named <= metric_names()
    assert named or rule["expr"].startswith("up{")
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in FAILURES}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/runbook.md"
    assert not anchor or anchor in anchors
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_label_values_in_the_rules_are_closed_words() -> None:
    values = {
        value
        for rule in rules()
        for matched in re.findall(r'(?:reason|way|code)=~?"([^"]+)"', rule["expr"])
        for value in matched.split("|")
    }
    assert values
    assert values <= words.TURNED_AWAY | words.WAYS | words.LEDGER_CODES
