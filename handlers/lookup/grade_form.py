"""The forms behind ``grade``: every finding is chosen, none typed, and none is taken as chosen unless it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from handlers.blockkit import Block, context, escape
from knowledge.label import CrsGrading, Domain, IcansGrading, Ice, Label, load
from knowledge.label.grading import CrsFindings, Fever, IcansFindings

GradeKind = Literal["crs", "icans"]
GRADE_CALLBACKS: Mapping[GradeKind, str] = {"crs": "tarla_grade_crs", "icans": "tarla_grade_icans"}
# The one action in every field; its value is found at state.values[block_id][ACTION_ID].
ACTION_ID = "value"
CHOOSE_ONE = "Choose one."
# Block ids, by field.
FEVER_BLOCK = "grade_fever"
_BLOCK = "grade_{}"

FEVER_CHOICES: Mapping[Fever, str] = {
    Fever.YES: "Yes, no other cause",
    Fever.TREATED: "Was there; antipyretic, tocilizumab or steroid given since",
    Fever.OTHER_CAUSE: "Yes, explained by another cause",
    Fever.NO: "No",
}
_TITLES: Mapping[GradeKind, str] = {"crs": "Grade of CRS", "icans": "Grade of ICANS"}


def grade_form_view(kind: GradeKind, private_metadata: str = "") -> dict[str, Any]:
    """The modal for CRS or ICANS. Nothing is chosen beforehand; ``private_metadata`` comes back on submission."""
    label = load()
    fields = _crs_fields(label) if kind == "crs" else _icans_fields(label)
    return {
        "type": "modal",
        "callback_id": GRADE_CALLBACKS[kind],
        "private_metadata": private_metadata,
        "title": _plain(_TITLES[kind]),
        "submit": _plain("Work out"),
        "close": _plain("Cancel"),
        "blocks": [*fields, _small_print(kind, label)],
    }


def read_grade_form(kind: GradeKind, state_values: Mapping[str, Any]) -> CrsFindings | IcansFindings | dict[str, str]:
    """Findings from ``view.state.values``, or what is wrong by block id, ready for ``response_action: errors``.

    A field that is missing, null or holds an unknown value is an error under that field, never a default.
    """
    label = load()
    allowed = _crs_values(label) if kind == "crs" else _icans_values(label)
    chosen: dict[str, str] = {}
    errors: dict[str, str] = {}
    for block_id, values in allowed.items():
        value = _chosen(state_values, block_id)
        if value in values:
            chosen[block_id] = str(value)
        else:
            errors[block_id] = CHOOSE_ONE
    if errors:
        return errors
    if kind == "crs":
        return CrsFindings(
            Fever(chosen[FEVER_BLOCK]), chosen[_BLOCK.format("hypotension")], chosen[_BLOCK.format("hypoxia")]
        )
    items = label.get(Ice, "grd.ice").items
    return IcansFindings(
        {item.key: int(chosen[_BLOCK.format(item.key)]) for item in items},
        consciousness=chosen[_BLOCK.format("consciousness")],
        seizure=chosen[_BLOCK.format("seizure")],
        motor=chosen[_BLOCK.format("motor")],
        oedema=chosen[_BLOCK.format("oedema")],
    )


def _crs_fields(label: Label) -> list[Block]:
    grading = label.get(CrsGrading, "grd.crs.astct2019")
    fever = _field(
        FEVER_BLOCK,
        "Fever",
        f"{grading.definition_of_fever} ({grading.id})",
        [(name.value, text) for name, text in FEVER_CHOICES.items()],
    )
    return [fever, *(_domain(domain, grading.id) for domain in grading.domains)]


def _icans_fields(label: Label) -> list[Block]:
    ice, grading = label.get(Ice, "grd.ice"), label.get(IcansGrading, "grd.icans.astct2019")
    items = [
        _field(
            _BLOCK.format(item.key),
            f"ICE: {item.name}",
            f"{item.detail}; 0 if the patient cannot answer ({ice.id})",
            [(str(n), f"{n} of {item.points}") for n in range(item.points, -1, -1)],
            menu=True,
        )
        for item in ice.items
    ]
    return [*items, *(_domain(domain, grading.id) for domain in grading.domains)]


def _crs_values(label: Label) -> dict[str, set[str]]:
    domains = label.get(CrsGrading, "grd.crs.astct2019").domains
    return {FEVER_BLOCK: {fever.value for fever in Fever}, **_domain_values(domains)}


def _icans_values(label: Label) -> dict[str, set[str]]:
    items = label.get(Ice, "grd.ice").items
    points = {_BLOCK.format(item.key): {str(n) for n in range(item.points + 1)} for item in items}
    return {**points, **_domain_values(label.get(IcansGrading, "grd.icans.astct2019").domains)}


def _domain_values(domains: Sequence[Domain]) -> dict[str, set[str]]:
    return {_BLOCK.format(domain.key): {level.key for level in domain.levels} for domain in domains}


def _chosen(state_values: Mapping[str, Any], block_id: str) -> object:
    at: Any = state_values
    for key in (block_id, ACTION_ID, "selected_option", "value"):
        at = at.get(key) if isinstance(at, Mapping) else None
    return at if isinstance(at, str) else None


def _domain(domain: Domain, record: str) -> Block:
    return _field(
        _BLOCK.format(domain.key),
        domain.name,
        f"Leave out what another cause explains ({record})",
        [(level.key, level.short) for level in domain.levels],
    )


def _field(block_id: str, name: str, hint: str, choices: Sequence[tuple[str, str]], *, menu: bool = False) -> Block:
    options = [{"text": _plain(text), "value": value} for value, text in choices]
    element: dict[str, Any] = {"type": "radio_buttons", "action_id": ACTION_ID, "options": options}
    if menu:
        element |= {"type": "static_select", "placeholder": _plain("Choose points")}
    return {"type": "input", "block_id": block_id, "label": _plain(name), "hint": _plain(hint), "element": element}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _small_print(kind: GradeKind, label: Label) -> Block:
    crs, icans = label.get(CrsGrading, "grd.crs.astct2019"), label.get(IcansGrading, "grd.icans.astct2019")
    grading = crs if kind == "crs" else icans
    rules = [*grading.rules, *([icans.motor] if kind == "icans" else [])]
    lines = [
        f"ASTCT 2019, {grading.applies_to} `{grading.id}` `grd.version`. Rules: {escape('; '.join(rules))}.",
        "Not for time-critical decisions. Nothing that could identify a patient is asked for.",
    ]
    return context("\n".join(lines))
