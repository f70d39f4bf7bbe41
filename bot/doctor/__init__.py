"""``tarla doctor``: a module for each thing that it looks at."""

from bot.doctor.examination import examine, report
from bot.doctor.finding import Finding

__all__ = ["Finding", "examine", "report"]
