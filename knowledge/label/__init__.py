"""What the labels of tarlatamab and tocilizumab and the ASTCT 2019 grading say: ``load()`` gives it, checked."""

from knowledge.label.base import Compiled, Record, Statement, Version
from knowledge.label.consensus import CrsGrading, Domain, IcansGrading, Ice
from knowledge.label.management import Grade, HoldDifferences, Holds, Management
from knowledge.label.reader import Label, LabelError, load, load_from
from knowledge.label.schedule import Concomitant, Laboratory, Monitoring, Restart, RestartRule, Schedule
from knowledge.label.tocilizumab import TocilizumabDose, Volume

__all__ = [
    "Compiled",
    "Concomitant",
    "CrsGrading",
    "Domain",
    "Grade",
    "HoldDifferences",
    "Holds",
    "IcansGrading",
    "Ice",
    "Label",
    "LabelError",
    "Laboratory",
    "Management",
    "Monitoring",
    "Record",
    "Restart",
    "RestartRule",
    "Schedule",
    "Statement",
    "TocilizumabDose",
    "Version",
    "Volume",
    "load",
    "load_from",
]
