"""TurnWatch: an observer of what a turn does that neither its task nor its adapter shows."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from http_client.observer import Ended, Facts, Watch


class TurnWatch:
    """Watches conversations' locks, and streamed answers.

    Attributes:
        locking: the tasks that lock a conversation; they may wait for another turn of it.
        streamed: the ids of streamed messages, by the id of the turn's activity.
    """

    def __init__(self) -> None:
        self._senders: dict[asyncio.Task[Any], Any] = {}
        self.locking: set[asyncio.Task[Any]] = set()
        self.streamed: dict[str, set[str]] = defaultdict(set)

    @property
    def watches(self) -> Mapping[str, Watch]:
        """As an observer has it."""
        return {"state.lock": self._on_lock, "reply.stream": self._on_stream}

    def trace_parent(self) -> str:
        """As an observer has it: empty."""
        return ""

    def is_sending(self, resting: set["asyncio.Task[Any]"]) -> bool:
        """Whether a part of an answer is under way, or about to be sent.

        Args:
            resting: the tasks that sleep.
        """
        return any(
            reply._calling.locked() or (reply._news.is_set() and task not in resting)
            for task, reply in self._senders.items()
        )

    def _on_lock(self, _: Facts) -> Ended:
        task = _this_task()
        self.locking.add(task)
        return lambda _, __: self.locking.discard(task)

    def _on_stream(self, facts: Facts) -> Ended:
        # What is private of the Reply is of no use to a bot.
        task, reply = _this_task(), facts["self"]
        self._senders[task] = reply

        def ended(_: Any, __: BaseException | None) -> None:
            del self._senders[task]
            self.streamed[reply._context.activity.id].add(reply._stream.message_id)

        return ended


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a turn's code runs in one
    return task
