"""AgentAdapter: the Agents SDK's channel adapter, over the base's.

A turn of the bot runs within one of ours, so its sends, its proactive turns and its clients go
through our TurnContext and our CloudAdapter.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from botbuilder.core import CloudAdapterBase
from microsoft_agents.activity import Activity as AgentActivity
from microsoft_agents.activity import ConversationReference, ResourceResponse
from microsoft_agents.hosting.core import (
    ChannelServiceAdapter,
    ClaimsIdentity,
    UserTokenClientBase,
)
from microsoft_agents.hosting.core import TurnContext as AgentTurnContext
from microsoft_agents.hosting.core.connector import ConnectorClientBase

from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.agents.activities import (
    read_activity,
    write_activity,
    write_parameters,
    write_reference,
)
from cloud_adapter.agents.clients import LazyConnectorClient, LazyUserTokenClient, ServiceSession
from cloud_adapter.agents.connections import AgentConnections
from cloud_adapter.agents.storage import AgentStorage
from cloud_adapter.agents.turn import AgentTurn
from cloud_adapter.turn_context import TurnContext

Logic = Callable[[AgentTurnContext], Awaitable[object]]

AtEnd = Callable[[AgentTurn], Awaitable[None]]


class _AgentTurnContext(AgentTurnContext):  # type: ignore[misc]  # untyped SDK base
    """The SDK's, whose sends are copied and addressed once: by our TurnContext."""

    async def send_activity(
        self,
        activity_or_text: AgentActivity | str,
        speak: str | None = None,
        input_hint: str | None = None,
    ) -> ResourceResponse:
        """Send an activity. A text that no handler sees becomes none of the SDK's models."""
        turn = AgentTurn.of(self)
        if turn is None or self._on_send_activities or not isinstance(activity_or_text, str):
            sent: ResourceResponse = await super().send_activity(
                activity_or_text, speak, input_hint
            )
            return sent
        with turn.noting_failure():
            response = await turn.core.send_activity(activity_or_text, speak, input_hint)
        self.responded = True
        return _response(response)

    async def send_activities(self, activities: list[AgentActivity]) -> list[ResourceResponse]:
        """Send activities; handlers of `on_send_activities` see copies first."""
        if self._on_send_activities:
            handled: list[ResourceResponse] = await super().send_activities(activities)
            return handled
        responses: list[ResourceResponse] = await self.adapter.send_activities(self, activities)
        if any(each.type != "trace" for each in activities):
            self.responded = True
        return responses


