"""``tarla ask --plot``: one page beside the answer, or a plain word on why not; never anything that was typed."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.ledger import read_events
from bot.pictures.saving import PictureError, write_whole
from handlers.answer.figures import bare_percent, percent
from knowledge.evidence import load as load_evidence
from tests.support.program import environment

WORDS = "ldh 480/250 liver yes dm no cvd yes"
BEGINS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; the ledger lies elsewhere."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TARLA_LDH_ULN", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def ask(*words: str, **variables: str) -> Result:
    """The command line in this process, with its output taken apart."""
    return CliRunner().invoke(main, ["ask", *words], env=variables)


def kinds(folder: Path) -> list[str]:
    return [event.kind for event in read_events(folder.parent / "ledger.db")]


@pytest.mark.parametrize("name", ["zaphod-7301.png", "sub/zaphod-7301.svg", "ZAPHOD-7301.PDF"])
def test_the_picture_stands_beside_the_answer(folder: Path, name: str) -> None:
    """By suffix; nothing else is left in the folder, and nothing that was typed is in the file.

    Neither the words nor the name of the file, which may be a patient's.
    """
    (folder / "sub").mkdir()
    done = ask("T2DM yes, cardiac failure yes, LDH 480 uln 250", "--plot", name)
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(re.findall(r"\d+ % \(\d+ to \d+\)", done.stdout)) >= 3
    content = (folder / name).read_bytes()
    assert content.startswith(BEGINS[name[-3:].lower()])
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / name]
    assert kinds(folder) == ["computed", "delivered"]
    for typed in (b"t2dm", b"failure", b"zaphod", b"7301", str(folder).lower().encode()):
        assert typed not in content.lower()


def test_the_figures_are_the_recorded_ones(folder: Path) -> None:
    """Texts of an SVG stand in its comments: the three estimates of the JSON, and its receipt."""
    done = ask(WORDS, "--json", "--plot", "risk.svg")
    body = json.loads(done.stdout)
    texts = re.findall(r"<!-- (.*?) -->", (folder / "risk.svg").read_text(encoding="utf-8"))
    for each in body["outcomes"]:
        at = texts.index(percent(each["risk"]))
        low, high = map(bare_percent, each["interval"])
        assert texts[at + 1] == f"({low} to {high})"
    (last,) = [text for text in texts if "receipt" in text]
    versions = f"model {body['model']['id']} · evidence {load_evidence().version}"
    assert last.endswith(f" · {versions} · receipt #{body['receipt']}")


def test_an_existing_file_is_overwritten_and_the_help_says_so(folder: Path) -> None:
    (folder / "risk.svg").write_text("of another patient", encoding="utf-8")
    (folder / "link.svg").symlink_to(folder / "risk.svg")
    assert ask(WORDS, "--plot", "link.svg").exit_code == 0
    assert (folder / "risk.svg").read_bytes().startswith(BEGINS["svg"])
    assert (folder / "link.svg").is_symlink()
    text = " ".join(ask("--help").stdout.split())
    assert "An existing file is overwritten." in text
    assert "4 with an answer but without the picture" in text


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("risk.gif", "must end in .png, .svg or .pdf, for example --plot risk.png"),
        ("risk", "must end in .png, .svg or .pdf"),
        ("", "must end in .png, .svg or .pdf"),
        (".png", "must end in .png, .svg or .pdf"),
        ("missing/risk.png", "folder of the picture does not exist: make it first"),
        ("file/risk.png", "folder of the picture does not exist"),
        ("folder.png", "no file: name another, for example --plot risk.png"),
        ("x" * 300 + ".png", "cannot be written there (File name too long): name another file"),
    ],
)
def test_without_a_picture_there_is_still_an_answer(folder: Path, target: str, advice: str) -> None:
    """Exit status 4, what to type instead, and nothing left behind."""
    (folder / "file").touch()
    (folder / "folder.png").mkdir()
    done = ask(WORDS, "--plot", target)
    assert done.exit_code == 4
    assert done.stderr.startswith("No picture was written: ")
    assert advice in done.stderr
    assert "receipt #1-" in done.stdout
    assert kinds(folder) == ["computed", "delivered"]
    assert {path.name for path in folder.iterdir()} == {"file", "folder.png"}
    assert "missing" not in done.stderr
    assert "xxx" not in done.stderr


def test_a_file_that_may_not_be_written_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator may write anything, so here the system's answer to whether one may is given for it."""
    monkeypatch.setattr("bot.pictures.saving.os.access", lambda *_: False)
    (folder / "risk.png").write_bytes(b"of another patient")
    done = ask(WORDS, "--plot", "risk.png")
    assert done.exit_code == 4
    assert "may not be written there: name a folder of your own" in done.stderr
    assert (folder / "risk.png").read_bytes() == b"of another patient"


