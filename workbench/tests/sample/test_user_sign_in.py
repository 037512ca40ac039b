"""Users sign in to the running sample bot, with each credential that the bot can have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auth.credential_kinds import KINDS
from bot_logic.sign_in import CONNECTION, SIGNED_IN, SIGNED_OUT
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.user_tokens import UserConnection
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller, Reply


@dataclass
class Running:
    """The bot in front of a local cloud of its own."""

    thread: CloudThread
    process: BotProcess
    caller: Caller

    @property
    def cloud(self) -> Cloud:
        """The local cloud."""
        return self.thread.cloud


@pytest.fixture(scope="module", params=list(KINDS))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> Iterator[Running]:
    """One bot for each way in which it can sign in."""
    credential = request.param
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"), credential)) as thread:
        log = logs / f"users with {credential}.log"
        # At DEBUG, so that the test of the run's logs would see any token that leaks.
        options = ("--log-level", "DEBUG")
        with BotProcess(thread.cloud.settings(), log, ROOT, options) as process:
            caller = Caller(process.url)
            yield Running(thread, process, caller)
            caller.close()


@pytest.fixture(params=["webchat", "msteams"])
def user(running: Running, request: pytest.FixtureRequest) -> Iterator[User]:
    """A user on each channel; every call to the token service carries the bot's own token."""
    calls = running.cloud.token_service.calls
    before = len(calls)
    yield User(running.cloud, running.caller, request.param)
    assert {call.appid for call in calls[before:]} <= {running.cloud.registration.app_id}
    assert 401 not in {call.status for call in calls[before:]}


def invoke(user: User, name: str, value: Any) -> Reply:
    """The answer to an invoke."""
    return user.sends({"type": "invoke", "name": f"signin/{name}", "value": value})


def target(user: User) -> UserConnection:
    """The user, connection and channel that the token service stores a token for."""
    activity = user.addressed({})
    return UserConnection(activity["from"]["id"], CONNECTION, activity["channelId"])


def card(user: User) -> Any:
    """The content of the card that the user got last."""
    return user.conversation.activities[-1]["attachments"][0]["content"]


def code(user: User) -> str:
    """The code that the sign-in page behind the card's link shows."""
    link = card(user)["buttons"][0]["value"]
    page = Caller(link)
    path = link.partition(page_url(user))[2]
    assert page.send("GET", path, []).status == 200
    body = f'{{"signin": "{link.partition("signin=")[2]}"}}'.encode()
    headers = [("Content-Type", "application/json")]
    answer = page.send("POST", path.partition("?")[0], headers, body).json()
    page.close()
    return str(answer["code"])


def page_url(user: User) -> str:
    """Where the sign-in page is."""
    return user.cloud.pages.url


def test_by_code(user: User) -> None:
    """The code from the card's page signs the user in, until the user signs out."""
    assert user.says("login") == 200
    assert invoke(user, "verifyState", {"state": code(user)}).status == 200
    assert user.texts()[1:] == [SIGNED_IN]
    for text in ("login", "logout", "login"):
        assert user.says(text) == 200
    assert user.texts()[2:4] == [SIGNED_IN, SIGNED_OUT]
    assert card(user)["connectionName"] == CONNECTION


def test_by_exchange(user: User) -> None:
    """The channel's token is exchanged once, for all the user's devices."""
    user.says("login")
    resource = card(user)["tokenExchangeResource"]
    token = user.cloud.user_tokens.exchangeable_token(resource["uri"], target(user).user_id, "Ada")
    offer = {"id": resource["id"], "connectionName": CONNECTION, "token": token}
    for _ in range(3):
        reply = invoke(user, "tokenExchange", offer)
        assert reply.status == 200
        assert reply.json() == {"id": resource["id"], "connectionName": CONNECTION}
    assert user.texts()[1:] == [SIGNED_IN]


def test_the_token_service_is_down(user: User, running: Running) -> None:
    """While it is down, the user gets the apology; once it is back, sign-in works again."""
    running.thread.stop("usertokens")
    assert user.says("login") == 200
    offer = {"id": "1", "connectionName": CONNECTION, "token": "x"}
    assert invoke(user, "tokenExchange", offer).status == 412
    assert user.says("hello") == 200
    running.thread.start("usertokens")
    assert user.texts() == [APOLOGY, "You said: hello"]
    assert user.says("login") == 200
    assert card(user)


def test_no_token_leaves_the_token_service(running: Running) -> None:
    """No activity that the bot has sent so far holds a token, in any part."""
    User(running.cloud, running.caller).says("login")
    sent = [call.activity for call in running.cloud.connector.calls]
    assert sent
    assert "eyJ" not in repr(sent)
