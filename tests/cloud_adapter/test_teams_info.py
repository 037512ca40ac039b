"""TeamsInfo: the SDK's requests and results, without blocking the event loop."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, ErrorResponseException
from botbuilder.schema.teams import OnBehalfOf, TeamsChannelAccount
from botbuilder.schema.teams._models_py3 import (  # the package does not export them
    MeetingNotificationChannelData,
    Surface,
    SurfaceType,
    TargetedMeetingNotification,
    TargetedMeetingNotificationValue,
)
from botframework.connector.teams import TeamsConnectorClient
from msrest.exceptions import HttpOperationError

from auth import bot_framework
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.teams_info import TeamsInfo
from tests.support.bots.composed_app import ComposedApp
from tests.support.wire.scripted_service import Reply, ScriptedService

SdkTeamsInfo: Any = TeamsInfo.__base__
"""The class in whose place ours is, once a composition has imported the SDK."""

TEAM, MEETING, SENDER, TENANT = "19:t@thread.tacv2", "MCMxOTptZWV0aW5n+/=", "aad-1", "tenant-1"
CHANNEL_DATA = {"team": {"id": TEAM}, "meeting": {"id": MEETING}, "tenant": {"id": TENANT}}

TEAM_DETAILS = {"id": TEAM, "name": "Ops", "aadGroupId": "g", "channelCount": 2, "memberCount": 9}
CHANNELS = {"conversations": [{"id": "19:a", "name": None}, {"id": "19:b", "name": "Alerts"}]}
PARTICIPANT = {
    "user": {"id": "29:1", "aadObjectId": SENDER, "userPrincipalName": "ada@contoso.com"},
    "meeting": {"role": "Organizer", "inMeeting": True},
    "conversation": {"id": "19:m", "isGroup": True},
}
MEETING_INFO = {
    "details": {"id": "MSo1N2Y5", "title": "Stand-up", "type": "Recurring"},
    "conversation": {"isGroup": True, "conversationType": "groupChat", "id": "19:m"},
    "organizer": {"id": "29:1", "aadObjectId": SENDER},
}
MISSED = {"recipientsFailureInfo": [{"recipientMri": "8:2", "errorcode": "BotNotInMeeting"}]}
NOTIFICATION = TargetedMeetingNotification(
    type="targetedMeetingNotification",
    value=TargetedMeetingNotificationValue(
        recipients=["8:1", "8:2"], surfaces=[Surface(type=SurfaceType.MeetingTabIcon)]
    ),
    channel_data=MeetingNotificationChannelData(
        on_behalf_of_list=[OnBehalfOf(mri="8:3", display_name="Ada")]
    ),
)


@dataclass(frozen=True)
class Method:
    """A method of TeamsInfo.

    Attributes:
        call: calls it, in a turn.
        call_sdk: calls the same of the SDK's blocking client.
        path: of the request, percent-encoded.
        answer: of Teams.
    """

    call: Callable[[TurnContext], Awaitable[Any]]
    call_sdk: Callable[[Any], Any]
    path: str
    answer: Any


MEETING_PATH = "/v1/meetings/MCMxOTptZWV0aW5n%2B%2F%3D"
TEAM_PATH = "/v3/teams/19%3At%40thread.tacv2"
METHODS = {
    "get_team_details": Method(
        TeamsInfo.get_team_details, lambda t: t.get_team_details(TEAM), TEAM_PATH, TEAM_DETAILS
    ),
    "get_team_channels": Method(
        TeamsInfo.get_team_channels,
        lambda t: t.get_teams_channels(TEAM).conversations,
        f"{TEAM_PATH}/conversations",
        CHANNELS,
    ),
    "get_meeting_participant": Method(
        TeamsInfo.get_meeting_participant,
        lambda t: t.fetch_participant(MEETING, SENDER, TENANT),
        f"{MEETING_PATH}/participants/{SENDER}",
        PARTICIPANT,
    ),
    "get_meeting_info": Method(
        TeamsInfo.get_meeting_info, lambda t: t.fetch_meeting(MEETING), MEETING_PATH, MEETING_INFO
    ),
    "send_meeting_notification": Method(
        lambda turn: TeamsInfo.send_meeting_notification(turn, NOTIFICATION),
        lambda t: t.send_meeting_notification(MEETING, NOTIFICATION),
        f"{MEETING_PATH}/notification",
        {"unnamed": 1},
    ),
}


@pytest.fixture
async def teams(app: ComposedApp) -> AsyncIterator[ScriptedService]:
    """Teams' service with TLS, on the event loop of the app: a blocking call would never return."""
    async with ScriptedService(app.cloud.authority.server_context()) as service:
        yield service


