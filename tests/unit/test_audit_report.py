"""The report says what the statistics say, needs nothing else, and repeats nothing unescaped."""

from __future__ import annotations

import re
import sqlite3
import stat
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.audit.backup import leaves
from bot.audit.charts import Series, nice, sideways, stacked
from bot.audit.cli import audit
from bot.audit.days import Days
from bot.audit.stats import statistics_of
from bot.clock import SystemClock
from bot.html_page import table
from bot.ledger import open_ledger
from bot.ledger.merkle import root_of
from bot.ledger.note import Checkpoint, new_key, sign_checkpoint
from handlers.ports import Entry
from tests.support.big_ledger import make_ledger
from tests.support.pruned import prune_first

NOW = "2026-11-24T12:00:00Z"
VOID = {"meta", "rect", "line", "br"}


class Reading(HTMLParser):
    """Checks that tags are closed in order; collects headings, images and tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    make_ledger(path, 1_100)
    return path


@pytest.fixture
def ledger(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "ledger.db"
    path.parent.mkdir()
    path.write_bytes(made.read_bytes())
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    monkeypatch.setenv("TARLA_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.chdir(tmp_path)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(audit, ["report", "--html", "report.html", "--now", NOW, *words])


def test_the_page_says_what_was_counted_and_stands_alone(ledger: Path) -> None:
    assert run().exit_code == 0
    text = Path("report.html").read_text(encoding="utf-8")
    found = statistics_of(ledger, Days())
    for counts in (found.by_kind, found.refusals, found.failures):
        for name, count in counts.items():
            assert f">{name}<" in text
            assert f">{count:,}<" in text
    assert f"Checked {NOW}: 1,100 events, every hash right" in text
    assert f"{found.quantile(0.5)} ms" in text
    reading = Reading(text)
    names = [tag for tag, _ in reading.tags]
    assert reading.tags[0] == ("html", {"lang": "en"})
    assert not {"script", "img", "link", "iframe", "form", "a", "object"} & set(names)
    assert not re.search(r"\b(src|href|style|on\w+)\s*=", text)
    assert "http" not in text.replace("http-equiv", "")
    (policy,) = [attrs["content"] for tag, attrs in reading.tags if attrs.get("http-equiv")]
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    charts = [attrs for tag, attrs in reading.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(charts) >= 6
    assert all(attrs["aria-label"] for attrs in charts)
    assert names.count("table") >= len(charts)
    levels = [int(name[1]) for name in names if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert not any(person in text for person in ("U0PERSON", "C0TEAM", "T0WARD"))
    assert stat.S_IMODE(Path("report.html").stat().st_mode) == 0o600


@pytest.mark.usefixtures("ledger")
def test_the_same_ledger_and_time_give_the_same_bytes() -> None:
    run()
    first = Path("report.html").read_bytes()
    assert run().exit_code == 2
    assert run("--force").exit_code == 0
    assert Path("report.html").read_bytes() == first
    assert run("--force", "--now", "yesterday").exit_code == 2


def test_a_wrong_ledger_is_told_at_the_top(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'event_no_update'").fetchone()
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET leaf = zeroblob(32) WHERE seq = 600")
        connection.execute(guard)
    assert run().exit_code == 1
    text = Path("report.html").read_text(encoding="utf-8")
    assert '<p class="verdict wrong">' in text
    assert "WRONG at event 600" in text


def test_checkpoints_prunings_and_what_is_not_covered(ledger: Path) -> None:
    folder, key = Path("checkpoints"), new_key("ward")
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "one.pub").write_text(f"{key.public}\n")
    root = root_of(leaf for seq, leaf in leaves(ledger) if seq <= 900)
    (folder / f"{900:012d}.note").write_text(sign_checkpoint(Checkpoint("ward", 900, root), [key]))
    (folder / f"{901:012d}.note").write_text("<b>nothing</b>")
    prune_first(ledger, 100)
    run()
    text = Path("report.html").read_text(encoding="utf-8")
    assert "covers 900 events; of the 1,101 here 201 come after it. Whether it was signed over this very ledger" in text
    assert root.hex() in text
    assert "000000000901.note" in text
    assert "events 1 to 100, recorded before" in text
    assert (found := re.search(r"(\d+) payloads of these days were pruned", text))
    assert int(found[1]) > 90
    (folder / f"{5000:012d}.note").write_text(sign_checkpoint(Checkpoint("ward", 5000, root), [key]))
    assert run("--force").exit_code == 1
    text = Path("report.html").read_text(encoding="utf-8")
    assert "MORE THAN ARE RIGHT HERE" in text
    assert '<p class="verdict wrong">' in text
    assert "WRONG: a checkpoint in the folder covers 5,000 events, more than are here." in text


def test_strange_names_are_escaped(tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data" / "strange.db"
    evil = '<script>alert("1")</script>&\'"'
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        payload = {"evidence": evil, "code": evil, "model": {"id": evil, "sha256": evil}, "asker": {"user": evil}}
        writer.record_blocking(Entry("a", "computed", payload))  # type: ignore[arg-type]
        writer.record_blocking(Entry("b", "model_activated", payload))  # type: ignore[arg-type]
    monkeypatch.setenv("TARLA_LEDGER", str(path))
    assert run().exit_code == 0
    text = Path("report.html").read_text(encoding="utf-8")
    Reading(text)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert ledger.exists()


def test_an_empty_ledger_has_a_report_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger(tmp_path / "data" / "ledger.db", clock=SystemClock()).close()
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "data" / "ledger.db"))
    monkeypatch.chdir(tmp_path)
    assert run().exit_code == 0
    Reading(Path("report.html").read_text(encoding="utf-8"))
    monkeypatch.setenv("TARLA_LEDGER", str(tmp_path / "none.db"))
    assert run("--force").exit_code == 2


def test_bars_are_as_long_as_their_numbers() -> None:
    wide = [float(width) for width in re.findall(r'width="([\d.]+)"', sideways("t", [("a", 100), ("b", 25)]))]
    assert wide[0] == pytest.approx(4 * wide[1], rel=0.01)
    tall = re.findall(r'height="([\d.]+)"', stacked("t", ["x", "y"], [Series("s", [50, 100]), Series("z", [0, 100])]))
    assert [float(each) / float(tall[0]) for each in tall[1:3]] == pytest.approx([2, 2], rel=0.01)
    assert [nice(value) for value in (0, 1, 3, 7, 11, 2_001)] == [1, 1, 5, 10, 20, 5_000]
    assert 'class="n"' in table("t", ["a", "b"], [("x", "1,000")])
