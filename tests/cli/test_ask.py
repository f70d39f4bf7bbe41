"""``tarla ask`` as a process: what it prints, how it ends, and what stands in the ledger then."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.clock import SystemClock
from bot.ledger import StoredEvent, check_ledger, open_ledger, read_events
from handlers.ports import Entry, Kind
from knowledge.assessment import Outcome
from tests.support.program import PATIENCE_S, command, environment, tarla

WORDS = "ldh 480/250 liver yes dm no cvd yes"
_ESTIMATE = re.compile(r"[0-9]{1,2} % \([0-9]{1,2} to [0-9]{1,2}\)")

_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_INTERVAL = {"type": "array", "items": _FRACTION, "minItems": 2, "maxItems": 2}
_PRESENCE = {"enum": ["yes", "no", "unknown"]}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


# What a program that reads ``--json`` may rely on.
SHAPE = _object(
    factors=_object(
        ldh={"type": ["object", "null"]},
        liver_metastases=_PRESENCE,
        diabetes=_PRESENCE,
        cardiovascular_disease=_PRESENCE,
    ),
    outcomes={
        "type": "array",
        "minItems": 3,
        "maxItems": 3,
        "items": _object(
            outcome={"enum": ["crs_any", "crs_grade2plus", "icans_any"]},
            risk=_FRACTION,
            interval=_INTERVAL,
            risk_study_centre=_FRACTION,
            interval_study_centre=_INTERVAL,
            risk_by_prior=_INTERVAL,
        ),
    },
    observed={
        "type": "array",
        "minItems": 5,
        "maxItems": 5,
        "items": _object(
            outcome={"enum": [outcome.value for outcome in Outcome]},
            events={"type": ["integer", "null"], "minimum": 0},
            n={"type": "integer", "minimum": 1},
            interval={"anyOf": [_INTERVAL, {"type": "null"}]},
        ),
    },
    assumptions=_TEXTS,
    evidence={**_TEXTS, "minItems": 1, "uniqueItems": True},
    model=_object(id={"type": "string"}, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}),
    interval_sources={
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": _object(
            outcome={"enum": ["crs_any", "icans_any"]},
            variance={"type": "number", "exclusiveMinimum": 0},
            study=_FRACTION,
            centre=_FRACTION,
            findings=_FRACTION,
        ),
    },
    receipt={"type": "string", "pattern": "^[1-9][0-9]*-[0-9a-f]{4}$"},
)


def _events(folder: Path) -> list[StoredEvent]:
    path = folder / "ledger.db"
    assert check_ledger(path).ok
    return list(read_events(path))


def test_an_answer_is_printed_and_recorded(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", WORDS)
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(_ESTIMATE.findall(done.stdout)) == 3
    assert max(map(len, done.stdout.splitlines())) <= 100
    computed, delivered = _events(tmp_path)
    assert f"receipt #1-{computed.leaf.hex()[:4]}" in done.stdout
    assert (computed.kind, delivered.kind, delivered.ref) == ("computed", "delivered", 1)
    assert delivered.payload is not None
    assert delivered.payload["via"] == "terminal"
    asker = json.loads(computed.body or "")["asker"]
    assert asker["via"] == "cli"
    assert asker["user"]


@pytest.mark.parametrize("columns", ["20", "300"])
def test_lines_keep_to_the_terminal_within_reason(tmp_path: Path, columns: str) -> None:
    done = tarla(tmp_path, "ask", WORDS, COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= min(max(int(columns), 72), 120)


def test_json_has_the_promised_shape_and_the_ledgers_receipt(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "--json", *WORDS.split())  # words may come as many arguments too
    assert done.returncode == 0
    body: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(body, SHAPE)
    assert body["factors"]["ldh"]["value"] == 480
    shape: dict[str, Any] = SHAPE["properties"]  # type: ignore[assignment]  # a schema holds all sorts
    assert list(body) == list(shape)
    for split in body["interval_sources"]:
        assert split["study"] + split["centre"] + split["findings"] == pytest.approx(1.0)
        assert split["findings"] == 0.0  # all four findings were given
    computed, _ = _events(tmp_path)
    assert body["receipt"] == f"1-{computed.leaf.hex()[:4]}"
    kept = json.loads(computed.body or "")
    for shown, row in zip(body["outcomes"], kept["outcomes"], strict=True):
        assert (shown["outcome"], f"{shown['risk']:.6f}") == (row["outcome"], row["risk"])
        assert shown["interval"][0] <= shown["risk"] <= shown["interval"][1]
    assert [each["outcome"] for each in body["observed"]] == [outcome.value for outcome in Outcome]


def test_json_says_what_was_assumed_and_how_the_text_was_read(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "--json", "ldh", "480", "chf", "yes", TARLA_LDH_ULN="250 U/L")
    body: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(body, SHAPE)
    assert body["assumptions"][0] == "upper limit of normal: 250 U/L, this site's setting"
    assert any("taken as CVD" in each for each in body["assumptions"])
    assert any(each.startswith("Diabetes not known") for each in body["assumptions"])
    assert body["factors"]["ldh"]["uln_from"] == "site"


def test_refused_input_is_told_on_standard_error(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "--json", "Zaphod ldh 480/250 livr yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Word 1: ")
    assert 'tarla ask "' in done.stderr
    assert "/tarla" not in done.stderr
    assert "`" not in done.stderr
    assert "zaphod" not in done.stderr.lower()
    assert [event.kind for event in _events(tmp_path)] == ["refused", "delivered"]
    assert b"zaphod" not in (tmp_path / "ledger.db").read_bytes().lower()


def test_commands_in_a_refusal_are_told_as_they_are_typed_here(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "ldh 8")
    assert 'Write tarla ask "ldh 8.0 µkat/L uln 4.1" or tarla ask "ldh 1.9x".' in done.stderr
    assert 'For example: tarla ask "ldh 8.0 µkat/L uln 4.1"\n' in done.stderr
    assert "/tarla" not in done.stderr


def test_without_words_it_says_how_to_ask(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask")
    assert (done.returncode, done.stdout) == (2, "")
    assert f'tarla ask "{WORDS}"' in done.stderr
    assert _events(tmp_path) == []


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_without_a_ledger_there_is_no_figure(tmp_path: Path, as_json: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    done = tarla(tmp_path, "ask", *as_json, WORDS, TARLA_LEDGER=str(tmp_path / "file" / "ledger.db"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "the audit ledger cannot be written" in done.stderr
    assert not re.search(r"[0-9]", done.stderr)


def test_without_a_sound_model_there_is_no_figure(tmp_path: Path) -> None:
    """A copy of the package whose model file was cut short goes before the installed one."""
    shutil.copytree(str(files("knowledge")), tmp_path / "knowledge", ignore=shutil.ignore_patterns("__pycache__"))
    (data,) = (tmp_path / "knowledge" / "data" / "model").glob("*.npz")
    data.write_bytes(data.read_bytes()[:1000])
    done = tarla(tmp_path, "ask", WORDS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the model file is not usable" in done.stderr
    assert not re.search(r"[0-9]", done.stderr)
    assert _events(tmp_path) == []


def test_a_wrong_setting_is_named_without_its_value(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", WORDS, TARLA_LDH_ULN="7301 Zaphod")
    assert (done.returncode, done.stdout) == (1, "")
    assert "TARLA_LDH_ULN" in done.stderr
    assert "with its unit, such as 250 U/L" in done.stderr
    assert "Traceback" not in done.stderr
    assert "7301" not in done.stderr
    assert "Zaphod" not in done.stderr


def test_an_answer_that_nobody_takes_is_recorded_as_not_delivered(tmp_path: Path) -> None:
    """As in ``tarla ask … | true``: the reader is gone before the first line."""
    process = subprocess.Popen(
        command("ask", WORDS),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        complaints = process.stderr.read().decode()
        assert process.wait(PATIENCE_S) == 1
    assert complaints == ""
    computed, failed = _events(tmp_path)
    assert (failed.kind, failed.ref) == ("delivery_failed", computed.seq)
    assert failed.payload is not None
    assert failed.payload["reason"] == "connection_lost"


async def test_several_programs_share_one_ledger_without_a_gap(tmp_path: Path) -> None:
    """Two ``tarla ask`` at once, while the bot's own writer records."""
    ledger = open_ledger(tmp_path / "ledger.db", clock=SystemClock())
    try:
        with ThreadPoolExecutor(2) as pool:
            loop = asyncio.get_running_loop()
            asking = [loop.run_in_executor(pool, tarla, tmp_path, "ask", WORDS) for _ in range(2)]
            number = 0
            while not all(each.done() for each in asking):
                number += 1
                await ledger.record(Entry(f"command:{number}", Kind.REFUSED, {"version": 1}))
                await asyncio.sleep(0.01)
            done = [each.result() for each in asking]
    finally:
        await ledger.aclose()
    assert [each.returncode for each in done] == [0, 0]
    events = _events(tmp_path)
    assert [event.seq for event in events] == list(range(1, number + 5))
    kinds = [event.kind for event in events]
    assert (kinds.count("computed"), kinds.count("delivered"), kinds.count("refused")) == (2, 2, number)
    receipts = {f"{event.seq}-{event.leaf.hex()[:4]}" for event in events if event.kind == "computed"}
    assert {each.stdout.split("receipt #")[1].split()[0] for each in done} == receipts


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_answer_that_cannot_be_written_is_recorded_as_not_delivered(tmp_path: Path) -> None:
    """As in ``tarla ask … > file`` on a full disk."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("ask", WORDS),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    computed, failed = _events(tmp_path)
    assert (failed.kind, failed.ref) == ("delivery_failed", computed.seq)
    assert failed.payload is not None
    assert failed.payload["reason"] == "output_failed"


def test_an_answer_without_any_output_is_recorded_as_not_delivered(tmp_path: Path) -> None:
    """As in ``tarla ask … >&-``."""
    line = " ".join(f"'{word}'" for word in command("ask", WORDS))
    done = subprocess.run(
        ["sh", "-c", f"{line} >&-"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    _, failed = _events(tmp_path)
    assert failed.kind == "delivery_failed"


@pytest.mark.parametrize("words", [("-dm", "liver+"), ("-dm liver+",)])
def test_a_finding_may_begin_with_a_dash(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = tarla(tmp_path, "ask", "--json", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["factors"]["diabetes"] == "no"


def test_an_option_nobody_knows_is_not_echoed(tmp_path: Path) -> None:
    done = tarla(tmp_path, "ask", "--Zaphod7301")
    assert done.returncode == 2
    assert "Zaphod" not in done.stdout + done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_an_output_without_our_signs_gets_plain_ones(tmp_path: Path, encoding: str) -> None:
    """Not a crash, not a question mark where "at least" should stand; and the ledger knows that it was read."""
    variables = environment(tmp_path) | {"PYTHONIOENCODING": encoding}
    for words in (["ask", "ldh 480/250 liver yes dm no"], ["ask", "--json", "liver yes"], ["ask", "ldh 2/250"]):
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            capture_output=True,
            cwd=tmp_path,
            env=variables,
            timeout=60,
            check=False,
        )
        assert done.returncode == (2 if "2/250" in words[1] else 0)
        text = (done.stdout + done.stderr).decode(encoding)
        assert "Traceback" not in text
        assert "?" not in text
        if words == ["ask", "ldh 480/250 liver yes dm no"]:
            assert "CRS, grade >= 2" in text
            assert "LDH 480 U/L" in text
    assert [event.kind for event in read_events(tmp_path / "ledger.db")].count("delivered") == 3
