"""The site's overview as blocks: settings, versions, counts. Nothing in it tells of a person or of a finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from handlers.access import who_may_ask
from handlers.answer.own_patients import origin
from handlers.blockkit import CHANNELS_SHOWN, Block, channel_links, code_section, context, escape, section
from handlers.ports import Kind, LedgerCounts
from handlers.site.settings import SiteSettings
from knowledge.evidence import load as load_evidence
from knowledge.model import Model

HEADLINE = "Tarla at this site"
_KINDS = (
    *(Kind.COMPUTED, Kind.LOOKED_UP, Kind.REFUSED, Kind.SHARED, Kind.OUTCOME),
    *(Kind.DELIVERED, Kind.DELIVERY_FAILED),
)
_HEADS = ("week", "computed", "looked_up", "refused", "shared", "outcomes", "delivered", "failed")
# Refusal codes beyond these are counted together.
CODES_SHOWN = 30


def site_blocks(
    site: SiteSettings, code_version: str, model: Model | None, weeks: Sequence[str], counts: LedgerCounts | str
) -> tuple[Block, ...]:
    """The overview; ``model`` is None where it cannot be used, ``counts`` a fault's code where the ledger cannot."""
    return (
        section(f"*{HEADLINE}*"),
        section("\n".join(f"`{name}` {value}" for name, value in settings_lines(site))),
        section(
            f"*Versions* program {escape(code_version)} · model {_model(model)} · evidence {load_evidence().version}"
        ),
        *_counted(weeks, counts),
    )


def site_text(site: SiteSettings, counts: LedgerCounts | str) -> str:
    """The overview for notifications and screen readers."""
    ledger = counts if isinstance(counts, str) else f"{counts.last_seq} events"
    readable = "cannot be read" if isinstance(counts, str) else "holds"
    return f"{HEADLINE}: may ask {who_may_ask(site.rules)}; the ledger {readable} {ledger}"


def settings_lines(site: SiteSettings) -> list[tuple[str, str]]:
    """Each setting by its name and what it says, mrkdwn."""
    rules = site.rules
    return [
        ("TARLA_ALLOWED_GROUPS", _listed(rules.groups)),
        ("TARLA_ALLOWED_CHANNELS", channel_links(rules.channels) or "none"),
        ("TARLA_ALLOW_GUESTS", _yes_no(rules.guests)),
        ("TARLA_ALLOW_OTHER_WORKSPACES", rules.other_workspaces.value),
        ("TARLA_ADMIN_GROUP", site.admin_group or "none"),
        ("TARLA_LDH_ULN", escape(site.upper_limit)),
        ("TARLA_TABLE", site.table.value),
    ]


def _counted(weeks: Sequence[str], counts: LedgerCounts | str) -> list[Block]:
    if isinstance(counts, str):
        return [section(f"*No counts:* the audit ledger cannot be read (`{counts}`); `tarla doctor` says what to do.")]
    rows: list[tuple[str, ...]] = [_HEADS]
    for monday in weeks:
        number = date.fromisoformat(monday).isocalendar()
        counted = tuple(str(counts.by_week.get((monday, kind), 0)) for kind in _KINDS)
        rows.append((f"{number.year}-W{number.week:02d}", *counted))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    span = f"ledger events {counts.first_seq} to {counts.last_seq}" if counts.last_seq else "the ledger is empty"
    bound = "" if counts.complete else "; older events of these weeks were not counted"
    blocks = [code_section("\n".join([*lines, "", f"ISO weeks, UTC; {span}{bound}"]))]
    codes = sorted(counts.refusals.items(), key=lambda item: (-item[1], item[0]))
    if codes:
        shown = [f"{count:>6}  {code}" for code, count in codes[:CODES_SHOWN]]
        rest = sum(count for _, count in codes[CODES_SHOWN:])
        shown += [f"{rest:>6}  others"] if rest else []
        blocks.append(code_section("\n".join([f"Refusals of these weeks ({span})", *shown])))
    return [*blocks, context("Counts only: who asked what is in the ledger for auditors, and not shown here.")]


def _model(model: Model | None) -> str:
    if model is None:
        return "not usable, so no risk is shown"
    version = model.version
    whose = "" if model.site is None else f", {escape(origin(model.site))}, SHA-256 `{model.site.data_sha256[:12]}…`"
    return f"{escape(version.id)} (SHA-256 `{version.sha256[:12]}…`){whose}"


def _listed(parts: Sequence[str]) -> str:
    return (", ".join(parts[:CHANNELS_SHOWN]) + (" and others" if len(parts) > CHANNELS_SHOWN else "")) or "none"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
