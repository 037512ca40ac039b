"""StreamedReply: the Agents SDK's StreamingResponse, over the base's Reply.

So an answer is streamed as docs/streaming.md says, survives a rerun of its turn, and is labelled
in one place.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from botbuilder.schema import Attachment
from microsoft_agents.hosting.core import TurnContext as AgentTurnContext

from cloud_adapter.agents.activities import write_attachment
from cloud_adapter.agents.turn import AgentTurn
from cloud_adapter.reply import Reply, reason_for_one_message

_DOCUMENT = re.compile(r"\[docs?(\d+)\]", re.IGNORECASE)
"""The reference of a model that searches documents to one of them."""

_MAY_FOLLOW = re.compile(r"\[[a-z]{0,4}\d{0,3}$", re.IGNORECASE)
"""The end of a text that may be the beginning of a reference."""


class StreamedReply:
    """One answer in a turn; see the SDK's StreamingResponse for what is not said here.

    Args:
        context: the turn's.

    Attributes:
        streaming_taking_too_long_message: not used: the base ends a stream in time, and the rest of
            the answer follows.
    """

    def __init__(self, context: AgentTurnContext) -> None:
        turn = AgentTurn.of(context)
        if turn is None:
            raise TypeError("a context that the bot has made itself has no streamed reply")
        self.streaming_taking_too_long_message = ""
        self._turn = turn
        self._begin()

    def _begin(self) -> None:
        self._reply = Reply(self._turn.core)
        self._chunks: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self._citations: list[Any] = []
        self._attachments: list[Attachment] = []
        self._text = self._update = ""
        self._held = ""
        self._feedback_type: Literal["default", "custom"] = "default"
        self._task: asyncio.Task[None] | None = None
        self._has_ended = False

    @property
    def is_streaming_channel(self) -> bool:
        """Whether the user sees the answer grow."""
        return not self._has_ended and not reason_for_one_message(self._turn.core)

    def queue_informative_update(self, text: str) -> None:
        """Say what the bot is doing."""
        self._check_open()
        self._update = text
        self._start()
        self._reply.update(text)

    def queue_text_chunk(self, text: str, citations: Sequence[Any] | None = None) -> None:
        """Add text. `[doc1]` becomes `[1]`, which refers to the first citation."""
        if self._reply.stopped:
            return
        self._check_open()
        self._start()
        if citations:
            self.set_citations(citations)
        held = self._held + text
        rest = _MAY_FOLLOW.search(held)
        self._held = rest[0] if rest else ""
        self._add(held[: len(held) - len(self._held)])

    def _add(self, text: str) -> None:
        if text:
            text = _DOCUMENT.sub(r"[\1]", text)
            self._text += text
            self._chunks.put_nowait(text)

    async def end_stream(self) -> None:
        """Send the end of the answer.

        Raises:
            ConnectorError, MessageTooLarge: the channel did not take the answer.
            RuntimeError: it has ended before.
        """
        self._check_open()
        self._start()
        await self.close(None)

    async def close(self, error: BaseException | None) -> None:
        """End the answer; with an error, with what there is of it."""
        if self._task is None or self._has_ended:
            return
        self._has_ended = True
        self._add(self._held)
        self._chunks.put_nowait(error)
        self._turn.streamed = None
        with self._turn.noting_failure():
            await self._task

    def set_attachments(self, attachments: Sequence[Any]) -> None:
        """Set the attachments of the answer's end."""
        self._attachments = [write_attachment(each) for each in attachments]

    def add_attachment(self, attachment: Any) -> None:
        """Add an attachment to the answer's end."""
        self._attachments.append(write_attachment(attachment))

    def set_citations(self, citations: Sequence[Any]) -> None:
        """Add the sources of the answer, with `title`, `content` and `url`."""
        self._citations.extend(citations)

    def set_sensitivity_label(self, sensitivity_label: Any) -> None:
        """Label the answer with a `name` and a `description`."""
        label = sensitivity_label
        self._reply.sensitivity = label and (label.name or "", label.description or "")

    def set_feedback_loop(self, enable_feedback_loop: bool) -> None:
        """Offer feedback buttons below the answer, or not."""
        self._reply.feedback = self._feedback_type if enable_feedback_loop else ""

    def set_feedback_loop_type(self, feedback_loop_type: Any) -> None:
        """Which form the feedback buttons open: "default" or "custom"."""
        self._feedback_type = feedback_loop_type
        if self._reply.feedback:
            self._reply.feedback = feedback_loop_type

    def set_generated_by_ai_label(self, enable_generated_by_ai_label: bool) -> None:
        """Label the answer as generated by AI, or not."""
        self._reply.ai_label = enable_generated_by_ai_label

    def get_message(self) -> str:
        """The answer's text so far."""
        return self._text

    async def wait_for_queue(self) -> None:
        """Do nothing: what is queued is sent at the channel's rate; `end_stream` waits."""

    async def send_stream_timed_out_notification(self, message: str) -> bool:
        """Do nothing: the base ends a stream before the channel does. Returns False."""
        return False

    async def reset(self) -> None:
        """End the answer if it is open, and begin another."""
        await self.close(None)
        self._begin()

    def _check_open(self) -> None:
        if self._has_ended:
            raise RuntimeError("the stream has ended: call reset() before the next answer")

    def _start(self) -> None:
        if self._task is None:
            self._turn.streamed = self
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self._reply as reply:
            reply.update(self._update)  # which came before the reply had begun
            await reply.stream(self._pieces())
            for number, each in enumerate(self._citations, 1):
                reply.cite(each.title or f"Document #{number}", each.content, url=each.url or "")
            for attachment in self._attachments:
                reply.attach(attachment)

    async def _pieces(self) -> AsyncIterator[str]:
        while (piece := await self._chunks.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
