"""The closed vocabulary: every word that Tarla understands, as data.

All entries are in lower case; only ASCII letters are compared without regard
to case, so that look-alikes from other scripts stay unknown words. An entry of
several words is understood when they stand side by side. Whoever adds a synonym
adds it here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.parsing.terms import (
    Alternative,
    Connector,
    Filler,
    Finding,
    Form,
    Meaning,
    Name,
    Neither,
    Noun,
    Side,
    Slash,
    Subject,
    Term,
    Times,
    Unit,
    Value,
)
from knowledge.factors import LdhUnit, Presence

_UPPER_LIMIT = ("uln", "unl", "upper limit", "upper limit of normal")
_TIMES = ("x", "\u00d7", "times")
_HISTORY_OF = ("history of", "hx of", "h/o")
_INSULIN_DEPENDENT = ("insulin dependent", "insulin-dependent")

SYNONYMS: Mapping[Term, tuple[str, ...]] = {
    Name(Subject.LDH): ("ldh", "lactate dehydrogenase", "serum ldh", "ldh level"),
    Name(Subject.ULN): _UPPER_LIMIT,
    Name(Subject.LIVER, noun=Noun.LEFT_OUT): ("liver",),
    Name(Subject.LIVER, diagnosis=True, noun=Noun.METASTASES): (
        "liver met",
        "liver mets",
        "liver metastasis",
        "liver metastases",
        "hepatic met",
        "hepatic mets",
        "hepatic metastasis",
        "hepatic metastases",
        "hep mets",
        *(f"{mets} to {liver}" for mets in ("mets", "metastases", "metastasis") for liver in ("liver", "the liver")),
    ),
    Name(Subject.DIABETES, diagnosis=True): ("dm", "diabetes", "diabetic", "diabetes mellitus"),
    Name(Subject.DIABETES, narrower=True, diagnosis=True): (
        "t1dm",
        "t2dm",
        "t1d",
        "t2d",
        "dm1",
        "dm2",
        "t1 dm",
        "t2 dm",
        "type 1 dm",
        "type 2 dm",
        "type 1 diabetes",
        "type 2 diabetes",
        "type 1 diabetes mellitus",
        "type 2 diabetes mellitus",
        "type i diabetes",
        "type ii diabetes",
        "type-1 diabetes",
        "type-2 diabetes",
        "dm type 1",
        "dm type 2",
        "diabetes type 1",
        "diabetes type 2",
        "type 1 diabetic",
        "type 2 diabetic",
        "iddm",
        "niddm",
        *(f"{kind} {name}" for kind in _INSULIN_DEPENDENT for name in ("dm", "diabetes", "diabetic")),
        *(f"{kind} diabetes mellitus" for kind in _INSULIN_DEPENDENT),
    ),
    Name(Subject.CVD): ("cvd",),
    Name(Subject.CVD, noun=Noun.LEFT_OUT): ("cardiac", "cardiovascular"),
    Name(Subject.CVD, noun=Noun.DISEASE): (
        "cardiac disease",
        "cardiac history",
        "cardiac hx",
        "cardiovascular disease",
        "cardiovascular history",
        "heart disease",
    ),
    # The study says "cardiovascular disease" and no more. These are cardiac
    # diagnoses by anyone's definition; vascular disease outside the heart is
    # left to the clinician (REFUSED_WORDS).
    Name(Subject.CVD, narrower=True, diagnosis=True, noun=Noun.DISEASE): (
        "coronary disease",
        "coronary artery disease",
        "coronary heart disease",
        "ischemic heart disease",
        "ischaemic heart disease",
    ),
    Name(Subject.CVD, narrower=True, diagnosis=True): (
        "cad",
        "chd",
        "ihd",
        "chf",
        "hf",
        "hfref",
        "hfpef",
        "heart failure",
        "cardiac failure",
        "congestive heart failure",
        "mi",
        "stemi",
        "nstemi",
        "myocardial infarction",
        "heart attack",
        "cardiomyopathy",
        "afib",
        "atrial fibrillation",
        "atrial flutter",
        "arrhythmia",
        "cabg",
    ),
    Finding(Subject.DIABETES, Presence.NO): ("nondiabetic", "non-diabetic"),
    Value(Meaning.YES): ("yes", "positive", "pos", "+ve", "confirmed"),
    Value(Meaning.YES, Side.AFTER, Form.LONE_SIGN): ("+",),
    Value(Meaning.YES, Side.AFTER): ("y", "present"),
    Value(Meaning.YES, Side.BEFORE): (
        "known",
        "has",
        "positive for",
        "significant for",
        "notable for",
    ),
    Value(Meaning.YES, Side.BEFORE, Form.HISTORY): (*_HISTORY_OF, "pmh of"),
    Value(Meaning.YES, Side.BEFORE, Form.KNOWN_HISTORY): tuple(f"known {history}" for history in _HISTORY_OF),
    Value(Meaning.YES, Side.BEFORE, Form.PREPOSITION): ("with", "w/"),
    # A past infarction is a present diagnosis; past liver metastases may have been resected.
    Value(Meaning.YES, Side.BEFORE, Form.HISTORY, only=Subject.CVD): ("prior", "previous", "s/p"),
    Value(Meaning.NO): ("no", "negative", "neg", "-ve", "absent", "denied"),
    Value(Meaning.NO, Side.AFTER, Form.LONE_SIGN): ("-", "\u2013"),
    Value(Meaning.NO, Side.AFTER): ("n", "none", "none known", "not present", "nil", "ruled out"),
    Value(Meaning.NO, Side.AFTER, only=Subject.LIVER): ("no mets", "no known mets", "no metastases"),
    Value(Meaning.NO, Side.BEFORE): (
        "not",
        "without",
        "w/o",
        "with no",
        "w/ no",
        "denies",
        "negative for",
        "neg for",
        "absence of",
        "no known",
        "no evidence of",
        "no e/o",
        "has no",
        "does not have",
        "doesn't have",
    ),
    Value(Meaning.NO, Side.BEFORE, Form.DENIED_HISTORY): tuple(
        f"no {known}{history}"
        for known in ("", "known ")
        for history in ("history", "history of", "hx", "hx of", "h/o", "pmh of")
    ),
    Value(Meaning.NO, Side.BEFORE, only=Subject.CVD): ("no prior", "no previous"),
    Value(Meaning.UNKNOWN): ("unknown", "unk"),
    # Before its name it says that the finding is suspected (see ``asked``).
    Value(Meaning.UNKNOWN, Side.AFTER, Form.LONE_SIGN): ("?",),
    Value(Meaning.UNKNOWN, Side.AFTER): (
        "u",
        "n/a",
        "nk",
        "pending",
        "not known",
        "not available",
        "not done",
        "not measured",
        "not assessed",
        "not tested",
    ),
    Value(Meaning.HIGH): ("high", "elevated", "raised", "\u2191"),
    Value(Meaning.HIGH, Side.AFTER): (
        "above uln",
        "above normal",
        "above upper limit",
        "above upper limit of normal",
        "> uln",
        ">uln",
    ),
    Value(Meaning.NORMAL): ("normal", "wnl", "nl"),
    Value(Meaning.NORMAL, Side.AFTER): (
        "within normal limits",
        "not elevated",
        "not raised",
        "not high",
        "< uln",
        "<uln",
    ),
    # U+00B5 (micro sign) and U+03BC (Greek mu) look alike and both are typed.
    Unit(LdhUnit.U_PER_L): ("u/l", "iu/l", "iu", "units/l"),
    Unit(LdhUnit.MICROKATAL_PER_L): ("\u00b5kat/l", "\u03bckat/l", "ukat/l", "mckat/l", "microkat/l"),
    Times(): (
        *_TIMES,
        *(f"{times} {article}{limit}" for times in _TIMES for article in ("", "the ") for limit in _UPPER_LIMIT),
        "xuln",
        "\u00d7uln",
    ),
    Slash(): ("/",),
    # `no dm or cvd` says no to both, `dm or cvd yes` does not say yes to both.
    Alternative(): ("or", "nor", "and/or"),
    Neither(): ("neither",),
    Filler(history=True): ("pmh", "pmhx", "hx", "history", "medical history", "past medical history"),
    Filler(): (
        "pt",
        "patient",
        "comorbidities",
        "labs",
        "lab",
        # What every patient has for whom tarlatamab is planned.
        "sclc",
        "es-sclc",
    ),
    Connector(): ("of", "at", "is", "to"),
}

# Words that join and say nothing. They part names and values as a comma does.
JOINING_WORDS = frozenset({"and", "&"})
# Parts as a full stop does: what was denied before it is set against what comes after.
BREAKING_WORDS = frozenset({"but"})

PHRASES: Mapping[tuple[str, ...], Term] = {
    tuple(entry.split(" ")): term for term, entries in SYNONYMS.items() for entry in entries
}
LONGEST_PHRASE = max(len(phrase) for phrase in PHRASES)
KNOWN_WORDS = frozenset(word for phrase in PHRASES for word in phrase) | JOINING_WORDS | BREAKING_WORDS

# Signs that may be written onto a name: `liver+`, `-dm`, `ldh?`. An en dash is a minus after its name and asked
# about before it; an em dash is asked about everywhere.
DASH = "\u2013"
LONG_DASH = "\u2014"
SIGNS_BEFORE_NAME = ("+", "-", "\u2191")
SIGNS_AFTER_NAME = ("+", "-", "?", DASH)
# `w/dm`
WITH_BEFORE_NAME = "w/"
NAME_WORDS = frozenset(word for phrase, term in PHRASES.items() if isinstance(term, Name) for word in phrase)

# What may be written onto a figure: `480u/l`, `1.9x`.
UNIT_SUFFIXES = frozenset(phrase[0] for phrase, term in PHRASES.items() if isinstance(term, Unit))
FIGURE_SUFFIXES = UNIT_SUFFIXES | {
    phrase[0] for phrase, term in PHRASES.items() if isinstance(term, Times) and len(phrase) == 1
}

# Understood, but not as CVD: the study does not say what it counted.
HYPERTENSION_WORDS = frozenset({"hypertension", "hypertensive", "htn", "hbp"})
VASCULAR_WORDS = frozenset({"stroke", "strokes", "cva", "tia", "pad", "pvd"})

# Offered for a near miss: names only. A value suggested for another word could turn the finding
# round (abnormal, normal; bone, none). Words of fewer than three letters are one slip away from too much.
SHORTEST_SUGGESTION = 3
SUGGESTIONS = tuple(
    dict.fromkeys(
        word
        for phrase, term in PHRASES.items()
        for word in phrase
        if len(word) >= SHORTEST_SUGGESTION
        and word.isalpha()
        and word != "the"
        and isinstance(term, Name)
        # `normal` stands in `upper limit of normal` too.
        and not isinstance(PHRASES.get((word,)), Value)
    )
)
# Words of their own on a ward, one slip away from a name: nothing is suggested for them.
NO_SUGGESTION = frozenset(
    {"abg", "aki", "bmi", "cbc", "ckd", "cld", "cns", "copd", "crp", "cva", "dvt", "esld", "esrd", "hdl", "ild", "ldl"}
    | {"mds", "nsclc", "pad", "pvd", "sclc", "tia", "uti", "vte", "bone", "brain", "lung", "lever", "live", "lived"}
)
