"""The bots in the documentation's Python blocks run as they are printed."""

import re
from pathlib import Path
from typing import Any

import pytest
from botbuilder.core import ConversationState, MemoryStorage, TurnContext
from botbuilder.core.adapters import TestAdapter

from bot_testing import Chat
from tests.support.project import ROOT

IMPORTS = """
from botbuilder.core import ConversationState, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
"""


def names_of(page: str) -> dict[str, Any]:
    """What a page's first Python block defines."""
    found = re.search(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1] if "import" in found[1] else IMPORTS + found[1], names)  # noqa: S102 # our page
    return names


async def test_the_bot_of_the_readme_answers() -> None:
    """The bot that README.md shows is made as the app makes it, and echoes."""
    bot = names_of("README.md")["create_bot"](None)
    flow = await TestAdapter(bot.on_turn).send("hello")
    await flow.assert_reply("You said: hello")


@pytest.fixture
def bot_folder(tmp_path: Path) -> Path:
    """A bot that is README.md's second Python block."""
    page = (ROOT / "README.md").read_text("utf-8")
    block = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)[1]
    (tmp_path / "__init__.py").write_text(block, "utf-8")
    return tmp_path


async def test_the_application_of_the_readme_answers(chat: Chat) -> None:
    """The application of the Agents SDK that README.md shows echoes."""
    assert (await chat.say("hello")).texts == ["You said: hello"]


async def test_the_bot_that_counts_remembers() -> None:
    """The bot of docs/state.md counts in the state of its conversation."""
    state = ConversationState(MemoryStorage())
    bot = names_of("docs/state.md")["Bot"](state)

    async def turn(context: TurnContext) -> None:
        await bot.on_turn(context)
        await state.save_changes(context)

    flow = await TestAdapter(turn).send("count")
    flow = await (await flow.assert_reply("Count: 1")).send("count")
    await flow.assert_reply("Count: 2")
