"""A sign-in that fails, end to end: 503 to the channel, the cure in the bot's log."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from auth.credential_kinds import CERTIFICATE, SIGN_IN_VAULT
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.end_to_end.security.sign_in_failures import FAILURES, Failure, faulty
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.wire.http_post import Caller, Reply

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/auth/outbound/test_entra_refusals.py",
        "tests/auth/outbound/test_managed_identity.py",
        "tests/auth/certificates/test_exported.py",
        "tests/auth/certificates/test_signing.py",
        "tests/cloud_adapter/adapter/test_errors.py",
    ]
)

AT_ONCE = 12
"""Bots that run side by side: most of their time they wait for an endpoint."""


@dataclass(frozen=True)
class Outcome:
    """What became of a sign-in that had to fail.

    Attributes:
        answers: to a message and to /api/identity.
        turn: what the log must call the message's turn.
        calls: that the connector got.
        log: the bot's.
    """

    answers: tuple[Reply, Reply]
    turn: str
    calls: int
    log: str


def outcome(failure: Failure, folder: Path, log: Path) -> Outcome:
    """Start a cloud and a bot, let its sign-in fail, and talk to it."""
    with CloudThread(Cloud(folder, failure.credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | failure.spoil(cloud, folder)
        if failure.closed:
            thread.stop(failure.closed)
        with BotProcess(settings, log) as process:
            user = User(cloud, Caller(process.url))
            reply = user.sends({"type": "message", "id": "activity-1", "text": "hello"})
            identity = user.caller.send("GET", "/api/identity", [])
            user.caller.close()
        turn = f"Turn 'message' 'activity-1' in '{user.conversation.id}'"
        return Outcome((reply, identity), turn, len(cloud.connector.calls), log.read_text())


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[Mapping[str, Future[Outcome]]]:
    """The outcome of each failure that this run asks for; the bots run side by side."""
    asked = [item.name for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(AT_ONCE) as bots:
        yield {
            way: bots.submit(
                outcome, failure, tmp_path_factory.mktemp("failed"), logs / f"{way}.log"
            )
            for way, failure in FAILURES.items()
            if f"test_failed_sign_in[{way}]" in asked
        }


@pytest.mark.parametrize("way", FAILURES)
def test_failed_sign_in(way: str, outcomes: Mapping[str, Future[Outcome]]) -> None:
    """A bot that cannot sign in answers 503 with Retry-After; its log names what to fix."""
    failure, found = FAILURES[way], outcomes[way].result()
    for answer in found.answers:
        assert answer.status == 503
        assert answer.json() == {"error": "The bot is not available."}
        assert int(answer.headers["retry-after"]) == (failure.retry_after or 5)
    assert failure.is_logged_in(found.log)
    assert found.turn in found.log
    assert found.calls == 0


NEW_ROLES = {
    "on the vault": (CERTIFICATE, faulty("vault", status=403, remaining=4)),
    "to sign": (SIGN_IN_VAULT, faulty("vault", status=403, remaining=2, path="/sign")),
}


@pytest.mark.parametrize("role", NEW_ROLES)
def test_a_new_role(role: str, tmp_path: Path, logs: Path) -> None:
    """A cold bot waits for a role that has just been given."""
    credential, prepare = NEW_ROLES[role]
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | prepare(cloud, tmp_path)
        with BotProcess(settings, logs / f"{role}.log") as process:
            user = User(cloud, Caller(process.url))
            assert user.says("hello") == 200
            assert user.texts() == ["You said: hello"]
            user.caller.close()
