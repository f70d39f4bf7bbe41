"""A ledger as years of use leave it, of any size: real rows, hashed by the ledger's own code, made in one transaction.

    python -m tests.support.big_ledger FILE EVENTS [SEED [OUTCOMES]]

``sign_checkpoints`` writes the notes that its `checkpoint` events tell of, without which it does not verify.

Its answers are the engine's own to a few hundred patients; the first part names an earlier model, with other figures.
With OUTCOMES (percent) so many of the answers for one patient have an outcome, a fifth of these a second one.
The same arguments give the same bytes in every row.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.checkpoints.folder import CheckpointFolder
from bot.clock import SystemClock
from bot.ledger import open_ledger, read_events
from bot.ledger.leaf import SALT_BYTES, canonical, leaf_hash, payload_hash, timestamp
from bot.ledger.merkle import Tree
from bot.ledger.note import Checkpoint, SigningKey, sign_checkpoint
from handlers.lookup.registry import LOOK_UPS
from handlers.outcome.record import PatientOutcome, outcome_payload
from handlers.ports import Json, Kind, outcome_key
from handlers.records import computed_payload, looked_up_payload, refused_payload, shared_payload
from handlers.requests import Asker
from knowledge import PatientFactors, assess
from knowledge.evidence import load as load_evidence
from knowledge.factors import Presence
from knowledge.model import load as load_model

SEED = 20_261_124
START = datetime(2025, 1, 6, 7, 0, tzinfo=UTC)
MEAN_GAP_S = 55.0
PATIENTS = 300
ASKERS = 24
CHECKPOINT_EVERY = 1_000
# Share of the events that name the model before the present one.
EARLIER = 0.1
EARLIER_MODEL = {"id": "facts-1", "sha256": "0f" * 32}
EARLIER_FACTOR = 1.08
INTERRUPTED, FAILED = 0.0003, 0.006
CLOCK_SET_BACK, CLOSED = timedelta(seconds=90), timedelta(days=3)
CODE, EVIDENCE = "0.1.0", load_evidence().version

_LOOK_UPS = ("dose c1d8 23", "evidence icans", "grade crs", "manage crs 2", "monitor c1d8", "toci 82kg")
_REFUSALS = ("E_UNKNOWN_WORD@2", "E_SYMPTOMS@3", "E_NO_ULN@1", "E_OUT_OF_RANGE@2", "E_AMBIGUOUS_LDH@2", "E_EMPTY@0")
# Requests by kind, in percent; `edited` and `compared` are `computed` events about an earlier answer.
_SHARES = {"computed": 70, "edited": 6, "compared": 3, "refused": 10, "looked_up": 9, "shared": 2}
_FAILURES = ("late", "connection_lost", "timeout", "not_sent")
# An event to be: how the request is named, kind, number of the event it is about, canonical body.
_Draft = tuple[str, str, int | None, bytes]


def make_ledger(path: Path, events: int, seed: int = SEED, outcomes: int = 0) -> None:
    """Write a ledger of exactly ``events`` events at ``path``, where there may be none yet.

    Raises:
        FileExistsError: there is something already.
    """
    if path.exists():
        raise FileExistsError(path)
    open_ledger(path, clock=SystemClock()).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -500000", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        for row in _rows(events, seed, outcomes):
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", row[:7])
            connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (row[0], *row[7:]))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")


def sign_checkpoints(path: Path, folder: Path) -> None:
    """Put a signed note into ``folder`` for each checkpoint that the ledger's events tell of, and the public key."""
    kept, key = CheckpointFolder(folder), SigningKey("tarla-made-up", SEED.to_bytes(32, "big"))
    kept.publish(key.public)
    for event in read_events(path):
        if event.kind == "checkpoint" and event.payload is not None:
            size, root = int(str(event.payload["size"])), bytes.fromhex(str(event.payload["root"]))
            kept.put(size, sign_checkpoint(Checkpoint(key.name, size, root), [key]))


