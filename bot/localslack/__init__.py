"""A local Slack server with a web client, kept on the loopback interface.

The server is the npm package ``local-slack-linux-x64``, a third party's work
(MIT licence); ``npm ci`` in a checkout installs it. Linux on x86-64 only.
"""

from bot.localslack.program import LocalSlackMissingError, LocalSlackUnsafeError
from bot.localslack.server import LocalSlack, LocalSlackFailedError

__all__ = ["LocalSlack", "LocalSlackFailedError", "LocalSlackMissingError", "LocalSlackUnsafeError"]
