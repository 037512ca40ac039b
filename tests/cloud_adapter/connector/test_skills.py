"""SkillClient: an activity is forwarded to another bot."""

import copy
import datetime
from typing import Any

import pytest
from aiohttp import web
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, DeliveryModes, Entity
from botframework.connector import HttpClientBase, HttpClientFactory, HttpRequest, HttpResponseBase
from botframework.connector.auth import PasswordServiceClientCredentialFactory
from botframework.connector.auth._bot_framework_client_impl import (
    _BotFrameworkClientImpl as SdkClient,
)

from auth.bot_framework import BotCredentialsFactory
from auth.errors import SignInError
from cloud_adapter.codec import read_model, write_value
from cloud_adapter.connector.client import BOT_TIMEOUTS, CallRefused, ConnectorError
from cloud_adapter.connector.skills import SkillClient
from http_client.pool import HttpPool
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService

BOT = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CHANNEL = "https://api.botframework.com"
PARENT_URL = "https://parent.example/api/skills/"


class WireResponse(HttpResponseBase):  # type: ignore[misc]  # the SDK has no types
    """The SDK's view of an answer."""

    def __init__(self, status: int, text: str) -> None:
        self._status = status
        self._text = text

    @property
    def status_code(self) -> int:
        return self._status

    async def is_succesful(self) -> bool:
        return self._status < 300

    async def read_content_str(self) -> str:
        return self._text


class WireClient(HttpClientBase, HttpClientFactory):  # type: ignore[misc]  # the SDK has no types
    """The SDK leaves the sending of requests to its user."""

    def __init__(self, pool: HttpPool) -> None:
        self._pool = pool

    def create_client(self) -> HttpClientBase:
        return self

    async def post(self, *, request: HttpRequest) -> WireResponse:
        answer = await self._pool.request(
            "POST", request.request_uri, request.headers, request.content
        )
        return WireResponse(answer.status, answer.body.decode())


@pytest.fixture
def client(pool: HttpPool) -> SkillClient:
    """A client without a token, in development."""
    return SkillClient(pool, BotCredentialsFactory(BOT, None), CHANNEL, loopback=True)


@pytest.fixture
def activity() -> Any:
    """What a user said to the parent bot."""
    return Activity(
        type="message",
        id="a1",
        text="book a flight",
        timestamp=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        channel_id="msteams",
        service_url="https://smba.trafficmanager.net/amer/",
        delivery_mode=DeliveryModes.expect_replies,
        from_property=ChannelAccount(id="29:1", name="Ada"),
        recipient=ChannelAccount(id="28:bot", name="Bot"),
        conversation=ConversationAccount(id="c|1", conversation_type="personal", name="Chat"),
        channel_data={"tenant": {"id": "t"}},
    )


async def post(client: Any, service: ScriptedService, activity: Any) -> Any:
    """Post an activity to the skill behind `service`."""
    return await client.post_activity(
        BOT, SKILL, f"{service.url}/api/messages", PARENT_URL, "conversation-9", activity
    )


@pytest.mark.parametrize("recipient", [ChannelAccount(id="28:bot", name="Bot"), None])
async def test_the_activity_is_the_sdk_s(
    client: SkillClient, pool: HttpPool, service: ScriptedService, activity: Any, recipient: Any
) -> None:
    """The request's path and body are those of the SDK's own client."""
    activity.recipient = recipient
    theirs = SdkClient(PasswordServiceClientCredentialFactory(), WireClient(pool), "https://x")
    await post(theirs, service, activity)
    await post(client, service, activity)
    sdk, own = service.seen
    assert (own.method, own.path, own.json) == (sdk.method, sdk.path, sdk.json)
    for name in ("Content-Type", "x-ms-conversation-id"):
        assert own.headers[name] == sdk.headers[name]


