"""MessageStream: a message that the channel shows while it grows.

Each part is a typing activity with the whole text so far; the final one is a message. The response
to the first part has the message's id. Teams has no event for its Stop button: it refuses the next
part. After most other refusals, the message can still be updated with the whole text.

Sources: Microsoft references "Stream bot messages" and "Format your bot messages"; docs/
LIVESTREAMING.md of BotFramework-WebChat; microsoft/teams.py for the texts of refusals, of which
Microsoft's references list only some.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, NamedTuple

from botbuilder.core import CloudAdapterBase
from botbuilder.schema import Activity, ActivityTypes, Entity
from botframework.connector import Channels

from cloud_adapter.activities import TEAMS
from cloud_adapter.adapter import turn_name
from cloud_adapter.codec import json_bytes, write_value
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import MessageTooLarge
from cloud_adapter.turn_context import TurnContext, independent_copy
from http_client.retry import REFUSED_FOR_NOW, Backoff

log = logging.getLogger(__name__)

STREAM_SECONDS = 110.0
"""The age at which a stream ends, two minutes being Teams' limit. ("Stream bot messages")"""

MAX_BYTES = 80_000
"""The size limit of an activity's JSON. Teams' own is about 100 KB in an encoding that it does not
describe exactly, and Microsoft recommends 80. ("Format your bot messages")"""

MAX_UPDATE_LENGTH = 1000
"""The length limit of an informative update. ("Stream bot messages")"""


class RateLimit(NamedTuple):
    """The pauses between the parts that a channel takes, in seconds.

    Attributes:
        first: from the first text to its part, so that the part has some words.
        between: from the end of one call to the next.
    """

    first: float
    between: float


RATE_LIMITS = {
    TEAMS: RateLimit(0.3, 1.5),
    Channels.webchat.value: RateLimit(0.3, 0.5),
    Channels.direct_line.value: RateLimit(0.3, 0.5),
}
"""The channels with streams. Teams takes one part a second, and its reference recommends to collect
text for 1.5 to 2 seconds."""

BACKOFF = Backoff(first=0.5, longest=4.0)
"""The pauses between the attempts to deliver the end of a message."""

INFORMATIVE, STREAMING, FINAL = "informative", "streaming", "final"


class Phase(Enum):
    """The part of a message that the channel has, which decides what can be done with it."""

    NEW = auto()
    """Nothing: it can begin with a part."""
    OPEN = auto()
    """Parts: it ends with a final one."""
    CLOSED = auto()
    """An id, under which it can be replaced: it has ended, or the channel takes no more parts."""
    ABSENT = auto()
    """Nothing, and it takes no parts: it is sent as a whole."""
    STOPPED = auto()
    """The text that the user had seen when they pressed Stop. It cannot be changed any more."""


