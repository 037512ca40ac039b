"""BotServices: what the base offers a bot, and passes to `create_bot(services)` in bot_logic."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botbuilder.core import Middleware

from auth.bot_framework import BotCredentials
from auth.errors import SettingsError, SignInError
from auth.outbound.token_provider import AccessToken, TokenProvider
from auth.settings import STORAGE
from cloud_adapter.adapter import CloudAdapter, OnError
from cloud_adapter.bot.agents_sdk import agent_options
from cloud_adapter.connector.skills import SkillClient
from cloud_adapter.errors import NoToken
from cloud_adapter.home_loop import on_home_loop
from cloud_adapter.proactive.notifications import Notifications
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.transcripts import BlobTranscriptStore
from cloud_adapter.state.turn import ConversationState, UserState

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
        storage: the SDK's Storage, which stores both states.
        credentials: the bot's credentials for the channel's services.
        skill_client: calls other bots as skills.
        references: the conversations that the bot takes part in.
        transcripts: a transcript store for the SDK's TranscriptLoggerMiddleware.
        notifications: the queue of proactive messages; None without a storage account.
        typing_indicator: whether to show a typing indicator during long turns.
        auto_save_state: whether to save every state that a turn has changed; if False, only those
            whose `save_changes` the bot has called.
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
    _tokens: TokenProvider | None
    typing_indicator: bool = True
    auto_save_state: bool = True

    @on_home_loop
    async def token(self, audience: str) -> str:
        """The bot's bearer token for another service, from the bot's home tenant.

        It is cached, and refreshed in the background. Ask for it before each call.

        Args:
            audience: the service's resource (URL, URI or GUID), such as https://graph.microsoft.com
                or https://cognitiveservices.azure.com; without `/.default`.

        Raises:
            NoToken: no token is available; the text says what to fix.
            SettingsError: the bot is MultiTenant, and MicrosoftAppTenantId is missing.
        """
        return await self._value(lambda tokens: tokens.get(audience.removesuffix("/.default")))

    @on_home_loop
    async def token_on_behalf_of(self, scopes: Sequence[str], user_token: str) -> str:
        """A bearer token with which the bot calls another service as the user.

        Nothing is cached: each call asks Entra, in the user's tenant.

        Args:
            scopes: those of one service, such as https://graph.microsoft.com/User.Read.
            user_token: the user's token for the bot's app registration, which an OAuth connection
                gives if its scope is one of that registration.

        Raises:
            NoToken: no token is available, such as for a managed identity; the text says what to
                fix.
            SettingsError: as `token`.
        """
        return await self._value(lambda tokens: tokens.on_behalf_of(scopes, user_token))

    async def _value(self, request: Callable[[TokenProvider], Awaitable[AccessToken]]) -> str:
        if self._tokens is None:
            raise SettingsError(
                [
                    "MicrosoftAppTenantId: set the bot's home tenant, which issues the tokens for"
                    " other services; a MultiTenant bot needs it for nothing else"
                ]
            )
        try:
            return (await request(self._tokens)).value
        except SignInError as error:
            raise NoToken(str(error)) from error

    @property
    def skill_conversations(self) -> "SkillConversations":
        """The conversation id factory for the SDK's SkillDialog; it uses `storage`."""
        return self.skill_client.conversations

    @property
    def agent_options(self) -> dict[str, Any]:
        """The arguments of an AgentApplication of the Microsoft 365 Agents SDK.

        `AgentApplication[TurnState](**services.agent_options)`: the storage, the connections, and
        the settings whose names begin with `AGENTAPPLICATION__`.
        """
        return agent_options(self.settings)

    def use(self, *middleware: Middleware) -> None:
        """Add middleware, the first outermost. All of it runs inside the base's own middleware."""
        for each in middleware:
            self.adapter.use(each)

    def on_error(self, handler: OnError) -> None:
        """Call a handler for errors of the bot's own code, instead of sending users the apology.

        This sets `adapter.on_turn_error`.

        Args:
            handler: gets the turn's context and the error, as the SDK's `on_turn_error` does. The
                state changes of the failed turn are discarded; those of the handler are saved.
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
        """Enqueue a notification: a proactive message to one or many conversations.

        Args:
            to: `all`, or ids of conversations or users; docs/notifications.md says which.
            text: Markdown; may be empty if there is a card.
            card: the JSON of an Adaptive Card.
            channel: with `all`: only the conversations of this channel.
            notification_id: notifications with the same id are sent once; empty: a new GUID.

        Returns:
            The notification's id, which names its report.

        Raises:
            BadNotification: there is no recipient, or nothing to send; or the card is no JSON.
            ValueError: the notification is larger than 48 KiB.
            SettingsError: no storage account is configured.
            StorageUnavailable: the notification cannot be enqueued.
        """
        if self.notifications is None:
            raise SettingsError([f"{STORAGE}: it is missing; notifications need its queue"])
        return await self.notifications.enqueue(to, text, card, channel, notification_id)
