"""Chat: a user who talks to the bot in a conversation."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from auth.errors import BotError
from bot_testing.card import TEAMS, Button
from bot_testing.errors import ChatMistake, TurnFailure
from bot_testing.options import Kind
from bot_testing.reply import Activity, Reply, TurnResult
from bot_testing.running_bot import RunningBot
from emulator.channel.card_action import show_result
from emulator.channel.connector_operations import bot_account
from emulator.channel.conversations import Conversation

NOT_SHOWN = {"typing", "trace"}
"""Types of activities that are no replies."""


class Chat:
    """What a test writes: one user in one conversation with the bot.

    Args:
        bot: the running app.
        user: the user's name.
        channel: the channel id.
        kind: the kind of the conversation.
        conversation: one that exists; None: a new one.

    Attributes:
        bot: the running app.
        account: the user, as it is in activities.
        conversation: with every activity so far, known to the local connector.
    """

    def __init__(
        self,
        bot: RunningBot,
        user: str,
        channel: str,
        kind: Kind = "personal",
        conversation: Conversation | None = None,
    ) -> None:
        self.bot = bot
        self.channel = channel
        self.kind = kind
        self.account: dict[str, Any] = {
            "id": f"{user.lower().replace(' ', '-')}-{uuid.uuid4().hex[:8]}",
            "name": user,
            "role": "user",
        }
        if channel == TEAMS:
            self.account["aadObjectId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, self.account["id"]))
        self._bot_account = bot_account(bot.cloud.registration)
        self.conversation = conversation or bot.cloud.conversations.create([self._bot_account])
        self.conversation.members[self.account["id"]] = self.account

    def user(self, name: str) -> "Chat":
        """Another user in the same conversation."""
        return Chat(self.bot, name, self.channel, self.kind, self.conversation)

    def new_conversation(
        self, user: str = "Ada", channel: str | None = None, kind: Kind = "personal"
    ) -> "Chat":
        """Another conversation with the same bot, of a new user.

        Args:
            user: the user's name.
            channel: the channel id; None: the same.
            kind: the kind of the conversation.
        """
        return Chat(self.bot, user, channel or self.channel, kind)

    async def say(
        self,
        text: str,
        *,
        expect_error: type[Exception] | None = None,
        **more: Any,
    ) -> TurnResult:
        """Send a message, and return the bot's replies.

        Args:
            text: the message.
            expect_error: the error that the bot's code must raise; None: none.
            more: more properties of the activity, such as `locale="de-DE"`.

        Raises:
            TurnFailure: the app refuses the message, or there is no such error.
            Exception: what the bot's code has raised, unless it is expected.
        """
        return await self.send({"type": "message", "text": text, **more}, expect_error=expect_error)

    async def press(
        self,
        reply: Reply | TurnResult,
        title: str,
        *,
        expect_error: type[Exception] | None = None,
        **inputs: Any,
    ) -> TurnResult:
        """Press a button, or choose a suggested action.

        Args:
            reply: what the button is on.
            title: what is on the button.
            expect_error: as for `say`.
            inputs: what the user enters, by the ids of the card's inputs.

        Raises:
            ChatMistake: there is no such button or input, or the button sends nothing to the bot.
        """
        replies = [reply] if isinstance(reply, Reply) else list(reply)
        found = [(each, button) for each in replies for button in each.buttons]
        for each, button in found:
            if button.title == title:
                return await self._press(each, button, inputs, expect_error)
        titles = [button.title for _, button in found]
        raise ChatMistake(f"There is no button {title!r}: there are {titles}.")

    async def _press(
        self,
        reply: Reply,
        button: Button,
        inputs: Mapping[str, Any],
        expect_error: type[Exception] | None,
    ) -> TurnResult:
        content = button.activity(self.channel, inputs)
        return await self.send({**content, "replyToId": reply.id}, expect_error=expect_error)

    async def invoke(self, name: str, value: Any = None, **more: Any) -> TurnResult:
        """Send an invoke; its answer has `status` and `body`. See `say`."""
        return await self.send({"type": "invoke", "name": name, "value": value, **more})

    async def join(self, *others: "Chat") -> TurnResult:
        """Tell the bot that users have joined: this one, or others instead."""
        added = [each.account for each in others or (self,)]
        return await self.send({"type": "conversationUpdate", "membersAdded": added})

    async def leave(self, *others: "Chat") -> TurnResult:
        """Tell the bot that users have left: this one, or others instead."""
        removed = [each.account for each in others or (self,)]
        return await self.send({"type": "conversationUpdate", "membersRemoved": removed})

    async def react(self, reply: Reply, reaction: str, *, remove: bool = False) -> TurnResult:
        """React to a reply, for example with `like`, or take a reaction back."""
        name = "reactionsRemoved" if remove else "reactionsAdded"
        content = {"type": "messageReaction", name: [{"type": reaction}], "replyToId": reply.id}
        return await self.send(content)

    @property
    def activities(self) -> list[Activity]:
        """Every activity of the conversation as it is now, the users' too, oldest first."""
        return self.conversation.activities

    @property
    def replies(self) -> list[Reply]:
        """Everything that the bot has sent so far, as it is now."""
        return [Reply(each) for each in self.activities if self._is_reply(each)]

    async def send(
        self, content: Mapping[str, Any], *, expect_error: type[Exception] | None = None
    ) -> TurnResult:
        """Send an activity, and return what the bot answers.

        Args:
            content: its properties, but for its addresses.
            expect_error: as for `say`.

        Raises:
            TurnFailure: the app refuses it, or there is no such error.
            Exception: what the bot's code has raised, unless it is expected.
        """
        activity = self.conversation.add(self._addressed(content))
        return await self.deliver(activity, expect_error=expect_error)

    async def deliver(
        self, activity: Activity, *, expect_error: type[Exception] | None = None
    ) -> TurnResult:
        """Deliver an activity, for example one of `activities` again. See `send`."""
        start, errors = len(self.conversation.changes), len(self.bot.errors)
        answer = await self.bot.post(activity)
        body = answer.get_body()
        if activity["type"] == "invoke":
            show_result(self.conversation, activity, body, self._bot_account)
        changes = [each for each in self.conversation.changes[start:] if self._is_reply(each)]
        known = {each["id"] for each in self.conversation.changes[:start]}
        result = TurnResult(
            [Reply(each) for each in changes if each["id"] not in known],
            [Reply(each) for each in changes if each["id"] in known],
            answer.status_code,
            json.loads(body) if body else None,
            [each for each in self.bot.errors[errors:] if not isinstance(each, BotError)],
        )
        _check(result, activity["type"], expect_error)
        return result

    def _addressed(self, content: Mapping[str, Any]) -> Activity:
        conversation: dict[str, Any] = {"id": self.conversation.id}
        addresses: dict[str, Any] = {
            "channelId": self.channel,
            "serviceUrl": f"{self.bot.cloud.connector.server.url}/",
            "from": self.account,
            "recipient": self._bot_account,
            "locale": "en-US",
        }
        if self.kind != "personal":
            conversation["isGroup"] = True
        if self.channel == TEAMS:
            tenant = self.bot.cloud.registration.tenant_id
            conversation |= {"conversationType": self.kind, "tenantId": tenant}
            addresses["channelData"] = {"tenant": {"id": tenant}}
        return {**addresses, "conversation": conversation, **content}

    def _is_reply(self, activity: Activity) -> bool:
        from_bot = (activity.get("from") or {}).get("id") == self._bot_account["id"]
        return from_bot and activity["type"] not in NOT_SHOWN


def _check(result: TurnResult, kind: str, expected: type[Exception] | None) -> None:
    """Fail if the turn did not end as expected."""
    if expected is not None:
        if not any(isinstance(each, expected) for each in result.errors):
            raise TurnFailure(f"The bot raised {result.errors}, not {expected.__name__}.")
        return
    if result.errors:
        raise result.errors[0]
    if kind != "invoke" and not 200 <= result.status < 300:
        raise TurnFailure(f"The app answered {result.status}: {result.body}", result.status)
