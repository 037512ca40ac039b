"""LanguageModel: what it answers without a script."""

from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.emulator.language_model.asking import CLOCK, SEARCH, calls_of, complete, stream, text_of

TOOLS = [SEARCH, CLOCK]


def asked(text: str) -> list[dict[str, Any]]:
    """A conversation that starts with a question."""
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (
            "How many holidays do I have?",
            ("search_documents", '{"query": "How many holidays do I have?"}'),
        ),
        ("What's today's date?", ("current_time", "{}")),
        ("What time is it?", ("current_time", "{}")),
    ],
)
async def test_calls(client: AsyncOpenAI, text: str, call: tuple[str, str]) -> None:
    """It calls the tool that the user's words name, or else one that searches."""
    assert calls_of(await complete(client, messages=asked(text), tools=TOOLS)) == [call]


async def test_results(client: AsyncOpenAI) -> None:
    """It quotes the first lines of what tools have returned, with their marks."""
    found = "[1] Holidays: 30 days.\n\n[2] Sick leave: call us.\nthree\nfour"
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    conversation = [
        *asked("holidays?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": found},
    ]
    text = text_of(await stream(client, messages=conversation, tools=TOOLS))
    assert "stand-in" in text
    assert "[1] Holidays: 30 days.\n[2] Sick leave: call us.\nthree" in text
    assert "four" not in text


async def test_no_tool(client: AsyncOpenAI) -> None:
    """Without a tool that it may call, it says one sentence."""
    for more in ({}, {"tools": [CLOCK]}, {"tools": [SEARCH], "tool_choice": "none"}):
        [choice] = (await complete(client, messages=asked("lunch?"), **more)).choices
        assert choice.finish_reason == "stop"
        assert "stand-in" in (choice.message.content or "")
