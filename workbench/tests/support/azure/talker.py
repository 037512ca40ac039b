"""Talker: a user who keeps talking to a bot through its channel, one turn after another."""

import asyncio
from dataclasses import dataclass
from typing import Self

from bot_workbench.emulator.bot_channel import BotChannel
from bot_workbench.emulator.channel.connector_operations import bot_account
from tests.support.azure.azure_thread import AzureThread
from tests.support.timing.condition import comes_true

USER = {"id": "user-1", "name": "Ada", "role": "user"}


@dataclass(frozen=True)
class Said:
    """One message of the user's, and what became of it.

    Attributes:
        status: what the bot's endpoint answered; 502 and 504 are the channel's own.
        replies: texts of the bot's messages.
    """

    status: int
    replies: tuple[str, ...]

    @property
    def reply(self) -> str:
        """The bot's last message; empty: there was none."""
        return self.replies[-1] if self.replies else ""

    @property
    def ok(self) -> bool:
        """Whether the turn succeeded: the bot accepted the message and replied."""
        return 200 <= self.status < 300 and bool(self.reply)


class Talker:
    """Talks to an Azure Bot, wherever its endpoint is. In a `with` block, it does so all the time.

    Args:
        thread: the local Azure.
        bot: the Azure Bot's name.

    Attributes:
        turns: those so far.
    """

    def __init__(self, thread: AzureThread, bot: str) -> None:
        self.turns: list[Said] = []
        self._thread = thread
        self._bot = bot
        self._talking: asyncio.Task[None] | None = None

    @property
    def failed(self) -> list[Said]:
        """The turns that failed."""
        return [turn for turn in self.turns if not turn.ok]

    def say(self, text: str, seconds: float = 0) -> Said:
        """Say something, in a new conversation, and return what has become of it.

        Args:
            text: the message.
            seconds: how long a reply may come after the endpoint's answer, as a queued turn's does;
                0: none is waited for.

        Raises:
            AssertionError: no reply came in time.
        """
        return self._thread.do(self._say_once(text, seconds))

    def __enter__(self) -> Self:
        self._thread.do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.do(self._end())

    async def _start(self) -> None:
        channel = await self._thread.azure.channel(self._bot)
        self._ended = False
        self._talking = asyncio.create_task(self._talk(channel))

    async def _end(self) -> None:
        self._ended = True
        if self._talking is not None:
            await self._talking

    async def _talk(self, channel: BotChannel) -> None:
        while not self._ended:
            self.turns.append(await _turn(channel, f"turn {len(self.turns)}"))
            await asyncio.sleep(0)

    async def _say_once(self, text: str, seconds: float) -> Said:
        return await _turn(await self._thread.azure.channel(self._bot), text, seconds)


async def _turn(channel: BotChannel, text: str, seconds: float = 0) -> Said:
    bot = bot_account(channel.channel.registration)
    conversation = channel.conversations.create([USER, bot])
    message = {
        "type": "message",
        "text": text,
        "channelId": "webchat",
        "serviceUrl": f"{channel.connector.url}/",
        "from": USER,
        "recipient": bot,
    }
    answer = await channel.channel.deliver(conversation.add(message))

    def replies() -> tuple[str, ...]:
        return tuple(
            str(each.get("text", ""))
            for each in conversation.activities
            if each["type"] == "message" and each["from"]["id"] != USER["id"]
        )

    if seconds and answer.status < 300:
        await comes_true(lambda: bool(replies()), seconds)
    return Said(answer.status, replies())
