"""AdapterCalls: the methods of botbuilder's adapters that bots call on `turn_context.adapter`.

botbuilder's CloudAdapter lacks many methods of the older BotFrameworkAdapter, which most samples
were written for. Names, arguments and their order are the SDK's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.core.oauth import ConnectorClientBuilder, ExtendedUserTokenProvider
from botbuilder.schema import ConversationParameters, ConversationReference
from botframework.connector.auth import ClaimsIdentity
from botframework.connector.token_api.models import TokenExchangeRequest

from cloud_adapter.connector.client import ConnectorClient, UserTokenClient
from cloud_adapter.home_loop import on_home_loop

Callback = Callable[[Any], Awaitable[Any]]
"""A function of the bot that takes a TurnContext."""


class AdapterCalls(
    CloudAdapterBase,  # type: ignore[misc]  # untyped SDK bases
    ExtendedUserTokenProvider,  # type: ignore[misc]
    ConnectorClientBuilder,  # type: ignore[misc]
):
    """The base class of this project's CloudAdapter.

    Arguments for app ids and credentials are not used, because every call is made as this bot. Each
    method that calls a service raises ConnectorError if the service refuses or cannot be reached,
    and SignInError if the bot cannot sign in.
    """

    # The SDK's methods that run a turn; `continue_conversation` and others call them.
    process_proactive = on_home_loop(CloudAdapterBase.process_proactive)
    process_activity = on_home_loop(CloudAdapterBase.process_activity)

    async def continue_conversation(
        self,
        reference: ConversationReference,
        callback: Callback,
        bot_id: str | None = None,
        claims_identity: ClaimsIdentity | None = None,
        audience: str | None = None,
        *,
        bot_app_id: str | None = None,
    ) -> None:
        """Run `callback` in a turn of an existing conversation.

        Args:
            reference: the conversation.
            callback: is called with the turn's context, within the middleware.
            bot_id: not used, see above.
            claims_identity: who the turn's caller is; None: the bot itself.
            audience: the resource that tokens are for; None: the channel's.
            bot_app_id: not used; CloudAdapterBase's name for `bot_id`.

        Raises:
            ServiceUrlRefused: the bot must not call the conversation's service URL.
        """
        await super().continue_conversation(
            reference, callback, self._app_id, claims_identity, audience
        )

    @on_home_loop
    async def create_conversation(
        self,
        reference: ConversationReference | str | None = None,
        logic: Callback | None = None,
        conversation_parameters: ConversationParameters | None = None,
        channel_id: str | None = None,
        service_url: str | None = None,
        credentials: object = None,
        *,
        bot_app_id: str | None = None,
        callback: Callback | None = None,
        audience: str | None = None,
    ) -> Any:
        """Start a conversation, and run `logic` in its first turn.

        Args:
            reference: as in BotFrameworkAdapter, a conversation on the same channel; without
                `conversation_parameters`, the new conversation is with its user. As in
                CloudAdapterBase, the bot's app id, which is not used.
            logic: is called with the turn's context, within the middleware. The turn's activity is
                the event `CreateConversation`, with the id of the new conversation.
            conversation_parameters: the members, the first activity, the tenant.
            channel_id: the channel; None: the reference's.
            service_url: the channel's service URL; None: the reference's.
            credentials: not used, see above; if `reference` is an app id, a string here is the
                audience, as in CloudAdapterBase.
            bot_app_id, callback, audience: CloudAdapterBase's names for the first, second and sixth
                arguments.

        Returns:
            What `logic` returns.

        Raises:
            ServiceUrlRefused: the bot must not call the service URL.
            TypeError: an argument is missing.
        """
        parameters = conversation_parameters
        if isinstance(reference, ConversationReference):
            parameters = _with_tenant(
                parameters or _alone_with(reference.user, reference), reference
            )
            channel_id = channel_id or reference.channel_id
            service_url = service_url or reference.service_url
        else:
            audience = audience or (credentials if isinstance(credentials, str) else None)
        run, result = _required(logic or callback, "logic"), None

        async def keep_result(turn_context: TurnContext) -> None:
            nonlocal result
            result = await run(turn_context)

        await super().create_conversation(
            self._app_id, keep_result, parameters, channel_id, service_url, audience
        )
        return result

    async def create_connector_client(
        self,
        service_url: str,
        identity: ClaimsIdentity | None = None,
        audience: str | None = None,
    ) -> ConnectorClient:
        """A client of the connector at a service URL.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
        """
        factory = self.bot_framework_authentication.create_connector_factory(identity)
        client: ConnectorClient = await factory.create(service_url, audience)
        return client

    async def get_user_token(
        self,
        context: TurnContext,
        connection_name: str,
        magic_code: str | None = None,
        oauth_app_credentials: object = None,
    ) -> Any:
        """The TokenResponse of the turn's user; None if the user has not signed in.

        Raises:
            TypeError: there is no connection name, or the turn has no user.
        """
        name = _required(connection_name, "connection_name")
        user_id, channel_id = _user_id(context), context.activity.channel_id
        return await _user_tokens(context).get_user_token(user_id, name, channel_id, magic_code)

    async def sign_out_user(
        self,
        context: TurnContext,
        connection_name: str | None = None,
        user_id: str | None = None,
        oauth_app_credentials: object = None,
    ) -> None:
        """Sign a user out of a connection; without a connection name, out of all connections.

        Args:
            context: the turn.
            connection_name: the OAuth connection.
            user_id: the user; None: the turn's.
            oauth_app_credentials: not used, see above.

        Raises:
            TypeError: the turn has no user.
        """
        user_id, channel_id = user_id or _user_id(context), context.activity.channel_id
        await _user_tokens(context).sign_out_user(user_id, connection_name, channel_id)

    async def get_oauth_sign_in_link(
        self,
        context: TurnContext,
        connection_name: str,
        final_redirect: str | None = None,
        oauth_app_credentials: object = None,
    ) -> str:
        """The URL of the sign-in page for the turn's user."""
        resource = await self.get_sign_in_resource(context, connection_name, final_redirect)
        link: str = resource.sign_in_link
        return link

    async def get_token_status(
        self,
        context: TurnContext,
        connection_name: str | None = None,
        user_id: str | None = None,
        include_filter: str | None = None,
        oauth_app_credentials: object = None,
    ) -> Any:
        """The connections that a user has signed in to, as a list of TokenStatus.

        Args:
            context: the turn.
            connection_name: not used; the SDK does not use it either.
            user_id: the user; None: the turn's.
            include_filter: comma-separated names of connections; None: all.
            oauth_app_credentials: not used, see above.

        Raises:
            TypeError: the turn has no user.
        """
        user_id, channel_id = user_id or _user_id(context), context.activity.channel_id
        return await _user_tokens(context).get_token_status(user_id, channel_id, include_filter)

    async def get_aad_tokens(
        self,
        context: TurnContext,
        connection_name: str,
        resource_urls: list[str],
        user_id: str | None = None,
        oauth_app_credentials: object = None,
    ) -> Any:
        """Tokens of a user for Entra resources, as a dict of TokenResponse by resource URL.

        Raises:
            TypeError: the turn has no user.
        """
        user_id, channel_id = user_id or _user_id(context), context.activity.channel_id
        return await _user_tokens(context).get_aad_tokens(
            user_id, connection_name, resource_urls, channel_id
        )

    async def get_sign_in_resource(
        self, turn_context: TurnContext, connection_name: str, final_redirect: str | None = None
    ) -> Any:
        """The SignInUrlResponse for the turn's user: the sign-in link, and how to exchange a token.

        Args:
            turn_context: the turn.
            connection_name: the OAuth connection.
            final_redirect: where the user is sent in the end (URL).

        Raises:
            TypeError: there is no connection name.
        """
        name = _required(connection_name, "connection_name")
        client = _user_tokens(turn_context)
        return await client.get_sign_in_resource(name, turn_context.activity, final_redirect)

    async def get_sign_in_resource_from_user(
        self,
        turn_context: TurnContext,
        connection_name: str,
        user_id: str,
        final_redirect: str | None = None,
    ) -> Any:
        """The same as `get_sign_in_resource`. As in the SDK, `user_id` is not used."""
        return await self.get_sign_in_resource(turn_context, connection_name, final_redirect)

    async def get_sign_in_resource_from_user_and_credentials(
        self,
        turn_context: TurnContext,
        oauth_app_credentials: object,
        connection_name: str,
        user_id: str,
        final_redirect: str | None = None,
    ) -> Any:
        """The same as `get_sign_in_resource`."""
        return await self.get_sign_in_resource(turn_context, connection_name, final_redirect)

    async def exchange_token(
        self,
        turn_context: TurnContext,
        connection_name: str,
        user_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """The TokenResponse for a token (or URI) that the channel offers for single sign-on.

        Raises:
            TypeError: there is no connection name, or no user id.
        """
        return await _user_tokens(turn_context).exchange_token(
            _required(user_id, "user_id"),
            _required(connection_name, "connection_name"),
            turn_context.activity.channel_id,
            exchange_request,
        )

    async def exchange_token_from_credentials(
        self,
        turn_context: TurnContext,
        oauth_app_credentials: object,
        connection_name: str,
        user_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """The same as `exchange_token`."""
        return await self.exchange_token(turn_context, connection_name, user_id, exchange_request)

    async def get_conversations(
        self, service_url: str, credentials: object = None, continuation_token: str | None = None
    ) -> Any:
        """A page of the bot's conversations, as a ConversationsResult.

        Raises:
            ServiceUrlRefused: the bot must not call the service URL.
        """
        client = await self.create_connector_client(service_url)
        return await client.conversations.get_conversations(continuation_token)

    async def get_conversation_members(self, context: TurnContext) -> Any:
        """The members of the turn's conversation, as a list of ChannelAccount."""
        return await _connector(context).conversations.get_conversation_members(
            _conversation_id(context)
        )

    async def get_conversation_member(self, context: TurnContext, member_id: str) -> Any:
        """A member of the turn's conversation, as a ChannelAccount."""
        conversations = _connector(context).conversations
        return await conversations.get_conversation_member(_conversation_id(context), member_id)

    async def delete_conversation_member(self, context: TurnContext, member_id: str) -> None:
        """Remove a member from the turn's conversation."""
        conversations = _connector(context).conversations
        await conversations.delete_conversation_member(_conversation_id(context), member_id)

    async def get_activity_members(
        self, context: TurnContext, activity_id: str | None = None
    ) -> Any:
        """The members that an activity was sent to; without an id, the turn's activity."""
        conversations = _connector(context).conversations
        found = activity_id or context.activity.id
        return await conversations.get_activity_members(_conversation_id(context), found)

    @property
    def _app_id(self) -> str:
        app_id: str = self.bot_framework_authentication.channel_credentials.microsoft_app_id
        return app_id


def _alone_with(user: Any, reference: ConversationReference) -> ConversationParameters:
    return ConversationParameters(bot=reference.bot, members=[user], is_group=False)


def _with_tenant(
    parameters: ConversationParameters, reference: ConversationReference
) -> ConversationParameters:
    """The parameters, with the reference's tenant, which Teams needs."""
    conversation = reference.conversation
    # The SDK's model reads `tenantID`; channels write `tenantId`.
    tenant = conversation and (
        conversation.tenant_id or conversation.additional_properties.get("tenantId")
    )
    if tenant:
        parameters.tenant_id = tenant
        if parameters.channel_data is None or isinstance(parameters.channel_data, Mapping):
            data = parameters.channel_data or {}
            parameters.channel_data = {**data, "tenant": {"tenantId": tenant}}
    return parameters


def _connector(context: TurnContext) -> ConnectorClient:
    client: ConnectorClient = context.turn_state[CloudAdapterBase.BOT_CONNECTOR_CLIENT_KEY]
    return client


def _user_tokens(context: TurnContext) -> UserTokenClient:
    client: UserTokenClient = context.turn_state[CloudAdapterBase.USER_TOKEN_CLIENT_KEY]
    return client


def _conversation_id(context: TurnContext) -> str:
    conversation_id: str = context.activity.conversation.id
    return conversation_id


def _user_id(context: TurnContext) -> Any:
    return _required(getattr(context.activity.from_property, "id", None), "the user's id")


def _required(value: Any, name: str) -> Any:
    if not value:
        raise TypeError(f"{name} is missing")
    return value