async def turn_of(app: ComposedApp, service_url: str, channel_data: Any) -> TurnContext:
    """A turn on Teams, in the local conversation."""
    activity = Activity(
        type="message",
        channel_id="msteams",
        service_url=service_url,
        channel_data=channel_data,
        from_property=ChannelAccount(id="29:1", aad_object_id=SENDER),
        conversation=ConversationAccount(id=app.conversation.id),
    )
    turn = TurnContext(app.parts.adapter, activity)
    authentication = app.parts.adapter.bot_framework_authentication
    client = await authentication.create_connector_factory(None).create(service_url)
    turn.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY] = client
    return turn


@pytest.fixture
async def turn(app: ComposedApp, teams: ScriptedService) -> TurnContext:
    """A turn in a meeting of a team."""
    return await turn_of(app, f"{teams.url}/amer/", CHANNEL_DATA)


@pytest.mark.parametrize("name", list(METHODS))
async def test_answers_are_the_sdk_s(turn: TurnContext, teams: ScriptedService, name: str) -> None:
    """The request is as in Teams' reference, and the result is the SDK's object."""
    method = METHODS[name]
    teams.otherwise = Reply(200, method.answer)
    answer = await method.call(turn)
    config = turn.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY].config
    theirs = TeamsConnectorClient(config.credentials, turn.activity.service_url).teams
    assert answer == await asyncio.to_thread(method.call_sdk, theirs)
    own, sdk = teams.seen
    assert own.path == f"/amer{method.path}"
    assert (own.method, own.json) == (sdk.method, sdk.json)
    assert own.headers["Authorization"] == sdk.headers["Authorization"]
    if name == "get_meeting_participant":
        assert own.query == {"tenantId": TENANT}
    else:  # the SDK requests the meeting instead
        assert (own.path, own.query) == (sdk.path, sdk.query)


@pytest.mark.parametrize("name", list(METHODS))
async def test_a_refused_call(turn: TurnContext, teams: ScriptedService, name: str) -> None:
    """It raises ConnectorError, as the connector's other operations do."""
    teams.otherwise = Reply(403, {"error": {"code": "BotNotInTeam", "message": "x"}})
    with pytest.raises(ConnectorError) as caught:
        await METHODS[name].call(turn)
    assert (caught.value.response.status_code, caught.value.error.error.code) == (
        403,
        "BotNotInTeam",
    )


async def test_the_result_of_a_notification(turn: TurnContext, teams: ScriptedService) -> None:
    """It lists the people whom the notification did not reach; None if there are none."""
    teams.script = [Reply(207, MISSED), Reply(202)]
    missed = await TeamsInfo.send_meeting_notification(turn, NOTIFICATION)
    (failure,) = missed.recipients_failure_info
    assert (failure.recipient_mri, failure.error_code) == ("8:2", "BotNotInMeeting")
    assert await TeamsInfo.send_meeting_notification(turn, NOTIFICATION) is None


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("channel_data", [{}, {"tenant": None}, {"team": None, "meeting": None}])
async def test_missing_arguments(
    app: ComposedApp, teams: ScriptedService, name: str, channel_data: Any
) -> None:
    """If neither the arguments nor the activity name the target, nothing is sent."""
    turn = await turn_of(app, teams.url, channel_data)
    with pytest.raises(TypeError, match="is missing"):
        await METHODS[name].call(turn)
    assert teams.seen == []


async def test_a_participant_needs_a_tenant(app: ComposedApp, teams: ScriptedService) -> None:
    """A meeting alone is not enough."""
    turn = await turn_of(app, teams.url, {"meeting": {"id": MEETING}})
    with pytest.raises(TypeError, match="tenant_id is missing"):
        await TeamsInfo.get_meeting_participant(turn)
    assert teams.seen == []


async def test_an_empty_notification(turn: TurnContext, teams: ScriptedService) -> None:
    """It is not sent."""
    with pytest.raises(TypeError, match="notification is missing"):
        await TeamsInfo.send_meeting_notification(turn, None)
    assert teams.seen == []


