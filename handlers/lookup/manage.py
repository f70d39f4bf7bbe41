"""``manage``: what the label says for CRS and ICANS by grade, and when else it withholds tarlatamab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from handlers.lookup.page import Line, Part, build, line, part, sentence, us_monitoring
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.words import Token, UnreadWordError, read
from knowledge.label import Grade, HoldDifferences, Holds, Label, Management, Statement, load

_NAMES = {"crs": "CRS", "icans": "ICANS"}
_EXAMPLE = "/tarla manage crs 2"
# Clinicians' words -> the label's other reasons to withhold.
HOLD_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(["neutropenia", "neutrophils", "anc"], "neutropenia"),
        **dict.fromkeys(["febrile neutropenia", "fn"], "febrile_neutropenia"),
        **dict.fromkeys(["haemoglobin", "hemoglobin", "hb", "anaemia", "anemia"], "haemoglobin"),
        **dict.fromkeys(["platelets", "thrombocytopenia", "plt"], "platelets"),
        **dict.fromkeys(["infection", "infections"], "infection"),
        **dict.fromkeys(["liver", "alt", "ast", "bilirubin", "lft", "lfts", "hepatotoxicity"], "liver"),
        **dict.fromkeys(["other"], "other"),
    }
)
_PATTERNS = {
    "toxicity": r"(crs|icans)",
    "joined": r"(crs|icans)-?([0-9])",
    "grade": r"(?:grade|gr|g) ?([0-9])",
    "number": r"([0-9])",
    "holds": r"(holds)",
    "hold": "(" + "|".join(sorted(HOLD_WORDS, key=len, reverse=True)) + ")",
}


def manage(words: Sequence[str], today: str) -> LookUp:
    """One grade (``crs 2``, ``icans 3``), a toxicity's criteria (``crs``), a hold (``neutropenia``), or what there is.

    Raises:
        LookUpRefusal: the words are not understood, or the label has no such grade.
    """
    label = load()
    try:
        tokens = read(words, _PATTERNS)
    except UnreadWordError as unread:
        raise _refused(unread.position) from None
    kinds = [token.kind for token in tokens]
    if not tokens:
        return build("manage.topics", "Tarlatamab: what the label says to do", _topics(label), label, today)
    if kinds in (["hold"], ["holds"]):
        return _hold(HOLD_WORDS.get(tokens[0].groups[0]), label, today)
    if kinds == ["toxicity"]:
        return _overview(tokens[0].groups[0], label, today)
    if kinds == ["joined"]:
        return _graded(tokens[0].groups[0], tokens[0].groups[1], tokens[0], label, today)
    if sorted(kinds) in (["grade", "toxicity"], ["number", "toxicity"]):
        grade, toxicity = sorted(tokens, key=lambda token: token.kind)
        return _graded(toxicity.groups[0], grade.groups[0], grade, label, today)
    raise _refused(tokens[0].position if kinds[0] not in ("toxicity", "joined") else tokens[-1].position)


def management_lines(label: Label, toxicity: str, grade: int) -> list[Line]:
    """Tarlatamab and tocilizumab at a grade, in two lines, for look-ups that point at the whole."""
    management = label.get(Management, f"lab.us.{toxicity}")
    row = management.grade(grade)
    lines = [line(f"Tarlatamab: {row.tarlatamab}", management.id)]
    if row.tocilizumab:
        lines.append(line(f"Tocilizumab: {row.tocilizumab}", management.id))
    return lines


def _graded(toxicity: str, digit: str, token: Token, label: Label, today: str) -> LookUp:
    management = label.get(Management, f"lab.us.{toxicity}")
    try:
        row = management.grade(int(digit))
    except KeyError:
        raise LookUpRefusal(
            LookUpCode.NOT_IN_LABEL,
            f"The label manages {_NAMES[toxicity]} of grade 1 to 4 (lab.us.{toxicity}). Write one of these grades.",
            f"/tarla manage {toxicity} 2",
            token.position,
        ) from None
    title = f"{_NAMES[toxicity]} grade {row.grade}: what the label says"
    parts = [*_grade_parts(management, row), _eu(toxicity, row, label)]
    return build(f"manage.{toxicity}", title, parts, label, today, arguments={"grade": row.grade})


def _grade_parts(management: Management, row: Grade) -> list[Part]:
    own = management.id
    first = [
        line(f"Grade {row.grade}: {row.criteria}", own),
        line(f"Grading: {management.grading}", own),
    ]
    treatment = [line(sentence(item), own) for item in row.treatment]
    if row.tocilizumab:
        treatment.append(line(f"Tocilizumab: {row.tocilizumab}; its dose:", own, command="/tarla toci 82kg"))
    treatment.append(line(f"Steroid taper: {management.steroid_taper}", own))
    parts = [
        part("US: criteria", *first),
        part("US: tarlatamab", line(sentence(row.tarlatamab), own)),
        part("US: treatment", *treatment),
    ]
    parts += [
        part(
            f"US: treatment at grade {lower.grade}, as it stands there",
            *(line(sentence(item), own) for item in lower.treatment),
        )
        for lower in management.built_on(row.grade)
    ]
    if row.next_dose:
        text = sentence(row.next_dose)
        if row.next_dose_monitoring:
            parts.append(part("US: next dose", us_monitoring(text, own)))
        else:
            parts.append(part("US: next dose", line(text, own)))
    general = [line(text, own) for text in management.general]
    note = [line(management.note, own)] if management.note else []
    parts.append(part("US: at every grade", *general, *note))
    return parts


def _eu(toxicity: str, row: Grade, label: Label) -> Part:
    said = label.get(Statement, f"lab.eu.{toxicity}")
    about = [text for text in said.text if not text.startswith("Grade ") or text.startswith(f"Grade {row.grade}:")]
    if row.stops:
        about = [text for text in about if not text.startswith("Next dose:")]
    return part("EU", *(line(text, said.id) for text in about))


def _overview(toxicity: str, label: Label, today: str) -> LookUp:
    management = label.get(Management, f"lab.us.{toxicity}")
    rows = [line(f"Grade {row.grade}: {row.criteria}", management.id) for row in management.grades]
    general = [line(text, management.id) for text in management.general]
    more = line("What to do at a grade:", command=f"/tarla manage {toxicity} 2")
    grade = line("To work out the grade:", command="/tarla grade")
    parts = [part("US: criteria", *rows), part("US: at every grade", *general), part("More", more, grade)]
    return build(f"manage.{toxicity}.criteria", f"{_NAMES[toxicity]}: grades in the label", parts, label, today)


def _hold(key: str | None, label: Label, today: str) -> LookUp:
    holds = label.get(Holds, "lab.us.other_holds")
    items = [item for item in holds.items if key is None or item.key == key]
    differences = label.get(HoldDifferences, "lab.eu.other_holds")
    eu = [each for each in differences.items if key is None or key in each.keys]
    parts = [part("US: withhold or stop tarlatamab", *(line(f"{item.name}: {item.text}", holds.id) for item in items))]
    if eu:
        parts.append(part("EU", *(line(sentence(each.text), differences.id) for each in eu)))
    return build(
        "manage.hold", "Tarlatamab: withholding for other reactions", parts, label, today, arguments={"hold": key}
    )


def _topics(label: Label) -> list[Part]:
    holds = label.get(Holds, "lab.us.other_holds")
    return [
        part(
            "By grade",
            *(
                line(f"{name}, grade 1 to 4:", f"lab.us.{key}", command=f"/tarla manage {key} 2")
                for key, name in _NAMES.items()
            ),
            line("To work out the grade:", command="/tarla grade"),
            line("Dose of tocilizumab:", command="/tarla toci 82kg"),
        ),
        part(
            "Other reactions",
            line(", ".join(item.name for item in holds.items), holds.id),
            line("For one:", command="/tarla manage neutropenia"),
            line("For all:", command="/tarla manage holds"),
        ),
    ]


def _refused(position: int) -> LookUpRefusal:
    return LookUpRefusal(
        LookUpCode.NOT_UNDERSTOOD,
        "After manage write crs or icans and one grade, another reaction such as neutropenia, or nothing.",
        _EXAMPLE,
        position,
    )
