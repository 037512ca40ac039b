"""The bot accepts only authenticated requests from the channel: forged tokens are refused."""

import time
from typing import Any

import pytest

from emulator.cloud import Cloud
from tests.end_to_end.security.forged_tokens import (
    HOUR,
    REFUSED_401,
    REFUSED_403,
    REFUSED_CHANNELS,
    REFUSED_SERVICE_URLS,
    UNKNOWN_KIDS,
    bearer,
)
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.http_post import Caller


@pytest.fixture
def press(cloud: Cloud, message: dict[str, Any]) -> TokenPress:
    """What presses tokens for the test's message."""
    return TokenPress(cloud, message)


class Witness:
    """Sees whether a turn ran: the bot answers each message, and would need a token for it.

    Args:
        cloud: that the bot would call.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._before = self._outbound()

    def _outbound(self) -> tuple[int, ...]:
        cloud = self._cloud
        parts = (cloud.connector, cloud.entra, cloud.identity, cloud.vault)
        return tuple(part.server.requests.total() for part in parts)

    def assert_nothing_ran(self) -> None:
        """No outbound call was made since the witness came."""
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


def test_good_token(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """The control: the untouched token runs a turn, whose reply reaches the connector."""
    before = len(cloud.connector.calls)
    assert caller.deliver(press.activity, bearer(press.token())).status == 200
    assert [call.verified for call in cloud.connector.calls[before:]] == [True]


def test_small_scheme_and_skew(press: TokenPress, caller: Caller) -> None:
    """The scheme's case does not matter, and clocks may differ by five minutes."""
    now = int(time.time())
    claims = press.claims(exp=now - 240, nbf=now - HOUR)
    assert caller.deliver(press.activity, f"bearer {press.token(claims)}").status == 200
    assert caller.deliver(press.activity, f"BEARER {press.token(claims)}").status == 200
    claims = press.claims(nbf=now + 240)
    assert caller.deliver(press.activity, bearer(press.token(claims))).status == 200


@pytest.mark.parametrize("name", REFUSED_401)
def test_invalid_token(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """A token that is not the channel's valid one is answered 401, and nothing runs."""
    assert_refused(cloud, caller, press.activity, REFUSED_401[name](press), 401)


@pytest.mark.parametrize("name", UNKNOWN_KIDS)
def test_unknown_key(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """An unknown key id is answered 401, or 503 until the keys may be fetched again."""
    authorization = bearer(press.token(header={"kid": UNKNOWN_KIDS[name]}))
    assert_refused(cloud, caller, press.activity, authorization, 401, 503)


@pytest.mark.parametrize("name", REFUSED_403)
def test_token_for_something_else(
    name: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A valid token for another bot or another address is answered 403, and nothing runs."""
    assert_refused(cloud, caller, press.activity, REFUSED_403[name](press), 403)


@pytest.mark.parametrize("service_url", REFUSED_SERVICE_URLS)
def test_service_url_of_nobody(
    service_url: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A service URL that is no channel's is answered 403, even when the token names it."""
    token = press.token(press.claims(serviceurl=service_url))
    activity = {**press.activity, "serviceUrl": service_url}
    assert_refused(cloud, caller, activity, bearer(token), 403)


@pytest.mark.parametrize("channel_id", REFUSED_CHANNELS)
def test_channel_without_endorsement(
    channel_id: str, press: TokenPress, caller: Caller, cloud: Cloud
) -> None:
    """A channel that the signing key does not endorse is answered 403."""
    activity = {**press.activity, "channelId": channel_id}
    assert_refused(cloud, caller, activity, bearer(press.token()), 403)


def test_two_authorization_headers(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """Two Authorization headers are answered 401: nobody can say which one counts."""
    witness = Witness(cloud)
    headers = [
        ("Content-Type", "application/json"),
        ("Authorization", bearer(press.token())),
        ("Authorization", bearer(press.token())),
    ]
    body = str(press.activity).replace("'", '"').encode()
    assert caller.send("POST", "/api/messages", headers, body).status == 401
    witness.assert_nothing_ran()
