"""LibraryBot: finds books, and recommends one."""

from typing import Any

from botbuilder.core import CardFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Attachment, HeroCard
from botbuilder.schema.teams import (
    MessagingExtensionAction,
    MessagingExtensionActionResponse,
    MessagingExtensionAttachment,
    MessagingExtensionQuery,
    MessagingExtensionResponse,
    MessagingExtensionResult,
)

BOOKS = {
    "Middlemarch": "George Eliot, 1871",
    "Orlando": "Virginia Woolf, 1928",
    "The Waves": "Virginia Woolf, 1931",
}


class LibraryBot(TeamsActivityHandler):
    """A search command, and an action command `recommend`."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Say where the commands are, since the chat itself has none."""
        await turn_context.send_activity(
            "I find books. Open me from the message box to search for one, or to recommend one."
        )

    async def on_teams_messaging_extension_query(
        self, turn_context: TurnContext, query: MessagingExtensionQuery
    ) -> MessagingExtensionResponse:
        """Find the books whose titles contain what the user types."""
        typed = query.parameters[0].value if query.parameters else ""
        found = [title for title in BOOKS if str(typed).lower() in title.lower()]
        return MessagingExtensionResponse(compose_extension=cards(map(book_card, found)))

    async def on_teams_messaging_extension_submit_action(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        """Turn the form that the user has filled in into a card."""
        form = action.data or {}
        card = HeroCard(title=form.get("title"), subtitle="Recommended", text=form.get("why"))
        return MessagingExtensionActionResponse(
            compose_extension=cards([CardFactory.hero_card(card)])
        )


def book_card(title: str) -> Attachment:
    """A book's card."""
    return CardFactory.hero_card(HeroCard(title=title, subtitle=BOOKS[title]))


def cards(attachments: Any) -> MessagingExtensionResult:
    """The cards that Teams shows, each with a preview of itself."""
    return MessagingExtensionResult(
        type="result",
        attachment_layout="list",
        attachments=[
            MessagingExtensionAttachment(
                content_type=each.content_type, content=each.content, preview=each
            )
            for each in attachments
        ],
    )
