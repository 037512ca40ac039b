"""EntraClient: what the text of a refusal says to fix, and malformed responses."""

import logging
from typing import Any

import pytest

from auth.certificates.certificate import Certificate
from auth.errors import CertificateUnknown, EndpointDown, SignInError
from auth.outbound.entra import Assertion, EntraClient
from bot_workbench.emulator.cloud import Cloud
from http_client.pool import HttpPool
from tests.support.credentials.sign_in import AUDIENCE, UNKNOWN_ID, failure, made
from tests.support.wire.scripted_service import Reply, ScriptedService


async def test_an_unknown_tenant(platform: Cloud, pool: HttpPool, assertion: Assertion) -> None:
    """For a tenant that does not exist, the text names its setting."""
    authority = f"{platform.entra.server.url}/{UNKNOWN_ID}"
    entra = EntraClient(platform.registration.app_id, authority, pool)
    error = await failure(entra.request_token(AUDIENCE, assertion))
    assert type(error) is SignInError
    assert authority in str(error)
    assert "MicrosoftAppTenantId" in str(error)


async def test_an_unknown_certificate(
    entra: EntraClient, assertion: Assertion, certificate: Certificate, platform: Cloud
) -> None:
    """A certificate that Entra does not know is named, with its dates and where to upload it."""
    platform.registration.certificates.clear()
    error = await failure(entra.request_token(AUDIENCE, assertion, certificate))
    assert isinstance(error, CertificateUnknown)
    assert f"app registration {platform.registration.app_id}" in str(error)
    assert f"AADSTS700027; signed with {certificate}; " in str(error)
    assert certificate.thumbprint in str(error)
    assert f"to {certificate.public.not_valid_after_utc:%Y-%m-%d}" in str(error)


FEDERATION = (
    "federated credential",
    "app registration {client}",
    "issuer {authority}/v2.0",
    "principal id of the managed identity AZURE_CLIENT_ID",
)
CURES = {
    700016: (
        "no app registration {client} in {authority}",
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "MicrosoftAppType",
    ),
    90002: ("{authority}", "MicrosoftAppTenantId"),
    900023: ("{authority}", "MicrosoftAppTenantId"),
    700024: ("set this machine's clock",),
    700027: ("Entra refused to sign in {client} at {authority}",),
    70021: FEDERATION,
    70025: FEDERATION,
    700211: FEDERATION,
    700212: FEDERATION,
    700213: FEDERATION,
    7002138: FEDERATION,
    700222: ("user-assigned identities in the same tenant", "AZURE_CLIENT_ID"),
    7000112: ("{client} is disabled",),
    7000229: ("no service principal for {client}",),
    500011: (
        "{authority} does not know the audience " + AUDIENCE,
        "services.token",
        "ToChannelFromBotOAuthScope",
    ),
    501051: ("the audience " + AUDIENCE, "app roles to {client}"),
    53003: ("Conditional Access", "{client}"),
    12345: ("Entra refused to sign in {client} at {authority}",),
}
"""By Entra's code, what the text must say where no certificate signs."""


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("code", CURES)
async def test_every_refusal(
    code: int, status: int, at_odd: EntraClient, odd: ScriptedService
) -> None:
    """Each code of Entra's has its cure in the text, with Entra's own words behind it."""
    odd.otherwise = Reply(
        status,
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{code}: Entra's own {{words}}.",
            "error_codes": [code],
        },
    )
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert type(error) is SignInError
    for part in (*CURES[code], f"(AADSTS{code}; ", "Entra's own {words}."):
        assert part.format(
            client=UNKNOWN_ID, authority=f"{odd.url}/tenant", words="{words}"
        ) in str(error)
    assert "an-assertion" not in str(error)


