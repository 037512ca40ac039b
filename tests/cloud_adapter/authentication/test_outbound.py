"""BotAuthentication: every outbound call is made with the bot's one credential."""

import base64
import datetime
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, ConversationReference
from botframework.connector.auth import AuthenticationConstants, ClaimsIdentity, UserTokenClient
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.token_api.models import TokenExchangeRequest

from auth.credential_kinds import CERTIFICATE, MANAGED_IDENTITY
from auth.errors import ServiceUrlRefused, SignInError
from auth.inbound.bearer_token import BearerTokens
from auth.inbound.caller import CallerCheck
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.codec import read_model
from cloud_adapter.connector.client import ConnectorError, ConnectorSession
from composition import Composition
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


def claims(app: ComposedApp, seen: Seen, audience: str) -> dict[str, Any]:
    """The claims of a request's bearer token, which Entra signed for this audience."""
    scheme, _, token = seen.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    issuer = app.cloud.registration.token_issuer
    return app.cloud.entra.issuer.verify(token, audience, issuer)


async def post_to_skill(app: ComposedApp, service: ScriptedService) -> None:
    """Call a skill."""
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    client = app.authentication.create_bot_framework_client()
    await client.post_activity("", SKILL, f"{service.url}/skill", "https://x/", "c", activity)


async def ask_for_user_token(app: ComposedApp) -> None:
    """Call the token service."""
    client = await app.authentication.create_user_token_client(None)
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
    assert app.texts() == ["by the way"]


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
    """Its client of the token service signs in on first use only, and then raises if it cannot."""
    before = app.cloud.entra.tokens_issued
    client = await app.authentication.create_user_token_client(None)
    assert app.cloud.entra.tokens_issued == before
    app.cloud.identity.server.faults.set(status=400)
    try:
        with pytest.raises(SignInError):
            await client.get_user_token("user-1", "connection", "webchat", None)
    finally:
        app.cloud.identity.server.faults.clear()


async def named_in_sign_in(app: ComposedApp, service: ScriptedService) -> str:
    """The app id in the state that the token service gets."""
    service.otherwise = Reply(200, {})
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    activity.from_property = activity.recipient = ChannelAccount(id="1")
    client = await app.authentication.create_user_token_client(None)
    await client.get_sign_in_resource("connection", activity, None)
    app_id: str = json.loads(base64.b64decode(service.seen[-1].query["state"]))["msAppId"]
    return app_id


async def test_a_sign_in_names_the_bot(signed_in: ComposedApp, service: ScriptedService) -> None:
    """The token service learns which bot's user signs in."""
    assert await named_in_sign_in(signed_in, service) == signed_in.cloud.registration.app_id


