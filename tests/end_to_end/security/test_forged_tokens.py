"""The running bot accepts only authenticated requests from the channel."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.credentials.forged_tokens import (
    ACCEPTED,
    FOREIGN_TENANT,
    REJECTED,
    UNKNOWN_KEY,
    Forge,
    with_claims,
)
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.http_post import Caller

NOT_SENT = {"line end", "blank before", "blank after"}
"""Headers that HTTP does not transport as they are."""


def of_app_id(audience: Callable[[str], Any]) -> Forge:
    """A token whose audience is made of the bot's app id."""
    return lambda press: with_claims(aud=audience(press.cloud.registration.app_id))(press)


def of_service_url(claim: Callable[[str], Any]) -> Forge:
    """A token whose serviceurl claim is made of the activity's service URL."""
    return lambda press: with_claims(serviceurl=claim(press.activity["serviceUrl"]))(press)


FORBIDDEN: dict[str, Forge] = {
    "another bot": with_claims(aud=FOREIGN_TENANT),
    "no audience": with_claims(aud=None),
    "empty audience": with_claims(aud=""),
    "the channel as audience": with_claims(aud="https://api.botframework.com"),
    "audience a list": of_app_id(lambda app_id: [app_id]),
    "audience a list of two": of_app_id(lambda app_id: ["x", app_id]),
    "audience with a blank": of_app_id(lambda app_id: f"{app_id} "),
    "audience in capitals": of_app_id(str.upper),
    "no serviceurl claim": with_claims(serviceurl=None),
    "another serviceurl claim": with_claims(serviceurl="https://smba.trafficmanager.net/teams/"),
    "serviceurl claim a list": of_service_url(lambda url: [url]),
    "serviceurl claim in capitals": of_service_url(str.upper),
    "serviceurl claim with one more segment": of_service_url(lambda url: f"{url}amer/"),
    "serviceurl claim without the slash": of_service_url(lambda url: url.rstrip("/")),
}
"""Tokens that are answered 403."""


@pytest.fixture
def press(cloud: Cloud, caller: Caller, message: dict[str, Any]) -> TokenPress:
    """Makes tokens for the test's message, to a bot that has its own token already."""
    # As it starts, the bot asks for one, which is no turn's doing: nobody is to witness it.
    assert caller.send("GET", "/api/health", []).status == 200
    return TokenPress(cloud, message)


class Witness:
    """Notices a turn that runs: the bot would answer the message, and need a token for that.

    Args:
        cloud: the cloud that the bot would call.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._before = self._outbound()

    def _outbound(self) -> tuple[int, ...]:
        cloud = self._cloud
        parts = (cloud.connector, cloud.entra, cloud.identity, cloud.vault)
        return tuple(part.server.requests.total() for part in parts)

    def assert_nothing_ran(self) -> None:
        """The bot has made no outbound call since the witness was created."""
        assert self._outbound() == self._before


def assert_refused(
    cloud: Cloud, caller: Caller, activity: Any, authorization: str | None, *statuses: int
) -> None:
    """The bot refuses in one generic line, and nothing runs."""
    witness = Witness(cloud)
    reply = caller.deliver(activity, authorization)
    assert reply.status in statuses
    assert set(reply.json()) == {"error"}
    assert len(reply.json()["error"]) < 60
    witness.assert_nothing_ran()


@pytest.mark.parametrize("name", ACCEPTED)
def test_valid_token(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """A valid token runs a turn, whose reply reaches the connector."""
    before = len(cloud.connector.calls)
    assert caller.deliver(press.activity, ACCEPTED[name](press)).status == 200
    assert [call.verified for call in cloud.connector.calls[before:]] == [True]


@pytest.mark.extended(covered_by=["tests/auth/inbound/test_bearer_token.py"])
@pytest.mark.parametrize("name", sorted(REJECTED.keys() - NOT_SENT))
def test_invalid_token(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """An invalid token is answered 401; an unknown key 503 until keys may be fetched again."""
    forge, reason = REJECTED[name]
    statuses = (401, 503) if reason.startswith(UNKNOWN_KEY) else (401,)
    assert_refused(cloud, caller, press.activity, forge(press), *statuses)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_token_for_something_else(
    name: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A valid token for another bot or another address is answered 403, and nothing runs."""
    assert_refused(cloud, caller, press.activity, FORBIDDEN[name](press), 403)


@pytest.mark.parametrize(
    "service_url",
    ["https://evil.example/", "https://smba.trafficmanager.net@evil.example/", "not a URL"],
)
def test_foreign_service_url(
    service_url: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A service URL that is not a channel's is answered 403, even when the token names it."""
    activity = {**press.activity, "serviceUrl": service_url}
    assert_refused(cloud, caller, activity, with_claims(serviceurl=service_url)(press), 403)


@pytest.mark.parametrize("channel_id", ["carrier-pigeon", "WebChat", "webchat ", "*"])
def test_channel_without_endorsement(
    channel_id: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A channel that the signing key does not endorse is answered 403."""
    activity = {**press.activity, "channelId": channel_id}
    assert_refused(cloud, caller, activity, f"Bearer {press.token()}", 403)


def test_two_authorization_headers(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """Two Authorization headers are answered 401, as it is open which one counts."""
    witness = Witness(cloud)
    authorization = ("Authorization", f"Bearer {press.token()}")
    headers = [("Content-Type", "application/json"), authorization, authorization]
    body = json.dumps(press.activity).encode()
    assert caller.send("POST", "/api/messages", headers, body).status == 401
    witness.assert_nothing_ran()
