"""kill -9 around a checkpoint, at every step: the next start goes on, and everything still verifies."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.audit.verification import verify
from bot.checkpoints import Alarm, SigningState
from tests.support.chaos import rng, scale, tally
from tests.support.vouched import Vouched

# The process kills itself before or after the named step; it is the program's own code in between.
VICTIM = """
import os, signal, sys
from pathlib import Path
from tests.support.vouched import Vouched
from bot import files
from bot.checkpoints import keys, signing

home, where, name, when = sys.argv[1:]
module = {"files": files, "keys": keys, "signing": signing, "os": os}[where]
real = getattr(module, name)

def cut(*arguments, **named):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

made = Vouched(Path(home))
made.record(*sorted({"new-" + os.urandom(4).hex() for _ in range(2)}))
setattr(module, name, cut)
made.checkpoint()
"""
STEPS = [
    ("keys", "_make"),
    ("signing", "sign_checkpoint"),
    ("files", "_give_name"),
    ("files", "sync_folder"),
    ("os", "fsync"),
    ("os", "open"),
    ("signing", "_record"),
]


def killed(made: Vouched, where: str, name: str, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(made.home), where, name, when],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def goes_on(made: Vouched) -> None:
    """The next start, and what it leaves: everything in order, no record without its note."""
    state = SigningState()
    for sign in (False, True):
        result = made.checkpoint(state, sign=sign)
        assert not isinstance(result, Alarm), result
    found = verify(made.ledger, [made.folder], made.folder.public_keys())
    assert found.ok, found.problems


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("where", "name"), STEPS)
def test_killed_at_a_step_the_next_start_goes_on(tmp_path: Path, where: str, name: str, when: str) -> None:
    made = Vouched(tmp_path)
    if (where, name) != ("keys", "_make"):
        made.record("a")
        made.checkpoint()
    killed(made, where, name, when)
    goes_on(made)


def test_killed_again_and_again_at_any_step(tmp_path: Path) -> None:
    made, random, kills = Vouched(tmp_path), rng("checkpoint-kills"), scale(3, 200)
    made.record("a")
    made.checkpoint()
    for _ in range(kills):
        where, name = random.choice(STEPS[1:])
        killed(made, where, name, random.choice(["before", "after"]))
        if random.random() < 0.3:
            goes_on(made)
    goes_on(made)
    tally("kill -9 around a checkpoint", kills=kills, checkpoints=len(made.folder.sizes()))
