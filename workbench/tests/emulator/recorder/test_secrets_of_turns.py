"""A bot's use of tokens and keys is recorded without them."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.credential_kinds import KINDS
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.recorder.calls import SHOWN_BODIES
from tests.emulator.recorder.conftest import FAULT
from tests.support.bots.bot_process import BotProcess
from tests.support.recording.feed_thread import FeedThread
from tests.support.recording.recorded_bot import RecordedBot


@pytest.fixture(params=list(KINDS))
def signed_in(
    request: pytest.FixtureRequest,
    azurite: AzuriteAccounts,
    app_folder: Path,
    feed: FeedThread,
    tmp_path: Path,
) -> Iterator[tuple[RecordedBot, str, Path]]:
    """A bot for each way to sign in, with its storage's connection string and its log."""
    storage, log = azurite.fresh(), tmp_path / "bot.log"
    with ExitStack() as stack:
        cloud = stack.enter_context(CloudThread(Cloud(tmp_path, request.param)))
        settings = cloud.cloud.settings() | feed.settings | {"AzureWebJobsStorage": storage}
        process = stack.enter_context(BotProcess(settings, log, app_folder))
        yield RecordedBot(cloud, process.messages, feed), storage, log
    assert FAULT not in log.read_text()


def test_a_bot_that_signs_in(signed_in: tuple[RecordedBot, str, Path], feed: FeedThread) -> None:
    """Turns, sign-in of bot and users, storage: of all of it, no secret is in the feed."""
    bot, storage, _ = signed_in
    code = secrets.token_hex(20)
    token = bot.cloud.cloud.channel.token("https://a.example/")
    for text in ("hello", "count", f"token {code}", f"log Bearer {token}", f"keep {token}"):
        bot.say(text)
    bot.deliver(
        type="invoke",
        name="signin/tokenExchange",
        value={"id": "1", "connectionName": "c", "token": "opaque-user-token"},
    )
    bot.say("hello")
    found = feed.text
    account_key = storage.partition("AccountKey=")[2].partition(";")[0]
    header = bot.cloud.cloud.identity.settings()["IDENTITY_HEADER"]
    for secret in (token, token.rpartition(".")[2], account_key, header, "opaque-user-token"):
        assert secret not in found
    assert "eyJ" not in found
    assert "PRIVATE KEY" not in found
    assert "client_assertion" not in found
    others = [each for each in feed.kinds("call") if each["purpose"] not in SHOWN_BODIES]
    assert {each["purpose"] for each in others} >= {"storage", "user token service"}
    assert all(each["request"] is each["response"] is None for each in others)
