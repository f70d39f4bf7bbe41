"""``grade``: how the ASTCT 2019 grades of CRS and ICANS are found, and the grade of findings chosen in a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.lookup.grade_form import FEVER_CHOICES
from handlers.lookup.manage import management_lines
from handlers.lookup.page import Line, Part, build, line, part, quoted, sentence
from handlers.lookup.reply import LookUp, LookUpCode, LookUpRefusal
from handlers.lookup.words import UnreadWordError, read
from handlers.ports import Json
from knowledge.label import CrsGrading, Domain, IcansGrading, Ice, Label, Statement, load
from knowledge.label.grading import CrsFindings, Fever, Graded, IcansFindings, crs_grade, icans_grade

_PATTERNS = {"kind": r"(crs|icans)"}
_VERSIONS = ("grd.version", "lab.us.version", "lab.eu.version")
_NO_GRADE = {"crs": "No grade: ASTCT 2019 grades CRS only with fever", "icans": "No ICANS grade by ASTCT 2019"}
_PREMED = "lab.us.premed"
_CRS, _ICANS, _ICE = "grd.crs.astct2019", "grd.icans.astct2019", "grd.ice"


def grade(words: Sequence[str], today: str) -> LookUp:
    """The tables and rules for ``crs``, for ``icans``, or where to find both. In Slack a form works a grade out.

    Raises:
        LookUpRefusal: anything else was asked for.
    """
    label = load()
    try:
        tokens = read(words, _PATTERNS)
    except UnreadWordError as unread:
        raise _refused(unread.position) from None
    if len(tokens) > 1:
        raise _refused(tokens[1].position)
    if not tokens:
        parts = [
            part(
                "Tables and rules",
                line("Of CRS:", _CRS, command="/tarla grade crs"),
                line("Of ICANS with the ICE score:", _ICANS, _ICE, command="/tarla grade icans"),
                line("In Slack a form works the grade out from findings that are chosen, not typed"),
            )
        ]
        return _page("grade.about", "Grade of CRS and ICANS by ASTCT 2019", parts, label, today)
    if tokens[0].groups[0] == "crs":
        return _page("grade.crs.table", "Grade of CRS by ASTCT 2019", _crs_table(label), label, today)
    return _page("grade.icans.table", "Grade of ICANS by ASTCT 2019", _icans_table(label), label, today)


def grade_result(findings: CrsFindings | IcansFindings, today: str) -> LookUp:
    """The grade of what was chosen, what each finding stands for, the rules, and where the label manages it."""
    label = load()
    if isinstance(findings, CrsFindings):
        return _crs_result(findings, crs_grade(findings, label), label, today)
    return _icans_result(findings, icans_grade(findings, label), label, today)


def _crs_result(findings: CrsFindings, graded: Graded, label: Label, today: str) -> LookUp:
    grading = label.get(CrsGrading, _CRS)
    levels = {name: getattr(findings, name) for name in ("hypotension", "hypoxia")}
    lines = [
        line(f"Fever: {FEVER_CHOICES[findings.fever].lower()}", _CRS),
        *_domain_lines(grading, levels, graded),
    ]
    if graded.grade is None:
        why = line(f"No grade: ASTCT grades CRS only with fever, that is a {grading.definition_of_fever}", _CRS)
        lines = [why, *lines, *_without_fever(levels)]
    if findings.fever is Fever.TREATED and graded.grade == 1:
        lines.append(
            line(
                "With neither hypotension nor hypoxia after treatment this is grade 1 or CRS that has resolved; the "
                "tables read do not tell them apart",
                _CRS,
            )
        )
    arguments: dict[str, Json] = {"fever": findings.fever.value, **levels, "grade": graded.grade}
    parts = [part("From what was chosen", *lines), _rules(grading)]
    return _result("crs", graded.grade, parts, arguments, label, today)


def _icans_result(findings: IcansFindings, graded: Graded, label: Label, today: str) -> LookUp:
    grading, ice = label.get(IcansGrading, _ICANS), label.get(Ice, _ICE)
    points = [findings.ice[item.key] for item in ice.items]
    score = f"ICE: {' + '.join(map(str, points))} = {graded.ice_score} of {ice.total}"
    levels = {name: getattr(findings, name) for name in ("consciousness", "seizure", "motor", "oedema")}
    lines = [
        line(f"{score} ({', '.join(item.name.lower() for item in ice.items)})", _ICE),
        line(f"ICE {_ice_words(graded, ice)}", _ICE),
        *_domain_lines(grading, levels, graded),
    ]
    if graded.grade is None:
        lines.append(line("No grade: no finding stands for one", _ICANS, _ICE))
    caution = _motor_alone(graded, label)
    if graded.ice_score == 0 and findings.consciousness != "unarousable":
        lines.append(line(sentence(grading.rules[1]), _ICANS))
    arguments: dict[str, Json] = {
        "ice": {item.key: findings.ice[item.key] for item in ice.items},
        "ice_score": graded.ice_score,
        **levels,
        "grade": graded.grade,
    }
    parts = [part("From what was chosen", *lines), _rules(grading)]
    return _result("icans", graded.grade, parts, arguments, label, today, caution)


def _without_fever(levels: Mapping[str, str]) -> list[Line]:
    """What no grade does not mean: premedication goes before the first infusions, and fever may have been treated."""
    lines = []
    if any(level != "none" for level in levels.values()):
        lines.append(line("Hypotension or hypoxia without fever needs another explanation, or fever was treated"))
    lines.append(
        line("The label puts dexamethasone before the first infusions; what that does to fever is not in it", _PREMED)
    )
    lines.append(line("This is no statement that there is no CRS"))
    return lines


def _motor_alone(graded: Graded, label: Label) -> list[Line]:
    """What to know before acting where the grade rests on the motor finding, which the label's table does not have."""
    others = max(grade for name, grade in graded.by_domain.items() if name != "motor")
    if graded.grade is None or others == graded.grade:
        return []
    grading = label.get(IcansGrading, _ICANS)
    without = f"stand for grade {others}" if others else "stand for no grade"
    return [
        line(sentence(grading.motor), grading.id),
        line(f"Grade {graded.grade} rests on the motor finding alone; without it the findings {without}", _ICANS, _ICE),
    ]


