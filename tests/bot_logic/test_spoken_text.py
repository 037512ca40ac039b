"""spoken_text: a message's text without the mention of the bot."""

from typing import Any

import pytest
from botbuilder.schema import Activity

from bot_logic.spoken_text import MAX_MENTIONS, spoken_text

BOT = {"id": "28:bot", "name": "Bot"}
MENTION = {"type": "mention", "text": "<at>Bot</at>", "mentioned": BOT}
OTHER = {"type": "mention", "text": "<at>Ada</at>", "mentioned": {"id": "29:1", "name": "Ada"}}


def said(text: Any, entities: Any = None, recipient: Any = BOT) -> str:
    """The spoken text of a message."""
    activity = {"type": "message", "text": text, "entities": entities, "recipient": recipient}
    return spoken_text(Activity.deserialize(activity))


@pytest.mark.parametrize(
    ("text", "entities", "spoken"),
    [
        ("hello", None, "hello"),
        (" hello\n", [], "hello"),
        (None, None, ""),
        ("", None, ""),
        ("<at>Bot</at> help", [MENTION], "help"),
        ("<at>Bot</at>\u00a0help\n", [MENTION], "help"),
        ("help <at>Bot</at>", [MENTION], "help"),
        ("<at>Bot</at>", [MENTION], ""),
        ("<at>Bot</at> and <at>Bot</at>", [MENTION, MENTION], "and"),
        ("<at>Bot</at> ask <at>Ada</at>", [OTHER, MENTION], "ask <at>Ada</at>"),
        ("<at>Bot</at> help", None, "<at>Bot</at> help"),
        ("hello", [{"type": "clientInfo", "locale": "en-US"}], "hello"),
    ],
)
def test_mentions(text: Any, entities: Any, spoken: str) -> None:
    """Mentions of the bot are removed, those of others stay."""
    assert said(text, entities) == spoken


@pytest.mark.parametrize(
    "entity",
    [
        None,
        {},
        {"type": "mention"},
        {"type": "mention", "text": "hello"},
        {"type": "mention", "text": "hello", "mentioned": None},
        {"type": "mention", "text": "hello", "mentioned": "28:bot"},
        {"type": "mention", "text": "hello", "mentioned": {}},
        {"type": "mention", "text": None, "mentioned": BOT},
        {"type": "mention", "text": ["hello"], "mentioned": BOT},
        {"type": "mention", "text": "", "mentioned": BOT},
    ],
)
def test_malformed_mentions(entity: Any) -> None:
    """A mention that does not name the bot is ignored."""
    assert said("hello", [entity]) == "hello"


def test_many_mentions() -> None:
    """Mentions of the bot are removed, up to MAX_MENTIONS different texts."""
    names = [f"<at>Bot {number}</at>" for number in range(MAX_MENTIONS + 1)]
    mentions = [{**MENTION, "text": name} for name in names for _ in range(3)]
    assert said(" ".join(names[:-1]) + "help", mentions) == "help"
    assert said(names[-1], mentions) == names[-1]


def test_a_message_without_a_recipient() -> None:
    """Without a recipient, no mention is one of the bot."""
    assert said("<at>Bot</at> help", [MENTION], None) == "<at>Bot</at> help"
