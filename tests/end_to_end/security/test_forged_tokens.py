"""The running bot refuses one forged call of each kind; `tests/auth/inbound` tries all of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import FOREIGN_TENANT, REJECTED, Forge, with_claims
from tests.support.credentials.token_press import TokenPress
from tests.support.test_bot import NO_TYPING
from tests.support.wire.http_post import Caller

TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"

FORGED: dict[str, tuple[Forge, int]] = {
    "no token": (REJECTED["nothing"][0], 401),
    "broken": (REJECTED["garbage in three parts"][0], 401),
    "wrong signature": (REJECTED["signature changed"][0], 401),
    "unknown key": (REJECTED["kid unknown"][0], 401),
    "expired": (REJECTED["expired"][0], 401),
    "algorithm none": (REJECTED["alg none"][0], 401),
    "another audience": (with_claims(aud=FOREIGN_TENANT), 403),
    "another service URL": (with_claims(serviceurl="https://smba.trafficmanager.net/teams/"), 403),
    "another bot": (
        lambda press: with_claims(appid=FOREIGN_TENANT)(BotTokenPress(press.cloud)),
        403,
    ),
}
"""Authorization headers, and how the bot answers them."""


@pytest.fixture(scope="module")
def caller(running_cloud: CloudThread, logs: Path) -> Iterator[Caller]:
    """A connection to a bot for one tenant, and for one other bot."""
    settings = {**running_cloud.cloud.settings(), **NO_TYPING}
    settings |= {"AllowedCallers": CALLER, "AllowedTenants": TENANT}
    with BotProcess(settings, logs / "forged tokens.log") as process:
        caller = Caller(process.url)
        # As it starts, the bot asks for its own token and for keys, which is no turn's doing.
        assert caller.send("GET", "/api/health", []).status == 200
        yield caller
        caller.close()


@pytest.fixture
def press(cloud: Cloud, message: dict[str, Any]) -> TokenPress:
    """Makes tokens for the test's message, of a user of TENANT."""
    conversation = {**message["conversation"], "tenantId": TENANT}
    return TokenPress(cloud, {**message, "channelId": "msteams", "conversation": conversation})


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
        parts = (cloud.connector, cloud.identity, cloud.vault)
        return tuple(part.server.requests.total() for part in parts)

    def assert_nothing_ran(self) -> None:
        """The bot has made no outbound call since the witness was created."""
        assert self._outbound() == self._before


def assert_refused(
    cloud: Cloud, caller: Caller, activity: Any, authorization: str, status: int
) -> None:
    """The bot refuses in one generic line, and nothing runs."""
    witness = Witness(cloud)
    reply = caller.deliver(activity, authorization)
    assert reply.status == status
    assert set(reply.json()) == {"error"}
    assert len(reply.json()["error"]) < 60
    witness.assert_nothing_ran()


def test_valid_token(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """A valid token runs a turn, whose reply reaches the connector."""
    before = len(cloud.connector.calls)
    assert caller.deliver(press.activity, with_claims()(press)).status == 200
    assert [call.verified for call in cloud.connector.calls[before:]] == [True]


@pytest.mark.parametrize("name", FORGED)
def test_forged_token(name: str, press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """An invalid token is answered 401, a valid one for something else 403."""
    forge, status = FORGED[name]
    assert_refused(cloud, caller, press.activity, forge(press), status)


def test_another_tenant(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """A user of a tenant that is not in AllowedTenants is answered 403."""
    activity = {**press.activity, "conversation": {"id": "c", "tenantId": FOREIGN_TENANT}}
    assert_refused(cloud, caller, activity, with_claims()(press), 403)


def test_two_authorization_headers(press: TokenPress, caller: Caller, cloud: Cloud) -> None:
    """Two Authorization headers are answered 401, as it is open which one counts."""
    witness = Witness(cloud)
    authorization = ("Authorization", with_claims()(press))
    headers = [("Content-Type", "application/json"), authorization, authorization]
    body = json.dumps(press.activity).encode()
    assert caller.send("POST", "/api/messages", headers, body).status == 401
    witness.assert_nothing_ran()
