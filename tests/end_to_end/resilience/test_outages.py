"""A warm bot keeps answering while sign-in and keys endpoints are down, and in a flood."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.test_bot import NO_TYPING
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/auth/outbound/test_token_cache.py",
        "tests/auth/inbound/test_fetch_limits.py",
        "tests/auth/inbound/test_signing_keys.py",
    ]
)

Scene = tuple[CloudThread, User]


@pytest.fixture
def warm(request: pytest.FixtureRequest, tmp_path: Path, logs: Path) -> Iterator[Scene]:
    """A bot that has answered once, in front of a cloud of its own, and a user who talks to it."""
    log = logs / f"{request.node.name}.log"
    with (
        CloudThread(Cloud(tmp_path)) as thread,
        BotProcess(thread.cloud.settings() | NO_TYPING, log) as process,
    ):
        user = User(thread.cloud, Caller(process.url))
        assert user.says("warm") == 200
        yield thread, user
        user.caller.close()


def test_dead_endpoints_change_nothing(warm: Scene) -> None:
    """With the sign-in and keys endpoints gone, a warm bot answers, and is healthy."""
    thread, user = warm
    parts = ("entra", "identity", "channel", "vault")
    for part in parts:
        thread.stop(part)
    assert user.says("still there?") == 200
    assert user.caller.send("GET", "/api/health", []).status == 200
    for part in parts:
        thread.start(part)
    assert user.texts()[-1] == "You said: still there?"


def test_a_flood_of_unknown_keys(warm: Scene) -> None:
    """Made-up key ids cost one fetch, and valid users notice nothing."""
    thread, user = warm
    server = thread.cloud.channel.server
    good, before = user.token, server.requests.total()
    issuer = thread.cloud.channel.issuer
    known = issuer.keys
    answers = []
    for _ in range(3):
        issuer.roll()
        user.token = thread.cloud.channel.token(f"{thread.cloud.connector.server.url}/")
        issuer.keys = known  # never published
        answers += [user.sends({"type": "message", "text": "let me in"}) for _ in range(10)]
    first, *others = answers
    assert first.status == 401
    for answer in others:
        assert answer.status == 503
        assert 1 <= int(answer.headers["retry-after"]) <= 75
    assert server.requests.total() - before == 2  # metadata and keys
    user.token = good
    assert user.says("me too") == 200