class _Past:
    """What has been written: the tree over it, and the receipts of the newest answers by number."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.answers: deque[tuple[int, str]] = deque(maxlen=50)

    @property
    def last(self) -> int:
        return self.tree.size

    def add(self, kind: str, leaf: bytes) -> None:
        self.tree.append(leaf)
        if kind == Kind.COMPUTED:
            self.answers.append((self.last, f"{self.last}-{leaf.hex()[:4]}"))


def _rows(events: int, seed: int, outcomes: int) -> Iterator[tuple[Any, ...]]:
    """Rows of both tables: seq, idem_key, kind, ref, time, payload_hash, leaf, salt, body."""
    rng = random.Random(seed)  # noqa: S311 - a made-up ledger holds no secret
    moment, past = START, _Past()
    for seq, (key, kind, ref, body) in enumerate(
        itertools.islice(_story(rng, events, past, outcomes), events), start=1
    ):
        moment += timedelta(microseconds=round(1e6 * rng.expovariate(1 / MEAN_GAP_S)))
        if seq % 190_000 == 0:
            moment -= CLOCK_SET_BACK
        if seq % 270_000 == 0:
            moment += CLOSED
        salt, time = rng.randbytes(SALT_BYTES), timestamp(moment)
        hashed = payload_hash(salt, body)
        leaf = leaf_hash(seq=seq, idem_key=key, kind=kind, ref=ref, time=time, payload_hash=hashed)
        past.add(kind, leaf)
        yield seq, key, kind, ref, time, hashed, leaf, salt, body.decode()


def _story(rng: random.Random, events: int, past: _Past, outcomes: int) -> Iterator[_Draft]:
    """What happens, without end. Each event is written, and so in ``past``, before the next is asked for."""
    bodies = _Bodies(rng)
    yield f"start:{rng.getrandbits(64):016x}", "started", None, bodies.in_use(EARLIER_MODEL)
    yield f"model:{EARLIER_MODEL['id']}", "model_activated", None, bodies.in_use(EARLIER_MODEL)
    activated, signed = False, 0
    while True:
        early = past.last < EARLIER * events
        if not early and not activated:
            activated = True
            yield f"model:{bodies.model['id']}", "model_activated", None, bodies.in_use(bodies.model)
        if past.last - signed >= CHECKPOINT_EVERY:
            signed = past.last
            yield f"checkpoint:{signed}", "checkpoint", None, _checkpoint(signed, past.tree.root())
        key = f"command:{rng.getrandbits(40)}.{rng.getrandbits(36)}.{rng.getrandbits(128):032x}"
        request = _request(rng, key, bodies, past, early=early)
        yield request
        answer, fate = past.last, rng.random()
        if fate < INTERRUPTED:
            yield (
                f"start:{rng.getrandbits(64):016x}",
                "started",
                None,
                bodies.in_use(EARLIER_MODEL if early else bodies.model),
            )
            yield f"{key}#interrupted", "interrupted", answer, canonical({"version": 1})
        elif fate < INTERRUPTED + FAILED:
            failed = _delivery(rng.randrange(900, 5_000), rng.choice(_FAILURES))
            yield f"{key}#delivery", "delivery_failed", answer, failed
        else:
            yield f"{key}#delivery", "delivered", answer, _delivery(round(rng.lognormvariate(3.4, 0.6)))
        if (
            outcomes
            and request[1] == "computed"
            and b'"comparison"' not in request[3]
            and rng.random() < outcomes / 100
        ):
            yield from _outcomes(rng, past, answer)


def _outcomes(rng: random.Random, past: _Past, answer: int) -> Iterator[_Draft]:
    """What became of the newest answer, once or twice."""
    receipt, replaced = past.answers[-1][1], None
    for _ in range(1 + (rng.random() < 0.2)):
        grades = rng.choices((0, 1, 2, 3), (45, 35, 15, 5))[0], rng.choices((0, 1, 2), (85, 10, 5))[0]
        seen = PatientOutcome(*grades, Presence(rng.choice(("yes", "no"))), rng.choice((2, 8, 15)))
        payload = outcome_payload(receipt, seen, replaced, _asker(rng.randrange(ASKERS)), CODE)
        yield outcome_key(answer, replaced), Kind.OUTCOME, answer, canonical(payload)
        yield f"{outcome_key(answer, replaced)}#delivery", "delivered", past.last, _delivery(40)
        replaced = past.last - 1


def _request(rng: random.Random, key: str, bodies: _Bodies, past: _Past, *, early: bool) -> _Draft:
    kind = rng.choices(tuple(_SHARES), tuple(_SHARES.values()))[0]
    if kind == "refused":
        return key, kind, None, bodies.refused(rng)
    if kind == "looked_up":
        return key, kind, None, bodies.looked_up(rng)
    about, receipt = (None, "")
    if kind != "computed" and past.answers:
        about, receipt = rng.choice(past.answers)
        if kind == "shared":
            return key, kind, about, bodies.shared(rng, receipt)
    return key, "computed", about, bodies.computed(rng, early=early, compared=kind == "compared")


class _Bodies:
    """Canonical bodies, each distinct one made once."""

    def __init__(self, rng: random.Random) -> None:
        version = load_model().version
        self.model = {"id": version.id, "sha256": version.sha256}
        self._askers = [_asker(number) for number in range(ASKERS)]
        self._patients = [_factors(rng) for _ in range(PATIENTS)]
        self._made: dict[tuple[object, ...], bytes] = {}

    def in_use(self, model: dict[str, str]) -> bytes:
        return canonical({"version": 1, "model": model, "code": CODE, "evidence": EVIDENCE})

    def computed(self, rng: random.Random, *, early: bool, compared: bool) -> bytes:
        who, patient = rng.randrange(ASKERS), rng.randrange(PATIENTS)
        place = ("computed", who, patient, early, compared)
        if place not in self._made:
            payload = {**self._answer(patient), "asker": self._askers[who].record()}
            if early:
                payload |= {"model": EARLIER_MODEL, "outcomes": _other_figures(payload["outcomes"])}
            if compared:
                first = {name: payload.pop(name) for name in ("factors", "outcomes")}
                second = {name: self._answer((patient - 1) % PATIENTS)[name] for name in ("factors", "outcomes")}
                payload = {name: payload[name] for name in payload if name not in ("assumptions", "notes")}
                payload["comparison"] = [{"change": "as asked", **first}, {"change": "another", **second}]
            self._made[place] = canonical(payload)
        return self._made[place]

    def refused(self, rng: random.Random) -> bytes:
        asker, token = rng.choice(self._askers), rng.choice(_REFUSALS)
        return canonical(refused_payload(token, asker, rng.randrange(1, 200), CODE))

    def looked_up(self, rng: random.Random) -> bytes:
        asker, words = rng.randrange(ASKERS), rng.choice(_LOOK_UPS)
        if (asker, words) not in self._made:
            first, *rest = words.split()
            look_up = LOOK_UPS[first](rest, "2025-01-06")
            self._made[asker, words] = canonical(looked_up_payload(look_up, self._askers[asker], EVIDENCE, CODE))
        return self._made[asker, words]

    def shared(self, rng: random.Random, receipt: str) -> bytes:
        return canonical(shared_payload(receipt, rng.choice(self._askers), EVIDENCE, CODE))

    @cache  # noqa: B019 - it lives no longer than the ledger is made
    def _answer(self, patient: int) -> dict[str, Any]:
        return computed_payload(assess(self._patients[patient]), (), _asker(0), EVIDENCE, CODE)


def _asker(number: int) -> Asker:
    channel = f"C0TEAM{number % 5}"
    via = ("slash_command", "form", "mention", "direct_message")[number % 4]
    return Asker(via, f"U0PERSON{number:02}", channel, "T0WARD", None)


def _factors(rng: random.Random) -> PatientFactors:
    ldh: object = {"kind": "multiple", "multiple": round(rng.uniform(0.4, 6), 2)}
    if rng.random() < 0.7:
        limit = {"value": rng.choice((214, 225, 240, 250)), "unit": "U/L"}
        ldh = {"kind": "measured", "value": rng.randrange(120, 1_900), "unit": "U/L", "uln": limit}
    elif rng.random() < 0.3:
        ldh = rng.choice((None, {"kind": "category", "category": "high"}, {"kind": "category", "category": "normal"}))
    words = ("yes", "no", "unknown")
    factors = {name: rng.choices(words, (4, 5, 1))[0] for name in PatientFactors.model_fields if name != "ldh"}
    return PatientFactors.model_validate({**factors, "ldh": ldh})


def _other_figures(outcomes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures as another model might have given them, each risk and limit raised alike."""

    def other(value: Json) -> Json:
        if isinstance(value, list):
            return [other(each) for each in value]
        return f"{min(0.999, float(str(value)) * EARLIER_FACTOR):.6f}"

    return [{name: part if name == "outcome" else other(part) for name, part in each.items()} for each in outcomes]


def _delivery(milliseconds: int, reason: str | None = None) -> bytes:
    payload: dict[str, Json] = {"version": 1, "via": "socket", "milliseconds": milliseconds}
    return canonical(payload if reason is None else {**payload, "reason": reason})


def _checkpoint(size: int, root: bytes) -> bytes:
    return canonical({"version": 1, "size": size, "root": root.hex()})


if __name__ == "__main__":
    make_ledger(Path(sys.argv[1]), int(sys.argv[2]), *map(int, sys.argv[3:]))