def _ice_words(graded: Graded, ice: Ice) -> str:
    score = graded.ice_score or 0
    return ice.unarousable if graded.by_domain["ice"] == ice.unarousable_grade else ice.range(score).text


def _domain_lines(grading: CrsGrading | IcansGrading, levels: Mapping[str, str], graded: Graded) -> list[Line]:
    lines = []
    for name, key in levels.items():
        domain = grading.domain(name)
        stands = graded.by_domain[name]
        # A lowest level says nothing by itself: "no hypotension" is no reason for grade 1.
        what = f": grade {stands}" if domain.levels[0].key != key and graded.grade else ""
        lines.append(line(f"{domain.name}: {domain.level(key).text}{what}", grading.id))
    return lines


def _rules(grading: CrsGrading | IcansGrading) -> Part:
    motor = [grading.motor] if isinstance(grading, IcansGrading) else []
    rules = [*grading.rules, *motor, *([grading.note] if grading.note else [])]
    return part("Rules", *(line(sentence(rule), grading.id) for rule in rules))


def _result(
    kind: str,
    found: int | None,
    parts: list[Part],
    arguments: Mapping[str, Json],
    label: Label,
    today: str,
    caution: Sequence[Line] = (),
) -> LookUp:
    name = kind.upper()
    title = f"{name} grade {found} by ASTCT 2019" if found else _NO_GRADE[kind]
    if found:
        go = line("The whole:", command=f"/tarla manage {kind} {found}")
        managed = part(f"US label at {name} grade {found}", *caution, *management_lines(label, kind, found), go)
        parts = [parts[0], managed, *parts[1:]]
    return _page(f"grade.{kind}", title, parts, label, today, arguments)


def _crs_table(label: Label) -> list[Part]:
    grading = label.get(CrsGrading, _CRS)
    fever = part(
        "Fever",
        line("Every grade of CRS needs fever, unless it was treated (see the rules)", _CRS),
        line(sentence(grading.definition_of_fever), _CRS),
    )
    grade5 = _not_worked_out(grading.grade5, _CRS, label)
    return [fever, *_tables(grading.domains, _CRS), _rules(grading), grade5]


def _icans_table(label: Label) -> list[Part]:
    grading, ice = label.get(IcansGrading, _ICANS), label.get(Ice, _ICE)
    items = [line(f"{item.name}, up to {item.points}: {item.detail}", _ICE) for item in ice.items]
    scores = [line(sentence(each.text), _ICE) for each in ice.scores]
    return [
        part(f"ICE score, up to {ice.total}", *items),
        part("What the score stands for", *scores, line(sentence(ice.unarousable), _ICE)),
        *_tables(grading.domains, _ICANS),
        _rules(grading),
        _not_worked_out(grading.grade5_note, _ICANS, label),
    ]


def _tables(domains: Sequence[Domain], record: str) -> list[Part]:
    return [
        part(
            domain.name,
            *(
                line(f"{f'Grade {level.grade}' if level.grade else 'No grade'}: {level.text}", record)
                for level in domain.levels
            ),
        )
        for domain in domains
    ]


def _not_worked_out(text: str, record: str, label: Label) -> Part:
    return part("Not worked out here", line(sentence(text), record), *quoted(label.get(Statement, "grd.original")))


def _page(
    code: str, title: str, parts: list[Part], label: Label, today: str, arguments: Mapping[str, Json] | None = None
) -> LookUp:
    """A page about a grading. Its title names a year, hence its record; with arguments it is about a patient."""
    return build(
        code,
        title,
        parts,
        label,
        today,
        versions=_VERSIONS,
        title_records=("grd.version",),
        arguments=arguments,
        about_patient=arguments is not None,
    )


def _refused(position: int) -> LookUpRefusal:
    return LookUpRefusal(
        LookUpCode.NOT_UNDERSTOOD,
        "After grade write crs or icans for the tables, or nothing. In Slack a form works the grade out.",
        "/tarla grade crs",
        position,
    )
