"""Settings from the environment or ``.env``: the only place where either is read. Secrets stay hidden."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_config_path, user_data_path, user_state_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.address import Address, read_address
from bot.logs import LogForm
from handlers.access import OtherWorkspaces, Rules
from handlers.answer import TableMode
from handlers.site import SiteSettings
from knowledge import LdhUnit, UpperLimit

SLACK_API_URL = "https://slack.com/api/"
# A plain number, a space or none, and the unit: the same number form as in a command.
_ULN = re.compile(r"^(\d{1,4}(?:\.\d{1,3})?)\s*(U/L|[µμu]kat/L)$", re.IGNORECASE)

# Slack's ids of user groups and of channels.
_GROUP, _CHANNEL = re.compile(r"^S[A-Z0-9]{2,20}$", re.ASCII), re.compile(r"^[CG][A-Z0-9]{2,20}$", re.ASCII)
_YEARS = re.compile(r"^[1-9][0-9]{0,2}$", re.ASCII)
_YES, _NO = frozenset({"true", "yes", "1", "on"}), frozenset({"false", "no", "0", "off", ""})
GROUP_IDS = "write ids of user groups, which begin with S, with commas between them, such as S0123ABCD,S0456EFGH"
CHANNEL_IDS = "write ids of channels, which begin with C or G, with commas between them, such as C0123ABCD,G0456EFGH"
# How long payloads of the ledger are kept (``tarla audit retain``), in calendar years.
DEFAULT_YEARS, MOST_YEARS = 6, 100
CHANNEL_ID = "write the id of one channel, which begins with C or G, such as C0123ABCD"
WHOLE_PATHS = {
    "tarla_ledger": "give the ledger's whole path, such as /var/lib/tarla/ledger.db",
    "tarla_checkpoints": "give the folder's whole path, such as /srv/tarla/checkpoints",
    "tarla_models": "give the folder's whole path, such as /var/lib/tarla/models",
    "tarla_id_key": "give the key file's whole path, such as /etc/tarla/ids.key",
    "tarla_signing_key": "give the key file's whole path, such as /etc/tarla/signing.key",
}
GROUP_ID = "write the id of one user group, which begins with S, such as S0123ABCD"


class SettingsError(Exception):
    """A setting is wrong; the message names it and says what to write, never what it held."""


def default_ledger() -> Path:
    """The ledger's place by the platform's convention for a user's data."""
    return user_data_path("tarla", appauthor=False) / "ledger.db"


