"""ChatConversation: delivers activities to the bot, and collects the results."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import azure.functions as func

from auth.errors import Unavailable
from bot_testing.activities.card import TEAMS
from bot_testing.activities.reply import Activity, Reply, TurnResult
from bot_testing.app.death import Death
from bot_testing.cloud.teams_members import teams_member
from bot_testing.cloud.user_streams import streams_of
from bot_testing.errors import ChatMistake, NoReply, TurnFailure
from bot_testing.options import Kind
from bot_testing.surroundings import Surroundings
from bot_workbench.emulator.channel.card_action import show_result
from bot_workbench.emulator.channel.connector_operations import bot_account
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.channel.streams import stream_info
from cloud_adapter.errors import TurnRepeated

NOT_SHOWN = {"typing", "trace"}
"""Types of activities that do not count as replies, unless they are a part of a streamed one."""

POLLING_SECONDS = 0.005


class ChatConversation:
    """A conversation of the bot and its users.

    Args:
        around: the app, and what is around it.
        channel: the channel's id.
        kind: the kind of the conversation.
        stored: a conversation that the bot has created; None: a new one.

    Attributes:
        stored: as the local connector knows it, with every activity so far.
        bot_account: the bot, as it is in activities.
    """

    def __init__(
        self,
        around: Surroundings,
        channel: str,
        kind: Kind,
        stored: Conversation | None = None,
    ) -> None:
        self.channel = channel
        self.kind = kind
        self._around = around
        cloud = around.bot.cloud
        self.bot_account = bot_account(cloud.registration)
        self.stored = stored or cloud.conversations.create([self.bot_account])
        self._streams = streams_of(channel, kind, around.time.seconds)
        self.stored.streams = self._streams
        self._tenant_id = cloud.registration.tenant_id
        self._service_url = f"{cloud.connector.server.url}/"
        # A team is also a conversation, so that the bot can list its members. Its id is that of its
        # channel "General".
        self._team = {"id": f"19:{uuid.uuid4().hex}@thread.tacv2"}
        if channel == TEAMS:
            self.stored.listed = partial(teams_member, tenant_id=self._tenant_id)
        if kind == "channel":
            team = cloud.conversations.create([], self._team["id"])
            team.members, team.listed = self.stored.members, self.stored.listed
        around.known.update((self.stored.id, self._team["id"]))
        self._returned: set[str] = set()
        self._delivered = self._under_way = 0

    def addressed(self, account: Mapping[str, Any], content: Mapping[str, Any]) -> Activity:
        """An activity from a user, with the addresses that the channel adds."""
        conversation: dict[str, Any] = {"id": self.stored.id}
        activity: dict[str, Any] = {
            "channelId": self.channel,
            "serviceUrl": self._service_url,
            "from": account,
            "recipient": self.bot_account,
            "locale": "en-US",
        }
        if self.kind != "personal":
            conversation["isGroup"] = True
        if self.channel == TEAMS:
            conversation |= {"conversationType": self.kind, "tenantId": self._tenant_id}
            activity["channelData"] = {"tenant": {"id": self._tenant_id}}
            if self.kind == "channel":
                activity["channelData"] |= {"team": self._team, "channel": self._team}
        return {**activity, "conversation": conversation, **content}

    @property
    def replies(self) -> list[Reply]:
        """Everything that the bot has sent so far, in its current form."""
        return [Reply(each) for each in self.stored.activities if self._is_reply(each)]

    async def deliver(
        self, activity: Activity, expect_error: type[Exception] | None = None
    ) -> TurnResult:
        """Deliver an activity, and return the result of its turn.

        Raises:
            TurnFailure: the app refuses it, the turn does not end, or it does not raise
                `expect_error`.
            Exception: an error of the bot's code that is not expected.
        """
        mark, is_alone = self._mark(), self._under_way == 0
        self._delivered += 1
        self._under_way += 1
        number = self._delivered
        try:
            answer = await self._answer(asyncio.ensure_future(self._around.bot.post(activity)))
        finally:
            self._under_way -= 1
        body = answer.get_body()
        if activity["type"] == "invoke":
            self._around.cloud.call(show_result, self.stored, activity, body, self.bot_account)
        # A turn's replies and errors are known by its activity, except those of other turns that it
        # starts, such as proactive ones. These count too, unless another activity was delivered
        # in the meantime.
        only = "" if is_alone and number == self._delivered else activity["id"]
        result = self._result(mark, answer.status_code, body, only)
        _check(result, activity["type"], expect_error)
        return result

    async def deliver_and_stop(
        self, activity: Activity, parts: int, expect_error: type[Exception] | None
    ) -> TurnResult:
        """Deliver an activity, and press Stop once some parts of the answer are shown.

        Raises:
            ChatMistake: the channel has no such button, or the answer has fewer parts.
            TurnFailure, Exception: as `deliver`.
        """
        streams = self._streams
        if self.channel != TEAMS or streams is None or not streams.enabled:
            raise ChatMistake("A user can stop answers in personal chats of Teams only.")
        streams.stop_at = streams.parts + parts
        result = await self.deliver(activity, expect_error)
        if streams.parts < streams.stop_at:
            raise ChatMistake(f"The answer has fewer than {parts} parts: {result!r}")
        return result

    def _mark(self) -> tuple[int, int]:
        """The number of changes and errors so far, for `_result`."""
        return len(self.stored.changes), len(self._around.bot.errors)

    async def _answer(self, turn: "asyncio.Future[func.HttpResponse]") -> func.HttpResponse:
        seconds = self._around.turn_seconds
        end = time.monotonic() + seconds
        await self._around.time.skip_waits(turn, end, own_waits=self._around.skip_waits)
        if not turn.done():
            turn.cancel()
            try:
                await turn
            except asyncio.CancelledError as place:
                text = f"The turn has not ended after {seconds:g} seconds"
                raise TurnFailure(f"{text}: `chat.move_time` ends waits.") from place
        return turn.result()

    def _result(
        self, mark: tuple[int, int], status: int, body: bytes, only: str = ""
    ) -> TurnResult:
        """The changes and errors since `mark`: in the turn of the activity `only`, or in any."""
        bot = self._around.bot
        changes, errors = self.stored.changes[mark[0] :], bot.errors[mark[1] :]
        known = {each["id"] for each in self.stored.changes[: mark[0]]}
        found = {
            each["id"]: Reply(each)  # the latest version
            for each in changes
            if self._is_reply(each) and (not only or each["id"] in bot.sent_in(only))
        }
        there = [each for each in found.values() if self.stored.has(each.id)]
        self._returned |= found.keys()
        return TurnResult(
            [each for each in there if each.id not in known],
            [each for each in there if each.id in known],
            status,
            json.loads(body) if body else None,
            _of_bot([error for turn, error in errors if only in ("", turn)]),
        )

    async def next_reply(self, seconds: float) -> Reply:
        """The next reply that is in no turn's result: a notification, or a proactive message.

        Raises:
            NoReply: there is none within `seconds`.
            Exception: an error that the bot's code raises in the meantime.
        """
        bot = self._around.bot
        end, errors = time.monotonic() + seconds, len(bot.errors)
        while True:
            await bot.drain_queues()
            for reply in self.replies:
                if reply.id not in self._returned:
                    self._returned.add(reply.id)
                    return reply
            if failed := _of_bot([error for _, error in bot.errors[errors:]]):
                raise failed[0]
            if time.monotonic() > end:
                raise NoReply(f"The bot has sent nothing more within {seconds:g} seconds.")
            await asyncio.sleep(POLLING_SECONDS)

    async def crash(self, activity: Activity, parts: int) -> TurnResult:
        """Deliver an activity, end the app in its turn, and start it again.

        Args:
            activity: the activity.
            parts: the app ends once so many parts of a streamed answer are out; 0: once the first
                whole reply is.

        Raises:
            ChatMistake: the bot does not send so much.
        """
        bot, mark = self._around.bot, self._mark()
        bot.death = death = Death(self._sent_since(mark[0], parts))
        turn = asyncio.ensure_future(bot.post(activity))
        ends: set[asyncio.Future[Any]] = {turn, death.has_come}
        ending = asyncio.create_task(asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED))
        end = time.monotonic() + self._around.turn_seconds
        await self._around.time.skip_waits(ending, end, own_waits=self._around.skip_waits)
        ending.cancel()
        turn.cancel()
        death.unwind()
        await asyncio.wait({turn})
        result = self._result(mark, 502, b"")
        await bot.restart()
        if not death.has_come.done():
            raise ChatMistake("The bot has not sent so much, so the app could not end then.")
        return result

    def _sent_since(self, mark: int, parts: int) -> Callable[[], bool]:
        """Returns whether the bot has sent some parts, or a whole reply, after a change."""
        if parts:
            streams = self._streams
            due = parts + (streams.parts if streams else 0)
            return lambda: streams is not None and streams.parts >= due

        def is_whole(change: Activity) -> bool:
            return self._is_reply(change) and change["type"] not in NOT_SHOWN

        return lambda: any(map(is_whole, self.stored.changes[mark:]))

    def _is_reply(self, activity: Activity) -> bool:
        from_bot = (activity.get("from") or {}).get("id") == self.bot_account["id"]
        is_shown = activity["type"] not in NOT_SHOWN or stream_info(activity) is not None
        return from_bot and is_shown


def _of_bot(errors: list[Exception]) -> list[Exception]:
    """The errors of the bot's code, without those of turns that cannot run now or ran before."""
    return [each for each in errors if not isinstance(each, Unavailable | TurnRepeated)]


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
