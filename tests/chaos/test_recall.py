"""A model at fault, then put right: the recall names the answers that a reader would see change, and no other."""

import asyncio
import csv
import json
import random
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from slack_sdk.web import WebClient

from bot.audit.notifying import notify
from bot.audit.recalling import Asked, recall
from bot.cli import main
from bot.clock import SystemClock
from bot.compose import make_conversation
from bot.ledger import check_ledger, open_ledger, read_events
from bot.ledger.leaf import canonical
from bot.ledger.writer import LedgerWriter
from bot.settings import Settings
from bot.standin import SlackStandin
from handlers.answer import AnswerView, build_view
from handlers.answer.figures import risk_estimate
from handlers.comparison import Compared
from handlers.conversation import Conversation
from handlers.outcomes import Answered
from handlers.ports import Entry, Kind
from handlers.records import computed_payload, factors_from_record
from handlers.requests import Asker
from knowledge import LdhMeasured, LdhMultiple, PatientFactors, Presence, UpperLimit, assess
from knowledge.evidence import load as load_evidence
from knowledge.factors import LdhCategory
from knowledge.model import load
from tests.support.chaos import rng, scale, tally
from tests.support.other_models import faulty_model, use_model

PEOPLE = 20
# What is left out of the comparison: shares of the interval's width, which the ledger does not hold.
_SHARES = re.compile(r"What makes CRS .*?\(at the study's own|ICANS: [^(]*\(")


@dataclass
class Given:
    """What was really shown, kept beside the ledger: by receipt the person and the reader's text."""

    shown: dict[str, tuple[str, PatientFactors, AnswerView | Compared]] = field(default_factory=dict)


def patient(random: random.Random) -> PatientFactors:
    """Anybody: LDH in every form, each finding known or not."""
    uln = UpperLimit(value=float(random.choice((225, 240, 250))))
    ldh = random.choice(
        (
            LdhMeasured(value=float(random.randint(120, 1_500)), uln=uln),
            LdhMultiple(multiple=round(random.uniform(0.5, 6.0), 2)),
            LdhCategory(category=random.choice(("high", "normal"))),
            None,
        )
    )
    liver, diabetes, cvd = (random.choice(list(Presence)) for _ in range(3))
    return PatientFactors(ldh=ldh, liver_metastases=liver, diabetes=diabetes, cardiovascular_disease=cvd)


async def give(
    conversation: Conversation, ledger: LedgerWriter, given: Given, random: random.Random, count: int
) -> None:
    """Answer ``count`` people, through the real conversation; a tenth ask what if."""

    async def one(key: str, person: int, factors: PatientFactors, also_compare: bool) -> None:
        asker = Asker(via="slash_command", user=f"U0{person:04d}", channel="C0WARD", team="T0TEAM")
        reply = await conversation.answer(key, factors, (), asker)
        assert isinstance(reply, Answered)
        given.shown[reply.receipt] = (f"T0TEAM/{asker.user}", factors, reply.view)
        seq = int(reply.receipt.partition("-")[0])
        await ledger.record(Entry(f"{key}#delivery", Kind.DELIVERED, {"milliseconds": 10}, seq))
        if also_compare:
            past = await conversation.recall(reply.receipt, asker)
            compared = await conversation.compare(f"{key}#compare", past, asker)  # type: ignore[arg-type]
            assert isinstance(compared, Compared)
            given.shown[compared.receipt] = (f"T0TEAM/{asker.user}", factors, compared)

    # A few at once: the engine works in the loop, and a record waits two seconds at most.
    for start in range(0, count, 10):
        await asyncio.gather(
            *(
                one(f"ask:{random.getrandbits(64)}", random.randrange(PEOPLE), patient(random), random.random() < 0.1)
                for _ in range(min(10, count - start))
            )
        )


def print_of(view: AnswerView) -> list[str]:
    """The figures that a reader of an answer sees, but for the shares."""
    reasons = {paragraph.heading: paragraph.text for paragraph in view.paragraphs}
    assumed = re.findall(r"\d+|less than|below|above|nearly all", reasons.get("Assumed", ""))
    return [*(row.patient for row in view.rows), _SHARES.sub("(", reasons["Why so wide"]), *assumed]


def compared_print(compared: Compared, *, again: bool) -> list[str]:
    """The figures that a reader of a comparison sees, as they were or worked out again."""
    found = []
    for variant, assessment in compared.rows:
        shown = assess(variant.factors) if again else assessment
        found += [risk_estimate(outcome) for outcome in shown.outcomes]
    return found


