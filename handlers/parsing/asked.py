"""Words that are known and asked about: each would be a guess if it were read.

They leave a finding open (`possible`), change it (`resected`), name another one
(`prediabetes`), or are said of somebody else (`mother`). Negated or not, they
are refused with what to type instead. Whoever finds a word that clinicians use
and Tarla must not read adds it here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handlers.parsing.codes import RefusalCode, Topic
from handlers.parsing.terms import Subject
from handlers.parsing.vocabulary import HYPERTENSION_WORDS, VASCULAR_WORDS

About = Subject | Topic | None

_UNCERTAIN = (
    "possible possibly probable probably suspected suspicious suspicion suspect likely unlikely r/o rule maybe perhaps "
    "questionable query equivocal indeterminate concern concerning presumed presumptive presumably vs versus "
    "borderline doubtful unclear uncertain unsure undetermined cannot can't"
)
_FAMILY = (
    "family fhx fh famhx fam familial mother father mom mum dad sister brother sibling siblings parent parents son "
    "daughter grandmother grandfather aunt uncle maternal paternal relative relatives mother's father's sister's "
    "brother's parent's"
)
_QUALIFIED = (
    "resected resection treated stable ablated ablation resolved resolving removed irradiated controlled uncontrolled "
    "well-controlled poorly-controlled diet-controlled remote old newly recent recently progressing progressive "
    "progression worsening improving improved remission active inactive former formerly ex mild moderate severe"
)
_PAST = "was were had"
_EXCEPTION = "except excluding besides apart aside other however although though unless only"
_OTHER_LIVER = (
    "lesion lesions nodule nodules mass masses hepatitis cirrhosis cirrhotic steatosis transplant biopsy lft lfts "
    "transaminitis hcc hepatomegaly nash nafld masld fatty cyst cysts hemangioma haemangioma"
)
_OTHER_DIABETES = (
    "prediabetes prediabetic pre-diabetes pre-diabetic gestational gdm insipidus steroid steroid-induced drug-induced "
    "hyperglycemia hyperglycaemia a1c hba1c igt ifg"
)
_OTHER_CARDIAC = (
    "pacemaker ppm icd aicd angina valve valvular hld hyperlipidemia hyperlipidaemia dyslipidemia dyslipidaemia "
    "cardiomegaly aneurysm dvt pe vte murmur palpitations ef lvef echo stent stents cath"
)
_AGE_AND_SEX = "yo y/o yr yrs year years year-old male female man woman lady gentleman m f"

_NOT_USED = (
    "ecog ps kps brain bone bones lung lungs adrenal adrenals nodal nodes pleural mediastinal peritoneal cns "
    "smoker smoking copd ckd platelets plt hgb wbc anc crp ferritin albumin sodium creatinine bilirubin "
    "line lines chemo chemotherapy carboplatin etoposide atezolizumab durvalumab lurbinectedin platinum "
    "steroids dexamethasone statin metformin aspirin"
)
_TREATMENT = "cycle cycles c1 c2 c3 c4"
_PROPHYLAXIS = "toci tocilizumab actemra prophylaxis prophylactic ppx"

ASKED_WORDS: Mapping[str, tuple[RefusalCode, About]] = {
    word: reason
    for words, reason in (
        (_UNCERTAIN, (RefusalCode.UNCERTAIN, None)),
        (_FAMILY, (RefusalCode.FAMILY_HISTORY, None)),
        (_QUALIFIED, (RefusalCode.QUALIFIED, None)),
        (_PAST, (RefusalCode.QUALIFIED, Topic.PAST)),
        (_EXCEPTION, (RefusalCode.AMBIGUOUS, Topic.EXCEPTION)),
        (_OTHER_LIVER, (RefusalCode.NOT_TAKEN, Subject.LIVER)),
        (_OTHER_DIABETES, (RefusalCode.NOT_TAKEN, Subject.DIABETES)),
        (_OTHER_CARDIAC, (RefusalCode.NOT_TAKEN, Subject.CVD)),
        # A coronary intervention, or the cranial irradiation that many patients with this very cancer have had.
        ("pci", (RefusalCode.NOT_TAKEN, Topic.PCI)),
        (_AGE_AND_SEX, (RefusalCode.UNKNOWN_WORD, Topic.AGE)),
        (_NOT_USED, (RefusalCode.UNKNOWN_WORD, Topic.NOT_USED)),
        (_TREATMENT, (RefusalCode.NOT_TAKEN, Topic.TREATMENT)),
        (_PROPHYLAXIS, (RefusalCode.NOT_TAKEN, Topic.PROPHYLAXIS)),
        ("af", (RefusalCode.NOT_TAKEN, Topic.AF)),
        (" ".join(HYPERTENSION_WORDS), (RefusalCode.HYPERTENSION, None)),
        (" ".join(VASCULAR_WORDS), (RefusalCode.CVD_UNDEFINED, None)),
    )
    for word in words.split()
}

# `c1d1`, `C2 D8` written together: a day of treatment.
_TREATMENT_DAY = re.compile(r"c[0-9]{1,2}d[0-9]{1,2}")
_AGE = re.compile(r"[1-9][0-9]{0,2}-?(?:yo?|y/o|yrs?|years?|m|f)(?:[-/]?(?:old|m|f|male|female))?")


def is_age(word: str) -> bool:
    """Whether ``word`` (lower case) reads as an age or an age with a sex (`68m`, `68yo`, `68-year-old`)."""
    return _AGE.fullmatch(word) is not None


def is_treatment_day(word: str) -> bool:
    """Whether ``word`` (lower case) names a day of a cycle, as `c1d8` does."""
    return _TREATMENT_DAY.fullmatch(word) is not None
