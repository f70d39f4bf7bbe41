"""Coverage-guided fuzzing of the grammar and the look-ups with atheris, for as long as one likes.

``make fuzz-coverage``, where atheris comes as a wheel (Linux, 64 bit; elsewhere it wants clang, so it is no part of
``make test`` or ``make fuzz``). Bytes are read as
text, or as choices for the generators of the other tests; what must hold is the same as there. libFuzzer's options
are passed on; a folder given as the first argument keeps what it found.
"""

from __future__ import annotations

import sys
from collections import Counter

import atheris  # type: ignore[import-not-found]  # see above

# From here on what is loaded is watched, so that input that reaches something new is kept.
with atheris.instrument_imports(include=["handlers.parsing", "handlers.lookup"]):
    from handlers.lookup import LookUpRefusal
    from handlers.lookup.registry import LOOK_UPS, near_look_up
    from handlers.parsing import Understood
    from handlers.parsing.words import ascii_lower
from tests.fuzz.test_grammar import assert_lawful, outcome_of
from tests.support.closed import TOKEN
from tests.support.fuzz_choices import Choices
from tests.support.fuzz_look_ups import question
from tests.support.fuzz_text import Typed, typed

seen: Counter[str] = Counter()


def one_input(data: bytes) -> None:
    """One case; anything but a closed outcome ends the run with the input in a file."""
    way, rest = data[:1], data[1:]
    if way in (b"", b"\0"):
        text = typed(Choices(rest))
    elif way == b"\1":
        text = Typed(question(Choices(rest)))
    else:
        text = Typed(rest.decode("utf-8", "replace"))
    outcome = outcome_of(text.text)
    assert_lawful(text, outcome)
    seen["accepted" if isinstance(outcome, Understood) else "refused"] += 1
    words = ascii_lower(text.text[:300]).split()
    if words:
        near_look_up(words[0])
    if words and words[0] in LOOK_UPS:
        try:
            LOOK_UPS[words[0]](words[1:], "2026-11-24")
            seen["looked up"] += 1
        except LookUpRefusal as refusal:
            assert TOKEN.fullmatch(refusal.token)  # noqa: PT017 - no test of pytest's


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
