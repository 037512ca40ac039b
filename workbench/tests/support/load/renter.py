"""Renter: a user who answers the questions of the boat rental's bot."""

from typing import Any

from bot_workbench.emulator.channel.conversations import Conversation
from tests.support.project import ROOT
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

RENTAL = ROOT / "tests/samples/bots/rental"
"""A bot with a waterfall of prompts, which saves by itself, and clears its state after an error."""

STEPS = 6


class Renter:
    """One of many users, with a conversation of their own.

    Args:
        channel: creates the conversation.
        number: the user's, from 0 on; it tells the answers of users apart.
    """

    def __init__(self, channel: InsistentChannel, number: int) -> None:
        name, people = f"Renter {number}", number % 6 + 1
        self.conversation: Conversation = channel.conversation()
        self.answers = ["hi", "Raft", name, str(people), "2031-05-06", "yes"]
        """The user's texts, one after the other."""
        self.expected = [
            "Which boat?",
            "Who rents it?",
            f"Hello {name}.",
            "For how many people?",
            "When?",
            f"A Raft for {people} on 2031-05-06, {name}.",
            "Is this right?",
            "It is yours.",
        ]
        """What the bot says, if each answer is taken once and in order."""
        self._account = {"id": f"renter-{number}", "name": name, "role": "user"}

    def answer(self, channel: InsistentChannel, step: int) -> Delivered:
        """The answer to a question, not delivered yet."""
        account: dict[str, Any] = {"from": self._account}
        return channel.message(self.conversation, self.answers[step], **account)

    def heard(self) -> list[str]:
        """What the bot has said, on cards too."""
        sent = [each for each in self.conversation.activities if each["type"] == "message"]
        return [each.get("text") or each["attachments"][0]["content"]["text"] for each in sent]