@pytest.mark.parametrize(
    "content",
    [
        {"error": "invalid_client"},
        {"error": None, "error_description": None, "error_codes": None},
        {"error": 7, "error_description": 7, "error_codes": 700027},
        {"error": ["a"], "error_description": ["a"], "error_codes": "700027"},
        {"error": {}, "error_description": {"a": "b" * 9999}, "error_codes": {"a": "b"}},
        {"error": "a", "error_description": "b" * 100_000, "error_codes": []},
        {"error": "a", "error_description": "one\ntwo\r\n\x1b[31mthree\u2028four"},
        {"error": "a", "error_description": "\ud800\udfff\x00" * 999},
        {"error": "\u202e" * 999},
        {"error": "a", "error_codes": ["700027"]},
        {"error": "a", "error_codes": [[700027]]},
        {"error": "a", "error_codes": [{"a": 1}]},
        {"error": "a", "error_codes": [None]},
        {"error": "a", "error_codes": [True]},
        {"error": "a", "error_codes": ["b\n" * 9999]},
        {"error": "a", "error_codes": [10**500]},
    ],
    ids=lambda content: str(content)[:60],
)
async def test_an_odd_refusal(content: object, at_odd: EntraClient, odd: ScriptedService) -> None:
    """Any refusal is a failed sign-in, with one line of limited length."""
    odd.otherwise = Reply(400, content)
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert UNKNOWN_ID in str(error)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"error_description": "AADSTS700027: Entra's own words", "error_codes": [700027]},
        {"token_type": "Bearer", "expires_in": 3599},
        {"access_token": "secret"},
        {"access_token": "secret", "expires_in": "soon"},
        {"access_token": "secret", "expires_in": None},
        {"access_token": "secret", "expires_in": []},
        {"access_token": "secret", "expires_in": 1e400},
        {"access_token": None, "expires_in": 3599},
        {"access_token": "", "expires_in": 3599},
        {"access_token": 7, "expires_in": 3599},
        {"access_token": ["secret"], "expires_in": 3599},
        {"access_token": "secret", "expires_in": 3599, "id_token": "odd"},
    ],
    ids=str,
)
async def test_an_answer_of_another_shape(
    content: object,
    status: int,
    at_odd: EntraClient,
    odd: ScriptedService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A response with neither token nor error is not Entra's, and the text does not quote it."""
    caplog.set_level(logging.DEBUG)
    odd.otherwise = Reply(status, content)
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert isinstance(error, EndpointDown)
    assert (
        f"{odd.url}/tenant does not answer as Entra does: it sent neither token nor error"
        in str(error)
    )
    assert "MicrosoftAppTenantId" not in str(error)
    assert "secret" not in f"{error} {error.__cause__} {caplog.text}"


@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
@pytest.mark.parametrize("value", ["absent", None, 7, [], {}, "", "a", "http://localhost/t/token"])
async def test_odd_metadata(
    name: str,
    value: object,
    at_odd: EntraClient,
    odd: ScriptedService,
    published: dict[str, Any],
) -> None:
    """A tenant that publishes no endpoint to sign in at is a failed sign-in."""
    published[name] = value
    if value == "absent":
        del published[name]
    odd.script = [Reply(json=published)]
    odd.otherwise = Reply(400, {"error": "invalid_request"})
    error = await failure(at_odd.request_token(AUDIENCE, made))
    assert odd.url in str(error)


@pytest.mark.parametrize("authority", ["http://localhost:1/tenant", "https://localhost:1"])
async def test_no_tenant(authority: str, pool: HttpPool) -> None:
    """A URL that cannot be a tenant's fails without a request, and the text names the setting."""
    error = await failure(EntraClient(UNKNOWN_ID, authority, pool).request_token(AUDIENCE, made))
    assert authority in str(error)
    assert "MicrosoftAppTenantId" in str(error)


async def test_a_refusal_is_not_remembered(
    entra: EntraClient,
    assertion: Assertion,
    authority: str,
    platform: Cloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once its cause is fixed, a refusal is over at once, even for the same assertion."""
    monkeypatch.setattr(platform.entra.assertions, "single_use", False)
    once = await assertion(f"{authority}/oauth2/v2.0/token")

    async def same(_: str) -> str:
        return once

    app_id = platform.registration.app_id
    monkeypatch.setattr(platform.registration, "app_id", UNKNOWN_ID)
    await failure(entra.request_token(AUDIENCE, same))
    monkeypatch.setattr(platform.registration, "app_id", app_id)
    assert (await entra.request_token(AUDIENCE, same)).value