class MessageStream:
    """Sends the parts of one message, its end, or the message as a whole.

    Args:
        context: the turn's.
        phase: NEW, ABSENT or CLOSED.
        message_id: the message's id; empty: it has none yet.

    Attributes:
        phase: see Phase.
        message_id: as above.
        shown: the text of the last part that the channel has taken.
        begun_at: when the first part was sent, in event loop time (seconds); None: none was sent.
        free_at: from when on the channel takes the next call, likewise.
    """

    def __init__(self, context: TurnContext, phase: Phase, message_id: str) -> None:
        self.phase = phase
        self.message_id = message_id
        self.shown = ""
        self.begun_at: float | None = None
        self.free_at = 0.0
        self.rate_limit = RATE_LIMITS.get(context.activity.channel_id, RATE_LIMITS[TEAMS])
        self._context = context
        self._is_teams = context.activity.channel_id == TEAMS
        self._sequence = 1
        self._template: dict[str, Any] | None = None

    @property
    def is_growing(self) -> bool:
        """Whether it takes parts."""
        return self.phase in (Phase.NEW, Phase.OPEN)

    @property
    def takes_attachments(self) -> bool:
        """Whether its end may have attachments: those of Web Chat's streams should not."""
        return self._is_teams or self.phase is not Phase.OPEN

    async def send_part(self, text: str, kind: str) -> bool:
        """Send a part once: instead of a retry, a newer one follows.

        Args:
            text: the whole text so far, or an informative update.
            kind: INFORMATIVE or STREAMING.

        Returns:
            Whether the channel has taken it.

        Raises:
            MessageTooLarge: nothing was sent, or the channel did not take it.
            SignInError: no token is available.
        """
        part = self._part(text, kind)
        if _is_too_large(text, part):
            raise MessageTooLarge
        clock = asyncio.get_running_loop()
        if self.begun_at is None:
            self.begun_at = clock.time()
        try:
            answer = await self._post(part)
        except ConnectorError as error:
            self.free_at = clock.time() + max(self.rate_limit.between, error.retry_after or 0.0)
            self._refused(error)
            return False
        self.free_at = clock.time() + self.rate_limit.between
        self._sequence += 1
        if kind == STREAMING:
            self.shown = text
        if self.phase is Phase.NEW:
            self.message_id = _id_of(answer)
            self.phase = Phase.OPEN if self.message_id else Phase.ABSENT
        return True

    def _refused(self, error: ConnectorError) -> None:
        status = error.response.status_code
        if status in REFUSED_FOR_NOW:
            return
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and self.phase is Phase.OPEN:
            raise MessageTooLarge from error
        if self.phase is Phase.NEW:
            # If only the answer was lost, there is a message that nobody knows the id of.
            self.phase = Phase.ABSENT
            log.info("%s: the answer is not streamed: %s", turn_name(self._context.activity), error)
        elif 400 <= status < 500:
            self._close(error)
        else:  # it may have been carried out, and no number may be used twice
            self._sequence += 1

    def _close(self, error: ConnectorError) -> None:
        if _says(error, "cancel"):
            self.phase = Phase.STOPPED
            return
        self.phase = Phase.CLOSED
        log.info("%s: the stream is refused: %s", turn_name(self._context.activity), error)

    async def finish(self, message: Activity, deadline: float) -> bool:
        """Send the end of an OPEN message. It is retried: the channel takes it once.

        Args:
            message: with a text that begins with `shown`.
            deadline: until when, in event loop time (seconds).

        Returns:
            False if the channel refuses it: then it is STOPPED, or CLOSED and can be replaced.

        Raises:
            MessageTooLarge: the channel does not take a message of this size.
            ConnectorError: it was not delivered in time.
        """
        final = independent_copy(message)
        self._add_info(final, {"streamType": FINAL, "streamId": self.message_id})
        try:
            await self._insist(functools.partial(self._context.send_activity, final), deadline)
        except ConnectorError as error:
            if not _is_refusal(error):
                raise
            # If an earlier attempt was taken and only its response lost, this one is refused: the
            # message can be replaced in that case, too.
            self._close(error)
            return False
        self.phase = Phase.CLOSED
        return True

    async def replace(self, message: Activity, deadline: float) -> bool:
        """Replace a CLOSED message; arguments, result and errors are those of `finish`."""
        message.id = self.message_id
        try:
            await self._insist(functools.partial(self._context.update_activity, message), deadline)
        except ConnectorError as error:
            if not _is_refusal(error):
                raise
            self._close(error)
            return False
        return True

    async def send(self, message: Activity, deadline: float) -> str:
        """Send a message as a whole, and return its id; empty: the channel has returned none.

        Raises:
            MessageTooLarge: the channel does not take a message of this size.
            ConnectorError: it was not delivered in time, or its answer was lost.
        """
        call = functools.partial(self._context.send_activity, message)
        return _id_of(await self._insist(call, deadline, can_repeat=False))

    async def _insist(
        self, call: Callable[[], Awaitable[Any]], deadline: float, *, can_repeat: bool = True
    ) -> Any:
        """Repeat a call until it succeeds or is refused, and return its answer.

        Args:
            call: makes it.
            deadline: until when, in event loop time (seconds).
            can_repeat: whether it can be made again although it may have been carried out.
        """
        now = asyncio.get_running_loop().time
        attempt = 0
        while True:
            attempt += 1
            try:
                async with asyncio.timeout_at(deadline):
                    return await call()
            except TimeoutError:
                error = ConnectorError("The end of an answer", failure="was not delivered in time")
                raise error from None
            except ConnectorError as error:
                status = error.response.status_code
                pause = error.retry_after or BACKOFF.pause(attempt)
                if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    raise MessageTooLarge from error
                is_unsure = not can_repeat and status not in REFUSED_FOR_NOW
                if is_unsure or _is_refusal(error) or now() + pause > deadline:
                    raise
            await asyncio.sleep(pause)

    def _part(self, text: str, kind: str) -> dict[str, Any]:
        """The JSON of a part. All but the text stays the same, and is written once."""
        if self._template is None:
            typing = self._context.addressed(Activity(type=ActivityTypes.typing))
            self._template = write_value(typing)
        info = {"streamType": kind, "streamSequence": self._sequence}
        if self.message_id:
            info["streamId"] = self.message_id
        part = {**self._template, "text": text, "entities": [{"type": "streaminfo", **info}]}
        if not self._is_teams:
            part["channelData"] = info
        return part

    def _add_info(self, message: Activity, info: dict[str, Any]) -> None:
        message.entities = [entity("streaminfo", info), *(message.entities or [])]
        if not self._is_teams:
            message.channel_data = {**(message.channel_data or {}), **info}

    async def _post(self, part: dict[str, Any]) -> Any:
        # Not through the context: its handlers would log each part, and the turn's own connector
        # would retry it.
        connector = self._context.turn_state[CloudAdapterBase.BOT_CONNECTOR_CLIENT_KEY]
        conversation_id = part["conversation"]["id"]
        if replied := part.get("replyToId"):
            return await connector.parts.reply_to_activity(conversation_id, replied, part)
        return await connector.parts.send_to_conversation(conversation_id, part)


def entity(kind: str, properties: dict[str, Any]) -> Entity:
    """An entity with more than a type."""
    made = Entity(type=kind)
    made.additional_properties = properties
    return made


def _is_too_large(text: str, part: dict[str, Any]) -> bool:
    # A character has six bytes at most, as in \u0000, and the rest of a part seldom a thousand.
    return 6 * len(text) > MAX_BYTES // 2 and len(json_bytes(part)) > MAX_BYTES


def _is_refusal(error: ConnectorError) -> bool:
    status = error.response.status_code
    return 400 <= status < 500 and status not in REFUSED_FOR_NOW


def _says(error: ConnectorError, word: str) -> bool:
    """Whether a refusal's text has a word: Teams has one code for all refusals of a stream."""
    text = getattr(getattr(error.error, "error", None), "message", None) or ""
    return error.response.status_code == HTTPStatus.FORBIDDEN and word in text.lower()


def _id_of(answer: Any) -> str:
    """The id in a ResourceResponse, if there is one."""
    return (answer and answer.id) or ""
