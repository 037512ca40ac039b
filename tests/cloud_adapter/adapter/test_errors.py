"""CloudAdapter: what the user, the channel and the log get from a failed turn."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ErrorResponseException

from auth.errors import BodyTooLarge, SignInError, Unavailable
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.codec import MAX_DEPTH
from tests.support.bots.composed_app import ComposedApp
from tests.support.logic import EXPECT_REPLIES, INVOKE, MESSAGE, answering, echo, processed, raising


@pytest.fixture
def faulty_connector(cloud: Cloud) -> Iterator[Any]:
    """The faults of the connector, which are cleared afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()


async def test_a_bot_that_raises(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """A bot that raises: one apology to the user, the traceback in the log, 200 to the channel."""
    response = await app.deliver({**MESSAGE, "id": "a1"}, raising(LookupError("no table")))
    assert (response.status, response.body) == (200, b"")
    assert app.texts() == [APOLOGY]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    logged = record.getMessage()
    assert "a1" in logged
    assert app.conversation.id in logged
    assert "LookupError: no table" in logged
    assert "in fail" in logged


async def test_a_bot_that_quotes_the_user(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """What the user wrote is not logged, at any level."""
    caplog.set_level(logging.DEBUG)
    await app.deliver(MESSAGE, raising(ValueError("cannot parse 'sesame'")))
    await app.deliver(INVOKE, raising(KeyError("sesame")))
    assert app.texts() == [APOLOGY, APOLOGY]
    assert "ValueError: cannot parse '[redacted]'" in caplog.text
    assert "KeyError: '[redacted]'" in caplog.text
    assert "sesame" not in caplog.text


async def test_a_local_run(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In a local run the log is not redacted: the only user is the bot's author."""
    async with ComposedApp(cloud, monkeypatch, redact=False) as app:
        await app.deliver(MESSAGE, raising(ValueError("cannot parse 'sesame'")))
    assert "ValueError: cannot parse 'sesame'" in caplog.text


async def test_an_unknown_activity_type(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """The log names an activity's type only if Bot Framework knows it."""
    caplog.set_level(logging.DEBUG)
    await app.deliver({"type": "sesame", "id": "a1"}, raising(LookupError("no table")))
    assert "Turn 'other' 'a1' in " in caplog.text
    assert "sesame" not in caplog.text


async def test_no_secret_is_logged(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the channel's nor the bot's token is logged, at any level."""
    caplog.set_level(logging.DEBUG)
    await app.deliver(MESSAGE, echo)
    await app.deliver(MESSAGE, raising(LookupError("no table")))
    token = await app.parts.tokens.get("https://api.botframework.com")
    for secret in (token.value, token.value.rpartition(".")[2], "Bearer ey", "sesame"):
        assert secret not in caplog.text


async def test_an_invoke_of_a_bot_that_raises(app: ComposedApp) -> None:
    """The response is 200: the channel would only send the activity again."""

    async def bot(turn: TurnContext) -> None:
        await answering(500)(turn)
        raise LookupError("no table")

    response = await app.deliver(INVOKE, bot)
    assert (response.status, response.body) == (200, b"")
    assert app.texts() == [APOLOGY]


async def test_an_apology_that_cannot_be_sent(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, faulty_connector: Any
) -> None:
    """An apology that cannot be sent is logged, and the channel gets 200."""
    faulty_connector.set(status=500)
    response = await app.deliver(MESSAGE, raising(LookupError("no table")))
    assert response.status == 200
    first, second = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert "LookupError: no table" in first.getMessage()
    assert "the apology could not be sent" in second.getMessage()
    assert "answered 500" in second.getMessage()
    assert app.texts() == []


@pytest.mark.parametrize("conversation", [".", ".."])
async def test_a_conversation_id_that_is_no_path_segment(
    conversation: str, app: ComposedApp
) -> None:
    """Replies to such an id would go to another URL: none is sent, and the channel gets 200."""
    before = app.cloud.connector.server.requests.total()
    content = {**MESSAGE, "conversation": {"id": conversation}}
    response = await app.deliver(content, echo)
    assert response.status == 200
    assert app.cloud.connector.server.requests.total() == before


async def test_a_reply_that_is_refused(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, faulty_connector: Any
) -> None:
    """A refused reply that the bot does not catch ends in the apology."""
    faulty_connector.set(status=403, remaining=1)
    response = await app.deliver(MESSAGE, echo)
    assert response.status == 200
    assert app.texts() == [APOLOGY]
    assert "answered 403" in caplog.text


async def test_a_connector_that_is_busy(app: ComposedApp, faulty_connector: Any) -> None:
    """A reply that is answered 429 is sent again."""
    faulty_connector.set(status=429, retry_after=0, remaining=2)
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert app.texts() == ["You said: sesame"]


async def test_a_connector_that_is_busy_for_long(app: ComposedApp, faulty_connector: Any) -> None:
    """A Retry-After beyond the turn's time limit is not awaited: reply and apology fail."""
    requests = app.cloud.connector.server.requests
    message = {**MESSAGE, "id": "activity-1"}
    path = f"POST /v3/conversations/{app.conversation.id}/activities/activity-1"
    faulty_connector.set(status=429, retry_after=13)
    assert (await app.deliver(message, echo)).status == 200
    assert (requests[path], app.texts()) == (2, [])


async def test_a_refusal_that_is_caught(app: ComposedApp, faulty_connector: Any) -> None:
    """A bot can catch the SDK's exception, and continue."""

    async def bot(turn: TurnContext) -> None:
        with pytest.raises(ErrorResponseException):
            await turn.send_activity("one")
        await turn.send_activity("two")

    faulty_connector.set(status=403, remaining=1)
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.texts() == ["two"]


async def test_a_value_that_nests_deeply(app: ComposedApp) -> None:
    """The bot can send back a value of the maximum depth; a deeper one is refused."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type="message", value=turn.activity.value))

    def body(depth: int) -> bytes:
        value = "[" * depth + "]" * depth
        return json.dumps(app.activity({**MESSAGE, "value": "?"})).replace('"?"', value).encode()

    assert (await processed(app, body(MAX_DEPTH - 1), bot)).status == 200
    assert json.dumps(app.conversation.activities[0]["value"]).count("[") == MAX_DEPTH - 1
    with pytest.raises(BodyTooLarge):
        await processed(app, body(MAX_DEPTH), bot)


@pytest.mark.parametrize("error", [SignInError("no role"), Unavailable("later", retry_after=9)])
@pytest.mark.parametrize("content", [MESSAGE, INVOKE, EXPECT_REPLIES])
async def test_unavailable_in_a_turn(
    app: ComposedApp, error: Unavailable, content: dict[str, Any]
) -> None:
    """`Unavailable` in a turn is raised, so that the channel sends the activity again."""
    with pytest.raises(Unavailable) as caught:
        await app.deliver(content, raising(error))
    assert caught.value is error
    assert app.texts() == []


async def test_no_sign_in(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that cannot sign in does not run at all."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(SignInError):
        await app.deliver(MESSAGE, raising(AssertionError("it ran")))


async def test_a_refusal_inside_a_turn(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """A service URL that is forbidden to the bot ends in the apology; the caller gets 200."""

    async def bot(turn: TurnContext) -> None:
        factory = turn.turn_state[turn.adapter.CONNECTOR_FACTORY_KEY]
        await factory.create("https://evil.example/")

    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.texts() == [APOLOGY]
    assert "ServiceUrlRefused" in caplog.text
