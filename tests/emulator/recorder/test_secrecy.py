"""No token, key or secret reaches the feed, wherever it stands."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from emulator.cloud import APP_TYPES, Cloud
from emulator.recorder.secrecy import HIDDEN, Secrecy
from tests.emulator.recorder.conftest import FAULT
from tests.support.bots.bot_process import BotProcess
from tests.support.recording.feed_thread import FeedThread
from tests.support.recording.recorded_bot import RecordedBot

WORD = "unmistakable"
"""Part of each secret."""

JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJ{WORD}.{WORD}-{WORD}"
ACCOUNT_KEY = f"{WORD}+/AbC=="

TEXTS = {
    "a token": f"before {JWT} after",
    "a header": f"Authorization: Bearer {WORD}.~+/0==",
    "a shared key": f"SharedKey account:{WORD}/+=",
    "a connection string": f"AccountName=a;AccountKey={ACCOUNT_KEY};EndpointSuffix=x",
    "a signature": f"https://a.example/c?sv=1&sig={WORD}%3D&se=2",
    "a connection string with a signature": f"SharedAccessSignature=sv=1&sig={WORD};BlobEndpoint=x",
    "a function key": f"https://a.example/api/identity?code={WORD}==",
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{WORD}\n-----END RSA PRIVATE KEY-----\n",
    "a setting": f"the value is setting-{WORD}-value",
}
"""Texts with a secret: what is around it stays."""

NAMES = (
    "token",
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "client_assertion",
    "clientSecret",
    "client_secret",
    "password",
    "Authorization",
    "Cookie",
    "x-functions-key",
    "x-ms-token-aad-id-token",
    "accountKey",
    "account_key",
    "private_key",
    "connectionString",
    "signature",
    "sig",
    "code_verifier",
)
"""Names in JSON whose values are secrets."""

SETTINGS = {"SOME_API_KEY": f"setting-{WORD}-value", "OAuthUrl": "https://token.example"}


@pytest.fixture
def secrecy() -> Secrecy:
    """Of a process with a secret among its settings."""
    return Secrecy(SETTINGS)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(secrecy: Secrecy, name: str) -> None:
    """A secret in a text is hidden, in JSON as deep as it may be."""
    line = secrecy.line({"event": "log", "text": TEXTS[name], "deep": [{"a": TEXTS[name]}]})
    assert WORD not in line.decode()
    assert json.loads(line)["text"].count(HIDDEN) == 1


@pytest.mark.parametrize("name", NAMES)
def test_named_values(secrecy: Secrecy, name: str) -> None:
    """The text of a secret name is hidden."""
    line = secrecy.line({"event": "state", "after": {"a": [{name: f"x{WORD}"}]}})
    assert json.loads(line)["after"] == {"a": [{name: HIDDEN}]}


def test_what_is_no_secret(secrecy: Secrecy) -> None:
    """Names and texts that are like secrets but are none are shown."""
    event = {
        "event": "x",
        "tokens": 5,
        "continuationToken": "page-2",
        "tokenExchangeResource": {"uri": "api://x"},
        "signatures": ["a"],
        "text": "The bearer of this message has no token; design= signal code",
        "url": "https://token.example",
    }
    assert json.loads(secrecy.line(event)) == event


def test_numbers_that_are_no_json(secrecy: Secrecy) -> None:
    """Browsers can read every line."""
    line = secrecy.line({"event": "x", "a": [float("inf"), float("nan")]})
    assert json.loads(line, parse_constant=pytest.fail) == {"event": "x", "a": ["inf", "nan"]}


@pytest.fixture(params=list(APP_TYPES))
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
