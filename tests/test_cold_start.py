"""Fifty callers meet a bot that has just started: it signs in once for all of them."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from emulator.cloud import (
    APP_TYPES,
    CERTIFICATE,
    FEDERATED,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
    Cloud,
)
from emulator.server import Server
from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.turn_load import TurnLoad, replies_at, reply_to

CALLERS = 50

LATENCY = 0.2
"""Seconds that each endpoint takes, so that all callers are there before its first answer."""

IDENTITY_PATH = "/msi/token"
TOKEN_PATH = "/oauth2/v2.0/token"
KEYS_PATH = "/v1/.well-known/keys"

VAULT_OPERATIONS: dict[str, dict[str, int]] = {
    MANAGED_IDENTITY: {},
    CERTIFICATE: {"secrets/list": 1, "secrets/get": 1},
    SIGN_IN_VAULT: {"certificates/list": 1, "certificates/get": 1, "keys/sign": 1},
    FEDERATED: {},
}
"""What the vault does for one sign-in, by credential."""

FAILURES = [
    (MANAGED_IDENTITY, "identity", IDENTITY_PATH, 2),
    (CERTIFICATE, "entra", TOKEN_PATH, 2),
    (CERTIFICATE, "identity", IDENTITY_PATH, 2),
    # Azure's SDK begins without a token, to learn from the 401 which one the vault wants.
    (SIGN_IN_VAULT, "vault", "/sign", 3),
    (FEDERATED, "entra", TOKEN_PATH, 2),
    (FEDERATED, "identity", IDENTITY_PATH, 2),
]
"""Credential, the part whose first answer to a path is 503, that path, and the requests for it."""


def slow(cloud: Cloud) -> None:
    """Let every endpoint on the way to a token take its time."""
    for part in (cloud.entra, cloud.identity, cloud.vault, cloud.channel):
        part.server.faults.set(latency=LATENCY)


async def all_call(cloud: Cloud, endpoint: str) -> None:
    """As many turns at once: each is answered 200, and gets its reply once."""
    texts = [f"cold {number}" for number in range(CALLERS)]
    async with TurnLoad(cloud, endpoint) as load:
        await asyncio.gather(*map(load.deliver, texts))
    assert [turn.status for turn in load.turns] == [200] * CALLERS
    assert replies_at(cloud.connector) == Counter(map(reply_to, texts))
    assert all(call.verified for call in cloud.connector.calls)


def asked(server: Server, path: str) -> int:
    """Requests so far whose path ends like this."""
    return sum(count for name, count in server.requests.items() if name.endswith(path))


@pytest.mark.parametrize("credential", list(APP_TYPES))
def test_one_sign_in_for_all(credential: str, tmp_path: Path, logs: Path) -> None:
    """Fifty cold callers cost one request for each token, and one fetch of the channel's keys."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        slow(cloud)
        with BotProcess(cloud.settings(), logs / f"cold {credential}.log") as bot:
            asyncio.run(all_call(cloud, bot.messages))
        assert asked(cloud.identity.server, IDENTITY_PATH) == 1
        assert asked(cloud.entra.server, TOKEN_PATH) == (credential != MANAGED_IDENTITY)
        assert cloud.vault.operations == VAULT_OPERATIONS[credential]
        assert asked(cloud.channel.server, KEYS_PATH) == 1


@pytest.mark.parametrize(("credential", "part", "path", "requests"), FAILURES)
def test_a_failure_in_passing(
    credential: str, part: str, path: str, requests: int, tmp_path: Path, logs: Path
) -> None:
    """When the first attempt fails, one more is made, and all fifty are answered."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        slow(cloud)
        server = cloud.servers[part]
        server.faults.set(latency=LATENCY, status=503, remaining=1, path=path)
        log = logs / f"cold {credential} {part}.log"
        with BotProcess(cloud.settings(), log) as bot:
            asyncio.run(all_call(cloud, bot.messages))
        assert server.faults.remaining == 0
        assert asked(server, path) == requests