class AgentAdapter(ChannelServiceAdapter):  # type: ignore[misc]  # untyped SDK base
    """The adapter that the bot's code sees.

    Args:
        core: our adapter.
        app_id: the bot's app id (GUID).
        storage: what the SDK's states and sign-ins are stored in.
        connections: the bot's tokens.

    Attributes:
        storage, connections: as in the arguments.
    """

    def __init__(
        self,
        core: CloudAdapter,
        app_id: str,
        storage: AgentStorage,
        connections: AgentConnections,
    ) -> None:
        super().__init__(_ClientFactory(core, app_id))
        self.storage = storage
        self.connections = connections
        self._core = core
        self._app_id = app_id

    async def run(
        self,
        core: TurnContext,
        activity: AgentActivity,
        logic: Logic,
        identity: ClaimsIdentity | None = None,
        *,
        with_middleware: bool = True,
        at_end: AtEnd | None = None,
    ) -> AgentTurn:
        """Run a turn of the bot within one of ours, and store what it has written.

        Args:
            core: the context of our turn.
            activity: the activity that the bot gets.
            logic: the bot's `on_turn`, or a function in its place.
            identity: who the caller is; None: the caller of our turn.
            with_middleware: whether `logic` runs within the bot's middleware.
            at_end: is called after the bot's code, before what that has written is stored.

        Raises:
            Exception: whatever the bot's code raises, or an error of the base that it has caught.
        """
        if identity is None:
            claims = core.turn_state[CloudAdapterBase.BOT_IDENTITY_KEY].claims
            identity = self._identity(claims)
        turn = AgentTurn(core, self, identity, activity)
        context = self._context(turn, activity)
        with turn.entered():
            try:
                if with_middleware:
                    await self.middleware_set.receive_activity_with_status(context, logic)
                else:
                    await logic(context)
                if turn.streamed is not None:
                    await turn.streamed.close(None)
            except BaseException as error:
                if turn.streamed is not None:
                    await turn.streamed.close(error)
                raise
            finally:
                await context._aclose()  # extensions close what they have opened
        if turn.failure is not None:
            raise turn.failure
        if at_end is not None:
            await at_end(turn)
        await self.storage.flush(turn)
        return turn

    def _context(self, turn: AgentTurn, activity: AgentActivity) -> AgentTurnContext:
        # The context refers to the turn, and not the other way round: no cycle keeps a turn in
        # memory until the next garbage collection.
        core, context = turn.core, _AgentTurnContext(self, activity, turn.identity)
        ours = core.turn_state[CloudAdapterBase.BOT_CONNECTOR_CLIENT_KEY]
        tokens = core.turn_state[CloudAdapterBase.USER_TOKEN_CLIENT_KEY]
        connector = LazyConnectorClient(partial(ServiceSession, ours.call, ours.config.base_url))
        user_tokens = LazyUserTokenClient(partial(ServiceSession, tokens.call, ""), self._app_id)
        context.services.set(AgentTurn, turn)
        context.services.set(ConnectorClientBase, connector)
        context.services.set(UserTokenClientBase, user_tokens)
        context.turn_state.update(
            {
                self._AGENT_CONNECTOR_CLIENT_KEY: connector,
                self.USER_TOKEN_CLIENT_KEY: user_tokens,
                self.AGENT_IDENTITY_KEY: turn.identity,
                self.OAUTH_SCOPE_KEY: core.turn_state.get(CloudAdapterBase.BOT_OAUTH_SCOPE_KEY),
            }
        )
        return context

    def _identity(self, claims: Mapping[str, Any]) -> ClaimsIdentity:
        return ClaimsIdentity({"aud": self._app_id, **claims}, "Bearer")

    async def send_activities(
        self, context: AgentTurnContext, activities: list[AgentActivity]
    ) -> list[ResourceResponse]:
        """Send activities through our TurnContext, or buffer them for the HTTP response.

        Raises:
            ConnectorError: the channel refuses one.
        """
        turn = AgentTurn.of(context)
        if turn is None:
            made: list[ResourceResponse] = await super().send_activities(context, activities)
            return made
        with turn.noting_failure():
            sent = await turn.core.send_activities([write_activity(each) for each in activities])
        return [_response(each) for each in sent]

    async def update_activity(
        self, context: AgentTurnContext, activity: AgentActivity
    ) -> ResourceResponse:
        """Replace a sent activity.

        Raises:
            ConnectorError: the channel refuses.
        """
        turn = AgentTurn.of(context)
        if turn is None:
            return await super().update_activity(context, activity)
        with turn.noting_failure():
            return _response(await turn.core.update_activity(write_activity(activity)))

    async def delete_activity(
        self, context: AgentTurnContext, reference: ConversationReference
    ) -> None:
        """Delete a sent activity.

        Raises:
            ConnectorError: the channel refuses.
        """
        turn = AgentTurn.of(context)
        if turn is None:
            await super().delete_activity(context, reference)
            return
        with turn.noting_failure():
            await turn.core.delete_activity(write_reference(reference))

    async def process_proactive(
        self,
        claims_identity: ClaimsIdentity,
        continuation_activity: AgentActivity,
        audience: str | None,
        callback: Logic,
    ) -> None:
        """Run `callback` in a turn that the bot's code starts.

        Args:
            claims_identity: who the turn's caller is.
            continuation_activity: the turn's activity, which the callback gets as it is.
            audience: not used: the claims say whether another bot is the caller.
            callback: is called with the turn's context, within the middleware.

        Raises:
            ServiceUrlRefused: the bot must not call the conversation's service URL.
            Exception: whatever `callback` raises.
        """
        if (outer := AgentTurn.current()) is not None:
            await self.storage.flush(outer)  # for the new turn to find it
        activity = write_activity(continuation_activity)
        activity.id = None  # else it would count as a second delivery
        activity.channel_id = (activity.channel_id or "").partition(":")[0]
        identity = self._identity(claims_identity.claims)
        sender = self._core.bot_framework_authentication.authorized_before(identity.claims)

        async def logic(core: TurnContext) -> None:
            await self.run(core, continuation_activity, callback, identity)

        await self._core.process_proactive(sender.claims_identity, activity, sender.audience, logic)

    async def create_conversation(
        self,
        agent_app_id: str,
        channel_id: str,
        service_url: str,
        audience: str | None,
        conversation_parameters: Any,
        callback: Logic,
    ) -> None:
        """Start a conversation, and run `callback` in its first turn.

        Args:
            agent_app_id: not used: every call is made as this bot.
            channel_id: the channel.
            service_url: the channel's service URL.
            audience: not used: it is the channel's.
            conversation_parameters: the members, the first activity, the tenant.
            callback: is called with the turn's context, within the middleware.

        Raises:
            ServiceUrlRefused: the bot must not call the service URL.
            Exception: whatever `callback` raises.
        """
        if (outer := AgentTurn.current()) is not None:
            await self.storage.flush(outer)

        async def logic(core: TurnContext) -> None:
            await self.run(core, read_activity(core.activity), callback)

        parameters = write_parameters(conversation_parameters)
        channel_id = channel_id.partition(":")[0]
        await self._core.create_conversation(
            self._app_id, logic, parameters, channel_id, service_url
        )


class _ClientFactory:
    """The SDK's ChannelServiceClientFactoryBase: clients for calls outside of a turn.

    Args:
        core: our adapter.
        app_id: the bot's app id (GUID).
    """

    def __init__(self, core: CloudAdapter, app_id: str) -> None:
        self._core = core
        self._app_id = app_id

    async def create_connector_client(
        self, context: object, claims_identity: object, service_url: str, *_: object, **__: object
    ) -> LazyConnectorClient:
        """A client of the connector at a service URL.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
            SignInError: no token is available.
        """
        client = await self._core.create_connector_client(service_url)
        return LazyConnectorClient(partial(ServiceSession, client.call, service_url))

    async def create_user_token_client(self, *_: object, **__: object) -> LazyUserTokenClient:
        """A client of the token service."""
        factory = self._core.bot_framework_authentication.create_connector_factory(None)
        client = factory.create_user_token_client()
        return LazyUserTokenClient(partial(ServiceSession, client.call, ""), self._app_id)


def _response(response: Any) -> ResourceResponse:
    # The SDK's model refuses an empty id.
    return ResourceResponse(id=response.id) if response and response.id else ResourceResponse()