async def test_arguments_take_precedence(app: ComposedApp, teams: ScriptedService) -> None:
    """Arguments take precedence over the activity's data."""
    turn = await turn_of(app, teams.url, CHANNEL_DATA)
    teams.script = [Reply(200, each) for each in (TEAM_DETAILS, CHANNELS, PARTICIPANT)]
    teams.otherwise = Reply(200, MEETING_INFO)
    await TeamsInfo.get_team_details(turn, "t")
    await TeamsInfo.get_team_channels(turn, team_id="t")
    await TeamsInfo.get_meeting_participant(turn, "m", "p", tenant_id="x")
    await TeamsInfo.get_meeting_info(turn, meeting_id="m")
    await TeamsInfo.send_meeting_notification(turn, NOTIFICATION, meeting_id="m")
    assert [seen.path for seen in teams.seen] == [
        "/v3/teams/t",
        "/v3/teams/t/conversations",
        "/v1/meetings/m/participants/p",
        "/v1/meetings/m",
        "/v1/meetings/m/notification",
    ]
    assert teams.seen[2].query == {"tenantId": "x"}


def test_signatures_are_the_sdk_s() -> None:
    """Each method of the SDK's is there, with its arguments and their defaults."""
    names = [name for name in vars(SdkTeamsInfo) if not name.startswith("_")]
    assert len(names) > len(METHODS)
    for name in names:
        ours, sdk = (inspect.signature(getattr(each, name)) for each in (TeamsInfo, SdkTeamsInfo))
        assert list(ours.parameters) == list(sdk.parameters), name
        assert [each.default for each in ours.parameters.values()] == [
            each.default for each in sdk.parameters.values()
        ], name


@pytest.mark.usefixtures("app")
def test_bots_get_this_class() -> None:
    """The SDK's modules have it, also the handler that asks for members who join."""
    import botbuilder.core.teams as sdk

    modules = (sdk, sdk.teams_info, sdk.teams_activity_handler)
    assert [module.TeamsInfo for module in modules] == [TeamsInfo] * 3


