"""AdapterCalls: the calls that bots make on the adapter, in turns in front of the local cloud."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import BotFrameworkAdapter, CloudAdapterBase, TurnContext
from botbuilder.core.oauth import ExtendedUserTokenProvider
from botbuilder.schema import (
    Activity,
    AttachmentData,
    ChannelAccount,
    ConversationAccount,
    ConversationParameters,
    ConversationReference,
)
from botframework.connector.token_api.models import TokenExchangeRequest

from auth.errors import CallerForbidden
from bot_workbench.emulator.channel.user_tokens import UserConnection
from cloud_adapter.connector.adapter_calls import AdapterCalls
from tests.support.bots.composed_app import ComposedApp
from tests.support.logic import MESSAGE

CONNECTION = "any-name"
TARGET = UserConnection("user-1", CONNECTION, "msteams")
OTHERS = {"parse_request", "process_activity", "process_activity_with_identity"} | {
    "process_outgoing_activity",
    "can_process_outgoing_activity",
    "key_for_app_credentials",
    "key_for_connector_client",
}
"""Methods of the SDK's adapters that receive requests, or serve the SDK itself: no bot's calls."""


def parameters(method: Callable[..., Any]) -> list[str]:
    """The names of the arguments that may be given by position."""
    found = inspect.signature(method).parameters.values()
    return [each.name for each in found if each.kind is each.POSITIONAL_OR_KEYWORD]


async def result_of(
    app: ComposedApp, call: Callable[[TurnContext], Awaitable[Any]], channel_id: str = "msteams"
) -> Any:
    """What a call returns in a turn; an error of the call is raised."""
    results: list[Any] = []

    async def bot(turn: TurnContext) -> None:
        try:
            results.append(await call(turn))
        except Exception as error:  # noqa: BLE001  # any error of the call is the result
            results.append(error)

    assert (await app.deliver({**MESSAGE, "channelId": channel_id}, bot)).status == 200
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result


@pytest.mark.parametrize("sdk", [BotFrameworkAdapter, ExtendedUserTokenProvider])
def test_arguments_are_the_sdk_s(sdk: type) -> None:
    """Each of the SDK's methods that bots call is there, with its arguments in their order."""
    methods = dict(inspect.getmembers(sdk, inspect.isfunction))
    names = {name for name in methods if not name.startswith("_")} - OTHERS
    assert names
    for name in names - {"get_sign_in_resource"}:
        theirs = parameters(methods[name])
        assert parameters(getattr(AdapterCalls, name))[: len(theirs)] == theirs, name


@pytest.mark.parametrize("name", ["create_conversation", "continue_conversation"])
def test_keywords_of_the_sdk_s_cloud_adapter(name: str) -> None:
    """The names that CloudAdapterBase has for its arguments work as keywords."""
    ours = inspect.signature(getattr(AdapterCalls, name)).parameters
    assert set(inspect.signature(getattr(CloudAdapterBase, name)).parameters) <= set(ours)


async def test_a_connector_client(app: ComposedApp) -> None:
    """A bot uploads a file with it."""
    image = AttachmentData(name="a.png", type="image/png", original_base64=b"\x89PNG")

    async def upload(turn: TurnContext) -> Any:
        client = await turn.adapter.create_connector_client(turn.activity.service_url)
        place = turn.activity.conversation.id
        file = await client.conversations.upload_attachment(place, image)
        return await client.attachments.get_attachment_info(file.id)

    assert (await result_of(app, upload)).name == "a.png"


async def test_a_service_url_that_is_not_a_channel_s(app: ComposedApp) -> None:
    """The bot's token is not sent there."""
    elsewhere = "https://example.com/"
    reference = ConversationReference(
        service_url=elsewhere,
        channel_id="msteams",
        conversation=ConversationAccount(id="c"),
        user=ChannelAccount(id="u"),
        bot=ChannelAccount(id="b"),
    )

    async def run(_: TurnContext) -> None:
        raise AssertionError

    adapter = app.parts.adapter
    for call in (
        adapter.create_connector_client(elsewhere),
        adapter.get_conversations(elsewhere),
        adapter.create_conversation(reference, run),
        adapter.continue_conversation(reference, run, "app"),
    ):
        with pytest.raises(CallerForbidden):
            await call