async def test_the_skill_answers_to_the_parent(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """The skill gets the parent's address, and where the conversation came from."""
    await post(client, service, activity)
    sent = service.seen[0].json
    assert (sent["serviceUrl"], sent["conversation"]["id"]) == (PARENT_URL, "conversation-9")
    assert sent["recipient"]["role"] == "skill"
    assert sent["relatesTo"]["serviceUrl"] == "https://smba.trafficmanager.net/amer/"
    assert sent["relatesTo"]["conversation"]["id"] == "c|1"
    assert sent["relatesTo"]["activityId"] == "a1"


async def test_the_caller_stays_at_home(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """Who called the parent is not passed on: some SDKs would take it for the skill's caller."""
    activity.caller_id = "urn:botframework:azure"
    await post(client, service, activity)
    assert "callerId" not in service.seen[0].json
    assert activity.caller_id == "urn:botframework:azure"


async def test_a_local_time_stays_local(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """The skill learns the user's offset, as from a parent with the SDK for .NET."""
    received = read_model(Activity, {"localTimestamp": "2026-01-02T11:00:00.123+01:00"})
    activity.local_timestamp = received.local_timestamp
    await post(client, service, activity)
    sent = service.seen[0].json
    assert sent["localTimestamp"] == "2026-01-02T11:00:00.123+01:00"
    assert sent["timestamp"] == "2026-01-02T00:00:00.000Z"


async def test_expected_replies_of_agents_hosting(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """Their `_channelId` does not reach the channel: it is the `channelId`."""
    replies = [{"type": "message", "_channelId": "msteams"}, {"type": "typing"}, None]
    service.otherwise = Reply(200, {"activities": replies})
    answer = await post(client, service, activity)
    named = [{"type": "message", "channelId": "msteams"}, {"type": "typing"}, None]
    assert answer.body == {"activities": named}


async def test_the_activity_stays_as_it_is(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """The parent's own activity is not changed, not even inside."""
    before = copy.deepcopy(activity)
    await post(client, service, activity)
    assert activity == before
    assert write_value(activity) == write_value(before)


async def test_entities_are_handed_on(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """The skill sees every property of an entity."""
    entity = {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "28:bot"}}
    activity.entities = [read_model(Entity, entity)]
    await post(client, service, activity)
    assert service.seen[0].json["entities"] == [entity]


@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [
        (Reply(200), 200, None),
        (
            Reply(200, {"activities": [{"type": "message"}]}),
            200,
            {"activities": [{"type": "message"}]},
        ),
        (Reply(202, {}), 202, {}),
        (Reply(404, {"error": "x"}), 404, {"error": "x"}),
        (Reply(500), 500, None),
    ],
)
async def test_the_skill_s_answer(
    client: SkillClient,
    service: ScriptedService,
    activity: Any,
    reply: Reply,
    status: int,
    body: Any,
) -> None:
    """Its status and JSON are returned as they are, refusals too, and it is called once."""
    service.otherwise = reply
    answer = await post(client, service, activity)
    assert (answer.status, answer.body) == (status, body)
    assert len(service.seen) == 1


async def test_a_skill_that_redirects(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """A redirect is not followed."""
    async with ScriptedService() as elsewhere:
        service.otherwise = Reply(307, None, {"Location": elsewhere.url})
        assert (await post(client, service, activity)).status == 307
        assert elsewhere.seen == []


async def test_a_skill_that_is_not_there(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """The error names the skill by its id, and does not quote the activity."""
    await service.server.stop()
    with pytest.raises(ConnectorError, match=SKILL) as caught:
        await post(client, service, activity)
    assert isinstance(caught.value.__cause__, OSError)
    assert "book a flight" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(("seconds", "in_time"), [(-1, True), (1, False)])
async def test_a_skill_that_takes_its_time(
    client: SkillClient,
    service: ScriptedService,
    activity: Any,
    stopped_clock: MovedClock,
    seconds: float,
    in_time: bool,
) -> None:
    """The parent waits for a skill's turn longer than for a channel's answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        stopped_clock.move(BOT_TIMEOUTS.total + seconds)
        await settled()
        return web.json_response({})

    service.otherwise = answer
    if in_time:
        assert (await post(client, service, activity)).status == 200
    else:
        with pytest.raises(ConnectorError):
            await post(client, service, activity)


async def test_a_number_that_is_not_json(
    client: SkillClient, service: ScriptedService, activity: Any
) -> None:
    """NaN is not sent."""
    activity.value = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        await post(client, service, activity)
    assert service.seen == []


INSECURE = [
    "http://skill.example/api/messages",
    "HTTP://skill.example/api/messages",
    "ftp://skill.example/",
    "//skill.example/api/messages",
    "skill.example/api/messages",
    "https:skill.example/api/messages",
    "https://user@skill.example/api/messages",
    "https://skill.example\\@evil.example/",
    "https://skill.example/\r\nX: y",
    "http://localhost.example/api/messages",
    "http://127.0.0.1.example/api/messages",
    "",
]


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize("url", INSECURE)
async def test_a_skill_without_https(
    url: str, loopback: bool, app: ComposedApp, pool: HttpPool, activity: Any
) -> None:
    """Without https the bot's token is not sent, and not even requested."""
    credentials = BotCredentialsFactory(BOT, app.parts.tokens)
    client = SkillClient(pool, credentials, CHANNEL, loopback=loopback)
    before = app.cloud.identity.server.requests.total()
    with pytest.raises(CallRefused, match="https"):
        await client.post_activity(BOT, SKILL, url, PARENT_URL, "conversation-9", activity)
    assert app.cloud.identity.server.requests.total() == before


async def test_a_local_skill_outside_of_development(
    pool: HttpPool, service: ScriptedService, activity: Any
) -> None:
    """Outside of development, a skill on this machine needs https, too."""
    credentials = BotCredentialsFactory(BOT, None)
    client = SkillClient(pool, credentials, CHANNEL, loopback=False)
    with pytest.raises(CallRefused, match=SKILL):
        await post(client, service, activity)
    assert service.seen == []


async def test_the_token_is_for_the_skill(
    app: ComposedApp, service: ScriptedService, activity: Any
) -> None:
    """The bearer token names the skill as its audience and the bot as its app."""
    skills = app.parts.adapter.bot_framework_authentication.create_bot_framework_client()
    await post(skills, service, activity)
    token = service.seen[0].headers["Authorization"].removeprefix("Bearer ")
    registration = app.cloud.registration
    claims = app.cloud.entra.issuer.verify(token, SKILL, registration.token_issuer)
    assert claims["appid"] == registration.app_id


async def test_no_token_for_the_skill(
    app: ComposedApp, service: ScriptedService, activity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token nothing is sent."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    skills = app.parts.adapter.bot_framework_authentication.create_bot_framework_client()
    with pytest.raises(SignInError):
        await post(skills, service, activity)
    assert service.seen == []
