"""A warm bot keeps answering while sign-in and keys endpoints are down and keys are rolled."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auth.credential_kinds import KINDS, MANAGED_IDENTITY
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
        "tests/cloud_adapter/connector/test_session_retries.py",
    ]
)

Scene = tuple[CloudThread, User]


@contextmanager
def warm_bot(credential: str, folder: Path, log: Path) -> Iterator[Scene]:
    """A bot that has answered once, in front of a cloud of its own, and a user who talks to it."""
    with (
        CloudThread(Cloud(folder, credential)) as thread,
        BotProcess(thread.cloud.settings() | NO_TYPING, log) as process,
    ):
        user = User(thread.cloud, Caller(process.url))
        assert user.says("warm") == 200
        yield thread, user
        user.caller.close()


@pytest.fixture
def warm(request: pytest.FixtureRequest, tmp_path: Path, logs: Path) -> Iterator[Scene]:
    """A warm bot that the test may treat as it likes."""
    log = logs / f"{request.node.name}.log"
    with warm_bot(MANAGED_IDENTITY, tmp_path, log) as scene:
        yield scene


@pytest.fixture(scope="module", params=list(KINDS))
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[Scene]:
    """A warm bot with each credential, for tests that leave its cloud whole."""
    log = logs / f"outages {request.param}.log"
    with warm_bot(request.param, tmp_path_factory.mktemp("cloud"), log) as scene:
        yield scene


@pytest.mark.parametrize("part", ["entra", "identity", "channel", "vault"])
def test_a_dead_endpoint_changes_nothing(part: str, scene: Scene) -> None:
    """With its sign-in endpoints or the keys' endpoint gone, a warm bot answers as before."""
    thread, user = scene
    thread.stop(part)
    for _ in range(5):
        assert user.says(f"{part}?") == 200
    thread.start(part)
    assert user.texts()[-5:] == [f"You said: {part}?"] * 5


def test_all_of_them_dead(scene: Scene) -> None:
    """Even when all of them are gone at once."""
    thread, user = scene
    parts = ("entra", "identity", "channel", "vault")
    for part in parts:
        thread.stop(part)
    assert user.says("still there?") == 200
    for part in parts:
        thread.start(part)
    assert user.texts()[-1] == "You said: still there?"


def test_keys_roll(warm: Scene) -> None:
    """The first token of a new signing key is accepted; one of the withdrawn key is not."""
    thread, user = warm
    cloud, old = thread.cloud, user.token
    cloud.channel.issuer.roll()
    user.token = cloud.channel.token(f"{cloud.connector.server.url}/")
    assert user.says("with the new key") == 200
    user.token = old
    assert user.says("with the old key") == 401


def test_keys_roll_after_an_outage(warm: Scene) -> None:
    """Known keys serve through an outage; keys that rolled meanwhile are picked up after it."""
    thread, user = warm
    cloud, old = thread.cloud, user.token
    thread.stop("channel")
    cloud.channel.issuer.roll(keep_old=True)
    new = cloud.channel.token(f"{cloud.connector.server.url}/")
    user.token = new
    assert user.says("nobody knows this key yet") == 503
    user.token = old
    assert user.says("known key") == 200
    thread.start("channel")
    user.token = new
    assert user.says("new key") == 200


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


def test_no_keys_at_all(tmp_path: Path, logs: Path) -> None:
    """A cold bot that cannot get the keys answers 503 with Retry-After, and recovers by itself."""
    with CloudThread(Cloud(tmp_path)) as thread:
        thread.stop("channel")
        log = logs / "no_keys.log"
        with BotProcess(thread.cloud.settings(), log) as process:
            user = User(thread.cloud, Caller(process.url))
            reply = user.sends({"type": "message", "text": "hello"})
            assert reply.status == 503
            assert int(reply.headers["retry-after"]) > 0
            thread.start("channel")
            assert user.says("hello") == 200
            user.caller.close()


def test_a_dead_connector(scene: Scene) -> None:
    """A reply that cannot be sent is logged; the channel is not asked to deliver again."""
    thread, user = scene
    thread.stop("connector")
    assert user.says("hello?") == 200
    thread.start("connector")
    assert user.says("hello!") == 200
    assert user.texts()[-1] == "You said: hello!"


def test_a_busy_connector(scene: Scene) -> None:
    """A 429 is waited out as Retry-After says, and the reply arrives once."""
    thread, user = scene
    thread.cloud.connector.server.faults.set(status=429, retry_after=0, remaining=2)
    assert user.says("slowly") == 200
    assert user.texts().count("You said: slowly") == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_connector(status: int, scene: Scene) -> None:
    """A POST that may have arrived is not sent again: the user may hear nothing, never twice."""
    thread, user = scene
    server = thread.cloud.connector.server
    before = server.requests.total()
    server.faults.set(status=status, remaining=1)
    assert user.says("hello") == 200
    # The failed reply, and the apology in its place.
    assert server.requests.total() - before == 2