@pytest.mark.parametrize("failing", ["os.fsync", "Path.replace"])
def test_no_half_file_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """The disk fills up while the picture is written: the earlier file stands as it was, with nothing beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "of no interest")

    monkeypatch.setattr(f"bot.pictures.saving.{failing}", full)
    (folder / "risk.png").write_bytes(b"earlier")
    with pytest.raises(PictureError, match="No space left on device"):
        write_whole(folder / "risk.png", b"of a new patient")
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("risk.png", b"earlier")]


@pytest.mark.parametrize(("words", "kept"), [("ldh 480/250 livr yes", ["refused", "delivered"]), ("help", [])])
def test_refused_input_draws_nothing(folder: Path, words: str, kept: list[str]) -> None:
    """And an earlier picture is not taken for this one: it is said that none was written."""
    (folder / "risk.png").write_bytes(b"of another patient")
    done = ask(words, "--plot", "risk.png")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.endswith("No picture was written.\n")
    assert (folder / "risk.png").read_bytes() == b"of another patient"
    assert len(list(folder.iterdir())) == 1
    ledger = folder.parent / "ledger.db"
    assert (kinds(folder) if ledger.exists() else []) == kept


def test_a_picture_holds_findings_and_is_its_owners_alone(folder: Path) -> None:
    """Like the ledger; a file that is there already keeps the rights that it has."""
    (folder / "open.svg").write_text("")
    (folder / "open.svg").chmod(0o644)
    for name, rights in (("new.svg", 0o600), ("open.svg", 0o644)):
        assert ask(WORDS, "--plot", name).exit_code == 0
        assert stat.S_IMODE((folder / name).stat().st_mode) == rights


def test_the_picture_says_when_it_was_calculated(folder: Path) -> None:
    """A page kept from last week must not look like today's."""
    assert ask(WORDS, "--plot", "risk.svg").exit_code == 0
    # matplotlib leaves each text as a comment before its glyphs.
    (day,) = re.findall(r"<!-- calculated (\d{4}-\d\d-\d\d) \(UTC\) · model ", (folder / "risk.svg").read_text())
    (computed, _) = read_events(folder.parent / "ledger.db")
    assert abs((date.fromisoformat(day) - date.fromisoformat(str(computed.time)[:10])).days) <= 1  # at midnight


def test_what_is_not_in_the_ledger_is_not_drawn(folder: Path) -> None:
    (folder.parent / "file").touch()
    done = ask(WORDS, "--plot", "risk.png", TARLA_LEDGER=str(folder.parent / "file" / "ledger.db"))
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.endswith("No picture was written.\n")
    assert list(folder.iterdir()) == []


def test_an_answer_that_nobody_took_is_not_drawn(folder: Path) -> None:
    """As in ``tarla ask … --plot risk.png >&-``: the ledger says that it was not delivered, so no figure is."""
    line = " ".join(f"'{word}'" for word in (sys.executable, "-m", "bot", "ask", WORDS, "--plot", "risk.png"))
    done = subprocess.run(["sh", "-c", f"{line} >&-"], check=False, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1
    assert kinds(folder) == ["computed", "delivery_failed"]
    assert list(folder.iterdir()) == []


def plotting_loaded(folder: Path, *words: str) -> set[str]:
    """Modules for plotting that ``tarla ask words`` has loaded when it ends, as a process of its own."""
    code = (
        "import sys\n"
        "from bot.cli import main\n"
        "try:\n"
        f"    main({['ask', *words]!r})\n"
        "except SystemExit:\n"
        "    print(*(name for name in sys.modules if name.split('.')[0] in ('matplotlib', 'PIL', 'scipy')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(folder, MPLCONFIGDIR=str(folder)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_without_a_picture_no_plotting_is_loaded(tmp_path: Path) -> None:
    """It would cost more than the whole answer."""
    assert plotting_loaded(tmp_path, WORDS) == set()


def test_a_picture_needs_neither_screen_nor_pyplot(tmp_path: Path) -> None:
    """Drawn where nothing was loaded before, on the first run of all, and without what outlives a picture."""
    loaded = plotting_loaded(tmp_path, WORDS, "--plot", "risk.png")
    assert (tmp_path / "risk.png").read_bytes().startswith(BEGINS["png"])
    assert "matplotlib" in loaded
    assert "matplotlib.pyplot" not in loaded
    assert not [name for name in loaded if name.startswith("scipy")]