async def test_signing_in_and_out(app: ComposedApp) -> None:
    """A link leads to the sign-in page, its code gets the token, and signing out deletes it."""
    users = app.cloud.user_tokens

    async def talk(turn: TurnContext) -> list[Any]:
        adapter, found = turn.adapter, []
        found.append(await adapter.get_user_token(turn, CONNECTION))
        link = await adapter.get_oauth_sign_in_link(turn, CONNECTION)
        sign_in = users.find_sign_in(link.partition("signin=")[2])
        assert sign_in is not None
        found.append((await adapter.get_user_token(turn, CONNECTION, users.confirm(sign_in))).token)
        statuses = await adapter.get_token_status(turn, None, None, CONNECTION)
        found.append([(each.connection_name, each.has_token) for each in statuses])
        urls = ["https://graph.microsoft.com", "https://vault.azure.net"]
        found.append(list(await adapter.get_aad_tokens(turn, CONNECTION, urls)) == urls)
        await adapter.sign_out_user(turn, CONNECTION)
        found.append(await adapter.get_user_token(turn, CONNECTION))
        return found

    before, token, statuses, has_both, after = await result_of(app, talk)
    assert (before, statuses, has_both, after) == (None, [(CONNECTION, True)], True, None)
    assert token


async def test_signing_out_somebody_else(app: ComposedApp) -> None:
    """Without a connection's name, a user is signed out of all; the turn's user stays signed in."""
    users = app.cloud.user_tokens
    other = UserConnection("user-2", "second", "msteams")
    for target in (TARGET, other):
        users.sign_in(target, "Ada")
    await result_of(app, lambda turn: turn.adapter.sign_out_user(turn, None, "user-2"))
    assert (users.has_token(TARGET), users.has_token(other)) == (True, False)
    users.sign_out("user-1", "", "")


@pytest.mark.parametrize("given", [(), (None,)])
async def test_an_exchange(app: ComposedApp, given: tuple[Any, ...]) -> None:
    """A token for single sign-on is exchanged, with or without credentials, which are not used."""
    users = app.cloud.user_tokens

    async def talk(turn: TurnContext) -> Any:
        adapter = turn.adapter
        resource = await (
            adapter.get_sign_in_resource_from_user_and_credentials(turn, None, CONNECTION, "user-1")
            if given
            else adapter.get_sign_in_resource_from_user(turn, CONNECTION, "user-1")
        )
        uri = resource.token_exchange_resource.uri
        offer = TokenExchangeRequest(token=users.exchangeable_token(uri, "user-1", "Ada"))
        exchange = adapter.exchange_token_from_credentials if given else adapter.exchange_token
        return await exchange(turn, *given, CONNECTION, "user-1", offer)

    assert (await result_of(app, talk)).token
    assert users.has_token(TARGET)
    users.sign_out("user-1", "", "")


@pytest.mark.parametrize("name", ["get_user_token", "get_oauth_sign_in_link"])
async def test_no_connection_s_name(app: ComposedApp, name: str) -> None:
    """The token service is not asked."""
    calls = len(app.cloud.token_service.calls)
    with pytest.raises(TypeError, match="connection_name is missing"):
        await result_of(app, lambda turn: getattr(turn.adapter, name)(turn, ""))
    assert len(app.cloud.token_service.calls) == calls


@pytest.mark.parametrize("name", ["get_user_token", "sign_out_user"])
async def test_no_user(app: ComposedApp, name: str) -> None:
    """A turn without a user has no tokens."""

    async def call(turn: TurnContext) -> Any:
        turn.activity.from_property = None
        return await getattr(turn.adapter, name)(turn, CONNECTION)

    with pytest.raises(TypeError, match="user's id is missing"):
        await result_of(app, call)


