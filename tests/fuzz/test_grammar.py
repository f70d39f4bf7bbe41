"""The grammar on texts that were guided towards it: understood within limits, or refused with a closed code."""

from __future__ import annotations

import string
from collections import Counter

from hypothesis import given, seed

from handlers.parsing import Refusal, Understood, parse
from knowledge.factors import Ldh, LdhCategory, LdhMeasured, LdhMultiple, LdhUnit, PatientFactors
from tests.support.chaos import SEED, tally
from tests.support.closed import SITE_LIMIT, assert_closed
from tests.support.fuzz_choices import Choices, cases, choices
from tests.support.fuzz_text import CANARIES, Typed, typed

_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def outcome_of(text: str) -> Understood | Refusal:
    """As ``parse``, with the site's limit; a refusal is given back."""
    try:
        return parse(text, site_uln=SITE_LIMIT)
    except Refusal as refusal:
        return refusal


def same(one: Understood | Refusal, other: Understood | Refusal) -> bool:
    """Whether two texts had the same outcome, at the same word."""
    if isinstance(one, Refusal) or isinstance(other, Refusal):
        return isinstance(one, Refusal) and isinstance(other, Refusal) and one.token == other.token
    return one == other


def assert_within_limits(factors: PatientFactors) -> None:
    """The factors hold what they may, by the figures of the design and not by the model's own validation."""
    ldh: Ldh | None = factors.ldh
    if isinstance(ldh, LdhMeasured):
        factor, limit_factor = (60 if u is LdhUnit.MICROKATAL_PER_L else 1 for u in (ldh.unit, ldh.uln.unit))
        assert 50 <= ldh.value * factor <= 9_999
        assert 100 <= ldh.uln.value * limit_factor <= 600
        assert 0.1 <= ldh.ratio <= 40
    elif isinstance(ldh, LdhMultiple):
        assert 0.1 <= ldh.multiple <= 40
    else:
        assert ldh is None or isinstance(ldh, LdhCategory)
    assert PatientFactors.model_validate(factors.model_dump()) == factors


def normal_form(factors: PatientFactors) -> str:
    """The findings written the plainest way the grammar has."""
    ldh = factors.ldh
    said = "ldh unknown"
    if isinstance(ldh, LdhMeasured):
        limit = "" if ldh.uln_from == "site" else f" uln {ldh.uln.value:.10g} {ldh.uln.unit}"
        said = f"ldh {ldh.value:.10g} {ldh.unit}{limit}"
    elif isinstance(ldh, LdhMultiple):
        said = f"ldh {ldh.multiple:.10g}x"
    elif isinstance(ldh, LdhCategory):
        said = f"ldh {ldh.category}"
    found = (factors.liver_metastases, factors.diabetes, factors.cardiovascular_disease)
    return ", ".join([said, *(f"{name} {value}" for name, value in zip(("liver", "dm", "cvd"), found, strict=True))])


def assert_lawful(text: Typed, outcome: Understood | Refusal) -> None:
    """What holds of every text."""
    assert_closed(outcome)
    assert same(outcome_of(text.text), outcome)
    # Only ASCII letters have a case here: `ß` or a Kelvin sign stays what it is.
    assert same(outcome_of(text.text.translate(_UPPER)), outcome)
    if len(text.text.replace(" ", "  ")) <= 300:
        assert same(outcome_of(text.text.replace(" ", "\t ")), outcome)
    shown = " ".join(outcome.notes) if isinstance(outcome, Understood) else f"{outcome!r} {vars(outcome)}"
    assert not any(canary.lower() in shown.lower() for canary in CANARIES)
    if isinstance(outcome, Understood):
        assert_within_limits(outcome.factors)
        again = outcome_of(normal_form(outcome.factors))
        assert isinstance(again, Understood)
        assert again.factors == outcome.factors
        assert not any(canary.lower() in text.text.lower() for canary in CANARIES)


def test_guided_texts() -> None:
    codes: Counter[str] = Counter()
    orders: Counter[str] = Counter()

    @seed(SEED)
    @cases(1_000, 150_000)
    @given(choices())
    def run(choose: Choices) -> None:
        text = typed(choose)
        outcome = outcome_of(text.text)
        codes["accepted" if isinstance(outcome, Understood) else outcome.code] += 1
        assert_lawful(text, outcome)
        if len(text.clauses) > 1:
            other = outcome_of(", ".join(choose.shuffled(text.clauses)))
            plain = outcome_of(", ".join(text.clauses))
            if isinstance(plain, Understood) and isinstance(other, Understood):
                # Notes may stand in another order only as far as the findings do; they do not.
                assert plain == other
                orders["same"] += 1
            else:
                assert isinstance(plain, Refusal) == isinstance(other, Refusal)
                orders["refused"] += 1

    run()
    whole = codes.total()
    tally("texts guided towards the grammar", cases=whole, share_accepted=f"{codes['accepted'] / whole:.0%}", **codes)
    tally("clauses in another order", **orders)
    assert codes["accepted"] > whole / 5
    assert len(codes) > 15
