"""Settings from the environment or ``.env``: the only place where either is read. Secrets stay hidden."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from handlers.answer import TableMode
from knowledge import LdhUnit, UpperLimit

SLACK_API_URL = "https://slack.com/api/"
# A plain number, a space or none, and the unit: the same number form as in a command.
_ULN = re.compile(r"^(\d{1,4}(?:\.\d{1,3})?)\s*(U/L|[µμu]kat/L)$", re.IGNORECASE)


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
    tarla_table: TableMode = TableMode.BLOCK

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

    @field_validator("tarla_ledger", mode="after")
    @classmethod
    def _one_place(cls, value: Path) -> Path:
        # A relative path would be another ledger in every folder the program is started from.
        whole = value.expanduser()
        if not whole.is_absolute():
            raise ValueError("give the ledger's whole path, such as /var/lib/tarla/ledger.db")
        return whole

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", mode="before")
    @classmethod
    def _blank_is_missing(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


def read_settings() -> Settings:
    """Settings of this process.

    Raises:
        SettingsError: a setting is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"{str(each['loc'][0]).upper()}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False)
        ]
        raise SettingsError("; ".join(problems)) from None
    except UnicodeDecodeError:
        raise SettingsError(".env is not plain text in UTF-8") from None
