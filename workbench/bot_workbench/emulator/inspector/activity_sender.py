"""Activities that a person sends from the inspector: repeated, edited, or written anew."""

import uuid
from collections.abc import Callable
from typing import Any

from bot_workbench.emulator.channel.channel import BotAnswer, Channel
from bot_workbench.emulator.channel.conversations import (
    Activity,
    Conversations,
    UnknownConversationError,
    timestamp_now,
)
from bot_workbench.emulator.inspector.channel_watch import ADDRESS, ChannelWatch
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject

OF_ANOTHER = frozenset({"messageUpdate", "messageDelete", "messageReaction"})
"""Types whose `id` is that of the message that they are about."""


class InvalidActivityError(ValueError):
    """The activity to send is not valid; the text says why."""


class ActivitySender:
    """Delivers what a person sends from the inspector.

    Args:
        channel: delivers to the bot.
        watch: watches the deliveries.
        conversations: the store shared with the connector, where users see messages.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
        new_address: returns what an activity of a new user has, without its content.
    """

    def __init__(
        self,
        channel: Channel,
        watch: ChannelWatch,
        conversations: Conversations,
        connector_url: Callable[[], str],
        new_address: Callable[[], Activity],
    ) -> None:
        self._channel = channel
        self._watch = watch
        self._conversations = conversations
        self._connector_url = connector_url
        self._new_address = new_address

    async def send(self, activity: object, replay_of: str | None = None) -> BotAnswer:
        """Deliver an activity.

        Args:
            activity: JSON. What is missing of its address is that of the newest delivery, or of a
                new user in a new conversation.
            replay_of: the id of the turn that it repeats.

        Raises:
            InvalidActivityError: it has no type, or a part is of the wrong type.
        """
        complete = self._stored(self._completed(_checked(activity)))
        turn = self._channel.new_turn()
        if turn and replay_of:
            self._watch.expect_replay(turn, replay_of)
        return await self._channel.deliver(complete, turn)

    def _completed(self, activity: JsonObject) -> Activity:
        known: Activity = {"serviceUrl": f"{self._connector_url()}/"}
        if not set(ADDRESS) <= set(activity):
            known |= self._watch.newest_address() or self._new_address()
        # In Queued mode, an activity of the same id is a duplicate, and is not run again.
        is_new = activity["type"] not in OF_ANOTHER or not activity.get("id")
        identity = {"id": uuid.uuid4().hex} if is_new else {}
        return {**known, **activity, **identity, "timestamp": timestamp_now()}

    def _stored(self, activity: Activity) -> Activity:
        """The activity with its id in the conversation, where users see the messages they sent."""
        if activity["type"] != "message":
            return activity
        try:
            conversation = self._conversations.find(activity["conversation"]["id"])
        except UnknownConversationError:
            return activity
        stored = conversation.add(activity)
        return {**activity, "id": stored["id"], "timestamp": stored["timestamp"]}


_OBJECTS = ("from", "recipient", "conversation")
_TEXTS = ("channelId", "serviceUrl", "id")


def _checked(activity: Any) -> JsonObject:
    if not isinstance(activity, dict):
        raise InvalidActivityError("The activity must be a JSON object.")
    if not isinstance(activity.get("type"), str) or not activity["type"]:
        raise InvalidActivityError("The activity needs a type, such as message.")
    for name in _OBJECTS:
        if name in activity and not _has_id(activity[name]):
            raise InvalidActivityError(f"The activity's {name} must be an object with an id.")
    for name in _TEXTS:
        if name in activity and not (isinstance(activity[name], str) and activity[name]):
            raise InvalidActivityError(f"The activity's {name} must be text.")
    return activity


def _has_id(account: object) -> bool:
    return isinstance(account, dict) and isinstance(account.get("id"), str)
