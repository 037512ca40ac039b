"""EntraClient: tokens on behalf of users, and what is refused."""

import gc
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import jwt
import msal
import pytest

from auth.certificates.certificate import Certificate
from auth.errors import CertificateUnknown, EndpointDown, SignInError
from auth.outbound.entra import Assertion, EntraClient
from bot_workbench.emulator.channel.user_tokens import GRAPH, UserConnection
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, issuer_of
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.support.credentials.sign_in import UNKNOWN_ID, failure, made
from tests.support.wire.scripted_service import Reply, ScriptedService

READ = f"{GRAPH}/User.Read"
OWN = "own"
TARGET = UserConnection("user-1", OWN, "msteams")

USER = jwt.encode({"tid": UNKNOWN_ID, "name": "user 1"}, "k" * 32)
"""A user's token that nobody checks."""


def user_claims(platform: Cloud) -> dict[str, Any]:
    """What the token of a user says who has signed in for the bot's own registration."""
    platform.user_tokens.own_connections.add(OWN)
    platform.user_tokens.sign_in(TARGET, "user 1")
    answer = platform.user_tokens.token(TARGET)
    assert answer
    claims: dict[str, Any] = jwt.decode(answer["token"], options={"verify_signature": False})
    return claims


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another app's": ({"aud": f"api://{UNKNOWN_ID}"}, 500131, "OAuth connection ask for a scope"),
    "Graph's": ({"aud": GRAPH}, 500131, "OAuth connection ask for a scope of this app"),
    "expired": ({"exp": int(time.time()) - 60}, 500133, "expired: let the user sign in again"),
    "an app's": ({"idtyp": "app"}, 7000114, "on behalf of a user"),
    "of another issuer": ({"iss": "https://sts.windows.net/x/"}, 50013, "let the user sign in"),
    "nobody's": ({"oid": None}, 50013, "let the user sign in again"),
}
"""What is changed in a user's token, Entra's code, and what the text says."""


@pytest.mark.parametrize("case", REFUSED)
async def test_a_user_s_token_that_entra_refuses(
    case: str, platform: Cloud, entra: EntraClient, assertion: Assertion
) -> None:
    """The text says what to do, and quotes neither the token nor Entra's words."""
    changes, code, text = REFUSED[case]
    claims = {**user_claims(platform), **changes}
    token = platform.entra.issuer.sign({k: v for k, v in claims.items() if v is not None})
    error = await failure(entra.request_user_token([READ], token, assertion))
    assert type(error) is SignInError
    assert f"(AADSTS{code}; Entra's trace id " in str(error)
    assert text in str(error)
    assert token not in str(error)


@pytest.mark.parametrize("names_the_key", [False, True])
async def test_a_token_that_entra_did_not_sign(
    names_the_key: bool, platform: Cloud, entra: EntraClient, assertion: Assertion
) -> None:
    """Nor does one help whose signature is another's."""
    other = TokenIssuer()
    if names_the_key:
        other.keys = [replace(other.keys[0], kid=platform.entra.issuer.keys[-1].kid)]
    token = other.sign(user_claims(platform))
    error = await failure(entra.request_user_token([READ], token, assertion))
    assert "AADSTS50013" in str(error)


async def test_no_consent(
    platform: Cloud, entra: EntraClient, assertion: Assertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not consented is asked by nobody: the text names the service and the cure."""
    token = platform.entra.issuer.sign(user_claims(platform))
    monkeypatch.setattr(platform.registration, "unconsented", {GRAPH})
    error = await failure(entra.request_user_token([READ], token, assertion))
    assert f"{platform.registration.app_id} calls {READ} for this user" in str(error)
    assert "grant admin consent" in str(error)
    assert "AADSTS65001" in str(error)


async def test_a_wrong_client_assertion(platform: Cloud, entra: EntraClient) -> None:
    """The user's token alone is not enough."""
    token, issued = platform.entra.issuer.sign(user_claims(platform)), platform.entra.tokens_issued
    error = await failure(entra.request_user_token([READ], token, made))
    assert platform.entra.tokens_issued == issued
    assert "AADSTS" in str(error)


async def test_an_unknown_certificate(
    platform: Cloud, entra: EntraClient, assertion: Assertion, certificate: Certificate
) -> None:
    """It differs from a refused user, so that an older version is tried."""
    platform.registration.certificates.clear()
    token = platform.entra.issuer.sign(user_claims(platform))
    error = await failure(entra.request_user_token([READ], token, assertion, certificate))
    assert isinstance(error, CertificateUnknown)


async def test_another_tenant(platform: Cloud, entra: EntraClient, assertion: Assertion) -> None:
    """The user's tenant is asked, which does not know the bot."""
    claims = user_claims(platform) | {"tid": CHANNEL_TENANT, "iss": issuer_of(CHANNEL_TENANT)}
    token = platform.entra.issuer.sign(claims)
    error = await failure(entra.request_user_token([READ], token, assertion))
    assert f"in the user's tenant, {platform.entra.server.url}/{CHANNEL_TENANT}" in str(error)


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c", "ä.ä.ä", "a.bnVsbA.c", "a.e30.c", *(
        jwt.encode({"tid": each}, "k" * 32) for each in (None, 7, "", "../x", ["a"])
    )],
)  # fmt: skip
async def test_what_is_no_token_of_entra(
    token: str, at_odd: EntraClient, odd: ScriptedService
) -> None:
    """It is sent nowhere."""
    error = await failure(at_odd.request_user_token([READ], token, made))
    assert "the user's token is not a token of Entra" in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert odd.seen == []


