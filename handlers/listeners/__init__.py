"""What Tarla listens to in Slack: one module for each door, and one for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp

from handlers import controls
from handlers.conversation import Conversation
from handlers.home import HomeDesk
from handlers.listeners.buttons import (
    evidence_listener,
    evidence_page_listener,
    model_listener,
    share_listener,
    what_if_listener,
)
from handlers.listeners.command import command_listener
from handlers.listeners.door import guard
from handlers.listeners.failure import apologise
from handlers.listeners.form import edit_listener, form_button_listener, shortcut_listener, submission_listener
from handlers.listeners.grade import grade_button_listener, grade_submission_listener
from handlers.listeners.home import home_listener
from handlers.listeners.messages import direct_message_listener, mention_listener
from handlers.listeners.outcome import outcome_button_listener, outcome_submission_listener
from handlers.outcome.desk import OutcomeDesk
from handlers.ports import Directory
from handlers.site import SiteDesk, SiteSettings

COMMAND = "/tarla"
EVENTS = ("app_home_opened", "app_mention", "message.im")
# Bot scopes for the above: commands for /tarla, the next two for reading what is written to Tarla, chat:write for
# answering it, the last two to know who may ask; publishing App Home needs none.
SCOPES = ("commands", "app_mentions:read", "im:history", "chat:write", "users:read", "usergroups:read")


# What keeps hold of a listener while it runs.
Watch = Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]


def register_listeners(
    app: AsyncApp, conversation: Conversation, directory: Directory, site: SiteSettings, watch: Watch
) -> None:
    """Attach every listener to the app, watched, and the guard before them all."""
    mode, home = site.table, HomeDesk(conversation.history, site, conversation.model)
    app.use(guard(conversation, directory, site.rules))
    outcomes = OutcomeDesk(conversation)
    app.command(COMMAND)(watch(command_listener(conversation, mode, SiteDesk(conversation, directory, site), outcomes)))
    app.shortcut(controls.SHORTCUT)(watch(shortcut_listener(conversation)))
    app.view(controls.FORM_CALLBACK)(watch(submission_listener(conversation, mode, home)))
    app.action(controls.OPEN_FORM)(watch(form_button_listener(conversation)))
    app.action(controls.EDIT)(watch(edit_listener(conversation)))
    app.action(controls.WHAT_IF)(watch(what_if_listener(conversation, mode)))
    app.action(controls.EVIDENCE)(watch(evidence_listener(conversation)))
    for name in controls.EVIDENCE_PAGES:
        app.action(name)(watch(evidence_page_listener(conversation)))
    app.action(controls.MODEL)(watch(model_listener(conversation)))
    app.action(controls.SHARE)(watch(share_listener(conversation, mode)))
    for kind, name in controls.GRADE.items():
        app.action(name)(watch(grade_button_listener(kind)))
        app.view(name)(watch(grade_submission_listener(conversation, kind)))
    app.action(controls.OUTCOME)(watch(outcome_button_listener(outcomes)))
    app.view(controls.OUTCOME_CALLBACK)(watch(outcome_submission_listener(outcomes, home)))
    app.event("app_home_opened")(watch(home_listener(home)))
    app.event("app_mention")(watch(mention_listener(conversation, mode)))
    app.event("message")(watch(direct_message_listener(conversation, mode)))
    app.error(apologise)
