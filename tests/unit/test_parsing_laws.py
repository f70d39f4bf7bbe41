"""Laws of the grammar: what may change in a text without changing what is understood."""

from __future__ import annotations

import string
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.parsing import Refusal, RefusalCode, parse
from handlers.parsing.figures import canonical_number
from handlers.parsing.terms import Form, Meaning, Name, Side, Subject, Value
from handlers.parsing.vocabulary import SYNONYMS
from knowledge.factors import Ldh, LdhMeasured, PatientFactors, UpperLimit

_TO_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)

_LDH = st.sampled_from(
    ["ldh 480/250", "ldh 480 uln 250", "ldh 1.9x", "ldh high", "normal ldh", "ldh 8.0 µkat/L uln 4.1", "ldh unknown"]
)
_FACTORS = [
    st.sampled_from([f"{name} yes", f"{name} no", f"{name} unknown", f"no {name}", f"{name}+", f"{name}-"])
    for name in ("liver mets", "dm", "cvd")
]
_GROUPS = st.tuples(_LDH, *_FACTORS).map(list)
_PARTING = st.sampled_from([", ", ";", "\n", " and ", " & ", ",", ". ", " ,  "])
_SPACE = st.sampled_from([" ", "  ", "\u00a0", "\t"])


@st.composite
def _shuffled_groups(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    groups = draw(_GROUPS)
    return groups, draw(st.permutations(groups))


@given(_shuffled_groups())
def test_order_of_the_groups_does_not_matter(both: tuple[list[str], list[str]]) -> None:
    first, second = both
    assert parse(", ".join(first)) == parse(", ".join(second))


@given(_GROUPS, st.lists(_PARTING, min_size=4, max_size=4), _SPACE)
def test_separators_do_not_matter(groups: list[str], parting: list[str], space: str) -> None:
    # A comma between two digits is refused rather than read, so it is not among the free separators.
    text = "".join(chain.from_iterable(zip((group.replace(" ", space) for group in groups), parting, strict=True)))
    assert parse(text) == parse(", ".join(groups))


@given(_GROUPS, st.integers(min_value=0))
def test_case_does_not_matter(groups: list[str], mask: int) -> None:
    text = ", ".join(groups)
    mixed = "".join(char.translate(_TO_UPPER) if mask >> i & 1 else char for i, char in enumerate(text))
    assert parse(mixed) == parse(text)
    assert parse(text.translate(_TO_UPPER)) == parse(text)


@given(st.sampled_from(["liver", "dm", "cvd"]), st.sampled_from(["yes", "no", "unknown"]))
def test_a_link_is_a_space_to_its_name(name: str, value: str) -> None:
    assert parse(f"{name}={value}") == parse(f"{name} : {value}") == parse(f"{name} {value}")


_NAMES = [(term, word) for term, words in SYNONYMS.items() if isinstance(term, Name) for word in words]
_VALUES = [(term, word) for term, words in SYNONYMS.items() if isinstance(term, Value) for word in words]
_FIELD = {Subject.LIVER: "liver_metastases", Subject.DIABETES: "diabetes", Subject.CVD: "cardiovascular_disease"}


@pytest.mark.parametrize(("term", "name"), [pair for pair in _NAMES if pair[0].subject in _FIELD])
@pytest.mark.parametrize("value", ["yes", "no", "unknown"])
def test_synonyms_of_a_factor_are_equivalent(term: Name, name: str, value: str) -> None:
    if term.narrower and value == "no":  # one kind absent is not all of it absent
        with pytest.raises(Refusal) as caught:
            parse(f"{name} {value}")
        assert caught.value.code is RefusalCode.NARROWER_TERM
        return
    assert parse(f"{name} {value}").factors == PatientFactors.model_validate({_FIELD[term.subject]: value})
    assert parse(f"{value} {name}").factors == parse(f"{name}: {value}").factors


@pytest.mark.parametrize(("term", "word"), _VALUES)
def test_synonyms_of_a_value_are_equivalent_and_keep_their_side(term: Value, word: str) -> None:
    name = "ldh" if term.meaning in {Meaning.HIGH, Meaning.NORMAL} else str(term.only or "dm")
    plain = parse(f"{name} {term.meaning}").factors
    if term.form is Form.LONE_SIGN and term.meaning is Meaning.NO:
        # Alone in a text it may be a dash; beside another sign it is read.
        with pytest.raises(Refusal):
            parse(f"{name} {word}")
        assert parse(f"{name} {word}, cvd +") == parse("dm no, cvd yes")
        assert parse(f"{name}: {word}").factors == plain
        return
    for side, text in ((Side.AFTER, f"{name} {word}"), (Side.BEFORE, f"{word} {name}")):
        if term.side in (side, Side.EITHER):
            assert parse(text).factors == plain
        else:
            with pytest.raises(Refusal):
                parse(text)


@pytest.mark.parametrize(
    "name", [word for term, word in _NAMES if term.subject is Subject.LDH and word != "lactate dehydrogenase"]
)
@pytest.mark.parametrize("limit", [word for term, word in _NAMES if term.subject is Subject.ULN])
def test_synonyms_of_ldh_and_its_limit_are_equivalent(name: str, limit: str) -> None:
    assert parse(f"{name} 480 {limit} 250") == parse("ldh 480/250")


@given(st.integers(min_value=84, max_value=16_665), st.integers(min_value=167, max_value=1000))
@example(688, 411)
def test_units_agree(ldh_hundredths: int, uln_hundredths: int) -> None:
    """1 µkat/L is 60 U/L; hundredths of a µkat/L times 0.6 are whole tenths of a U/L, so both spellings are exact."""
    katal = f"ldh {ldh_hundredths / 100:g} µkat/L uln {uln_hundredths / 100:g}"
    units = f"ldh {ldh_hundredths * 6 / 10:g} U/L uln {uln_hundredths * 6 / 10:g}"
    in_katal, in_units = _outcome(katal), _outcome(units)
    if isinstance(in_katal, LdhMeasured) and isinstance(in_units, LdhMeasured):
        assert in_units.ratio == pytest.approx(in_katal.ratio, rel=1e-12)
    else:
        assert in_katal == in_units == RefusalCode.OUT_OF_RANGE


@given(st.integers(min_value=50, max_value=9999), st.integers(min_value=100, max_value=600))
def test_a_site_limit_reads_like_the_same_limit_written(ldh: int, uln: int) -> None:
    written, from_site = _outcome(f"ldh {ldh}/{uln}"), _outcome(f"ldh {ldh}", UpperLimit(value=uln))
    if isinstance(written, LdhMeasured):
        assert from_site == written.model_copy(update={"uln_from": "site"})
    else:
        assert written == from_site == RefusalCode.OUT_OF_RANGE


def _outcome(text: str, site: UpperLimit | None = None) -> Ldh | RefusalCode | None:
    try:
        return parse(text, site_uln=site).factors.ldh
    except Refusal as refusal:
        return refusal.code


@pytest.mark.parametrize("name", ["liver", "dm", "cvd"])
@pytest.mark.parametrize("value", ["yes", "no", "unknown"])
@pytest.mark.parametrize("other", ["liver", "dm", "cvd"])
def test_a_value_between_two_bare_names_is_never_given_away(name: str, value: str, other: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(f"{name} {value} {other}")
    assert caught.value.token == "E_AMBIGUOUS@2"  # noqa: S105 - a code, not a secret


_Reading = frozenset[tuple[str, str]]


def _readings(words: list[str]) -> set[_Reading]:
    """Every way to give each name one neighbouring value and each value one neighbouring name."""
    if not words:
        return {frozenset()}
    if len(words) == 1:
        return set()
    a, b = words[:2]
    if (a in _FACTOR_NAMES) == (b in _FACTOR_NAMES):
        return set()
    pair = (a, b) if a in _FACTOR_NAMES else (b, a)
    return {rest | {pair} for rest in _readings(words[2:])}


_FACTOR_NAMES = {"liver": "liver_metastases", "dm": "diabetes", "cvd": "cardiovascular_disease"}
_LONE = ["dm"]  # the one of these names that is a diagnosis
_DM_PRESENT: _Reading = frozenset({("dm", "yes")})


def _is_reached(clauses: list[list[str]], i: int) -> bool:
    """Whether a `no` of the clause before the lone diagnosis, or of the one after, may be said of it as well."""
    before = clauses[i - 1] if i else []
    after = next((clause for clause in clauses[i + 1 :] if clause != _LONE), [])
    return (len(before) > 1 and before[-2] == "no" and before[-1] in _FACTOR_NAMES) or (
        len(after) > 1 and after[0] in _FACTOR_NAMES and after[1] == "no"
    )


@given(st.lists(st.sampled_from([*_FACTOR_NAMES, "yes", "no", ","]), min_size=1, max_size=10))
@example(["liver", "yes", "no", "dm"])
@example(["yes", "liver", "no", "dm", "cvd", "yes"])
@example(["dm"])
@example(["no", "cvd", ",", "dm"])
@example(["dm", ",", "cvd", "no"])
def test_a_text_is_understood_exactly_when_each_clause_has_a_reading(words: list[str]) -> None:
    clauses = [clause.split() for clause in " ".join(words).split(",") if clause.strip()]
    readings = [
        _readings(clause) if clause != _LONE else set() if _is_reached(clauses, i) else {_DM_PRESENT}
        for i, clause in enumerate(clauses)
    ]
    pairs = [pair for reading in readings for pair in next(iter(reading), ())]
    names = [name for name in words if name in _FACTOR_NAMES]
    if all(readings) and names and len(names) == len(set(names)):
        expected = PatientFactors.model_validate({_FACTOR_NAMES[name]: value for name, value in pairs})
        assert parse(" ".join(words)).factors == expected
    else:
        with pytest.raises(Refusal):
            parse(" ".join(words))


_PLAIN = st.decimals(min_value=0, max_value=9999, places=2, allow_nan=False).map(lambda d: f"{d.normalize():f}")


@given(_PLAIN)
def test_every_plain_number_is_canonical(text: str) -> None:
    assert canonical_number(text) == float(text)


@given(st.text(alphabet="0123456789.+-_eExX,٤４ \u200b", max_size=10))
def test_a_canonical_number_has_one_spelling(text: str) -> None:
    number = canonical_number(text)
    if number is not None:
        assert text.isascii()
        assert text.replace(".", "", 1).isdigit()
        assert not text.startswith("0") or text == "0" or text.startswith("0.")
