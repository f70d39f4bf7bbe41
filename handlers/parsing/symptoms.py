"""Words that end the question: the infusion has begun, or the patient has symptoms.

Tarla is a planning aid before the first infusion. A text with any of these
words gets no risk, whatever else it says and even if the word is denied: the
list errs towards stopping. Runs of ASCII letters are compared, so `fever/chills`
and `(CRS` are found as well.
"""

from __future__ import annotations

import re

_WORDS = (
    # Toxicities by name
    "crs icans cytokine neurotoxicity neurotoxic irr "
    # Fever and its company
    "fever fevers feverish febrile afebrile pyrexia pyrexial temp temperature rigor rigors chills sepsis "
    # Circulation
    "hypotension hypotensive hypotense shock pressor pressors vasopressor vasopressors "
    "tachycardia tachycardic syncope collapse collapsed "
    # Breathing
    "hypoxia hypoxic hypoxemia hypoxaemia desaturation desaturating sats oxygen "
    "dyspnea dyspnoea dyspneic dyspnoeic breathless breathlessness breath wheeze "
    # Nervous system
    "confused confusion disoriented disorientation delirium delirious encephalopathy seizure seizures convulsion "
    "convulsions aphasia aphasic dysphasia tremor tremors somnolence somnolent drowsy drowsiness lethargy lethargic "
    "agitated agitation obtunded unresponsive coma headache headaches "
    # Other
    "symptom symptoms symptomatic unwell rash nausea vomiting myalgia "
    # The infusion has begun
    "infused infusion infusions infusing post postinfusion after dosed dose received day days hour hours hr hrs "
    "grade onset"
)
SYMPTOM_WORDS = frozenset(_WORDS.split())

_LETTERS = re.compile("[a-z]+")


def tells_of_symptoms(word: str) -> bool:
    """Whether any run of ASCII letters in the lower-case ``word`` is a symptom word."""
    return any(run in SYMPTOM_WORDS for run in _LETTERS.findall(word))
