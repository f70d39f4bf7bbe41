"""Whether an answer could be given now, and if not, why: closed words only."""

from __future__ import annotations

import re
from collections.abc import Callable

from handlers.ports import ModelInUse
from knowledge import ModelError
from knowledge.evidence import EvidenceError
from knowledge.evidence import load as load_evidence
from knowledge.model import SiteModelError

# None when all is well, else a closed word.
Probe = Callable[[], str | None]

UNSPECIFIED, PROBE_FAILED = "unspecified", "probe_failed"
NOT_USABLE, NOT_CONNECTED = "not_usable", "not_connected"
SITE_NOT_USABLE = "site_model_not_usable"
STARTING, STOPPING = "starting", "stopping"
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


class Readiness:
    """Named probes, asked anew each time. They must not wait: the event loop asks them."""

    def __init__(self) -> None:
        self._probes: dict[str, Probe] = {}
        self._harmless: dict[str, frozenset[str]] = {}

    def watch(self, name: str, probe: Probe, harmless: frozenset[str] = frozenset()) -> None:
        """Add a probe, or replace the one of this name; with the words in ``harmless`` answers are still given.

        Raises:
            ValueError: the name is no closed word.
        """
        if not _WORD.fullmatch(name):
            raise ValueError("a probe's name is a lower-case word")
        self._probes[name], self._harmless[name] = probe, harmless

    def states(self) -> dict[str, str | None]:
        """What each probe says; a probe that fails itself says so."""
        return {name: _asked(probe) for name, probe in self._probes.items()}

    def reasons(self) -> dict[str, str]:
        """What is in the way of an answer. Empty when one could be given."""
        return {name: word for name, word in self._unwell().items() if word not in self._harmless[name]}

    def warnings(self) -> dict[str, str]:
        """What is not well and yet in nobody's way."""
        return {name: word for name, word in self._unwell().items() if word in self._harmless[name]}

    def _unwell(self) -> dict[str, str]:
        return {name: word for name, word in self.states().items() if word is not None}


def _asked(probe: Probe) -> str | None:
    try:
        reason = probe()
    except Exception:  # noqa: BLE001 - a broken probe is a reason of its own, and must not take the report with it
        return PROBE_FAILED
    if reason is None:
        return None
    return reason if _WORD.fullmatch(reason) else UNSPECIFIED


def model_probe(model: ModelInUse) -> str | None:
    """Whether the risk model in use can be used."""
    try:
        model()
    except SiteModelError:
        return SITE_NOT_USABLE
    except ModelError:
        return NOT_USABLE
    return None


def evidence_probe() -> str | None:
    """Whether the evidence can be used."""
    try:
        load_evidence()
    except EvidenceError:
        return NOT_USABLE
    return None
