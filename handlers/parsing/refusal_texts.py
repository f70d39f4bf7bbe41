"""What a refusal says and which example it gives, by code and by what it is about: sentences written beforehand."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.limits import LDH_RANGE, MAX_CHARACTERS, MAX_WORDS, RATIO_RANGE, ULN_RANGE
from handlers.parsing.terms import Subject

EXAMPLE = "/tarla ldh 480/250 liver yes dm no cvd yes"

Key = tuple[RefusalCode, Subject | Topic | None]

_C = RefusalCode
# (message, example) by code and, where it helps, by what the refusal is about.
# Complete commands stand in backticks; the tests run every one of them.
TEXTS: Mapping[Key, tuple[str, str]] = {
    (_C.EMPTY, None): (
        "Nothing was given. Name what is known of LDH, liver metastases, diabetes and CVD; what is left out counts as "
        "unknown.",
        EXAMPLE,
    ),
    (_C.TOO_LONG, None): (
        f"That is more than {MAX_CHARACTERS} characters or {MAX_WORDS} words. Give only LDH, liver metastases, "
        "diabetes and CVD, and nothing that could identify a patient.",
        EXAMPLE,
    ),
    (_C.SYMPTOMS, None): (
        "No risk is given once the infusion has begun or the patient has symptoms: this is a planning aid before the "
        "first infusion. For management go by your local protocol; `/tarla manage crs 2` shows what the label says for "
        "a grade, `/tarla grade` computes one. If you are planning, leave out symptoms, absent ones too, and words "
        "about the infusion.",
        "/tarla manage crs 2",
    ),
    (_C.HYPERTENSION, None): (
        "Hypertension alone is not taken as CVD: the study does not define CVD. Leave it out and say cvd yes, cvd "
        "no or cvd unknown by your own judgement of the rest.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.CVD_UNDEFINED, None): (
        "Stroke and peripheral arterial disease are not taken as CVD by themselves: the study does not define CVD. "
        "Leave them out and say cvd yes, cvd no or cvd unknown by your own judgement.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.NARROWER_TERM, Subject.DIABETES): (
        "One type of diabetes being absent does not make diabetes absent. Say dm no if there is no diabetes of any "
        "type, or leave it out.",
        "/tarla ldh 480/250 dm unknown",
    ),
    (_C.NARROWER_TERM, Subject.CVD): (
        "One cardiac diagnosis being absent does not make CVD absent. Say cvd no if there is no cardiovascular "
        "disease, or leave it out.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.UNKNOWN_WORD, None): (
        "This word is not in the vocabulary. Use ldh, liver, dm and cvd, each with its value, and nothing that could "
        "identify a patient.",
        EXAMPLE,
    ),
    (_C.UNKNOWN_WORD, Topic.AGE): (
        "Age and sex are not used and may help to identify a patient. Leave them out.",
        EXAMPLE,
    ),
    (_C.UNKNOWN_WORD, Topic.NOT_USED): (
        "The model does not use this: only LDH, liver metastases, diabetes and CVD. Leave it out.",
        EXAMPLE,
    ),
    (_C.MISPLACED_WORD, None): (
        "This word is known but says nothing where it stands. Write each name with its value beside it.",
        EXAMPLE,
    ),
    (_C.NOT_CANONICAL_NUMBER, None): (
        "Write numbers plainly: digits 0 to 9, a point for decimals (not a comma), no sign, exponent, grouping or "
        "leading zero, at most 8 characters.",
        "/tarla ldh 1.9x",
    ),
    (_C.NUMBER_WITHOUT_NAME, None): (
        "This number has no name before it, so it could be anything. Put ldh before the LDH and / or uln before its "
        "upper limit.",
        "/tarla ldh 480/250",
    ),
    (_C.NUMBER_WITHOUT_NAME, Subject.LDH): (
        "This second number could be the upper limit or another LDH. Write an LDH with its upper limit as 480/250.",
        "/tarla ldh 480/250",
    ),
    (_C.VALUE_WITHOUT_NAME, None): (
        "This value has no name beside it that it fits. Write one value after each name.",
        EXAMPLE,
    ),
    (_C.VALUE_WITHOUT_NAME, Subject.LDH): (
        "High and normal are said of LDH, beside the word ldh; where there is a figure, between ldh and the figure or "
        "not at all.",
        "/tarla ldh high liver yes",
    ),
    (_C.MISSING_VALUE, Subject.LDH): (
        "After ldh write a figure with its upper limit, a multiple of the upper limit, or high, normal or unknown.",
        "/tarla ldh 480/250",
    ),
    (_C.MISSING_VALUE, Subject.ULN): (
        "The figure for the upper limit of normal is missing. If the LDH is a multiple of that limit, write "
        "`/tarla ldh 1.9x`.",
        "/tarla ldh 480 uln 250",
    ),
    (_C.MISSING_VALUE, Subject.LIVER): (
        "Liver metastases need a value beside them, or commas on both sides when they are present: write "
        "liver mets yes, liver mets no or liver mets unknown.",
        "/tarla ldh 480/250 liver yes",
    ),
    (_C.MISSING_VALUE, Subject.DIABETES): (
        "Diabetes needs a value beside it, or commas on both sides when it is present: write dm yes, dm no or "
        "dm unknown.",
        "/tarla ldh 480/250 dm no",
    ),
    (_C.MISSING_VALUE, Subject.CVD): (
        "Cardiovascular disease needs a value, also when it is present: write cvd yes, cvd no or cvd unknown. A "
        "cardiac diagnosis between commas is taken as present.",
        "/tarla ldh 480/250 cvd yes",
    ),
    (_C.AMBIGUOUS, None): (
        "This value could belong to the name before it or to the one after it. Write one value after each name, or "
        "part them with commas.",
        EXAMPLE,
    ),
    (_C.AMBIGUOUS, Topic.LONE_SIGN): (
        "A plus or minus that stands by itself may be a dash or a bullet. Write yes or no after each name, or the sign "
        "onto it.",
        "/tarla ldh 480/250 liver+ dm- cvd+",
    ),
    (_C.AMBIGUOUS, Topic.ALTERNATIVE): (
        "It is not clear what holds for each name joined by this word or slash. Write each with its own value.",
        "/tarla ldh 480/250 dm no cvd no",
    ),
    (_C.AMBIGUOUS, Topic.REACH_FORWARD): (
        "What is said of the name before may reach this one too. Write yes or no after each, as in dm yes or dm no.",
        "/tarla ldh 480/250, liver mets no, dm yes",
    ),
    (_C.AMBIGUOUS, Topic.REACH_BACK): (
        "This may be said of its own name or of the list before it. Write a value after each name.",
        "/tarla ldh 480/250, liver mets yes, dm no",
    ),
    (_C.AMBIGUOUS, Topic.DOUBLE_NEGATION): (
        "These are two negations of one name. Write yes or no after it.",
        "/tarla ldh 480/250 liver no",
    ),
    (_C.AMBIGUOUS, Topic.EXCEPTION): (
        "An exception or condition leaves open what holds. Write yes or no after each name.",
        "/tarla ldh 480/250 dm no cvd yes",
    ),
    (_C.AMBIGUOUS, Topic.QUESTION_MARK): (
        "This question mark may end your question or say that the finding is not known. Leave it out, or write unknown "
        "after the name.",
        "/tarla ldh 480/250 liver yes dm unknown",
    ),
    (_C.AMBIGUOUS, Topic.LEFT_OUT_NOUN): (
        "This word may lack its noun. Liver disease is not liver metastases, and cardiac metastases are not CVD: write "
        "no liver mets, or no cvd, if that is meant.",
        "/tarla ldh 480/250, no liver mets, no cvd",
    ),
    (_C.UNCERTAIN, None): (
        "This leaves open whether the finding is there. Decide, and write yes or no after its name; or write unknown, "
        "and the estimate averages over both.",
        "/tarla ldh 480/250 liver unknown",
    ),
    (_C.FAMILY_HISTORY, None): (
        "What a relative has is not the patient's. Leave it out and write what the patient has, as in dm yes or dm no.",
        "/tarla ldh 480/250 dm unknown",
    ),
    (_C.QUALIFIED, None): (
        "This word may change what the finding means for the patient, and the study does not say how. Decide, leave "
        "the word out, and write yes, no or unknown after the name.",
        "/tarla ldh 480/250 liver unknown",
    ),
    (_C.QUALIFIED, Topic.PAST): (
        "This word tells of the past. Leave it out and write what holds now, as in ldh 480/250 or dm yes.",
        "/tarla ldh 480/250 dm unknown",
    ),
    (_C.NOT_TAKEN, Subject.LIVER): (
        "Of the liver only metastases count here; another liver disease, a lesion, a test or a procedure is not read "
        "as one. Leave it out and write liver yes, liver no or liver unknown.",
        "/tarla ldh 480/250 liver unknown",
    ),
    (_C.NOT_TAKEN, Subject.DIABETES): (
        "This is not read as diabetes, and the study does not define diabetes. Decide, leave it out, and write dm yes, "
        "dm no or dm unknown.",
        "/tarla ldh 480/250 dm unknown",
    ),
    (_C.NOT_TAKEN, Subject.CVD): (
        "This is not taken as CVD by itself: the study does not define CVD. Leave it out and say cvd yes, cvd no "
        "or cvd unknown by your own judgement.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.NOT_TAKEN, Topic.PCI): (
        "PCI may be a coronary intervention or prophylactic cranial irradiation. Leave it out; write cad yes if it was "
        "coronary.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.NOT_TAKEN, Topic.TREATMENT): (
        "Cycles and doses are not read: this is a planning aid before cycle 1 day 1. If that is still to come, leave "
        "the word out. If it has been given, no risk is shown: see `/tarla monitor` and `/tarla manage crs 2`.",
        EXAMPLE,
    ),
    (_C.NOT_TAKEN, Topic.PROPHYLAXIS): (
        "There is no model with prophylactic tocilizumab: every estimate is for a patient without it, and every answer "
        "shows the study's counts with it. Leave the word out; `/tarla evidence tocilizumab` has more.",
        EXAMPLE,
    ),
    (_C.NOT_TAKEN, Topic.AF): (
        "AF may be atrial fibrillation or afebrile. Write afib yes, or leave it out.",
        "/tarla ldh 480/250 cvd unknown",
    ),
    (_C.CONTRADICTION, None): (
        "The same factor is given twice, with different values. Give each once.",
        EXAMPLE,
    ),
    (_C.REPEATED, None): (
        "The same factor is given twice. Give each once.",
        EXAMPLE,
    ),
    (_C.CONTRADICTION, Subject.CVD): (
        "These words all mean CVD here, and their values differ. Give cvd once: cvd yes if any of them is present.",
        "/tarla ldh 480/250 cvd yes",
    ),
    (_C.REPEATED, Subject.CVD): (
        "These words all mean CVD here. Give cvd once: cvd yes if any of them is present.",
        "/tarla ldh 480/250 cvd yes",
    ),
    (_C.CONTRADICTION, Subject.DIABETES): (
        "These words all mean diabetes here, and their values differ. Give dm once: dm yes if any type is present.",
        "/tarla ldh 480/250 dm yes",
    ),
    (_C.REPEATED, Subject.DIABETES): (
        "These words all mean diabetes here. Give dm once: dm yes if any type is present.",
        "/tarla ldh 480/250 dm yes",
    ),
    (_C.CONTRADICTION, Subject.LDH): (
        "This LDH is on the other side of its upper limit than the word before it says. Give the figure alone.",
        "/tarla ldh 480/250",
    ),
    (_C.OUT_OF_RANGE, Subject.LDH): (f"LDH must lie between {LDH_RANGE}.", "/tarla ldh 480/250"),
    (_C.OUT_OF_RANGE, Subject.ULN): (
        f"The upper limit of normal for LDH must lie between {ULN_RANGE}. It takes the unit of the LDH unless its own "
        "is written.",
        "/tarla ldh 480 uln 250",
    ),
    (_C.OUT_OF_RANGE, None): (
        f"LDH must lie between {RATIO_RANGE} times its upper limit of normal.",
        "/tarla ldh 1.9x",
    ),
    (_C.AMBIGUOUS_LDH, None): (
        "Without a unit this LDH has more than one reading: U/L, µkat/L or a multiple of the upper limit. Write "
        "`/tarla ldh 8.0 µkat/L uln 4.1` or `/tarla ldh 1.9x`.",
        "/tarla ldh 8.0 µkat/L uln 4.1",
    ),
    (_C.NO_ULN, None): (
        "The upper limit of normal differs between laboratories and none is configured here. Write your laboratory's "
        "limit after the LDH.",
        "/tarla ldh 480/250",
    ),
    (_C.ULN_WITHOUT_LDH, None): (
        "An upper limit goes with a measured LDH and with nothing else.",
        "/tarla ldh 480 uln 250",
    ),
}
