"""docs/extend.md shows the bots in examples/, and move-a-bot.md the other one, as they are."""

import re
import textwrap
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage

from bot_testing import Chat
from cloud_adapter.bot.services import BotServices
from tests.support.project import ROOT

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("[!._]*") if path.is_dir())
WITHOUT_THE_ADAPTER = ROOT / "examples" / "aiohttp_bot"
"""Not a bot for this project's adapter: its page is another one."""

PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
SECTIONS = [
    *(ROOT / "docs" / "move-a-bot.md").read_text("utf-8").split("\n## "),
    *PAGE.split("\n## "),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
INDENTS = ("", " " * 4, " " * 8)


def section(example: Path) -> str:
    """The section that links to an example; the last one, as the introduction lists them all."""
    return next(text for text in reversed(SECTIONS) if f"(../examples/{example.name})" in text)


def code_of(example: Path) -> str:
    """All Python files of an example."""
    return "\n".join(file.read_text("utf-8") for file in sorted(example.rglob("*.py")))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_section_shows_the_examples_code(example: Path) -> None:
    """Every block of Python in an example's section is in the example's files."""
    blocks, code = BLOCK.findall(section(example)), code_of(example)
    assert blocks
    for block in blocks:
        assert any(textwrap.indent(block, indent) in code for indent in INDENTS), block


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_can_be_found_and_is_tested(example: Path) -> None:
    """The page's table has a line for each bot, and a test is beside it."""
    assert example == WITHOUT_THE_ADAPTER or f"| [{example.name}](#" in PAGE
    assert list(example.glob("test_*.py"))


@pytest.mark.chat(bot="examples/echo")
async def test_a_queue_of_your_own(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """The page's function sets a message aside that was delivered too often; doctors find it."""
    [text] = [each for each in SECTIONS if each.startswith("Process a queue of your own")]
    names: dict[str, Any] = {}
    exec(BLOCK.findall(text)[0], names)  # noqa: S102  # our page
    services = chat.bot.parts.services

    async def ready() -> BotServices:
        return services

    app = func.FunctionApp()
    app.register_functions(names["create_routes"](ready))
    [function] = app.get_functions()
    message = QueueMessage(id="7", body=b"soup", dequeue_count=6)  # type: ignore[no-untyped-call]
    await function.get_user_function()(message)
    stored = await services.storage.read(["failed order 7"])
    assert stored["failed order 7"]["text"] == "soup"
    assert [each.message for each in caplog.records if "is dead-lettered: " in each.message]
