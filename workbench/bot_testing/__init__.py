"""A test kit for bot authors, as a pytest plug-in: docs/testing.md describes it."""

from bot_testing.activities.reply import Reply, TurnResult
from bot_testing.chat import Chat
from bot_testing.errors import ChatMistake, NoReply, TurnFailure
from bot_testing.options import ChatOptions
from cloud_adapter.adapter import APOLOGY

__all__ = [
    "APOLOGY",
    "Chat",
    "ChatMistake",
    "ChatOptions",
    "NoReply",
    "Reply",
    "TurnFailure",
    "TurnResult",
]
