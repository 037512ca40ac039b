"""BotAuthentication: which callers it accepts, and what the turn knows of them."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity
from botframework.connector.auth import AuthenticationConstants

from auth.errors import CallerForbidden, ServiceUrlRefused, TokenRejected
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import TurnRequest
from cloud_adapter.codec import read_model
from tests.support.bots.composed_app import ComposedApp
from tests.support.wire.scripted_service import ScriptedService

CHANNEL = "https://api.botframework.com"
SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
FOREIGN = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


async def test_an_authenticated_caller(app: ComposedApp) -> None:
    """The turn knows the token's claims, the channel's audience and the caller id."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    token = app.cloud.channel.token(app.service_url)
    result = await app.authentication.authenticate_request(activity, f"Bearer {token}")
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
    """A request without a channel's token is refused."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    with pytest.raises(TokenRejected):
        await app.authentication.authenticate_request(activity, header)


async def test_a_token_for_another_service_url(app: ComposedApp) -> None:
    """A token is valid for its own service URL only."""
    activity = read_model(Activity, app.activity({"type": "message"}))
    token = app.cloud.channel.token("https://smba.trafficmanager.net/amer/")
    with pytest.raises(CallerForbidden):
        await app.authentication.authenticate_request(activity, f"Bearer {token}")


async def test_streaming_is_refused(app: ComposedApp) -> None:
    """There are no streaming connections, with whatever token."""
    token = app.cloud.channel.token(app.service_url)
    with pytest.raises(TokenRejected):
        await app.authentication.authenticate_streaming_request(f"Bearer {token}", "webchat")


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
    """With AllowedTenants, Teams must name a tenant, and every tenant it names must be listed."""
    async with ComposedApp(cloud, monkeypatch, {"AllowedTenants": f"{OTHER},{TENANT}"}) as app:
        message = {"type": "message", "channelId": "msteams", **content}
        activity = read_model(Activity, app.activity(message))
        header = f"Bearer {cloud.channel.token(app.service_url)}"
        if welcome:
            await app.authentication.authenticate_request(activity, header)
        else:
            with pytest.raises(CallerForbidden, match="AllowedTenants"):
                await app.authentication.authenticate_request(activity, header)


@pytest.mark.parametrize("channel", ["webchat", "directline", "slack", "emulator"])
@pytest.mark.parametrize("content", [IN_CONVERSATION, IN_DATA, {**IN_CONVERSATION, **IN_DATA}])
async def test_a_tenant_that_the_user_claims(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, channel: str, content: dict[str, Any]
) -> None:
    """On channels where the client writes the tenant, AllowedTenants refuses everybody."""
    async with ComposedApp(cloud, monkeypatch, {"AllowedTenants": TENANT}) as app:
        message = {"type": "message", "channelId": channel, **content}
        activity = read_model(Activity, app.activity(message))
        header = f"Bearer {cloud.channel.token(app.service_url)}"
        with pytest.raises(CallerForbidden, match="AllowedTenants"):
            await app.authentication.authenticate_request(activity, header)


@pytest.mark.parametrize("content", [{}, FOREIGN_CONVERSATION, FOREIGN_DATA])
async def test_every_tenant(app: ComposedApp, content: dict[str, Any]) -> None:
    """Without AllowedTenants, every tenant is allowed."""
    activity = read_model(Activity, app.activity({"type": "message", **content}))
    token = app.cloud.channel.token(app.service_url)
    assert await app.authentication.authenticate_request(activity, f"Bearer {token}")


async def test_unauthenticated_callers_are_anonymous(
    open_app: ComposedApp, service: ScriptedService
) -> None:
    """A request without a token is a turn of an anonymous caller."""
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


async def test_unauthenticated_bots_check_the_service_url(open_app: ComposedApp) -> None:
    """The service URL is checked all the same."""
    activity = read_model(
        Activity, open_app.activity({"type": "message", "serviceUrl": "https://evil.example/"})
    )
    with pytest.raises(ServiceUrlRefused):
        await open_app.authentication.authenticate_request(activity, "")
