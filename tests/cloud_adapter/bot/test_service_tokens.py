"""`services.token`: the bot's tokens for other services, in turns, with every credential."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from botbuilder.core import TurnContext

from auth.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    MULTI_TENANT,
    SIGN_IN_VAULT,
    WITH_CERTIFICATE,
)
from auth.errors import SettingsError, SignInError
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.errors import NoToken
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.set_aside_turns import retry_of
from tests.support.logic import MESSAGE, woken
from tests.support.storage.queue_messages import QueueMessages
from tests.support.telemetry.exported_spans import TELEMETRY_ON, ExportedSpans

MODEL = "https://cognitiveservices.azure.com"
UNKNOWN = "https://cognitiveservices.example"

LocalClouds = Callable[[str], CloudThread]
Ask = Callable[[TurnContext], Coroutine[Any, Any, None]]


@pytest.fixture
def cloud(local_clouds: LocalClouds) -> Cloud:
    """That of a bot that signs in at Entra, which says why it refuses."""
    return local_clouds(CERTIFICATE).cloud


@pytest.fixture
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The app in front of it."""
    async with ComposedApp(cloud, monkeypatch) as app:
        yield app


@pytest.fixture(params=WITH_CERTIFICATE)
def multi_tenant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    """The cloud of a multi-tenant bot."""
    with CloudThread(Cloud(tmp_path, request.param, MULTI_TENANT)) as thread:
        yield thread.cloud


def asking(app: ComposedApp, tokens: list[str], audience: str = MODEL) -> Ask:
    """A bot that adds a token to the list."""

    async def ask(_: TurnContext) -> None:
        tokens.append(await app.parts.services.token(audience))

    return ask


def claims(cloud: Cloud, token: str, tenant_id: str) -> dict[str, Any]:
    """The claims of a token that this tenant has issued for MODEL."""
    issuer = f"https://sts.windows.net/{tenant_id}/"
    return cloud.entra.issuer.verify(token, MODEL, issuer)


def sign_ins(cloud: Cloud) -> int:
    """The requests for tokens so far."""
    return cloud.entra.token_requests + cloud.identity.server.requests.total()