async def test_the_sdk_s_handler(app: ComposedApp) -> None:
    """A bot that extends TeamsActivityHandler is given members who join with Teams' properties."""
    app.conversation.members["29:1"] = {"id": "29:1", "userPrincipalName": "ada@contoso.com"}
    joined: list[Any] = []

    class Bot(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
        async def on_teams_members_added(
            self, teams_members_added: list[Any], team_info: Any, turn_context: TurnContext
        ) -> None:
            joined.extend(teams_members_added)

    update = {"type": "conversationUpdate", "membersAdded": [{"id": "29:1"}]}
    data = {"team": {"id": TEAM}, "eventType": "teamMemberAdded"}
    await app.deliver({**update, "channelId": "msteams", "channelData": data}, Bot().on_turn)
    assert [member.user_principal_name for member in joined] == ["ada@contoso.com"]
    assert [type(member) for member in joined] == [TeamsChannelAccount]


async def test_outside_of_a_turn() -> None:
    """There is no connector client, which the error says, as the SDK's does."""
    turn = TurnContext(SimpleNamespace(), Activity(type="message"))
    for method in (TeamsInfo.get_team_details, TeamsInfo.get_meeting_info):
        with pytest.raises(ValueError, match="requires a connector client"):
            await method(turn, "id")


@pytest.mark.parametrize("channel_data", [None, {}, {"team": None}, {"team": {}}, {"tenant": {}}])
async def test_an_activity_of_no_team(app: ComposedApp, channel_data: Any) -> None:
    """Its team's id is empty, so its members are the conversation's."""
    turn = await turn_of(app, app.service_url, channel_data)
    assert TeamsInfo.get_team_id(turn) == ""
    assert [each.name for each in await TeamsInfo.get_members(turn)] == ["Ada", "Bot"]


def test_every_method_that_blocks_is_replaced() -> None:
    """No method uses the SDK's blocking client any more."""
    blocking = {
        name
        for name, method in inspect.getmembers(SdkTeamsInfo, inspect.isfunction)
        if "get_teams_connector_client(" in inspect.getsource(method)
    }
    assert blocking == {*METHODS, "get_teams_connector_client"}
    assert set(METHODS) <= vars(TeamsInfo).keys()


async def test_the_sdk_s_own_still_works(
    app: ComposedApp, teams: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """It has the bot's token; a single warning in the log names the cure."""
    turn = await turn_of(app, teams.url, CHANNEL_DATA)
    teams.otherwise = Reply(200, TEAM_DETAILS)
    for _ in range(3):
        details = await asyncio.to_thread(asyncio.run, SdkTeamsInfo.get_team_details(turn))
        assert details == await TeamsInfo.get_team_details(turn)
    warnings = [each for each in caplog.records if each.name == bot_framework.__name__]
    assert [each.levelno for each in warnings] == [logging.WARNING]
    assert "create_connector_client(service_url)" in warnings[0].getMessage()
    headers = {seen.headers["Authorization"] for seen in teams.seen}
    assert len(headers) == 1
    assert headers.pop().split(" ")[1] not in caplog.text


async def test_a_refused_call_of_the_sdk_s_own(app: ComposedApp, teams: ScriptedService) -> None:
    """It raises msrest's error, as ever."""
    turn = await turn_of(app, teams.url, CHANNEL_DATA)
    teams.otherwise = Reply(404)
    with pytest.raises(HttpOperationError):
        await asyncio.to_thread(asyncio.run, SdkTeamsInfo.get_meeting_info(turn))


@pytest.fixture(params=[SdkTeamsInfo, TeamsInfo])
def info(request: pytest.FixtureRequest) -> Any:
    """Both classes, as these methods are the SDK's own."""
    return request.param


@pytest.fixture
async def chat(app: ComposedApp) -> TurnContext:
    """A turn in the local conversation, as a chat."""
    return await turn_of(app, app.service_url, {"tenant": {"id": TENANT}})


@pytest.fixture
async def channel(app: ComposedApp) -> TurnContext:
    """A turn in the local conversation, as a team's channel."""
    return await turn_of(app, app.service_url, {"team": {"id": app.conversation.id}})


async def test_a_member(app: ComposedApp, chat: TurnContext, info: Any) -> None:
    """It has Teams' own properties."""
    app.conversation.members["29:1"] = {
        "id": "29:1",
        "name": "Grace",
        "userPrincipalName": "grace@contoso.com",
        "givenName": "Grace",
    }
    member = await info.get_member(chat, "29:1")
    assert isinstance(member, TeamsChannelAccount)
    assert (member.name, member.user_principal_name) == ("Grace", "grace@contoso.com")
    with pytest.raises(ErrorResponseException):
        await info.get_member(chat, "29:2")


async def test_members(chat: TurnContext, info: Any) -> None:
    """They come in pages, or all at once."""
    page = await info.get_paged_members(chat, page_size=1)
    assert [member.name for member in page.members] == ["Ada"]
    rest = await info.get_paged_members(chat, page.continuation_token)
    assert [member.name for member in rest.members] == ["Bot"]
    everybody = await info.get_members(chat)
    assert [type(member) for member in everybody] == [TeamsChannelAccount] * 2


async def test_members_of_a_team(channel: TurnContext, info: Any) -> None:
    """In a channel, the same methods return the team's members."""
    everybody = await info.get_members(channel)
    assert [member.name for member in everybody] == ["Ada", "Bot"]
    assert await info.get_team_members(channel) == everybody
    assert await info.get_team_member(channel, member_id="user-1") == everybody[0]
    assert await info.get_member(channel, "user-1") == everybody[0]
    page = await info.get_paged_team_members(channel, page_size=1)
    rest = await info.get_paged_members(channel, page.continuation_token)
    assert [each.members[0].name for each in (page, rest)] == ["Ada", "Bot"]


async def test_a_message_to_a_channel(app: ComposedApp, chat: TurnContext, info: Any) -> None:
    """It starts a thread; the result is its reference and the first activity's id."""
    message = Activity(type="message", text="deployed")
    app_id = app.cloud.registration.app_id
    reference, activity_id = await info.send_message_to_teams_channel(
        chat, message, "19:c@thread.tacv2", bot_app_id=app_id
    )
    thread = app.cloud.conversations.find(reference.conversation.id)
    assert thread.find(activity_id)["text"] == "deployed"
    assert (reference.channel_id, reference.service_url) == ("msteams", app.service_url)
    assert set(thread.members) == {app_id}