class Settings(BaseSettings):
    """Everything that differs between installations."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: Annotated[str, Field(pattern=r"^https?://.+/$")] = SLACK_API_URL
    tarla_ldh_uln: Annotated[UpperLimit | None, NoDecode] = None
    tarla_ledger: Path = Field(default_factory=default_ledger)
    tarla_checkpoints: Path | None = None
    tarla_signing_key: Path | None = None
    tarla_checkpoint_channel: str | None = None
    tarla_models: Path | None = None
    tarla_retention_years: int = DEFAULT_YEARS
    tarla_id_key: Path | None = None
    tarla_table: TableMode = TableMode.BLOCK
    tarla_allowed_groups: Annotated[tuple[str, ...], NoDecode] = ()
    tarla_allowed_channels: Annotated[tuple[str, ...], NoDecode] = ()
    tarla_allow_guests: bool = False
    tarla_allow_other_workspaces: OtherWorkspaces = OtherWorkspaces.NONE
    tarla_admin_group: str | None = None
    tarla_operations: Annotated[Address | None, NoDecode] = None
    tarla_log: LogForm | None = None
    # Slack allows an app ten links.
    tarla_connections: Annotated[int, Field(ge=1, le=10)] = 1

    @property
    def site(self) -> SiteSettings:
        """What of the settings conversations know."""
        rules = Rules(
            groups=self.tarla_allowed_groups,
            channels=self.tarla_allowed_channels,
            guests=self.tarla_allow_guests,
            other_workspaces=self.tarla_allow_other_workspaces,
        )
        return SiteSettings(rules, self.tarla_admin_group, self.tarla_ldh_uln, self.tarla_table)

    @property
    def checkpoints(self) -> Path:
        """The folder of signed checkpoints; without a setting one of this ledger's own in the user's state folder."""
        return self.tarla_checkpoints or user_state_path("tarla", appauthor=False) / "checkpoints" / self._ledger_tag

    @property
    def models(self) -> Path:
        """The folder of the site's own models; without a setting one beside the ledger."""
        return self.tarla_models or self.tarla_ledger.parent / "models"

    @property
    def signing_key(self) -> Path:
        """The file of the signing key; without a setting one of this ledger's own in the user's configuration."""
        return self.tarla_signing_key or user_config_path("tarla", appauthor=False) / f"{self._ledger_tag}.key"

    @property
    def _ledger_tag(self) -> str:
        # Two ledgers must not share checkpoints: each would look like the other one rewritten.
        return hashlib.sha256(str(self.tarla_ledger).encode()).hexdigest()[:16]

    @field_validator("tarla_ldh_uln", mode="before")
    @classmethod
    def _limit_with_unit(cls, value: Any) -> Any:
        if value is None or isinstance(value, UpperLimit):
            return value
        text = str(value).strip()
        if not text:
            return None
        match = _ULN.match(text)
        if match is None:
            raise ValueError("write the upper limit with its unit, such as 250 U/L or 4.2 µkat/L")
        unit = LdhUnit.U_PER_L if match[2].lower() == "u/l" else LdhUnit.MICROKATAL_PER_L
        return UpperLimit(value=float(match[1]), unit=unit)

    @field_validator("tarla_allowed_groups", mode="before")
    @classmethod
    def _group_ids(cls, value: Any) -> Any:
        return _ids(value, _GROUP, GROUP_IDS)

    @field_validator("tarla_allowed_channels", mode="before")
    @classmethod
    def _channel_ids(cls, value: Any) -> Any:
        return _ids(value, _CHANNEL, CHANNEL_IDS)

    @field_validator("tarla_admin_group", mode="before")
    @classmethod
    def _group_id(cls, value: Any) -> Any:
        ids = _ids(value, _GROUP, GROUP_ID)
        if len(ids) > 1:
            raise ValueError(GROUP_ID)
        return ids[0] if ids else None

    @field_validator("tarla_allow_other_workspaces", mode="before")
    @classmethod
    def _whose_workspaces(cls, value: Any) -> Any:
        word = str(value).strip().lower()
        if word == OtherWorkspaces.ORGANISATION.value:
            return OtherWorkspaces.ORGANISATION
        if word not in _YES | _NO:
            raise ValueError("write false, organisation or true")
        return OtherWorkspaces.ALL if word in _YES else OtherWorkspaces.NONE

    @field_validator("tarla_allow_guests", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any) -> Any:
        word = str(value).strip().lower()
        if word not in _YES | _NO:
            raise ValueError("write true or false")
        return word in _YES

    @field_validator("tarla_operations", mode="before")
    @classmethod
    def _where_to_listen(cls, value: Any) -> Any:
        if value is None or isinstance(value, Address):
            return value
        text = str(value).strip()
        if not text:
            return None
        try:
            return read_address(text)
        except ValueError:
            raise ValueError("write address and port, such as 127.0.0.1:9464 or [::1]:9464") from None

    @field_validator("tarla_log", mode="before")
    @classmethod
    def _form_of_logs(cls, value: Any) -> Any:
        word = "" if value is None else str(value).strip().lower()
        if word not in ("", *LogForm):
            raise ValueError("write json or text")
        return LogForm(word) if word else None

    @field_validator("tarla_checkpoint_channel", mode="before")
    @classmethod
    def _channel_id(cls, value: Any) -> Any:
        ids = _ids(value, _CHANNEL, CHANNEL_ID)
        if len(ids) > 1:
            raise ValueError(CHANNEL_ID)
        return ids[0] if ids else None

    @field_validator("tarla_retention_years", mode="before")
    @classmethod
    def _whole_years(cls, value: Any) -> Any:
        text = str(value).strip()
        if not text:
            return DEFAULT_YEARS
        if not _YEARS.match(text) or not 1 <= int(text) <= MOST_YEARS:
            raise ValueError(f"write a whole number of years, 1 to {MOST_YEARS}")
        return int(text)

    @field_validator("tarla_checkpoints", "tarla_signing_key", "tarla_id_key", "tarla_models", mode="before")
    @classmethod
    def _blank_path_is_missing(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator(
        "tarla_ledger", "tarla_checkpoints", "tarla_signing_key", "tarla_id_key", "tarla_models", mode="after"
    )
    @classmethod
    def _one_place(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        # A relative path would be another place in every folder the program is started from.
        whole = None if value is None else value.expanduser()
        if whole is not None and not whole.is_absolute():
            raise ValueError(WHOLE_PATHS[info.field_name or ""])
        return whole

    @model_validator(mode="after")
    def _kept_apart(self) -> Settings:
        # Who may write the ledger's folder could else rewrite both the ledger and what vouches for it.
        folder = self.tarla_ledger.parent
        places = {"TARLA_CHECKPOINTS": self.checkpoints, "TARLA_SIGNING_KEY": self.signing_key.parent}
        if self.tarla_id_key is not None:  # beside the ledger it would hide nothing from whoever copies the folder
            places["TARLA_ID_KEY"] = self.tarla_id_key.parent
        for name, place in places.items():
            if place == folder:
                raise ValueError(f"{name}: choose another folder than the ledger's")
        return self

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", mode="before")
    @classmethod
    def _blank_is_missing(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


def _ids(value: Any, form: re.Pattern[str], told: str) -> tuple[str, ...]:
    """Ids from a comma-separated text, each once, in order."""
    if value is None:
        return ()
    words = value.split(",") if isinstance(value, str) else [str(each) for each in value]
    ids = [word.strip() for word in words if word.strip()]
    if not all(form.match(each) for each in ids):
        raise ValueError(told)
    return tuple(dict.fromkeys(ids))


def read_settings() -> Settings:
    """Settings of this process.

    Raises:
        SettingsError: a setting is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            # What is wrong between two settings has no place; its message names one of them.
            "".join(f"{str(name).upper()}: " for name in each["loc"][:1]) + each["msg"].removeprefix("Value error, ")
            for each in error.errors(include_input=False)
        ]
        raise SettingsError("; ".join(problems)) from None
    except UnicodeDecodeError:
        raise SettingsError(".env is not plain text in UTF-8") from None
