"""BotServices: what the base offers a bot. `create_bot(services)` in bot_logic gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botbuilder.core import Middleware

from auth.errors import SettingsError
from auth.settings import STORAGE
from cloud_adapter.adapter import CloudAdapter, OnError
from cloud_adapter.connector.credentials import BotCredentials
from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.proactive.notifications import Notifications
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.bot_state import ConversationState, UserState
from cloud_adapter.state.transcripts import BlobTranscriptStore

if TYPE_CHECKING:
    from cloud_adapter.connector.skill_conversations import SkillConversations


@dataclass
class BotServices:
    """The services of one process.

    Attributes:
        settings: every environment variable, the bot's own app settings among them.
        app_id: the bot's app id (GUID).
        adapter: the adapter, for `continue_conversation` and other calls outside of a turn.
        conversation_state: what the bot remembers of a conversation.
        user_state: what the bot remembers of a user.
        storage: the SDK's Storage, where both are stored.
        credentials: the bot's credentials for the channel's services.
        skill_client: calls other bots as skills.
        references: the conversations that the bot takes part in.
        transcripts: where the SDK's TranscriptLoggerMiddleware can log what is said.
        notifications: the queue of proactive messages; None without a storage account.
        typing_indicator: show users that the bot is typing during a long turn.
        auto_save_state: save at the end of a turn what it has changed; if False, only states whose
            `save_changes` the bot has called are saved.
    """

    settings: Mapping[str, str]
    app_id: str
    adapter: CloudAdapter
    conversation_state: ConversationState
    user_state: UserState
    storage: BlobStorage
    credentials: BotCredentials
    skill_client: SkillClient
    references: ConversationReferences
    transcripts: BlobTranscriptStore
    notifications: Notifications | None
    typing_indicator: bool = True
    auto_save_state: bool = True

    @property
    def skill_conversations(self) -> "SkillConversations":
        """The ids by which skills know conversations, in `storage`, for the SDK's SkillDialog."""
        return self.skill_client.conversations

    def use(self, *middleware: Middleware) -> None:
        """Run middleware around the bot, the first outermost, within the base's own."""
        for each in middleware:
            self.adapter.use(each)

    def on_error(self, handler: OnError) -> None:
        """Handle the errors of the bot's own code, in place of the apology to the user.

        The same as to set `adapter.on_turn_error`.

        Args:
            handler: gets the turn's context and the error, as the SDK's `on_turn_error` does. What
                the failed turn has changed in its state is gone; what the handler changes is saved.
        """
        self.adapter.on_turn_error = handler

    async def notify(
        self,
        to: str | Sequence[str],
        text: str = "",
        card: dict[str, Any] | None = None,
        *,
        channel: str = "",
        notification_id: str = "",
    ) -> str:
        """Put a notification into the queue: a proactive message to one or many conversations.

        Args:
            to: `all`, or ids of conversations or users; docs/notifications.md says which.
            text: Markdown; may be empty if there is a card.
            card: the JSON of an Adaptive Card.
            channel: with `all`: only the conversations of this channel.
            notification_id: a notification with the same id is sent once; empty: a new GUID.

        Returns:
            The notification's id, which names its report.

        Raises:
            BadNotification: there is no recipient, or nothing to send.
            ValueError: it has more than 48 KiB.
            SettingsError: no storage account is configured.
            StorageUnavailable: it is not in the queue.
        """
        if self.notifications is None:
            raise SettingsError([f"{STORAGE}: it is missing; notifications need its queue"])
        return await self.notifications.enqueue(to, text, card, channel, notification_id)
