"""Settings: read from the environment or .env, secrets hidden, errors that name the setting and never its value."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from bot.address import Address, read_address
from bot.logs import LogForm
from bot.settings import Settings, SettingsError, default_ledger, read_settings
from handlers.access import OtherWorkspaces, Rules
from handlers.answer import TableMode
from knowledge import LdhUnit, UpperLimit

SECRET = "xoxb-zaphod-0042"  # noqa: S105 - a test's own, valid nowhere
NAMES = (
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL"),
    *("TARLA_LDH_ULN", "TARLA_LEDGER", "TARLA_TABLE", "TARLA_OPERATIONS", "TARLA_LOG"),
    *("TARLA_ALLOWED_GROUPS", "TARLA_ALLOWED_CHANNELS", "TARLA_ALLOW_GUESTS", "TARLA_ALLOW_OTHER_WORKSPACES"),
    *("TARLA_ADMIN_GROUP", "TARLA_CHECKPOINTS", "TARLA_SIGNING_KEY", "TARLA_CHECKPOINT_CHANNEL"),
    *("TARLA_RETENTION_YEARS", "TARLA_ID_KEY", "TARLA_MODELS"),
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_set() -> None:
    settings = read_settings()
    assert settings.slack_bot_token is None
    assert settings.slack_app_token is None
    assert settings.slack_signing_secret is None
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.tarla_ldh_uln is None
    assert settings.tarla_ledger == default_ledger()
    assert settings.tarla_table is TableMode.BLOCK


def test_everything_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES[:3]:
        monkeypatch.setenv(name, f"{SECRET}-{name}")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")
    monkeypatch.setenv("TARLA_LDH_ULN", "250 U/L")
    monkeypatch.setenv("TARLA_LEDGER", "/somewhere/ledger.db")
    monkeypatch.setenv("TARLA_TABLE", "text")
    settings = read_settings()
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == f"{SECRET}-SLACK_BOT_TOKEN"
    assert settings.tarla_ldh_uln == UpperLimit(value=250)
    assert settings.tarla_ledger == Path("/somewhere/ledger.db")
    assert settings.tarla_table is TableMode.TEXT


def test_a_file_is_read_and_the_environment_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TARLA_LDH_ULN=4.1 µkat/L\nTARLA_TABLE=text\nUNRELATED=1\n", encoding="utf-8")
    monkeypatch.setenv("TARLA_TABLE", "block")
    settings = read_settings()
    assert settings.tarla_ldh_uln == UpperLimit(value=4.1, unit=LdhUnit.MICROKATAL_PER_L)
    assert settings.tarla_table is TableMode.BLOCK


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("250 U/L", UpperLimit(value=250)),
        ("250U/L", UpperLimit(value=250)),
        (" 250 u/l ", UpperLimit(value=250)),
        ("4.2 µkat/L", UpperLimit(value=4.2, unit=LdhUnit.MICROKATAL_PER_L)),
        ("4.2 μkat/L", UpperLimit(value=4.2, unit=LdhUnit.MICROKATAL_PER_L)),  # the Greek letter
        ("4.2 ukat/l", UpperLimit(value=4.2, unit=LdhUnit.MICROKATAL_PER_L)),
        ("", None),
        ("   ", None),
    ],
)
def test_the_upper_limit_carries_its_unit(monkeypatch: pytest.MonkeyPatch, text: str, limit: UpperLimit | None) -> None:
    monkeypatch.setenv("TARLA_LDH_ULN", text)
    assert read_settings().tarla_ldh_uln == limit


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TARLA_LDH_ULN", "731", "with its unit"),
        ("TARLA_LDH_ULN", "731 mg/dL", "with its unit"),
        ("TARLA_LDH_ULN", "7,31 U/L", "with its unit"),
        ("TARLA_LDH_ULN", "731e1 U/L", "with its unit"),
        ("TARLA_LDH_ULN", "731 U/L", "between 100 and 600 U/L"),
        ("TARLA_TABLE", "zaphod731", "'block' or 'text'"),
        ("SLACK_API_URL", "zaphod731", "SLACK_API_URL"),
        *(
            ("TARLA_OPERATIONS", value, "write address and port, such as 127.0.0.1:9464")
            for value in (
                "731",
                "zaphod731",
                ":731",
                "127.0.0.1:",
                "127.0.0.1:73100",
                "[::1:731",
                "[1.2]:731",
                "http://h:731",
                "h:731/x",
            )
        ),
        ("TARLA_LOG", "zaphod731", "write json or text"),
        ("TARLA_ALLOWED_GROUPS", "S0ONCOLOGY,zaphod731", "ids of user groups, which begin with S"),
        ("TARLA_ALLOWED_GROUPS", "C0731", "ids of user groups"),
        ("TARLA_ALLOWED_GROUPS", "s0731", "ids of user groups"),
        ("TARLA_ALLOWED_CHANNELS", "#zaphod731", "ids of channels, which begin with C or G"),
        ("TARLA_ALLOWED_CHANNELS", "D0731", "ids of channels"),
        ("TARLA_ALLOW_GUESTS", "perhaps731", "write true or false"),
        ("TARLA_ALLOW_OTHER_WORKSPACES", "731", "write false, organisation or true"),
        ("TARLA_ADMIN_GROUP", "S0731A,S0731B", "the id of one user group"),
        ("TARLA_RETENTION_YEARS", "731", "a whole number of years, 1 to 100"),
        ("TARLA_RETENTION_YEARS", "-731", "a whole number of years, 1 to 100"),
        ("TARLA_ID_KEY", "731.key", "the key file's whole path"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLACK_BOT_TOKEN", SECRET)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert told in message
    assert "\n" not in message
    printed = "".join(traceback.format_exception(caught.value))
    assert "731" not in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    ("value", "address", "loopback"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464), True),
        (" localhost:0 ", Address("localhost", 0), True),
        ("[::1]:9464", Address("::1", 9464), True),
        ("[0:0:0:0:0:0:0:1]:9464", Address("::1", 9464), True),
        ("0.0.0.0:9464", Address("0.0.0.0", 9464), False),  # noqa: S104 - it is told apart from loopback
        ("metrics.example.org:9464", Address("metrics.example.org", 9464), False),
    ],
)
def test_where_the_operators_reports_are(
    monkeypatch: pytest.MonkeyPatch, value: str, address: Address, loopback: bool
) -> None:
    monkeypatch.setenv("TARLA_OPERATIONS", value)
    found = read_settings().tarla_operations
    assert found == address
    assert found.is_loopback is loopback
    assert read_address(str(found)) == found


@pytest.mark.parametrize(("value", "form"), [("JSON", LogForm.JSON), (" text ", LogForm.TEXT), (" ", None)])
def test_how_logs_are_written(monkeypatch: pytest.MonkeyPatch, value: str, form: LogForm | None) -> None:
    monkeypatch.setenv("TARLA_LOG", value)
    assert read_settings().tarla_log is form


def test_reports_and_logs_left_alone() -> None:
    assert read_settings().tarla_operations is None
    assert read_settings().tarla_log is None


def test_by_default_every_full_member_may_ask() -> None:
    assert read_settings().site.rules == Rules()
    assert read_settings().site.admin_group is None


def test_who_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARLA_ALLOWED_GROUPS", " S0ONCOLOGY, S0WARD ,,S0ONCOLOGY")
    monkeypatch.setenv("TARLA_ALLOWED_CHANNELS", "C0WARD,G0BOARD")
    monkeypatch.setenv("TARLA_ALLOW_GUESTS", "true")
    monkeypatch.setenv("TARLA_ALLOW_OTHER_WORKSPACES", "No")
    monkeypatch.setenv("TARLA_ADMIN_GROUP", "S0ADMINS")
    site = read_settings().site
    assert site.rules == Rules(groups=("S0ONCOLOGY", "S0WARD"), channels=("C0WARD", "G0BOARD"), guests=True)
    assert site.admin_group == "S0ADMINS"


def test_who_may_ask_left_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES[-5:]:
        monkeypatch.setenv(name, " ")
    assert read_settings().site.rules == Rules()


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_secret_is_a_missing_one(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", blank)
    assert read_settings().slack_bot_token is None


def test_secrets_are_hidden_however_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES[:3]:
        monkeypatch.setenv(name, SECRET)
    settings = read_settings()
    for shown in (repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json()):
        assert SECRET not in shown
        assert "**********" in shown


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "tarla_table", TableMode.TEXT)  # noqa: B010 - the checker would refuse the assignment


def test_the_ledger_has_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home folder is filled in; a path that depends on where the program is started is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TARLA_LEDGER", "~/kept/ledger.db")
    assert read_settings().tarla_ledger == tmp_path / "kept" / "ledger.db"
    monkeypatch.setenv("TARLA_LEDGER", "kept/ledger.db")
    with pytest.raises(SettingsError, match="TARLA_LEDGER: give the ledger's whole path"):
        read_settings()


def test_an_unreadable_env_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"TARLA_TABLE=\xff")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"\.env is not plain text"):
        read_settings()


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("false", OtherWorkspaces.NONE),
        ("", OtherWorkspaces.NONE),
        ("Organisation", OtherWorkspaces.ORGANISATION),
        ("true", OtherWorkspaces.ALL),
    ],
)
def test_whose_workspaces_may_ask(monkeypatch: pytest.MonkeyPatch, value: str, rule: OtherWorkspaces) -> None:
    monkeypatch.setenv("TARLA_ALLOW_OTHER_WORKSPACES", value)
    assert read_settings().site.rules.other_workspaces is rule


def test_checkpoints_and_key_stand_apart_from_the_ledger_and_belong_to_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = set()
    for ledger in ("/somewhere/ledger.db", "/elsewhere/ledger.db"):
        monkeypatch.setenv("TARLA_LEDGER", ledger)
        settings = read_settings()
        places |= {settings.checkpoints, settings.signing_key, settings.tarla_ledger}
    assert len(places) == 6
    monkeypatch.setenv("TARLA_CHECKPOINTS", "/srv/tarla/checkpoints")
    monkeypatch.setenv("TARLA_SIGNING_KEY", "/etc/tarla/signing.key")
    monkeypatch.setenv("TARLA_CHECKPOINT_CHANNEL", "C0123ABCD")
    settings = read_settings()
    assert settings.checkpoints == Path("/srv/tarla/checkpoints")
    assert settings.signing_key == Path("/etc/tarla/signing.key")
    assert settings.tarla_checkpoint_channel == "C0123ABCD"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TARLA_CHECKPOINTS", "/somewhere", "TARLA_CHECKPOINTS: choose another folder than the ledger's"),
        ("TARLA_SIGNING_KEY", "/somewhere/signing.key", "TARLA_SIGNING_KEY: choose another folder than the ledger's"),
        ("TARLA_CHECKPOINTS", "checkpoints", "TARLA_CHECKPOINTS: give the folder's whole path"),
        ("TARLA_SIGNING_KEY", "signing.key", "TARLA_SIGNING_KEY: give the key file's whole path"),
        ("TARLA_CHECKPOINT_CHANNEL", "#audit", "TARLA_CHECKPOINT_CHANNEL: write the id of one channel"),
        ("TARLA_CHECKPOINT_CHANNEL", "C0123ABCD,C0456EFGH", "TARLA_CHECKPOINT_CHANNEL: write the id of one channel"),
    ],
)
def test_places_that_would_not_do_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv("TARLA_LEDGER", "/somewhere/ledger.db")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as failure:
        read_settings()
    assert str(failure.value).startswith(told)


def test_models_lie_beside_the_ledger_or_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARLA_LEDGER", "/somewhere/ledger.db")
    monkeypatch.setenv("TARLA_MODELS", " ")
    assert read_settings().models == Path("/somewhere/models")
    monkeypatch.setenv("TARLA_MODELS", "/srv/models")
    assert read_settings().models == Path("/srv/models")
    monkeypatch.setenv("TARLA_MODELS", "models")
    with pytest.raises(SettingsError, match=r"TARLA_MODELS: give the folder's whole path"):
        read_settings()
