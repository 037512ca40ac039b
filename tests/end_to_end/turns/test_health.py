"""/api/health: 200 means that a turn could run; probes alone let it recover from an outage."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from auth.credential_kinds import MANAGED_IDENTITY
from auth.inbound.bearer_token import MAX_FETCHES
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.extended import credentials
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller, Reply

PROBES = 40


@contextmanager
def probed(thread: CloudThread, log: Path, **changes: str) -> Iterator[Caller]:
    """Start a bot; yields a caller that probes it."""
    settings = thread.cloud.settings() | changes
    with BotProcess(settings, log) as bot, closing(Caller(bot.url)) as caller:
        yield caller


def health(caller: Caller) -> Reply:
    """The answer to a probe."""
    return caller.send("GET", "/api/health", [])


def is_unavailable(reply: Reply) -> bool:
    """Whether an answer is a 503 with Retry-After and without details."""
    generic = reply.json() == {"error": "The bot is not available."}
    return reply.status == 503 and generic and int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize("credential", credentials("tests/end_to_end/security/test_sign_in.py"))
def test_keys_and_token(credential: str, tmp_path: Path, logs: Path) -> None:
    """The first probe of a cold bot waits for both; the next ones cost nothing."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        with probed(thread, logs / f"health {credential}.log") as caller:
            assert health(caller).status == 200
            before = {name: part.requests.total() for name, part in thread.cloud.servers.items()}
            assert before["channel"] == 2  # metadata and keys
            assert [health(caller).status for _ in range(PROBES)] == [200] * PROBES
        after = {name: part.requests.total() for name, part in thread.cloud.servers.items()}
    assert after == before


def test_keys_endpoint_is_down_at_the_start(tmp_path: Path, logs: Path) -> None:
    """503 while the keys cannot be fetched, 200 with the first probe after that."""
    log = logs / "health keys.log"
    with CloudThread(Cloud(tmp_path)) as thread:
        # Not for a number of fetches: the first probe may wait for the warm-up's.
        thread.cloud.channel.server.faults.set(status=503)
        with probed(thread, log) as caller:
            assert is_unavailable(health(caller))
            thread.cloud.channel.server.faults.clear()
            assert health(caller).status == 200
    assert "Answered 503: no signing keys could be fetched from" in log.read_text()


def test_token_endpoint_is_down_at_the_start(tmp_path: Path, logs: Path) -> None:
    """503 while there is no token; probes alone get one when the endpoint is back."""
    log = logs / "health token.log"
    with CloudThread(Cloud(tmp_path)) as thread:
        thread.cloud.identity.server.faults.set(status=400)
        with probed(thread, log) as caller:
            assert is_unavailable(health(caller))
            thread.cloud.identity.server.faults.clear()
            until(lambda: health(caller).status == 200)
            assert User(thread.cloud, caller).says("hello") == 200
    assert "cannot sign in: set MicrosoftAppId" in log.read_text()


@pytest.mark.extended(
    covered_by=[
        "tests/auth/inbound/test_fetch_limits.py",
        "tests/auth/outbound/test_token_cache.py",
    ]
)
def test_a_flood_of_probes(tmp_path: Path, logs: Path) -> None:
    """It causes no more requests than the keys' budget and the tokens' pauses allow."""
    with CloudThread(Cloud(tmp_path)) as thread:
        channel, identity = thread.cloud.channel.server, thread.cloud.identity.server
        channel.faults.set(status=503)
        identity.faults.set(status=400)
        with probed(thread, logs / "health flood.log") as caller:
            assert all(is_unavailable(health(caller)) for _ in range(PROBES))
        assert 1 < channel.requests.total() <= MAX_FETCHES
        assert 1 < identity.requests.total() < PROBES


@pytest.mark.extended(
    covered_by=[
        "tests/auth/inbound/test_signing_keys.py",
        "tests/auth/outbound/test_token_cache.py",
    ]
)
def test_both_down_while_warm(tmp_path: Path, logs: Path) -> None:
    """With known keys and a token in hand, the bot stays healthy."""
    with (
        CloudThread(Cloud(tmp_path)) as thread,
        probed(thread, logs / "health warm.log") as caller,
    ):
        assert health(caller).status == 200
        for part in ("entra", "identity", "channel"):
            thread.stop(part)
        assert [health(caller).status for _ in range(PROBES)] == [200] * PROBES
        for part in ("entra", "identity", "channel"):
            thread.start(part)


def test_without_authentication(tmp_path: Path, logs: Path) -> None:
    """A bot that needs neither keys nor a token is healthy without them."""
    with CloudThread(Cloud(tmp_path, MANAGED_IDENTITY)) as thread:
        open_bot = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true"}
        with probed(thread, logs / "health open.log", **open_bot) as caller:
            assert health(caller).status == 200
        assert thread.cloud.channel.server.requests.total() == 0
        assert thread.cloud.identity.server.requests.total() == 0
