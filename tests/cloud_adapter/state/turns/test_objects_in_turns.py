"""Objects of the bot's own classes, from turn to turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botbuilder.core import TurnContext

from cloud_adapter.errors import UnreadableState
from tests.support.bots.composed_app import ComposedApp
from tests.support.written_bot import WrittenBot

MESSAGE = {"type": "message", "text": "hello"}
PROFILE = """
    class Profile:
        visits = 0
    """


@pytest.fixture
def written(
    app: ComposedApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WrittenBot]:
    """The bot's folder, after the app has started."""
    assert app.parts
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    written = WrittenBot(tmp_path)
    yield written
    written.unload()


async def test_an_object_that_cannot_be_read(app: ComposedApp, written: WrittenBot) -> None:
    """The turn answers 503, the bot's error handler is not asked, and what is stored stays."""
    handled = []

    async def on_error(turn: TurnContext, error: Exception) -> None:
        handled.append(error)
        await app.parts.services.conversation_state.delete(turn)

    async def logic(turn: TurnContext) -> None:
        profiles = app.parts.services.conversation_state.create_property("profile")
        profile = await profiles.get(turn, written.module("models").Profile)
        profile.visits += 1
        await turn.send_activity(f"{profile.visits}")

    app.parts.adapter.on_turn_error = on_error
    written.load({"models.py": PROFILE})
    await app.deliver(MESSAGE, logic)
    written.load({"models.py": "from http import HTTPStatus as Profile"})
    written.module("models")
    for _ in range(2):
        with pytest.raises(
            UnreadableState, match=r"^state\.profile is an object of 'bot:models:Pr"
        ):
            await app.deliver(MESSAGE, logic)
    written.load({"models.py": PROFILE})
    written.module("models")
    await app.deliver(MESSAGE, logic)
    assert app.texts() == ["1", "2"]
    assert handled == []