def oracle(given: Given) -> dict[str, str]:
    """By receipt, whose answer reads otherwise with the present model: from what was shown, not from the ledger."""
    changed = {}
    for receipt, (who, factors, shown) in given.shown.items():
        if isinstance(shown, Compared):
            differs = compared_print(shown, again=False) != compared_print(shown, again=True)
        else:
            differs = print_of(shown) != print_of(build_view(assess(factors), load_evidence(), receipt, model=load()))
        if differs:
            changed[receipt] = who
    return changed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "tarla_ledger": tmp_path / "ledger" / "ledger.db",
            "tarla_checkpoints": tmp_path / "checkpoints",
            "tarla_signing_key": tmp_path / "keys" / "signing.key",
        }
    )


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A faulty model installed; undoing the patch is putting it right."""
    faulty_model(tmp_path / "model", "facts-wrong", 1.25)
    patch = pytest.MonkeyPatch()
    back = use_model(patch, tmp_path / "model")
    yield patch
    back()


async def fill(settings: Settings, given: Given, random: random.Random, count: int) -> None:
    clock = SystemClock()
    ledger = open_ledger(settings.tarla_ledger, clock=clock)
    try:
        await give(make_conversation(settings, ledger, clock, load), ledger, given, random, count)
    finally:
        await ledger.aclose()


async def test_the_recall_is_what_readers_would_see_change(
    settings: Settings, faulty: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    count, random, given = scale(80, 10_000), rng("recall"), Given()
    await fill(settings, given, random, count // 2)
    assert load().version.id == "facts-wrong"
    faulty.undo()
    load.cache_clear()
    await fill(settings, given, random, count - count // 2)
    expected = oracle(given)
    assert 0.1 < len(expected) / len(given.shown) < 0.9  # some changed and some did not

    found = run(settings, "--json", "--notices", str(tmp_path / "notices"), "--csv", str(tmp_path / "list.csv"))
    printed = {each["receipt"]: each["person"] for each in found["changed"] if each["level"] != "hidden"}
    assert printed == expected
    assert found["in_doubt"] == 0
    assert (found["answers"], found["models"].keys()) == (len(given.shown), {"facts-wrong", "facts-2"})
    assert (found["altered"]["count"], found["unreadable"]["count"], found["faults"]["count"]) == (0, 0, 0)

    for each in found["changed"]:
        _who, factors, shown = given.shown[each["receipt"]]
        if isinstance(shown, Compared):
            continue
        now = build_view(assess(factors), load_evidence(), each["receipt"], model=load())
        assert [figure["old_printed"] for figure in each["figures"]] == [row.patient for row in shown.rows[:3]]
        assert [figure["new_printed"] for figure in each["figures"]] == [row.patient for row in now.rows[:3]]
        assert each["findings"] == shown.patient
        assert each["delivered"] is True

    identical = assert_the_rest_is_byte_identical(settings.tarla_ledger, {each["receipt"] for each in found["changed"]})
    assert identical == found["unchanged"]

    notices = sorted((tmp_path / "notices").iterdir())
    assert [notice.stem.partition("-")[2] for notice in notices] == sorted(
        {w.partition("/")[2] for w in expected.values()}
    )
    for notice in notices:
        who = f"T0TEAM/{notice.stem.partition('-')[2]}"
        told = re.findall(r"^Receipt #(\S+),", notice.read_text(encoding="utf-8"), re.MULTILINE)
        assert sorted(told) == sorted(receipt for receipt, person in expected.items() if person == who)
        assert stat.S_IMODE(notice.stat().st_mode) == 0o600
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        assert {row["receipt"] for row in csv.DictReader(file) if row["level"] != "hidden"} == expected.keys()
    tally("recall", answers=len(given.shown), changed=len(expected), identical=identical, notices=len(notices))


def run(settings: Settings, *options: str, status: int = 0) -> dict[str, Any]:
    """``tarla audit recall`` with its JSON read back."""
    done = CliRunner().invoke(main, ["audit", "recall", *options], env=environment(settings), catch_exceptions=False)
    assert done.exit_code == status, done.output
    answer: dict[str, Any] = json.loads(done.stdout) if "--json" in options else {"text": done.output}
    return answer


def environment(settings: Settings) -> dict[str, str]:
    names = ("tarla_ledger", "tarla_checkpoints", "tarla_signing_key")
    return {name.upper(): str(getattr(settings, name)) for name in names}


def assert_the_rest_is_byte_identical(path: Path, changed: set[str]) -> int:
    """Every single answer that is not in the list gives the very bytes of its row again; how many answers those are."""
    count = 0
    for event in read_events(path):
        if event.kind != "computed" or f"{event.seq}-{event.leaf.hex()[:4]}" in changed:
            continue
        count += 1
        payload = event.payload
        assert payload is not None
        if "comparison" in payload:
            continue
        asker = Asker(**payload["asker"])  # type: ignore[arg-type]
        assessment = assess(factors_from_record(payload["factors"]))  # type: ignore[arg-type]
        again = computed_payload(assessment, (), asker, str(payload["evidence"]), str(payload["code"]))
        assert canonical({**again, "model": payload["model"]}).decode() == event.body
    return count


async def test_days_and_models_can_be_chosen(settings: Settings, faulty: pytest.MonkeyPatch) -> None:
    given, random = Given(), rng("recall days")
    await fill(settings, given, random, 20)
    faulty.undo()
    load.cache_clear()
    await fill(settings, given, random, 10)
    old = sum(event.kind == "computed" for event in read_events(settings.tarla_ledger))
    assert run(settings, "--json")["answers"] == old
    models = run(settings, "--json", "--model-id", "facts-wrong")["models"]
    assert models.keys() == {"facts-wrong"}
    assert run(settings, "--json", "--until", "2001-01-01")["answers"] == 0
    assert run(settings, "--json", "--since", "2001-01-01", "--until", "2099-12-31")["answers"] == old


async def test_rows_that_cannot_be_looked_at_are_named(settings: Settings) -> None:
    await fill(settings, Given(), rng("recall rows"), 6)
    path = settings.tarla_ledger
    answers = [event for event in read_events(path) if event.kind == "computed"]
    wrong = dict(answers[0].payload or {})
    wrong["outcomes"] = [{**each, "risk": "0.123456"} for each in wrong["outcomes"]]  # type: ignore[union-attr]
    with closing(open_ledger(path, clock=SystemClock())) as writer:
        fault = writer.record_blocking(Entry("fault", Kind.COMPUTED, wrong))
        unread = writer.record_blocking(Entry("unread", Kind.COMPUTED, {**wrong, "version": 2}))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER payload_no_update")
        connection.execute(
            "UPDATE payload SET body = replace(body, 'T0TEAM', 'T0MINE') WHERE seq = ?", (answers[1].seq,)
        )
        connection.commit()
    found = run(settings, "--json", status=1)
    assert found["altered"] == {
        "count": 1,
        "receipts": [f"{answers[1].seq}-{answers[1].leaf.hex()[:4]} (payload_hash)"],
    }
    assert found["unreadable"] == {"count": 1, "receipts": [f"{unread.receipt} (ValueError)"]}
    assert found["faults"] == {"count": 1, "receipts": [f"{fault.receipt} (same model, other figures)"]}
    assert [(each["receipt"], each["same_model"]) for each in found["changed"]] == [(fault.receipt, True)]
    assert "ALTERED" in run(settings, status=1)["text"]


async def test_each_person_has_one_message_however_often_it_is_gone_on_with(
    settings: Settings, faulty: pytest.MonkeyPatch
) -> None:
    given = Given()
    await fill(settings, given, rng("recall messages"), 24)
    faulty.undo()
    load.cache_clear()
    people = sorted({who.partition("/")[2] for who in oracle(given).values()})
    assert len(people) > 5
    path, clock = settings.tarla_ledger, SystemClock()
    run(settings, "--record")
    recorded = list(read_events(path))[-1]
    assert recorded.kind == "recalled"
    assert not any(person in (recorded.body or "") for person in people)
    upto = int(str((recorded.payload or {})["last"]))
    receipt = f"{recorded.seq}-{recorded.leaf.hex()[:4]}"
    again = run(settings, "--json", "--resume", f"#{receipt}")
    assert (again["persons"], again["digest"]) == (len(people), (recorded.payload or {})["digest"])
    refused = CliRunner().invoke(main, ["audit", "recall", "--resume", "1-0000"], env=environment(settings))
    assert (refused.exit_code, "no recall is recorded" in refused.output) == (2, True)
    token = SecretStr("xoxb-recall")
    pauses: list[float] = []
    async with SlackStandin(bot_token=token.get_secret_value(), app_token="xapp-recall") as slack:  # noqa: S106
        client = WebClient(token=token.get_secret_value(), base_url=slack.api_url, retry_handlers=[])

        def send() -> tuple[int, int, int]:
            with closing(recall(path, Asked(), model=load(), upto=upto, ref=recorded.seq)) as found:
                done = notify(found, client, path, clock, recorded.seq, pause=pauses.append)
                return done.sent, done.before, len(done.failed)

        slack.api.failing["chat.postMessage"] = "account_inactive"
        assert await asyncio.to_thread(send) == (0, 0, len(people))
        slack.api.failing.clear()
        slack.calls.clear()
        assert await asyncio.to_thread(send) == (len(people), 0, 0)
        assert await asyncio.to_thread(send) == (0, len(people), 0)
        sent = [call.args for call in slack.calls if call.method == "chat.postMessage"]
    assert sorted(str(args["channel"]) for args in sent) == people
    assert all(len(str(args["text"])) <= 4_000 and "otherwise today" in str(args["text"]) for args in sent)
    assert len(pauses) == len(people)
    notified = [event for event in read_events(path) if event.kind == "notified"]
    assert [event.ref for event in notified] == [recorded.seq] * len(people)
    assert check_ledger(path).ok


def test_nobody_is_sent_anything_without_being_told_to(settings: Settings) -> None:
    for options in (["--notify"], ["--notify", "--record"], ["--notify", "--yes"]):
        done = CliRunner().invoke(main, ["audit", "recall", *options], env=environment(settings))
        assert (done.exit_code, "--yes" in done.output) == (2, True)
