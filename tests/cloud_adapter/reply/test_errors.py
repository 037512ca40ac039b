"""Reply in turns that fail: what the user sees of the answer, and of the error."""

from collections.abc import Awaitable, Callable

import pytest
from botbuilder.core import TurnContext

from cloud_adapter.adapter import APOLOGY
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from tests.support.bots.set_aside_turns import retry_of
from tests.support.bots.streaming_worker import ANSWER, Model, StreamingWorker
from tests.support.wire.streamed_chat import StreamedChat

READING = "Reading the menu…"

WHILE = [
    (0, "", ""),
    (0, READING, f"{READING}…"),
    (2, "", "One two"),
]
"""Pieces of the answer before the error, what the bot has said before, and what the user sees."""


def fail_after(pieces: int, model: Model, chat: StreamedChat, update: str) -> None:
    """Let the model fail, once the user sees what there is."""

    async def fail() -> None:
        if update:
            await chat.shows(update)
        raise LookupError

    model.steps[pieces] = fail


@pytest.mark.parametrize("mode", ["Queued"], indirect=True)
@pytest.mark.parametrize(("pieces", "update", "shown"), WHILE)
async def test_an_attempt_that_another_one_follows(
    worker: StreamingWorker,
    model: Model,
    chat: StreamedChat,
    pieces: int,
    update: str,
    shown: str,
) -> None:
    """The user sees the text so far, and no word of the error; then the whole answer."""
    worker.update = update
    fail_after(pieces, model, chat, update)
    message = await worker.run_once()
    assert chat.shown == ([shown] if shown else [])
    chat.taken()
    await worker.run(retry_of(message))
    assert chat.shown == [ANSWER]
    if shown:
        assert chat.taken() == ["replace"]


@pytest.mark.parametrize("handles", [False, True])
@pytest.mark.parametrize(("pieces", "update", "shown"), WHILE)
async def test_the_last_attempt(
    worker: StreamingWorker,
    model: Model,
    chat: StreamedChat,
    pieces: int,
    update: str,
    shown: str,
    handles: bool,
) -> None:
    """The user sees the text so far, and then the apology, which takes the place of no text.

    A bot's handler for errors runs in any case.
    """
    apologies = [APOLOGY]
    if handles:
        worker.app.parts.adapter.on_turn_error = saying("I am lost.")
        apologies = [APOLOGY, "I am lost."] if update else ["I am lost."]
    worker.update = update
    fail_after(pieces, model, chat, update)
    await worker.run_once(MAX_ATTEMPTS - 1)
    assert chat.shown == ([shown, *apologies] if pieces else apologies)


def saying(text: str) -> Callable[[TurnContext, Exception], Awaitable[None]]:
    """A handler for errors."""

    async def say(turn: TurnContext, _: Exception) -> None:
        await turn.send_activity(text)

    return say
