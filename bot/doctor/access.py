"""``tarla doctor`` on who may ask: whether the user groups in the settings are there and can be read."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.directory import NO_SUCH_GROUP
from bot.doctor.finding import Finding
from bot.settings import Settings
from bot.slack_errors import slack_code

ADVICE = {
    "missing_scope": "add the scope usergroups:read (or apply manifest.yml) and install the app again",
    "paid_teams_only": "this workspace's plan has no user groups (they need a paid one): list channels instead",
}


async def examine_groups(client: AsyncWebClient, settings: Settings) -> list[Finding]:
    """One finding for each setting that names user groups; none where none does."""
    admins = (settings.tarla_admin_group,) if settings.tarla_admin_group else ()
    named = {"TARLA_ALLOWED_GROUPS": settings.tarla_allowed_groups, "TARLA_ADMIN_GROUP": admins}
    return [await _examine(client, name, groups) for name, groups in named.items() if groups]


async def _examine(client: AsyncWebClient, name: str, groups: tuple[str, ...]) -> Finding:
    for group in groups:
        try:
            answer = await client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            reason = slack_code(error) or "not an answer of Slack's"
            if reason in NO_SUCH_GROUP:
                advice = f"copy the group's id (it begins with S) from its page in Slack into {name}"
                return Finding(name, False, f"Slack knows no user group {group}", advice)
            return Finding(name, False, f"cannot be read ({reason})", ADVICE.get(reason, "try again in a moment"))
        except Exception as error:  # noqa: BLE001 - any failure to reach Slack is this finding
            return Finding(name, False, f"cannot be read ({type(error).__name__})", "try again in a moment")
        if not answer.get("users"):
            return Finding(name, False, f"nobody is in user group {group}", "add people to it in Slack, or take it out")
    return Finding(name, True, "every user group is there")
