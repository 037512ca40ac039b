"""A running bot at the token service, with each credential that it can have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from auth.credential_kinds import KINDS
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/connector/test_user_tokens.py",
        "tests/cloud_adapter/connector/test_adapter_calls.py",
        "tests/cloud_adapter/sdk/test_oauth_prompt.py",
    ]
)

CHANNELS = ["webchat", "msteams"]


@dataclass
class Running:
    """The bot in front of a local cloud of its own."""

    thread: CloudThread
    caller: Caller

    @property
    def cloud(self) -> Cloud:
        """The local cloud."""
        return self.thread.cloud

    def user(self, channel_id: str = "webchat") -> User:
        """A new user."""
        return User(self.cloud, self.caller, channel_id)


@pytest.fixture(scope="module", params=list(KINDS))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[Running]:
    """One bot for each way in which it can sign in."""
    credential = request.param
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"), credential)) as thread:
        log = logs / f"user tokens {credential}.log"
        # At DEBUG, so that the test of the run's logs would see any token that leaks.
        options = ("--log-level", "DEBUG")
        with BotProcess(thread.cloud.settings(), log, options=options) as process:
            caller = Caller(process.url)
            yield Running(thread, caller)
            caller.close()


def code_from(link: str) -> str:
    """The code that the sign-in page behind a link shows."""
    page = Caller(link)
    body = f'{{"signin": "{link.partition("signin=")[2]}"}}'.encode()
    path = f"/{link.split('/', 3)[3]}".partition("?")[0]
    answer = page.send("POST", path, [("Content-Type", "application/json")], body).json()
    page.close()
    return str(answer["code"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_code(channel: str, running: Running) -> None:
    """A user's code gets a token; each call carries the bot's own token."""
    calls, user = running.cloud.token_service.calls, running.user(channel)
    before = len(calls)
    for text in ("token", "sign in"):
        assert user.says(text) == 200
    nothing, link = user.texts()
    for text in (f"token {code_from(link)}", "token"):
        assert user.says(text) == 200
    assert [nothing, *user.texts()[2:]] == ["There is no token.", *["There is a token."] * 2]
    assert {call.appid for call in calls[before:]} == {running.cloud.registration.app_id}
    assert 401 not in {call.status for call in calls[before:]}


def test_the_token_service_is_down(running: Running) -> None:
    """While it is down, the user gets the apology; once it is back, the next turn is as ever."""
    user = running.user()
    running.thread.stop("usertokens")
    assert user.says("token") == 200
    running.thread.start("usertokens")
    assert user.says("token") == 200
    assert user.texts() == [APOLOGY, "There is no token."]


def test_calls_share_a_connection(running: Running) -> None:
    """Warm turns open no connection to the token service, and request no token from Entra."""
    user = running.user()
    user.says("token")
    server, entra = running.cloud.token_service.server, running.cloud.entra
    before = server.connections, entra.tokens_issued
    for _ in range(5):
        user.says("token")
    assert (server.connections, entra.tokens_issued) == before


def test_no_token_leaves_the_token_service(running: Running) -> None:
    """No activity that the bot has sent so far holds a token, in any part."""
    running.user().says("sign in")
    sent = [call.activity for call in running.cloud.connector.calls]
    assert sent
    assert "eyJ" not in repr(sent)