@pytest.mark.parametrize("way", KINDS)
async def test_every_credential(
    way: str, local_clouds: LocalClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers in a turn share one token, also those in threads; it is the bot's own."""
    cloud, tokens = local_clouds(way).cloud, list[str]()
    async with ComposedApp(cloud, monkeypatch) as app:
        issued = cloud.entra.tokens_issued

        async def ask(turn: TurnContext) -> None:
            token, ask_here = app.parts.services.token, asking(app, tokens)
            await asyncio.gather(
                *(ask_here(turn) for _ in range(20)),
                *(asyncio.to_thread(asyncio.run, ask_here(turn)) for _ in range(3)),
            )
            before = sign_ins(cloud)
            tokens.append(await token(f"{MODEL}/.default"))
            assert sign_ins(cloud) == before
            await turn.send_activity("done")

        assert (await app.deliver(MESSAGE, ask)).status == 200
        assert app.texts() == ["done"]
        [value] = set(tokens)
        found = claims(cloud, value, cloud.registration.tenant_id)
        assert found["appid"] == cloud.registration.app_id
        assert len(tokens) == 24
        own = {MANAGED_IDENTITY: 0, CERTIFICATE: 1, SIGN_IN_VAULT: 1, FEDERATED: 2}
        # Beside this one and the channel's: the reader's of the vault, or one to exchange for each.
        assert cloud.entra.tokens_issued == issued + 2 + own[way]


async def test_on_behalf_of_a_user(app: ComposedApp, cloud: Cloud) -> None:
    """Single sign-on's token becomes one of the user for the model; another's is `NoToken`."""
    users, scopes = cloud.user_tokens, [f"{MODEL}/.default"]
    token = users.exchangeable_token(users.resource, "user-1", "user 1")
    found = await app.parts.services.token_on_behalf_of(scopes, token)
    assert claims(cloud, found, cloud.registration.tenant_id)["name"] == "user 1"
    with pytest.raises(NoToken, match="the user's token is not for"):
        await app.parts.services.token_on_behalf_of(scopes, found)


async def test_a_multi_tenant_bot(multi_tenant: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home tenant issues it, not the channels'; the certificate is loaded for both once."""
    tokens, home = list[str](), multi_tenant.registration.tenant_id
    changes = {"MicrosoftAppTenantId": home}
    async with ComposedApp(multi_tenant, monkeypatch, changes) as app:
        assert (await app.deliver(MESSAGE, asking(app, tokens))).status == 200
        await app.deliver(MESSAGE, asking(app, tokens))
        [value] = set(tokens)
        assert claims(multi_tenant, value, home)["appid"] == multi_tenant.registration.app_id
        channel = await app.parts.tokens.get(app.parts.settings.channel_audience)
        issuer = jwt.decode(channel.value, options={"verify_signature": False})["tid"]
        assert issuer == CHANNEL_TENANT
        assert multi_tenant.entra.token_outcomes == {"issued": 2}
        done = multi_tenant.vault.operations
        assert done["secrets/get"] + done["certificates/get"] == 1


async def test_a_multi_tenant_bot_without_its_tenant(
    multi_tenant: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the setting, and its turn fails as with any error of the bot's code."""
    async with ComposedApp(multi_tenant, monkeypatch) as app:
        with pytest.raises(SettingsError, match="MicrosoftAppTenantId: set the bot's home tenant"):
            await app.parts.services.token(MODEL)
        assert (await app.deliver(MESSAGE, asking(app, []))).status == 200
        assert app.texts() == [APOLOGY]


async def test_a_wrong_audience(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the bot's failure: the turn ends with the apology, and the log names the audience."""
    exported = ExportedSpans(monkeypatch)
    async with ComposedApp(cloud, monkeypatch, TELEMETRY_ON) as app:
        assert (await app.deliver(MESSAGE, asking(app, [], UNKNOWN))).status == 200
        assert app.texts() == [APOLOGY]
    [record] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    *_, last = record.getMessage().splitlines()
    assert last.startswith("NoToken: ")
    # `https` is in the activity's service URL, too.
    unknown = UNKNOWN.replace("https", "[redacted]")
    assert f"does not know the audience {unknown}: correct what the bot passes to" in last
    assert exported.attributes("agents.app.run")["error.type"] == NoToken.__name__


async def test_a_handler_of_errors(app: ComposedApp) -> None:
    """The bot's own gets the error in place of the apology; the cause is the failed sign-in."""
    errors: list[Exception] = []

    async def handler(_: TurnContext, error: Exception) -> None:
        errors.append(error)

    app.parts.services.on_error(handler)
    assert (await app.deliver(MESSAGE, asking(app, [], UNKNOWN))).status == 200
    [error] = errors
    assert (type(error), type(error.__cause__)) == (NoToken, SignInError)
    assert (str(error), app.texts()) == (str(error.__cause__), [])


async def test_a_queued_turn(queued: ComposedApp, wake_ups: QueueMessages) -> None:
    """It is tried as often as one that fails for another reason, and then the user hears of it."""
    ask = asking(queued, [], UNKNOWN)
    await queued.deliver(MESSAGE, ask)
    [message] = await wake_ups.taken()
    await woken(queued, message, ask)
    for _ in range(1, MAX_ATTEMPTS):
        assert queued.texts() == []
        await woken(queued, retry_of(message), ask)
    assert queued.texts() == [APOLOGY]


async def test_while_the_bot_is_created(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """`create_bot` can ask, too, on the loop of turns or on one of its own."""
    tokens: list[str] = []

    async def ask(services: Any) -> Any:
        tokens.append(await services.token(MODEL))
        return object()

    for create_bot in (ask, lambda services: asyncio.run(ask(services))):
        async with ComposedApp(cloud, monkeypatch, create_bot=create_bot):
            assert claims(cloud, tokens.pop(), cloud.registration.tenant_id)