async def test_what_is_sent(at_odd: EntraClient, odd: ScriptedService) -> None:
    """The form is the on-behalf-of grant, to the user's tenant; no refresh token is asked for."""
    odd.otherwise = Reply(json={"access_token": "token", "expires_in": 60})
    token = await at_odd.request_user_token([READ, "offline_access"], USER, made)
    assert token.value == "token"
    found, sent = odd.seen
    assert found.path == f"/{UNKNOWN_ID}/v2.0/.well-known/openid-configuration"
    form = parse_qs(sent.body.decode("ascii"))
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert form["requested_token_use"] == ["on_behalf_of"]
    assert form["assertion"] == [USER]
    assert set(form["scope"][0].split()) == {READ, "openid"}
    assert form["client_assertion"] == ["an-assertion"]
    assert USER not in sent.path + str(sent.query)


CURES = {
    65001: "grant admin consent",
    500131: f"api://botid-{UNKNOWN_ID}/access_as_user",
    50013: "let the user sign in again",
    500133: "expired",
    50076: "multi-factor",
    50079: "multi-factor",
    50158: "multi-factor",
    53003: "Conditional Access",
    50105: f"{READ} requires an assignment",
    700016: "must be MultiTenant",
    500011: f"does not know a service of the scopes {READ}",
    70011: f"does not accept the scopes {READ}",
    28000: f"does not accept the scopes {READ}",
    7000112: "is disabled",
    12345: f"refused {UNKNOWN_ID} a token for {READ} on behalf of a user",
}


@pytest.mark.parametrize("code", CURES)
async def test_every_refusal(code: int, at_odd: EntraClient, odd: ScriptedService) -> None:
    """Each code has its cure; Entra's words may name the user, and are not in the text."""
    odd.otherwise = Reply(
        400,
        {
            "error": "invalid_grant",
            "error_description": f"AADSTS{code}: user@contoso.example showed {USER}.",
            "error_codes": [code],
            "trace_id": "0f5c7d0e-51a2-4b0c-9d55-6b8f1c2d3e4f",
        },
    )
    error = await failure(at_odd.request_user_token([READ], USER, made))
    assert CURES[code] in str(error)
    assert "0f5c7d0e-51a2-4b0c-9d55-6b8f1c2d3e4f" in str(error)
    assert "user@contoso.example" not in str(error)
    assert USER not in str(error)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Objects in cycles stay."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_nothing_is_kept_or_logged(
    at_odd: EntraClient, odd: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """MSAL's own cache and log would have both tokens, also after the call."""
    caplog.set_level(logging.DEBUG)
    id_token = jwt.encode({"sub": "s", "name": "user 1"}, "k" * 32)
    answer = {"access_token": "secret", "expires_in": 60, "refresh_token": "refresh-secret"}
    odd.otherwise = Reply(json={**answer, "id_token": id_token})
    assert (await at_odd.request_user_token([READ], USER, made)).value == "secret"
    kept = [each for each in gc.get_objects() if isinstance(each, msal.TokenCache)]
    assert kept
    for cache in kept:
        assert list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN)) == []
        assert list(cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)) == []
    for text in (USER, "secret", id_token, "user 1"):
        assert text not in caplog.text


@pytest.mark.parametrize(
    "content", [{}, {"access_token": "", "expires_in": 60}, {"access_token": "t", "id_token": "o"}]
)
async def test_an_answer_of_another_shape(
    content: object, at_odd: EntraClient, odd: ScriptedService
) -> None:
    """It is an outage at the user's tenant."""
    odd.otherwise = Reply(json=content)
    error = await failure(at_odd.request_user_token([READ], USER, made))
    assert isinstance(error, EndpointDown)
    assert f"{odd.url}/{UNKNOWN_ID} does not answer as Entra does" in str(error)
