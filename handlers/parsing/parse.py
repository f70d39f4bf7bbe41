"""The parser of Tarla's closed grammar: a line of clinicians' shorthand in, patient factors out.

``ldh 480/250 liver yes dm no cvd yes``, in any order. What is left out is
unknown. Nothing is guessed: a text with two readings, or with a word outside
the vocabulary, is refused with the number of the word. Reasons are looked for
in this order: symptoms, length, single words, values and names, the whole. A
diagnosis alone in its clause is present, and a note says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from handlers.parsing.binding import read_statements
from handlers.parsing.codes import RefusalCode
from handlers.parsing.ldh import measured, multiple
from handlers.parsing.limits import MAX_CHARACTERS, MAX_WORDS, ULN_HIGHEST_USUAL_U_L, ULN_LOWEST_KNOWN_U_L
from handlers.parsing.questions import without_question, without_question_mark
from handlers.parsing.reading import read_terms
from handlers.parsing.refusals import Refusal
from handlers.parsing.statements import Amount, Multiple, Statement
from handlers.parsing.symptoms import tells_of_symptoms
from handlers.parsing.terms import Meaning, Subject
from handlers.parsing.words import split_words
from knowledge.factors import Ldh, LdhCategory, LdhMeasured, LdhMultiple, PatientFactors, Presence, UpperLimit

_CALLED = {Subject.LIVER: "liver metastases", Subject.DIABETES: "diabetes", Subject.CVD: "CVD"}
CARDIAC_DIAGNOSIS_NOTE = "CVD is not defined by the study; a cardiac diagnosis was taken as CVD"


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text says of a patient.

    ``notes`` are sentences on how it was read, made of fixed text and of an
    upper limit as it was understood: they never hold what was typed.
    """

    factors: PatientFactors
    notes: tuple[str, ...] = ()


def unvalued_note(subject: Subject) -> str:
    """The sentence that tells that a diagnosis was named and no more."""
    return f"{_CALLED[subject]}: taken as present, named without a value"


def site_limit_note(limit: UpperLimit) -> str:
    """The sentence that tells whose upper limit of normal was used."""
    return f"upper limit of normal: {limit.value:g} {limit.unit}, this site's setting"


def high_limit_note(limit: UpperLimit) -> str:
    """The warning that an LDH and its upper limit may have been typed the wrong way round."""
    return f"an upper limit of {limit.value:g} {limit.unit} is unusually high: make sure LDH and limit are not swapped"


def low_limit_note(limit: UpperLimit) -> str:
    """The warning that the lower end of a reference interval may have been typed for its upper one."""
    return (
        f"an upper limit of {limit.value:g} {limit.unit} is unusually low: "
        "make sure it is not the lower end of the reference interval"
    )


def ldh_notes(ldh: Ldh | None) -> tuple[str, ...]:
    """What to tell of an LDH's upper limit: that it is the site's, or that another figure may stand in its place."""
    if not isinstance(ldh, LdhMeasured):
        return ()
    if ldh.uln_from == "site":
        return (site_limit_note(ldh.uln),)
    if round(ldh.uln.u_per_l) < ULN_LOWEST_KNOWN_U_L:
        return (low_limit_note(ldh.uln),)
    if round(ldh.uln.u_per_l) > ULN_HIGHEST_USUAL_U_L and ldh.ratio < 1:
        return (high_limit_note(ldh.uln),)
    return ()


def parse(text: str, *, site_uln: UpperLimit | None = None) -> Understood:
    """Read ``text``; ``site_uln`` is the site's upper limit for an LDH written without one.

    Raises:
        Refusal: the text is not understood, or no risk may be given for it.
    """
    # Beyond the limit nothing is read, so that the time is bounded too.
    words, asked = without_question(split_words(text[:MAX_CHARACTERS]))
    for word in words:
        if tells_of_symptoms(word.text):
            raise Refusal(RefusalCode.SYMPTOMS, word.position)
    if len(text) > MAX_CHARACTERS or (words and words[-1].position > MAX_WORDS):
        raise Refusal(RefusalCode.TOO_LONG)
    if not words:
        raise Refusal(RefusalCode.EMPTY)
    if asked:
        words = without_question_mark(words)
    return _understand(_each_once(read_statements(read_terms(words))), site_uln)


def _each_once(statements: list[Statement]) -> dict[Subject, Statement]:
    """Statements by subject.

    Raises:
        Refusal: a subject is stated twice; the position is that of the later word.
    """
    by_subject: dict[Subject, Statement] = {}
    for statement in statements:
        earlier = by_subject.setdefault(statement.subject, statement)
        if earlier is not statement:
            same = earlier.content == statement.content
            if same and _both_present(earlier, statement):
                continue
            # Two diagnoses of one factor are two words to the writer: the refusal says that they are one here.
            about = statement.subject if earlier.narrower or statement.narrower else None
            raise Refusal(RefusalCode.REPEATED if same else RefusalCode.CONTRADICTION, statement.position, about=about)
    return by_subject


def _both_present(one: Statement, other: Statement) -> bool:
    """Whether two cardiac diagnoses are present, as often in one patient: CVD is present, read either way."""
    return one.subject is Subject.CVD and one.narrower and other.narrower and one.content is Meaning.YES


def _understand(stated: dict[Subject, Statement], site_uln: UpperLimit | None) -> Understood:
    ldh = _ldh(stated.get(Subject.LDH), stated.get(Subject.ULN), site_uln)
    notes = list(ldh_notes(ldh))
    diabetes, cvd = stated.get(Subject.DIABETES), stated.get(Subject.CVD)
    for statement in (diabetes, cvd):
        if statement is not None and statement.narrower and statement.content is Meaning.NO:
            raise Refusal(RefusalCode.NARROWER_TERM, statement.position, about=statement.subject)
    notes += [unvalued_note(subject) for subject in _CALLED if subject in stated and stated[subject].unvalued]
    if cvd is not None and cvd.narrower and cvd.content is Meaning.YES:
        notes.append(CARDIAC_DIAGNOSIS_NOTE)
    factors = PatientFactors(
        ldh=ldh,
        liver_metastases=_presence(stated.get(Subject.LIVER)),
        diabetes=_presence(diabetes),
        cardiovascular_disease=_presence(cvd),
    )
    return Understood(factors, tuple(notes))


def _ldh(ldh: Statement | None, limit: Statement | None, site_uln: UpperLimit | None) -> Ldh | None:
    content = None if ldh is None else ldh.content
    if ldh is not None and isinstance(content, Amount):
        return _as_said(measured(content, ldh.position, limit, site_uln), content, ldh)
    if limit is not None:
        raise Refusal(RefusalCode.ULN_WITHOUT_LDH, limit.position)
    if ldh is not None and isinstance(content, Multiple):
        return _as_said(multiple(content, ldh.position), content, ldh)
    if content is Meaning.HIGH:
        return LdhCategory(category="high")
    if content is Meaning.NORMAL:
        return LdhCategory(category="normal")
    return None


def _as_said(ldh: LdhMeasured | LdhMultiple, content: Amount | Multiple, statement: Statement) -> Ldh:
    """The LDH, if it is on the side of its limit that the text says too; high is strictly above, as in the engine."""
    if content.said is not None and (content.said is Meaning.HIGH) != (ldh.ratio > 1):
        raise Refusal(RefusalCode.CONTRADICTION, statement.position, about=Subject.LDH)
    return ldh


def _presence(statement: Statement | None) -> Presence:
    return Presence(str(statement.content)) if statement is not None else Presence.UNKNOWN
