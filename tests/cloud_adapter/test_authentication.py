"""BotAuthentication: who is let in, and that every outbound call is the one bot's."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)
from botframework.connector.auth import AuthenticationConstants

from auth.errors import CallerForbidden, ServiceUrlRefused, SignInError, TokenRejected
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.codec.reader import read_model
from cloud_adapter.connector.errors import ConnectorError
from cloud_adapter.request import TurnRequest
from emulator.cloud import CERTIFICATE, MANAGED_IDENTITY, Cloud
from tests.support.bots.cloud_thread import CloudThread
from tests.support.bots.composed_app import ComposedApp
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Reply, ScriptedService, Seen

CHANNEL = "https://api.botframework.com"
SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
FOREIGN = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def certificate_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for a bot with a certificate."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"), CERTIFICATE)) as thread:
        yield thread.cloud


@pytest.fixture(params=[MANAGED_IDENTITY, CERTIFICATE])
async def signed_in(
    request: pytest.FixtureRequest,
    cloud: Cloud,
    certificate_cloud: Cloud,
    service: ScriptedService,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[ComposedApp]:
    """An app with each kind of credential; `service` is its token service."""
    mine = cloud if request.param == MANAGED_IDENTITY else certificate_cloud
    async with ComposedApp(mine, monkeypatch, {"OAuthUrl": service.url}) as app:
        yield app


@pytest.fixture
async def open_app(
    cloud: Cloud, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ComposedApp]:
    """An app that checks nobody and signs in nowhere; `service` is its token service."""
    changes = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true", "OAuthUrl": service.url}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


def authentication(app: ComposedApp) -> BotAuthentication:
    """The composed app's."""
    found: BotAuthentication = app.parts.adapter.bot_framework_authentication
    return found


def claims(app: ComposedApp, seen: Seen, audience: str) -> dict[str, Any]:
    """What the bearer token of a request says, if Entra signed it for this audience."""
    scheme, _, token = seen.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    issuer = app.cloud.registration.token_issuer
    return app.cloud.entra.issuer.verify(token, audience, issuer)


async def post_to_skill(app: ComposedApp, service: ScriptedService) -> None:
    """Call a skill."""
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    client = authentication(app).create_bot_framework_client()
    await client.post_activity("", SKILL, f"{service.url}/skill", "https://x/", "c", activity)


async def ask_for_user_token(app: ComposedApp) -> None:
    """Call the token service."""
    client = await authentication(app).create_user_token_client(None)
    await client.get_user_token("user-1", "connection", "webchat", None)


async def send_proactively(app: ComposedApp, service_url: str) -> None:
    """Send a message outside of any turn."""
    reference = ConversationReference(
        channel_id="webchat",
        service_url=service_url,
        conversation=ConversationAccount(id=app.conversation.id),
    )

    async def say(turn: TurnContext) -> None:
        await turn.send_activity("by the way")

    await app.parts.adapter.continue_conversation(reference, say, app.cloud.registration.app_id)


# One credential for every call


async def test_every_call_is_the_bot_s(signed_in: ComposedApp, service: ScriptedService) -> None:
    """Skills, the token service and proactive messages get tokens of the same credential."""
    app, app_id = signed_in, signed_in.cloud.registration.app_id
    service.otherwise = Reply(200, {})
    await post_to_skill(app, service)
    await ask_for_user_token(app)
    await send_proactively(app, app.service_url)
    assert claims(app, service.seen[0], SKILL)["appid"] == app_id
    assert claims(app, service.seen[1], CHANNEL)["appid"] == app_id
    call = app.cloud.connector.calls[-1]
    assert (call.status, call.verified, call.appid) == (201, True, app_id)
    assert app.heard() == ["by the way"]


async def test_warm_calls_do_not_sign_in(signed_in: ComposedApp, service: ScriptedService) -> None:
    """Once there is a token for an audience, all calls for it use that one."""
    service.otherwise = Reply(200, {})
    await post_to_skill(signed_in, service)
    await ask_for_user_token(signed_in)
    issued = signed_in.cloud.entra.tokens_issued
    await post_to_skill(signed_in, service)
    await ask_for_user_token(signed_in)
    await send_proactively(signed_in, signed_in.service_url)
    headers = [seen.headers["Authorization"] for seen in service.seen]
    assert headers[:2] == headers[2:]
    assert signed_in.cloud.entra.tokens_issued == issued


