"""docs/testing.md: its first test passes, and it names what there is."""

import re
from dataclasses import fields
from typing import Any, get_args

import pytest

import bot_testing
from bot_testing import Chat, ChatOptions, Reply
from bot_testing.cloud.faults import Part
from tests.support.project import ROOT

pytestmark = pytest.mark.chat(bot="examples/echo")

PAGE = (ROOT / "docs/testing.md").read_text("utf-8")


async def test_the_first_test(chat: Chat) -> None:
    """The first block of Python is a test that passes."""
    found = re.search(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our page
    [test] = [each for name, each in names.items() if name.startswith("test_")]
    await test(chat)


@pytest.mark.parametrize("name", ["test_stop", "test_a_second_delivery", "test_a_dead_process"])
@pytest.mark.chat(bot="workbench/tests/bot_testing/bots/teller", channel="msteams", skip_waits=True)
async def test_the_tests_of_streamed_answers(chat: Chat, name: str) -> None:
    """They pass with a bot that streams."""
    found = re.search(r"^## Streamed answers$.*?^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our page
    await names[name](chat)


@pytest.mark.parametrize("name", ["test_a_tool", "test_silence"])
@pytest.mark.chat(bot="examples/assistant", channel="msteams", skip_waits=True)
@pytest.mark.filterwarnings("ignore:unclosed")  # as the page says
async def test_the_tests_of_a_language_model(chat: Chat, name: str) -> None:
    """They pass with the example that they name."""
    found = re.search(r"^## A language model$.*?^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our page
    await names[name](chat)


async def test_what_the_page_names(chat: Chat) -> None:
    """Each attribute on the page exists, and each method of a chat is on the page."""
    named = set(re.findall(r"\bchat\.(\w+)", PAGE))
    assert {name for name in named if not hasattr(chat, name)} == set()
    public = {name for name in vars(Chat) if not name.startswith("_")}
    assert public - named == set()
    of_kit = set(re.findall(r"\bbot_testing\.(\w+)", PAGE))
    assert of_kit
    assert of_kit <= set(bot_testing.__all__)
    reply = Reply({"id": "1", "type": "message"})
    listed = re.findall(r"A reply has ([^.]+)\.", PAGE)[0]
    attributes = set(re.findall(r"`(\w+)`", listed)) - {"card"}  # it has none
    assert {name for name in attributes if not hasattr(reply, name)} == set()


def test_the_options() -> None:
    """The table has each option with its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:`(\w+)`|[^|]*) \|", PAGE, re.M))
    options = {each.name: each.default for each in fields(ChatOptions)}
    assert rows.keys() == options.keys()
    defaults = {name: str(default) for name, default in options.items() if rows[name]}
    assert defaults == {name: text for name, text in rows.items() if text}


def test_the_services() -> None:
    """The page names each service that can fail."""
    assert {part for part in get_args(Part) if f'"{part}"' not in PAGE} == set()