async def test_an_unauthenticated_bot_names_nobody(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """An unauthenticated bot does not claim an app id."""
    assert await named_in_sign_in(open_app, service) == ""


async def test_the_audience_is_the_settings(
    cloud: Cloud, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the channel has another audience, calls of its services have tokens for that one."""
    changes = {
        "ToChannelFromBotOAuthScope": "https://api.botframework.us/.default",
        "OAuthUrl": service.url,
    }
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        await ask_for_user_token(app)
        await send_proactively(app, service.url)
        assert len(service.seen) == 2
        for seen in service.seen:
            assert claims(app, seen, "https://api.botframework.us")
        assert app.authentication.get_originating_audience() == "https://api.botframework.us"


async def test_a_client_for_another_audience(app: ComposedApp, service: ScriptedService) -> None:
    """The connector factory makes clients for the given audience."""
    factory = app.authentication.create_connector_factory(None)
    client = await factory.create(service.url, SKILL)
    await client.conversations.delete_activity("c", "a")
    assert claims(app, service.seen[0], SKILL)


async def test_unauthenticated_calls_carry_no_token(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """No call of an unauthenticated bot has an Authorization header, and no token is requested."""
    before = open_app.cloud.entra.tokens_issued
    service.otherwise = Reply(200, {})
    await post_to_skill(open_app, service)
    await ask_for_user_token(open_app)
    await send_proactively(open_app, service.url)
    assert [seen.path.split("/")[1] for seen in service.seen] == ["skill", "api", "v3"]
    assert all("Authorization" not in seen.headers for seen in service.seen)
    assert open_app.cloud.entra.tokens_issued == before


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
async def test_a_proactive_message_to_a_refused_service_url(
    app: ComposedApp, service: ScriptedService, refused: str
) -> None:
    """It raises before a token is requested, and nothing is sent."""
    before = app.cloud.entra.tokens_issued
    with pytest.raises(ServiceUrlRefused):
        await send_proactively(app, refused.format(port=service.server.port))
    assert service.seen == []
    assert app.cloud.entra.tokens_issued == before


async def test_a_caller_authorized_before(app: ComposedApp) -> None:
    """A queued turn has the caller's claims, audience and caller id."""
    claims = {"aud": app.cloud.registration.app_id, "serviceurl": app.service_url}
    found = app.authentication.authorized_before(claims)
    assert found.claims_identity.is_authenticated
    assert found.claims_identity.claims == claims
    assert found.claims_identity.claims is not claims
    assert (found.audience, found.caller_id) == (CHANNEL, "urn:botframework:azure")
    client = await found.connector_factory.create(app.service_url)
    assert client.config.base_url == app.service_url


async def test_an_anonymous_caller_before(open_app: ComposedApp) -> None:
    """Without authentication, a queued turn is anonymous, too."""
    found = open_app.authentication.authorized_before({})
    kind = found.claims_identity.authentication_type
    assert kind == AuthenticationConstants.ANONYMOUS_AUTH_TYPE
    assert found.caller_id is None


async def test_the_service_urls_of_a_queued_turn(app: ComposedApp) -> None:
    """They are checked as in any other turn."""
    found = app.authentication.authorized_before({})
    with pytest.raises(ServiceUrlRefused):
        await found.connector_factory.create("https://evil.example/")


def by_clock(app: ComposedApp, clock: MovedClock) -> BotAuthentication:
    """The app's authentication, with a session whose pauses move a clock."""
    settings, parts = app.parts.settings, app.parts
    session = ConnectorSession(parts.pool, clock.sleep)
    tokens = BearerTokens({settings.channel_issuer: parts.keys})
    check = CallerCheck(tokens, settings.app_id, settings.service_urls, settings.bot_callers)
    return BotAuthentication(settings, check, parts.tokens, session, parts.pool, 0)


async def test_a_queued_turn_has_more_time(app: ComposedApp, clock: MovedClock) -> None:
    """Its calls wait as long as the connector asks, where those of an inline turn fail."""
    authentication = by_clock(app, clock)
    later = authentication.authorized_before({}).connector_factory
    now = authentication.create_connector_factory(None)
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
    assert app.texts() == ["x"]


CALLERS: dict[str, Callable[[BotAuthentication], AuthenticateRequestResult]] = {
    "queued": lambda authentication: authentication.authorized_before({}),
    "proactive": lambda authentication: authentication.unretried_sender(),
    "inline": lambda authentication: authentication.replying_skill(
        ClaimsIdentity({}, True), CHANNEL
    ),
}


@pytest.mark.parametrize("kind", CALLERS)
async def test_user_tokens_after_a_minute_of_a_turn(
    kind: str, signed_in: ComposedApp, service: ScriptedService, clock: MovedClock
) -> None:
    """A 503 of the token service is final only in a turn that the channel waits for."""
    authentication = by_clock(signed_in, clock)
    adapter, caller = CloudAdapter(authentication), CALLERS[kind](authentication)
    service.script = [Reply(503)]
    service.otherwise = Reply(200, {"connectionName": "connection", "token": "a token"})
    found: list[str] = []

    async def turn(context: TurnContext) -> None:
        clock.move(60)
        client = context.turn_state[UserTokenClient.__name__]
        try:
            response = await client.get_user_token("user-1", "connection", "webchat", None)
        except ConnectorError as error:
            found.append(f"{error.response.status_code}")
        else:
            found.append(response.token)

    activity = read_model(Activity, signed_in.activity({"type": "message", "text": "sesame"}))
    await adapter.run(caller, activity, turn, adapter.handle_error)
    is_final = kind == "inline"
    assert found == ["503" if is_final else "a token"]
    assert len(service.seen) == (1 if is_final else 2)
    assert len(clock.pauses) == (0 if is_final else 1)


async def test_the_token_service_has_the_turns_time(
    signed_in: ComposedApp, service: ScriptedService
) -> None:
    """A pause beyond the turn's time is not waited for."""
    service.otherwise = Reply(429, None, {"Retry-After": "13"})
    with pytest.raises(ConnectorError):
        await ask_for_user_token(signed_in)
    assert len(service.seen) == 1


async def test_when_the_process_started(app: ComposedApp) -> None:
    """The proof says when the app was loaded, even if its parts are created later.

    A process that was loaded before a restart would else pass for the restarted one.
    """
    before = time.time()
    composition = Composition(
        lambda: app.parts.settings, app.cloud.settings(), lambda _: app.parts.bot
    )
    loaded = time.time()
    parts = await composition.ready()
    try:
        proof = await parts.adapter.bot_framework_authentication.sign_in_proof()
    finally:
        await parts.close()
    started = datetime.datetime.fromisoformat(proof["processStartedOn"])
    assert started.utcoffset() == datetime.timedelta()
    assert before - 1e-5 <= started.timestamp() <= loaded + 1e-5  # in microseconds


@pytest.fixture
async def local_tool_app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ComposedApp]:
    """An app without authentication, whose token service is Microsoft's."""
    changes = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true", "OAuthUrl": ""}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


async def test_no_user_can_sign_in_without_authentication(local_tool_app: ComposedApp) -> None:
    """Microsoft's token service is not called: nobody is signed in, and signing in says why."""
    app, who = local_tool_app, ("user-1", "connection", "webchat")
    client = await app.authentication.create_user_token_client(None)
    assert await client.get_user_token(*who, None) is None
    assert await client.get_token_status("user-1", "webchat", None) == []
    assert await client.get_aad_tokens("user-1", "connection", ["https://x"], "webchat") == {}
    await client.sign_out_user(*who)
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    for refused in (
        client.get_sign_in_resource("connection", activity, None),
        client.exchange_token(*who, TokenExchangeRequest(token="a token")),
    ):
        with pytest.raises(ConnectorError, match="DANGEROUSLY_ALLOW_UNAUTHENTICATED") as caught:
            await refused
        assert caught.value.response.status_code == 501
