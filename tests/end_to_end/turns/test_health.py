"""/api/health: 200 means that a turn could run; probes alone let it recover from an outage."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from auth.credential_kinds import MANAGED_IDENTITY
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


def test_without_authentication(tmp_path: Path, logs: Path) -> None:
    """A bot that needs neither keys nor a token is healthy without them."""
    with CloudThread(Cloud(tmp_path, MANAGED_IDENTITY)) as thread:
        open_bot = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true"}
        with probed(thread, logs / "health open.log", **open_bot) as caller:
            assert health(caller).status == 200
        assert thread.cloud.channel.server.requests.total() == 0
        assert thread.cloud.identity.server.requests.total() == 0