async def test_a_turn_that_asks_for_no_user_s_token(app: ComposedApp) -> None:
    """Its client of the token service signs in on first use only, and then tells if it cannot."""
    before = app.cloud.entra.tokens_issued
    client = await authentication(app).create_user_token_client(None)
    assert app.cloud.entra.tokens_issued == before
    app.cloud.identity.server.faults.set(status=400)
    try:
        with pytest.raises(SignInError):
            await client.get_user_token("user-1", "connection", "webchat", None)
    finally:
        app.cloud.identity.server.faults.clear()


async def named_in_sign_in(app: ComposedApp, service: ScriptedService) -> str:
    """Whose user signs in, by what the token service hears."""
    service.otherwise = Reply(200, {})
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    activity.from_property = activity.recipient = ChannelAccount(id="1")
    client = await authentication(app).create_user_token_client(None)
    await client.get_sign_in_resource("connection", activity, None)
    app_id: str = json.loads(base64.b64decode(service.seen[-1].query["state"]))["msAppId"]
    return app_id


async def test_a_sign_in_names_the_bot(signed_in: ComposedApp, service: ScriptedService) -> None:
    """The token service hears which bot's user signs in."""
    assert await named_in_sign_in(signed_in, service) == signed_in.cloud.registration.app_id


async def test_an_unauthenticated_bot_names_nobody(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """A bot that checks nobody does not give itself out for one that does."""
    assert await named_in_sign_in(open_app, service) == ""


async def test_the_audience_is_the_settings(
    cloud: Cloud, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the channel has another audience, its services and turns get tokens for that one."""
    changes = {
        "ToChannelFromBotOAuthScope": "https://channel.example/.default",
        "OAuthUrl": service.url,
    }
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        await ask_for_user_token(app)
        await send_proactively(app, service.url)
        assert len(service.seen) == 2
        for seen in service.seen:
            assert claims(app, seen, "https://channel.example")
        assert authentication(app).get_originating_audience() == "https://channel.example"


async def test_a_client_for_another_audience(app: ComposedApp, service: ScriptedService) -> None:
    """The connector factory makes clients for the audience that it is asked for."""
    factory = authentication(app).create_connector_factory(None)
    client = await factory.create(service.url, SKILL)
    await client.conversations.delete_activity("c", "a")
    assert claims(app, service.seen[0], SKILL)


# Without authentication


async def test_unauthenticated_calls_carry_no_token(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """No call of an unauthenticated bot has an Authorization header, and nobody signs in."""
    before = open_app.cloud.entra.tokens_issued
    service.otherwise = Reply(200, {})
    await post_to_skill(open_app, service)
    await ask_for_user_token(open_app)
    await send_proactively(open_app, service.url)
    assert [seen.path.split("/")[1] for seen in service.seen] == ["skill", "api", "v3"]
    assert all("Authorization" not in seen.headers for seen in service.seen)
    assert open_app.cloud.entra.tokens_issued == before


async def test_unauthenticated_callers_are_nobody(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """A request without a token is a turn, of an anonymous caller."""
    seen: list[Any] = []

    async def bot(turn: TurnContext) -> None:
        seen.append((turn.turn_state[turn.adapter.BOT_IDENTITY_KEY], turn.activity.caller_id))
        await turn.send_activity("hello")

    activity = open_app.activity({"type": "message", "serviceUrl": service.url})
    request = TurnRequest("application/json", "", json.dumps(activity).encode())
    response = await open_app.parts.adapter.process(request, SimpleNamespace(on_turn=bot))
    assert (response.status, len(service.seen)) == (200, 1)
    ((identity, caller_id),) = seen
    assert identity.authentication_type == AuthenticationConstants.ANONYMOUS_AUTH_TYPE
    assert (identity.claims, caller_id) == ({}, None)


async def test_unauthenticated_bots_answer_known_places_only(open_app: ComposedApp) -> None:
    """The service URL is checked all the same."""
    activity = read_model(
        Activity, open_app.activity({"type": "message", "serviceUrl": "https://evil.example/"})
    )
    with pytest.raises(ServiceUrlRefused):
        await authentication(open_app).authenticate_request(activity, "")


# Who is let in


async def test_an_authenticated_caller(app: ComposedApp) -> None:
    """The turn knows the token's claims, the channel's audience and the caller id."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    token = app.cloud.channel.token(app.service_url)
    result = await authentication(app).authenticate_request(activity, f"Bearer {token}")
    identity = result.claims_identity
    assert identity.is_authenticated
    assert identity.get_claim_value("aud") == app.cloud.registration.app_id
    assert identity.get_claim_value("serviceurl") == app.service_url
    assert result.audience == CHANNEL
    assert result.caller_id == "urn:botframework:azure"
    client = await result.connector_factory.create(app.service_url, result.audience)
    assert client.config.base_url == app.service_url


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi"])
async def test_a_caller_without_a_token(app: ComposedApp, header: str) -> None:
    """Nobody comes in without a channel's token."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    with pytest.raises(TokenRejected):
        await authentication(app).authenticate_request(activity, header)


async def test_a_token_for_another_place(app: ComposedApp) -> None:
    """A token is good for its own service URL only."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    token = app.cloud.channel.token("https://smba.trafficmanager.net/amer/")
    with pytest.raises(CallerForbidden):
        await authentication(app).authenticate_request(activity, f"Bearer {token}")


async def test_streaming_is_refused(app: ComposedApp) -> None:
    """There are no streaming connections, with whatever token."""
    token = app.cloud.channel.token(app.service_url)
    with pytest.raises(TokenRejected):
        await authentication(app).authenticate_streaming_request(f"Bearer {token}", "webchat")


IN_CONVERSATION = {"conversation": {"id": "c", "tenantId": TENANT}}
FOREIGN_CONVERSATION = {"conversation": {"id": "c", "tenantId": FOREIGN}}
IN_DATA = {"channelData": {"tenant": {"id": TENANT.upper()}}}
FOREIGN_DATA = {"channelData": {"tenant": {"id": FOREIGN}}}


@pytest.mark.parametrize(
    ("content", "welcome"),
    [
        pytest.param(IN_CONVERSATION, True, id="conversation"),
        pytest.param(IN_DATA, True, id="channelData"),
        pytest.param({**IN_CONVERSATION, **IN_DATA}, True, id="both"),
        pytest.param({}, False, id="none"),
        pytest.param(FOREIGN_CONVERSATION, False, id="foreign conversation"),
        pytest.param(FOREIGN_DATA, False, id="foreign channelData"),
        pytest.param({**FOREIGN_CONVERSATION, **IN_DATA}, False, id="foreign conversation of two"),
        pytest.param({**IN_CONVERSATION, **FOREIGN_DATA}, False, id="foreign channelData of two"),
        pytest.param(
            {"conversation": {"id": "c", "tenantID": TENANT, "tenantId": FOREIGN}},
            False,
            id="two spellings",
        ),
        pytest.param(
            {"conversation": {"id": "c", "tenantID": FOREIGN, "tenantId": TENANT}},
            False,
            id="two spellings turned round",
        ),
        pytest.param(
            {"conversation": {"id": "c", "tenantID": TENANT}}, True, id="the SDK's spelling"
        ),
        pytest.param(
            {"conversation": {"id": "c", "tenantID": FOREIGN}},
            False,
            id="foreign in the SDK's spelling",
        ),
        pytest.param({"channelData": {"tenant": {"id": ""}}}, False, id="empty"),
        pytest.param({"channelData": {"tenant": {"id": [TENANT]}}}, False, id="a list"),
        pytest.param({"channelData": {"tenant": TENANT}}, False, id="a text for a tenant"),
        pytest.param({"channelData": [TENANT]}, False, id="other channel data"),
        pytest.param({"channelData": TENANT}, False, id="a text for channel data"),
    ],
)
async def test_tenants(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], welcome: bool
) -> None:
    """With AllowedTenants, Teams must name a tenant, and all that it names must be listed."""
    async with ComposedApp(cloud, monkeypatch, {"AllowedTenants": f"{OTHER},{TENANT}"}) as app:
        message = {"type": "message", "channelId": "msteams", **content}
        activity = read_model(Activity, app.activity(message))
        header = f"Bearer {cloud.channel.token(app.service_url)}"
        if welcome:
            await authentication(app).authenticate_request(activity, header)
        else:
            with pytest.raises(CallerForbidden, match="AllowedTenants"):
                await authentication(app).authenticate_request(activity, header)


@pytest.mark.parametrize("channel", ["webchat", "directline", "slack", "emulator"])
@pytest.mark.parametrize("content", [IN_CONVERSATION, IN_DATA, {**IN_CONVERSATION, **IN_DATA}])
async def test_a_tenant_that_the_user_claims(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, channel: str, content: dict[str, Any]
) -> None:
    """On channels where the client writes the tenant, AllowedTenants admits nobody."""
    async with ComposedApp(cloud, monkeypatch, {"AllowedTenants": TENANT}) as app:
        message = {"type": "message", "channelId": channel, **content}
        activity = read_model(Activity, app.activity(message))
        header = f"Bearer {cloud.channel.token(app.service_url)}"
        with pytest.raises(CallerForbidden, match="AllowedTenants"):
            await authentication(app).authenticate_request(activity, header)


@pytest.mark.parametrize("content", [{}, FOREIGN_CONVERSATION, FOREIGN_DATA])
async def test_every_tenant(app: ComposedApp, content: dict[str, Any]) -> None:
    """Without AllowedTenants all tenants are welcome."""
    activity = read_model(Activity, app.activity({"type": "message", **content}))
    token = app.cloud.channel.token(app.service_url)
    assert await authentication(app).authenticate_request(activity, f"Bearer {token}")


# Where the bot may send


@pytest.mark.parametrize(
    "refused",
    [
        "https://evil.example/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net@evil.example/",
        "http://smba.trafficmanager.net/",
        "http://user@localhost:{port}/",
        "http://127.1:{port}/",
        "http://0.0.0.0:{port}/",
        "ftp://localhost:{port}/",
        "localhost:{port}",
    ],
)
async def test_a_proactive_message_to_a_refused_place(
    app: ComposedApp, service: ScriptedService, refused: str
) -> None:
    """It raises before anybody signs in, and nothing is sent."""
    before = app.cloud.entra.tokens_issued
    with pytest.raises(ServiceUrlRefused):
        await send_proactively(app, refused.format(port=service.server.port))
    assert service.seen == []
    assert app.cloud.entra.tokens_issued == before


# Delivered before


async def test_who_was_let_in_before(app: ComposedApp) -> None:
    """A caller that was let in is the same for a later turn."""
    claims = {"aud": app.cloud.registration.app_id, "serviceurl": app.service_url}
    found = authentication(app).authorized_before(claims)
    assert found.claims_identity.is_authenticated
    assert found.claims_identity.claims == claims
    assert found.claims_identity.claims is not claims
    assert (found.audience, found.caller_id) == (CHANNEL, "urn:botframework:azure")
    client = await found.connector_factory.create(app.service_url)
    assert client.config.base_url == app.service_url


async def test_nobody_checked_before(open_app: ComposedApp) -> None:
    """Where nobody is checked a later turn is anonymous, too."""
    found = authentication(open_app).authorized_before({})
    kind = found.claims_identity.authentication_type
    assert kind == AuthenticationConstants.ANONYMOUS_AUTH_TYPE
    assert found.caller_id is None


async def test_where_a_later_turn_may_send(app: ComposedApp) -> None:
    """Its replies go nowhere else than those of others."""
    found = authentication(app).authorized_before({})
    with pytest.raises(ServiceUrlRefused):
        await found.connector_factory.create("https://evil.example/")


async def test_a_later_turn_has_no_haste(
    app: ComposedApp, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls have the patience that the connector asks for, where a first one has not."""
    monkeypatch.setattr(app.parts.session, "_sleep", clock.sleep)
    later = authentication(app).authorized_before({}).connector_factory
    now = authentication(app).create_connector_factory(None)
    faults = app.cloud.connector.server.faults
    for factory, refused in ((now, True), (later, False)):
        client = await factory.create(app.service_url)
        faults.set(status=429, retry_after=13, remaining=2)
        call = client.conversations.send_to_conversation(
            app.conversation.id, Activity(type="message", text="x")
        )
        if refused:
            with pytest.raises(ConnectorError):
                await call
        else:
            await call
        faults.clear()
    assert clock.pauses == [13, 13]
    assert app.heard() == ["x"]
