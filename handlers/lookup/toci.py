"""``toci``: the dose of tocilizumab for CRS by weight, and what its own labels say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from handlers.lookup.page import Line, Part, build, line, part, quoted, sentence
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.words import Token, UnreadWordError, read
from knowledge.evidence import load as load_evidence
from knowledge.label import Label, Statement, TocilizumabDose, Version, Volume, load
from knowledge.label.dosing import WEIGHT_MAX_KG, WEIGHT_MIN_KG, TocilizumabAmount, tocilizumab

# A number of any size is read, so that one out of range is told from a word not understood.
_NUMBER = r"((?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,2})?)"
_PATTERNS = {
    "kg": rf"{_NUMBER} ?(?:kg|kgs)",
    "other_unit": rf"{_NUMBER} ?(?:lb|lbs|pounds?|st|stones?|g|grams?)",
    "number": _NUMBER,
    "topic": r"(warnings?|contraindications?|interactions?|biosimilars?|indications?|label|prophylaxis)",
    "filler": r"(?:weight|wt|for|dose)",
}
_EXAMPLE = "/tarla toci 82kg"
_VERSIONS = ("toc.us.version", "toc.eu.version", "lab.us.version")
# Word -> (name for the ledger, heading, topics of the records).
_TOPICS: Mapping[str, tuple[str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "warning": ("warnings", "boxed warning and warnings", ("tocilizumab_boxed_warning", "tocilizumab_warning")),
        "contraindication": ("contraindications", "contraindications", ("tocilizumab_contraindication",)),
        "interaction": ("interactions", "interactions", ("tocilizumab_interaction",)),
        "biosimilar": ("biosimilars", "biosimilars", ("tocilizumab_biosimilar",)),
        "indication": ("indications", "indications", ("tocilizumab_indication",)),
        "label": ("indications", "indications", ("tocilizumab_indication",)),
        "prophylaxis": ("prophylaxis", "doses used as prophylaxis, off label", ("tocilizumab_prophylaxis",)),
    }
)


def toci(words: Sequence[str], today: str) -> LookUp:
    """The dose for a weight in kg (20 to 300), a topic of the labels (``warnings`` ...), or the rules of the dose.

    Raises:
        LookUpRefusal: the words are not understood, the weight is in another unit or out of range.
    """
    label = load()
    try:
        tokens = [token for token in read(words, _PATTERNS) if token.kind != "filler"]
    except UnreadWordError as unread:
        raise _refused(
            "After toci write the weight in kg, one topic such as warnings, or nothing. Numbers are plain: digits, a "
            "point and at most two decimals.",
            unread.position,
        ) from None
    for token in tokens:
        if token.kind == "other_unit":
            raise _refused(
                "The dose is by weight in kg, and nothing is converted here. Convert the weight to kg and check it.",
                token.position,
            )
        if token.kind == "number":
            # Pounds are common where this is typed, and a number alone could be either.
            raise _refused("Write the weight with its unit, in kg.", token.position)
    if len(tokens) > 1:
        raise _refused("More than one thing was asked for. Write one weight or one topic.", tokens[1].position)
    if not tokens:
        parts = [*_rule_parts(label), *_caution_parts(label), _more()]
        return build("toci.rules", "Tocilizumab for CRS: dose", parts, label, today, versions=_VERSIONS)
    if tokens[0].kind == "topic":
        return _topic(tokens[0].groups[0], label, today)
    return _for_weight(tokens[0], label, today)


def plain(number: Decimal) -> str:
    """A decimal as written by hand: no exponent, no trailing zeros, nothing rounded."""
    return f"{number.normalize():f}"


def _for_weight(token: Token, label: Label, today: str) -> LookUp:
    weight = Decimal(token.groups[0])
    if not WEIGHT_MIN_KG <= weight <= WEIGHT_MAX_KG:
        raise LookUpRefusal(
            LookUpCode.OUT_OF_RANGE,
            f"The weight must lie between {WEIGHT_MIN_KG} and {WEIGHT_MAX_KG} kg.",
            _EXAMPLE,
            token.position,
        )
    amount = tocilizumab(weight, label)
    title = f"Tocilizumab for CRS, {plain(weight)} kg: {plain(amount.mg)} mg"
    parts = [_amount_part(amount, label), *_rule_parts(label), *_caution_parts(label), _more()]
    arguments = {"weight_kg": plain(weight), "mg": plain(amount.mg), "volume_ml": plain(amount.volume_ml)}
    return build(
        "toci.dose", title, parts, label, today, versions=_VERSIONS, arguments={**arguments}, about_patient=True
    )


def _amount_part(amount: TocilizumabAmount, label: Label) -> Part:
    dose = label.get(TocilizumabDose, "toc.dose.us")
    volume = label.get(Volume, "toc.volume")
    product = f"{plain(amount.weight_kg)} kg × {amount.mg_per_kg} mg/kg = {plain(amount.calculated_mg)} mg"
    if amount.capped:
        product += f", above the maximum of {dose.max_mg} mg an infusion: {plain(amount.mg)} mg"
    lines = [line(product, dose.id)]
    if amount.below_band:
        lines.append(
            line(
                f"Under {dose.below_kg} kg: {dose.mg_per_kg_below} mg/kg. Unusual in an adult: check the weight",
                dose.id,
            )
        )
    share = f" ({volume.ml_per_kg} mL/kg)" if not amount.capped and not amount.below_band else ""
    lines.append(
        line(
            f"Volume of the injection: {plain(amount.mg)} mg ÷ {volume.mg_per_ml} mg/mL = "
            f"{plain(amount.volume_ml)} mL{share}",
            volume.id,
        )
    )
    lines.append(line(volume.says, volume.id))
    lines.append(line("Nothing is rounded here; rounding to vials is for your pharmacy"))
    return part("Dose of one infusion", *lines)


def _rule_parts(label: Label) -> list[Part]:
    dose = label.get(TocilizumabDose, "toc.dose.us")
    eu, guideline = label.get(Statement, "toc.dose.eu"), label.get(Statement, "toc.dose.asco")
    return [
        part(
            "US label",
            line(
                f"{dose.mg_per_kg} mg/kg ({dose.mg_per_kg_below} mg/kg under {dose.below_kg} kg), at most "
                f"{dose.max_mg} mg an infusion, {dose.with_steroid}",
                dose.id,
            ),
            line(f"{dose.route}; over {dose.infusion_minutes} minutes", dose.id),
            line(sentence(dose.dilution), dose.id),
            line(f"Repeats: {dose.repeat}", dose.id),
        ),
        part("EU label", *quoted(eu)),
        part("Guideline (ASCO), not a label", *quoted(guideline)),
    ]


def _caution_parts(label: Label) -> list[Part]:
    own, tarlatamab = label.get(Statement, "toc.ind.us"), label.get(Statement, "toc.ind.tarla_label")
    scope: list[Line] = [*quoted(own, "US: ")[::-1], *quoted(tarlatamab)]
    against = [
        each
        for name in ("toc.contra.us", "toc.contra.eu", "toc.warn.infection", "toc.warn.crs_labs")
        for each in quoted(label.get(Statement, name), _whose(label.get(Statement, name), label))
    ]
    return [
        part("What the labels say of its use", *scope),
        part("Contraindications and main warnings", *against),
    ]


def _more() -> Part:
    topics = "warnings, contraindications, interactions, biosimilars, indications, prophylaxis"
    return part("More", line(f"Topics: {topics}, as in", command="/tarla toci warnings"))


def _whose(statement: Statement, label: Label) -> str:
    """Whose label says it; of another product than the reference medicine the product too."""
    if statement.region not in ("us", "eu") or statement.topic == "tocilizumab_biosimilar":
        return ""  # no label, or one that the text itself names
    own = {label.get(Version, name).source for name in ("toc.us.version", "toc.eu.version")}
    product = (load_evidence().source(statement.source).title or "").split(" (")[0]
    return f"{statement.region.upper()}{'' if statement.source in own else f', {product}'}: "


def _topic(word: str, label: Label, today: str) -> LookUp:
    name, heading, topics = _TOPICS[word if word in _TOPICS else word.removesuffix("s")]
    lines = [each for said in label.statements(*topics) for each in quoted(said, _whose(said, label))]
    parts = [part("", *lines)]
    return build(f"toci.{name}", f"Tocilizumab: {heading}", parts, label, today, versions=_VERSIONS)


def _refused(message: str, position: int) -> LookUpRefusal:
    return LookUpRefusal(LookUpCode.NOT_UNDERSTOOD, message, _EXAMPLE, position)
