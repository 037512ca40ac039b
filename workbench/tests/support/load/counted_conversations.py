"""CountedConversations: users who let a bot count, each message after the last was accepted."""

import asyncio
import contextlib
import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot_workbench.emulator.channel.conversations import Conversation
from tests.support.storage.stored_state import stored_state
from tests.support.timing.condition import comes_true, found
from tests.support.wire.insistent_channel import Delivered, InsistentChannel


@dataclass
class CountedConversation:
    """A conversation in which the bot counts every message.

    Its messages are accepted in the order in which they are delivered, so the bot's replies must
    count in that order.

    Attributes:
        conversation: the channel's.
        messages: in the order in which they are accepted.
        counted: messages that the bot has counted before these.
        accepted_at: when they were accepted, in seconds since the epoch; those without a time are
            yet to be delivered.
    """

    conversation: Conversation
    messages: list[Delivered]
    counted: int = 0
    accepted_at: list[float] = field(default_factory=list)

    @property
    def replies(self) -> list[tuple[str, str]]:
        """What each reply replies to, and what it says, in the order of arrival."""
        sent = (each for each in self.conversation.activities if each["type"] == "message")
        return [(each["replyToId"], each["text"]) for each in sent]

    @property
    def in_order(self) -> bool:
        """Each message is counted once, after those before it; cut-off turns may reply again."""
        expected = [
            (message.activity["id"], f"Count: {self.counted + number}")
            for number, message in enumerate(self.messages, start=1)
        ]
        return list(dict.fromkeys(self.replies)) == expected

    @property
    def repeated(self) -> int:
        """Replies to a message that had one."""
        return len(self.replies) - len({name for name, _ in self.replies})

    @property
    def lost(self) -> int:
        """Messages without a reply."""
        return len({each.activity["id"] for each in self.messages} - dict(self.replies).keys())

    @property
    def replied_at(self) -> dict[str, float]:
        """When the first reply to each message came, in seconds since the epoch, by its id."""
        found: dict[str, float] = {}
        for each in self.conversation.activities:
            if each["type"] == "message":
                sent_at = datetime.datetime.fromisoformat(each["timestamp"]).timestamp()
                found.setdefault(each["replyToId"], sent_at)
        return found

    @property
    def longest_wait(self) -> float:
        """Seconds from the acceptance of a message to its first reply."""
        replied_at = self.replied_at
        waits = (
            replied_at[message.activity["id"]] - accepted_at
            for message, accepted_at in zip(self.messages, self.accepted_at, strict=True)
            if message.activity["id"] in replied_at
        )
        return max(waits, default=0.0)


class CountedConversations:
    """Conversations of which each has one user who never has two messages under way.

    Args:
        channel: delivers the messages.
        sizes: the messages of each conversation.
        text: of each message.

    Attributes:
        all: the conversations.
    """

    def __init__(
        self, channel: InsistentChannel, sizes: Sequence[int], text: str = "count"
    ) -> None:
        self._channel = channel
        self._text = text
        self.all = [self.new(size) for size in sizes]

    def new(self, size: int, counted: int = 0) -> CountedConversation:
        """A conversation with messages that are not delivered yet, which is not among `all`."""
        conversation = self._channel.conversation()
        messages = [self._channel.message(conversation, self._text) for _ in range(size)]
        return CountedConversation(conversation, messages, counted)

    @property
    def messages(self) -> list[Delivered]:
        """All messages."""
        return [message for each in self.all for message in each.messages]

    @property
    def reply_count(self) -> int:
        """Replies so far."""
        return sum(len(each.conversation.changes) for each in self.all)

    async def deliver(self, seconds: float) -> None:
        """Deliver what is not accepted in about so many seconds; each message until it is."""
        async with asyncio.TaskGroup() as group:
            for number, each in enumerate(self.all):
                group.create_task(self._deliver(each, seconds, number / len(self.all)))

    async def _deliver(self, counted: CountedConversation, seconds: float, offset: float) -> None:
        now = asyncio.get_running_loop().time
        messages = counted.messages[len(counted.accepted_at) :]
        start, interval = now(), seconds / max(len(messages), 1)
        for number, message in enumerate(messages):
            await asyncio.sleep(max(0.0, start + (number + offset) * interval - now()))
            await self._channel.deliver(message)
            counted.accepted_at.append(time.time())

    async def settle(self, storage: str, seconds: float) -> dict[str, int]:
        """Wait until each message has a reply and is counted in the stored state, or time is over.

        Args:
            storage: the connection string of the account that has the state.
            seconds: to wait at most.

        Returns:
            The stored counters, by the conversations' ids.
        """
        total = sum(each.counted + len(each.messages) for each in self.all)

        async def all_counted() -> bool:
            return sum((await self._counters(storage)).values()) >= total

        with contextlib.suppress(AssertionError):  # the test says what is missing
            await comes_true(lambda: not any(each.lost for each in self.all), seconds)
            await found(all_counted)  # the last turns save after their replies
        return await self._counters(storage)

    async def _counters(self, storage: str) -> dict[str, int]:
        states = await stored_state(storage, [each.conversation for each in self.all])
        return {name: state.get("counter", 0) for name, state in states.items()}
