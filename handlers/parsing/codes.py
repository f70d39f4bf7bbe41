"""Why a text was not understood, as closed codes, and what a refusal may be about."""

from __future__ import annotations

from enum import StrEnum


class RefusalCode(StrEnum):
    """Closed list of reasons; the names are kept in the ledger and never change meaning."""

    EMPTY = "E_EMPTY"
    TOO_LONG = "E_TOO_LONG"
    SYMPTOMS = "E_SYMPTOMS"
    HYPERTENSION = "E_HYPERTENSION"
    CVD_UNDEFINED = "E_CVD_UNDEFINED"
    NARROWER_TERM = "E_NARROWER_TERM"
    UNKNOWN_WORD = "E_UNKNOWN_WORD"
    MISPLACED_WORD = "E_MISPLACED_WORD"
    NOT_CANONICAL_NUMBER = "E_NOT_CANONICAL_NUMBER"
    NUMBER_WITHOUT_NAME = "E_NUMBER_WITHOUT_NAME"
    VALUE_WITHOUT_NAME = "E_VALUE_WITHOUT_NAME"
    MISSING_VALUE = "E_MISSING_VALUE"
    AMBIGUOUS = "E_AMBIGUOUS"
    CONTRADICTION = "E_CONTRADICTION"
    REPEATED = "E_REPEATED"
    OUT_OF_RANGE = "E_OUT_OF_RANGE"
    AMBIGUOUS_LDH = "E_AMBIGUOUS_LDH"
    NO_ULN = "E_NO_ULN"
    ULN_WITHOUT_LDH = "E_ULN_WITHOUT_LDH"
    UNCERTAIN = "E_UNCERTAIN"
    FAMILY_HISTORY = "E_FAMILY_HISTORY"
    QUALIFIED = "E_QUALIFIED"
    NOT_TAKEN = "E_NOT_TAKEN"


class Topic(StrEnum):
    """What a refusal is about, other than a subject."""

    LONE_SIGN = "lone sign"
    ALTERNATIVE = "alternative"
    REACH_FORWARD = "reach forward"
    REACH_BACK = "reach back"
    DOUBLE_NEGATION = "double negation"
    EXCEPTION = "exception"
    QUESTION_MARK = "question mark"
    LEFT_OUT_NOUN = "noun left out"
    PAST = "past"
    PCI = "PCI"
    AGE = "age"
    NOT_USED = "not used"
    TREATMENT = "treatment"
    PROPHYLAXIS = "prophylaxis"
    AF = "af"
