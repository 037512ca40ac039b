"""A test kit for bot authors, as a pytest plug-in: docs/testing.md describes it."""

from bot_testing.chat import Chat
from bot_testing.errors import ChatMistake, NoReply, TurnFailure
from bot_testing.options import ChatOptions
from bot_testing.reply import Reply, TurnResult

__all__ = ["Chat", "ChatMistake", "ChatOptions", "NoReply", "Reply", "TurnFailure", "TurnResult"]
