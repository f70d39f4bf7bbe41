"""What Slack says of a call that it refuses."""

from __future__ import annotations

import re

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

_CODE = re.compile(r"[a-z_]{1,60}", re.ASCII)


def slack_code(error: SlackApiError) -> str | None:
    """Slack's own code, such as ``invalid_auth``; None where the answer is not Slack's, such as a proxy's page."""
    answer = error.response
    # slack_sdk puts plain text here where the body is no JSON.
    code = answer.get("error") if isinstance(answer, AsyncSlackResponse) and isinstance(answer.data, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
