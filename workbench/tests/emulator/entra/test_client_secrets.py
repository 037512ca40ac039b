"""Client secrets: real clients sign in with them, and what is wrong is refused in Entra's words."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import CertificateCredential, ClientSecretCredential
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bot_workbench.emulator.certificates import CertificateAuthority, private_key_pem, self_signed
from bot_workbench.emulator.entra.credentials import CLIENT_SECRET
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, Registration, issuer_of
from tests.emulator.registered_bot import BOT_FRAMEWORK, SCOPE, TENANT
from tests.support.timing.clock import Clock

pytestmark = pytest.mark.usefixtures("trust")


@pytest.fixture
def bot(entra: Entra) -> Registration:
    """Another application than the directory's first one."""
    return entra.directory.add_application("contoso-bot")


@pytest.fixture
def secret(entra: Entra, bot: Registration) -> str:
    """The value of its secret."""
    return entra.directory.add_secret(bot, name="portal")


@pytest.fixture
def http_form(http: aiohttp.ClientSession, entra: Entra) -> Callable[..., Awaitable[Any]]:
    """Sends a token request; returns the status and the body."""

    async def send(headers: dict[str, str] | None = None, **form: str) -> tuple[int, Any]:
        url = f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
        body = {"grant_type": "client_credentials", "scope": SCOPE, **form}
        async with http.post(url, data=body, headers=headers) as response:
            return response.status, await response.json()

    return send


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """MSAL never closes the session that it makes itself."""
    with requests.Session() as session:
        yield session


async def azure_identity_token(entra: Entra, bot: Registration, value: str, ca: str) -> str:
    credential = ClientSecretCredential(
        TENANT,
        bot.app_id,
        value,
        authority=entra.server.url,
        disable_instance_discovery=True,
        connection_verify=ca,
    )
    async with credential:
        return str((await credential.get_token(SCOPE)).token)


def msal_answer(entra: Entra, session: requests.Session, app_id: str, value: str) -> Any:
    app = msal.ConfidentialClientApplication(
        app_id,
        client_credential=value,
        authority=f"{entra.server.url}/{TENANT}",
        instance_discovery=False,
        http_client=session,
    )
    return app.acquire_token_for_client([SCOPE])


async def test_azure_identity_signs_in_with_a_secret(
    entra: Entra, authority: CertificateAuthority, bot: Registration, secret: str
) -> None:
    """The token is the application's own, and says that a secret was used."""
    token = await azure_identity_token(entra, bot, secret, str(authority.path))
    claims = entra.issuer.verify(token, BOT_FRAMEWORK, bot.token_issuer)
    assert (claims["appid"], claims["oid"]) == (bot.app_id, bot.service_principal_id)
    assert claims["appidacr"] == "1"


async def test_msal_signs_in_with_a_secret(
    entra: Entra, session: requests.Session, bot: Registration, secret: str
) -> None:
    """MSAL, unmodified, as BotBuilder's own credentials use it."""
    answer = await asyncio.to_thread(msal_answer, entra, session, bot.app_id, secret)
    assert "access_token" in answer


async def test_a_multi_tenant_bot_signs_in_at_the_channels_tenant(
    entra: Entra, http: aiohttp.ClientSession
) -> None:
    """A second multi-tenant application gets the channels' tenant's token."""
    bot = entra.directory.add_application("old bot", audience="AzureADMultipleOrgs")
    form = {
        "grant_type": "client_credentials",
        "scope": SCOPE,
        "client_id": bot.app_id,
        "client_secret": entra.directory.add_secret(bot),
    }
    url = f"{entra.server.url}/botframework.com/oauth2/v2.0/token"
    async with http.post(url, data=form) as response:
        token = (await response.json())["access_token"]
    claims = entra.issuer.verify(token, BOT_FRAMEWORK, issuer_of(CHANNEL_TENANT))
    assert claims["appid"] == bot.app_id


