"""A stand-in for Slack on the loopback interface: no account, no network, no extra packages.

``tarla``'s demonstration talks to it, and so do the scenario tests.
"""

from bot.standin.interactions import message_event, pressed_in_message, pressed_in_view, shortcut_used, submitted
from bot.standin.payloads import Caller, Workspace, slash_command_payload
from bot.standin.proxies import proxies_dropped, without_proxies
from bot.standin.server import SlackStandin
from bot.standin.sockets import NotAcknowledgedError, NotConnectedError
from bot.standin.web_api import ApiCall

__all__ = [
    "ApiCall",
    "Caller",
    "NotAcknowledgedError",
    "NotConnectedError",
    "SlackStandin",
    "Workspace",
    "message_event",
    "pressed_in_message",
    "pressed_in_view",
    "proxies_dropped",
    "shortcut_used",
    "slash_command_payload",
    "submitted",
    "without_proxies",
]
