"""Chat: a user who talks to the bot in a conversation; the main API of the test kit."""

import datetime
import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import azure.functions as func

from bot_testing.activities.card import TEAMS, refresh_activity
from bot_testing.activities.reply import Activity, Reply, TurnResult
from bot_testing.activities.sign_in import By, sign_in_activity
from bot_testing.cloud.faults import Part
from bot_testing.conversation import ChatConversation
from bot_testing.errors import ChatMistake
from bot_testing.options import ChatOptions, Kind
from bot_testing.state import ChatState
from bot_testing.surroundings import Surroundings
from bot_workbench.emulator.channel.conversations import Attachment
from bot_workbench.emulator.channel.direct_line import FILES

SECONDS = 5.0
"""The seconds for which `next_reply` waits."""


class Chat:
    """One user in one conversation with the bot. Tests call its methods.

    Args:
        around: the app, and what is around it.
        options: the user's name, the channel and the kind of the conversation.
        conversation: an existing one; None: a new one.
        account: the account of an existing user; None: a new one.

    Attributes:
        bot: the running app.
        account: the user, as it is in activities.
        channel: the channel's id.
        conversation: the local connector's record of it.
        state: what the bot has stored of the conversation and of the user.
        model: the stand-in for a language model, whose answers the test scripts.
    """

    def __init__(
        self,
        around: Surroundings,
        options: ChatOptions,
        conversation: ChatConversation | None = None,
        account: dict[str, Any] | None = None,
    ) -> None:
        self.bot = around.bot
        self.account = account or _account(options)
        self._around = around
        self._options = options
        found = conversation or ChatConversation(around, options.channel, options.kind)
        self._conversation = found
        self.channel = found.channel
        self.conversation = found.stored
        found.stored.members[self.account["id"]] = self.account
        self.model = self.bot.cloud.model
        self.state = ChatState(self.bot, found.addressed(self.account, {"type": "message"}))

    def user(self, name: str) -> "Chat":
        """Another user in the same conversation."""
        return Chat(self._around, replace(self._options, user=name), self._conversation)

    def new_conversation(
        self, user: str = "", channel: str = "", kind: Kind | None = None
    ) -> "Chat":
        """A conversation of a new user with the same bot.

        Args:
            user: the user's name; empty: the same name.
            channel: the channel's id; empty: the same.
            kind: the kind of the conversation; None: the same.
        """
        old = self._options
        options = replace(
            old, user=user or old.user, channel=channel or old.channel, kind=kind or old.kind
        )
        return Chat(self._around, options)

    def created(self) -> list["Chat"]:
        """The conversations that the bot has created since the last call, each with its user.

        For a new thread in Teams, a bot names no members; such a conversation gets this user.
        """
        chats = []
        for stored in list(self.bot.cloud.conversations.by_id.values()):
            if stored.id not in self._around.known:
                people = [each for each in stored.members.values() if each.get("role") != "bot"]
                one = ChatConversation(self._around, self.channel, self._options.kind, stored)
                account = people[0] if people else self.account
                chats.append(Chat(self._around, self._options, one, account))
        return chats

    async def say(
        self,
        text: str,
        /,
        *,
        expect_error: type[Exception] | None = None,
        stop_after: int = 0,
        **more: Any,
    ) -> TurnResult:
        """Send a message, and return the bot's replies.

        In a Teams channel or group chat, the message mentions the bot, as Teams requires.

        Args:
            text: the message.
            expect_error: an error that the bot's code must raise; None: it must raise none.
            stop_after: the user presses Stop when so many parts of a streamed answer are shown; 0:
                never.
            more: more properties of the activity, such as `locale="de-DE"`.

        Raises:
            TurnFailure: the app refuses the message, or the bot does not raise `expect_error`.
            ChatMistake: the answer has fewer parts than `stop_after`, or nobody can stop it.
            Exception: an error of the bot's code that is not expected.
        """
        content = {"type": "message", "text": text, "textFormat": "plain"}
        if self.channel == TEAMS and self._options.kind != "personal":
            bot = self._conversation.bot_account
            mention = f"<at>{bot['name']}</at>"
            content["text"] = f"{mention} {text}"
            more.setdefault("entities", [{"type": "mention", "text": mention, "mentioned": bot}])
        added = self._added({**content, **more})
        if stop_after:
            return await self._conversation.deliver_and_stop(added, stop_after, expect_error)
        return await self._conversation.deliver(added, expect_error)

    async def press(
        self,
        reply: Reply | TurnResult,
        title: str,
        /,
        *,
        expect_error: type[Exception] | None = None,
        **inputs: Any,
    ) -> TurnResult:
        """Press a button, or choose a suggested action.

        Args:
            reply: the activity that has the button.
            title: the button's text.
            expect_error: as for `say`.
            inputs: what the user enters, by the ids of the card's inputs.

        Raises:
            ChatMistake: there is no such button or input, or the button sends nothing to the bot.
        """
        replies = [reply] if isinstance(reply, Reply) else list(reply)
        buttons = [(each, button) for each in replies for button in each.buttons]
        for each, button in buttons:
            if button.title == title:
                content = button.activity(self.channel, inputs)
                return await self.send({**content, "replyToId": each.id}, expect_error=expect_error)
        titles = [button.title for _, button in buttons]
        raise ChatMistake(f"There is no button {title!r}. The buttons are {titles}.")

    async def refresh(self, reply: Reply) -> TurnResult:
        """Look at a card that refreshes itself: the client sends the card's `refresh` action.

        Raises:
            ChatMistake: the card has no `refresh`, or it is not for this user.
        """
        content = refresh_activity(reply.card, self.account["id"])
        return await self.send({**content, "replyToId": reply.id})

    async def invoke(
        self, name: str, value: Any = None, *, expect_error: type[Exception] | None = None
    ) -> TurnResult:
        """Send an invoke; the result has the response's `status` and `body`."""
        content = {"type": "invoke", "name": name, "value": value}
        return await self.send(content, expect_error=expect_error)

    async def sign_in(self, reply: Reply | TurnResult, by: By = "window") -> TurnResult:
        """Sign in with the card of a bot's OAuthPrompt.

        Args:
            reply: the sign-in card.
            by: how the user signs in: see `By`.

        Raises:
            ChatMistake: there is no such card, or its link has expired.
        """
        card = reply if isinstance(reply, Reply) else reply[-1]
        users = self.bot.cloud.user_tokens
        return await self.send(sign_in_activity(users, card, self.account, self.channel, by))

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

    async def edit(self, text: str) -> TurnResult:
        """Change the text of the user's last message."""
        content = {**self._last("message"), "type": "messageUpdate", "text": text}
        content["channelData"] = {**content.get("channelData", {}), "eventType": "editMessage"}
        shown = {**content, "type": "message"}
        self._around.cloud.call(self.conversation.update, content["id"], shown)
        return await self._conversation.deliver(content)

    async def upload(
        self, name: str, content: bytes, content_type: str, text: str = ""
    ) -> TurnResult:
        """Send a file, as Web Chat does: the bot gets a link (URL) to it, which needs no token."""
        cloud = self.bot.cloud
        file = Attachment(name, content_type, {"original": content})
        file_id = cloud.conversations.store_attachment(file)
        url = f"{cloud.pages.url}{FILES}{file_id}/views/original"
        sent = {"contentType": content_type, "contentUrl": url, "name": name}
        return await self.say(text, attachments=[sent])

    async def send(
        self, content: Mapping[str, Any], *, expect_error: type[Exception] | None = None
    ) -> TurnResult:
        """Send an activity, and return the result of its turn.

        Args:
            content: its properties; the channel's addresses are added.
            expect_error: as for `say`.

        Raises:
            TurnFailure: the app refuses it, or the bot does not raise `expect_error`.
            Exception: an error of the bot's code that is not expected.
        """
        return await self._conversation.deliver(self._added(content), expect_error)

    async def redeliver(self) -> TurnResult:
        """Deliver the user's last activity again, as a channel does if it gets no response."""
        return await self._conversation.deliver(self._last())

    async def crash(self, text: str, *, parts: int = 0) -> TurnResult:
        """Send a message, and end the app after the bot's first reply, before state is saved.

        The app is started again, as by `restart`. Call `redeliver` to deliver the message again.

        Args:
            text: the message.
            parts: end the app when so many parts of a streamed answer are shown, before it learns
                that the last of them is; 0: after a whole reply.

        Raises:
            ChatMistake: the bot does not send so much.
        """
        added = self._added({"type": "message", "text": text})
        return await self._conversation.crash(added, parts)

    async def next_reply(self, seconds: float = SECONDS) -> Reply:
        """Wait for what the bot sends unprompted: a notification, or another proactive message.

        Raises:
            NoReply: the bot sends nothing within `seconds` (real time).
        """
        return await self._conversation.next_reply(seconds)

    @property
    def activities(self) -> list[Activity]:
        """Every activity of the conversation in its current form, the users' too, oldest first."""
        return self.conversation.activities

    @property
    def replies(self) -> list[Reply]:
        """Everything that the bot has sent so far, in its current form."""
        return self._conversation.replies

    async def move_time(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move time forward without waiting. docs/testing.md says which clocks it moves."""
        span = datetime.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        await self._around.time.move(span.total_seconds())

    def fail(
        self,
        part: Part,
        *,
        status: int = 503,
        retry_after: int | None = None,
        cut: bool = False,
        silent: bool = False,
        handled: bool = False,
        times: int | None = None,
        path: str = "",
    ) -> None:
        """Make requests to a service fail, until `heal` or the end of the test.

        Args:
            part: the service: see `Part`.
            status: the HTTP status of the faulty responses.
            retry_after: the seconds in their `Retry-After`.
            cut: close the connection instead of responding.
            silent: never respond.
            handled: carry out the request; only the response is faulty.
            times: how many requests fail; None: all.
            path: only requests whose path contains this fail.

        Raises:
            ChatMistake: there is no storage account.
        """
        for server in self._around.faults.servers(part):
            server.faults.set(
                status=status,
                retry_after=retry_after,
                cut=cut,
                silent=silent,
                handled=handled,
                remaining=times,
                path=path,
            )

    def heal(self) -> None:
        """Make all services work again."""
        self._around.faults.clear()

    async def restart(self) -> None:
        """End the app and start it again, as in a new process. Stored state is kept.

        The bot's modules are imported again. Until the end of the test, classes that the test has
        already imported are not the bot's classes.
        """
        await self.bot.restart()

    async def call(self, method: str, path: str, body: Any = None) -> func.HttpResponse:
        """Send a request to a function in the bot's routes.py.

        Args:
            method: HTTP method.
            path: below `/api/`, with the query.
            body: sent as JSON; None: no body.

        Raises:
            ChatMistake: the bot has no such function.
            Exception: whatever the function raises.
        """
        content = b"" if body is None else json.dumps(body).encode()
        return await self.bot.functions.call(method, path, content)

    async def run_timer(self, name: str) -> None:
        """Run a timer in the bot's routes.py; `name` is the name of its function.

        Raises:
            ChatMistake: the bot has no such timer.
            Exception: whatever the function raises.
        """
        await self.bot.functions.run_timer(name)

    def _added(self, content: Mapping[str, Any]) -> Activity:
        activity = self._conversation.addressed(self.account, content)
        return self._around.cloud.call(self.conversation.add, activity)

    def _last(self, kind: str = "") -> Activity:
        """The user's last activity, or the last one of a type."""
        for each in reversed(self.activities):
            if each["from"]["id"] == self.account["id"] and kind in ("", each["type"]):
                return each
        raise ChatMistake(f"{self.account['name']} has sent nothing yet.")


def _account(options: ChatOptions) -> dict[str, Any]:
    name = options.user
    account = {"id": f"{name.lower()}-{uuid.uuid4().hex[:8]}", "name": name, "role": "user"}
    if options.channel == TEAMS:
        account["aadObjectId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, account["id"]))
    return account