async def test_id_and_secret_may_be_in_the_header(
    http_form: Any, bot: Registration, secret: str
) -> None:
    """HTTP Basic authentication names the client and its secret; a broken header is refused."""
    basic = base64.b64encode(f"{bot.app_id}:{secret}".encode()).decode()
    status, _ = await http_form({"Authorization": f"Basic {basic}"})
    assert status == 200
    status, answer = await http_form({"Authorization": "Basic ***"})
    assert (status, answer["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("wrong", ["made-up", "key id", "another application's"])
async def test_a_wrong_secret_is_refused(
    entra: Entra, authority: CertificateAuthority, bot: Registration, secret: str, wrong: str
) -> None:
    """A wrong value is refused with AADSTS7000215 and the application's id."""
    value = {"made-up": f"{secret}x", "key id": bot.secrets[0].key_id}.get(wrong)
    if value is None:
        value = entra.directory.add_secret(entra.directory.add_application("other"))
    with pytest.raises(ClientAuthenticationError) as refused:
        await azure_identity_token(entra, bot, value, str(authority.path))
    assert "AADSTS7000215: Invalid client secret provided." in str(refused.value)
    assert f"for a secret added to app '{bot.app_id}'." in str(refused.value)


async def test_an_expired_secret_is_refused(
    entra: Entra, session: requests.Session, bot: Registration
) -> None:
    """An expired secret is refused with AADSTS7000222, not as a wrong one."""
    value = entra.directory.add_secret(bot, ends_in_days=-1)
    answer = await asyncio.to_thread(msal_answer, entra, session, bot.app_id, value)
    assert answer["error_codes"] == [7000222]
    words = f"The provided client secret keys for app '{bot.app_id}' are expired."
    assert words in answer["error_description"]


async def test_a_secret_expires_by_the_applications_clock(
    entra: Entra, http_form: Any, bot: Registration, secret: str
) -> None:
    """Time moves on, and a good secret is refused."""
    form = {"client_id": bot.app_id, "client_secret": secret}
    assert (await http_form(**form))[0] == 200
    clock = Clock(entra.directory.clock() + 366 * 86400)
    bot.clock = clock
    _, answer = await http_form(**form)
    assert answer["error_codes"] == [7000222]


async def test_a_deleted_secret_is_refused(
    entra: Entra, http_form: Any, bot: Registration, secret: str
) -> None:
    """At once, while a token that was issued before stays valid and the other secret works."""
    other = entra.directory.add_secret(bot)
    form = {"client_id": bot.app_id, "client_secret": secret}
    _, earlier = await http_form(**form)
    bot.remove_secret(bot.secrets[0])
    status, answer = await http_form(**form)
    assert (status, answer["error_codes"]) == (401, [7000215])
    assert entra.issuer.verify(earlier["access_token"], BOT_FRAMEWORK, bot.token_issuer)
    assert (await http_form(**{**form, "client_secret": other}))[0] == 200


async def test_a_deleted_secret_may_be_accepted_for_a_while(
    http_form: Any, bot: Registration, secret: str
) -> None:
    """With a delay, the deletion is noticed only later: the trap of deleting too early."""
    clock = Clock(bot.clock())
    bot.clock = clock
    bot.remove_secret(bot.secrets[0], after=60.0)
    form = {"client_id": bot.app_id, "client_secret": secret}
    assert (await http_form(**form))[0] == 200
    clock.advance(60.0)
    assert (await http_form(**form))[0] == 401


async def test_a_new_secret_may_be_refused_for_a_while(
    http_form: Any, bot: Registration, secret: str
) -> None:
    """With a delay, Entra does not know a new secret yet."""
    clock = Clock(bot.clock())
    bot.clock = clock
    bot.delay(bot.secrets[0], 60.0)
    form = {"client_id": bot.app_id, "client_secret": secret}
    assert (await http_form(**form))[0] == 401
    clock.advance(60.0)
    assert (await http_form(**form))[0] == 200


async def test_an_application_without_a_service_principal_is_refused(
    http_form: Any, bot: Registration, secret: str
) -> None:
    """A registration alone cannot sign in."""
    bot.service_principal_id = ""
    _, answer = await http_form(client_id=bot.app_id, client_secret=secret)
    assert answer["error_codes"] == [7000229]


async def test_a_disabled_application_is_refused(
    http_form: Any, bot: Registration, secret: str, entra: Entra
) -> None:
    """An administrator can disable it under Enterprise applications."""
    entra.directory.disabled.add(bot.service_principal_id)
    _, answer = await http_form(client_id=bot.app_id, client_secret=secret)
    assert answer["error_codes"] == [7000112]


async def test_a_second_application_has_certificates_of_its_own(
    entra: Entra,
    authority: CertificateAuthority,
    bot: Registration,
    key: rsa.RSAPrivateKey,
) -> None:
    """Its certificate signs it in, and no other application."""
    own = self_signed("second", key)
    bot.register(own)

    async def sign_in(app_id: str) -> str:
        credential = CertificateCredential(
            TENANT,
            app_id,
            certificate_data=private_key_pem(key) + own.public_bytes(Encoding.PEM),
            authority=entra.server.url,
            disable_instance_discovery=True,
            connection_verify=str(authority.path),
        )
        async with credential:
            return str((await credential.get_token(SCOPE)).token)

    claims = entra.issuer.verify(await sign_in(bot.app_id), BOT_FRAMEWORK, bot.token_issuer)
    assert claims["appid"] == bot.app_id
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        await sign_in(entra.registration.app_id)


async def test_sign_ins_are_remembered_with_their_credential(
    entra: Entra, http_form: Any, bot: Registration, secret: str
) -> None:
    """Accepted sign-ins only: the application, and the kind and id of what it used."""
    await http_form(client_id=bot.app_id, client_secret=secret)
    await http_form(client_id=bot.app_id, client_secret="wrong")
    (sign_in,) = entra.directory.sign_ins
    assert (sign_in.app_id, sign_in.resource) == (bot.app_id, BOT_FRAMEWORK)
    assert sign_in.credential == (CLIENT_SECRET, bot.secrets[0].key_id)


def test_the_value_of_a_secret_is_stored_nowhere(bot: Registration, secret: str) -> None:
    """What is kept is a hash, three characters and dates; its text form shows neither."""
    (kept,) = bot.secrets
    assert secret.encode() not in kept.digest
    assert kept.hint == secret[:3]
    assert secret not in repr(kept)
    assert "digest" not in repr(kept)