async def test_members(app: ComposedApp) -> None:
    """The members of a conversation can be listed and removed, and its conversation found."""

    async def talk(turn: TurnContext) -> list[Any]:
        adapter = turn.adapter
        sent = await turn.send_activity("x")
        found = [
            [each.name for each in await adapter.get_conversation_members(turn)],
            [each.name for each in await adapter.get_activity_members(turn, sent.id)],
            (await adapter.get_conversation_member(turn, "user-1")).name,
        ]
        await adapter.delete_conversation_member(turn, "user-1")
        found.append([each.name for each in await adapter.get_conversation_members(turn)])
        url = turn.activity.service_url
        known = await adapter.get_conversations(url, None)
        found.append(turn.activity.conversation.id in [each.id for each in known.conversations])
        return found

    everybody = ["Ada", "Bot"]
    assert await result_of(app, talk) == [everybody, everybody, "Ada", ["Bot"], True]


async def test_a_conversation_from_a_reference(app: ComposedApp) -> None:
    """A bot writes to one user: BotFrameworkAdapter's arguments, and what the logic returns."""

    async def talk(turn: TurnContext) -> Any:
        reference = TurnContext.get_conversation_reference(turn.activity)

        async def first_turn(new: TurnContext) -> Any:
            await new.send_activity("hello in private")
            return new.activity.name.value, TurnContext.get_conversation_reference(new.activity)

        return await turn.adapter.create_conversation(reference, first_turn)

    name, reference = await result_of(app, talk)
    conversation = app.cloud.conversations.find(reference.conversation.id)
    assert name == "CreateConversation"
    assert reference.conversation.id != app.conversation.id
    assert [each["text"] for each in conversation.activities] == ["hello in private"]
    assert "user-1" in conversation.members
    assert (reference.channel_id, reference.service_url) == ("msteams", app.service_url)


@pytest.mark.parametrize("tenant_name", ["tenantId", "tenantID"])
async def test_the_tenant_of_a_new_conversation(app: ComposedApp, tenant_name: str) -> None:
    """Teams needs it, so it is the reference's, in both of the places that the SDK writes."""
    found: list[Any] = []

    async def talk(turn: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn.activity)
        parameters = ConversationParameters(
            is_group=False,
            bot=turn.activity.recipient,
            members=[ChannelAccount(id="user-2")],
            activity=Activity(type="message", text="first"),
        )

        async def first_turn(new: TurnContext) -> None:
            found.extend((new.activity.conversation.tenant_id, new.activity.channel_data))

        await turn.adapter.create_conversation(reference, first_turn, parameters)

    conversation = {"id": app.conversation.id, tenant_name: "tenant-1"}
    await app.deliver({**MESSAGE, "channelId": "msteams", "conversation": conversation}, talk)
    assert found == ["tenant-1", {"tenant": {"tenantId": "tenant-1"}}]


async def test_a_conversation_without_its_logic(app: ComposedApp) -> None:
    """It is not created."""
    calls = len(app.cloud.connector.calls)
    with pytest.raises(TypeError, match="logic is missing"):
        await result_of(
            app,
            lambda turn: turn.adapter.create_conversation(
                TurnContext.get_conversation_reference(turn.activity)
            ),
        )
    assert len(app.cloud.connector.calls) == calls


async def test_turns_within_turns(app: ComposedApp) -> None:
    """A bot writes to a member first, and goes on in that conversation: each is a whole turn."""
    app_id, seen = app.cloud.registration.app_id, []

    async def talk(turn: TurnContext) -> None:
        reference = TurnContext.get_conversation_reference(turn.activity)

        async def send(private: TurnContext) -> None:
            counter = app.parts.services.conversation_state.create_property("n")
            await counter.set(private, await counter.get(private, lambda: 0) + 1)
            seen.append(private.activity.conversation.id)
            await private.send_activity("in private")

        async def go_on(new: TurnContext) -> None:
            place = TurnContext.get_conversation_reference(new.activity)
            await new.adapter.continue_conversation(place, send, app_id)
            await new.adapter.continue_conversation(place, send, bot_app_id=app_id)

        await turn.adapter.create_conversation(reference, go_on)
        await turn.send_activity("done")

    await app.deliver(MESSAGE, talk)
    assert app.texts() == ["done"]
    first, second = seen
    assert first == second
    texts = [each["text"] for each in app.cloud.conversations.find(first).activities]
    assert texts == ["in private", "in private"]
