"""FeedEvents: what the bot's processes report, put into the turns' rows."""

import re
import secrets
from typing import Any
from weakref import WeakSet

from bot_workbench.emulator.feed.feed_server import Event
from bot_workbench.emulator.inspector.bot_status import BotStatus, block_hint
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog
from bot_workbench.emulator.inspector.turns.turn_progress import ACCEPTED, RUNNING

SECTIONS = {
    "check": "checks",
    "claims": "caller",
    "state": "state",
    "call": "calls",
    "received": "received",
    "error": "raised",
    "log": "logs",
    "queue": "queue",
    "span": "spans",
}
"""The section of a turn's details by event."""

KINDS = ("channel", "queued", "proactive", "function")

DISPATCHERS = ("turns", "notifications")
"""Functions whose work has rows of its own: queued turns, and proactive messages."""

CLOCKS_SECONDS = 1.0
"""The difference that the times of two reports of the same function's run may have."""

MAX_NUMBER = 1e12
"""Of seconds and milliseconds: no time is later, or takes longer."""

PROCESS_ENDED = "The process ended."


class FeedEvents:
    """Merges events in any order; unknown ones, and what is not an event, are ignored.

    Args:
        log: has the turns.
        status: gets what the host reports.
    """

    def __init__(self, log: TurnLog, status: BotStatus) -> None:
        self._log = log
        self._status = status
        self._of_host: WeakSet[Turn] = WeakSet()
        self._handlers = {
            "status": status.report,
            "turn_started": self._started,
            "turn_ended": self._ended,
            "function": self._function,
            "disconnected": self._disconnected,
            "dropped": self._dropped,
            "blocked": self._blocked,
            **dict.fromkeys(SECTIONS, self._detail),
        }

    def handle(self, event: Event) -> None:
        """Take an event of the feed."""
        name = event.get("event")
        handler = self._handlers.get(name) if isinstance(name, str) else None
        if handler is not None:
            handler(event)

    def _turn(self, event: Event, kind: str = "channel") -> Turn | None:
        """The event's turn, perhaps a new one; None: it names none, or one that was removed."""
        turn_id = _text(event, "turn")
        if not turn_id or self._log.is_forgotten(turn_id):
            return None
        return self._log.find(turn_id) or self._log.start(turn_id, kind, _number(event, "at"))

    def _started(self, event: Event) -> None:
        kind = _text(event, "kind")
        turn = self._turn(event, kind if kind in KINDS else "channel")
        if turn is None:
            return
        if turn.kind == "channel" and kind in KINDS:
            turn.kind = kind
        turn.function = _text(event, "function") or turn.function
        turn.parent = _text(event, "parent") or turn.parent
        if kind != "channel":  # else the channel starts it, and may already have its answer
            turn.retry()
        turn.progress.run_started(_pid(event))
        self._describe(turn, event)
        self._log.changed(turn)

    def _describe(self, turn: Turn, event: Event) -> None:
        turn.conversation_id = turn.conversation_id or _text(event, "conversation")
        if event.get("input") is not None:
            self._log.add(turn, "input", event["input"])
        activity = event.get("activity")
        if isinstance(activity, dict) and not turn.type:
            turn.describe(activity)
            self._log.add(turn, "activity", activity)

    def _ended(self, event: Event) -> None:
        turn = self._turn(event)
        if turn is None:
            return
        pid, at = _pid(event), _number(event, "at") or self._log.clock()
        if event.get("status") == ACCEPTED:
            turn.progress.put_into_queue(pid, at)
        else:
            error = _text(event, "error")
            turn.fail(error, _cause(error))
            turn.progress.run_ended(pid, at, failed=event.get("outcome") == "failed" or bool(error))
        if turn.status is None and type(event.get("status")) is int:
            turn.status = event["status"]
        if event.get("response") is not None and turn.first("response") is None:
            body = {"status": turn.status, "headers": {}, "body": event["response"]}
            self._log.add(turn, "response", body)
        self._log.changed(turn)

    def _detail(self, event: Event) -> None:
        name = str(event["event"])
        kept = {field: value for field, value in event.items() if field not in _OWN}
        turn = self._turn(event)
        if turn is not None:
            turn.detailed = turn.detailed or name != "error"
            self._log.add(turn, SECTIONS[name], kept)
            self._log.changed(turn)
        elif name == "log" and not _text(event, "turn"):
            self._log.log(kept)

    def _function(self, event: Event) -> None:
        """The host has run a function."""
        name, at, ms = _text(event, "name"), _number(event, "at"), _number(event, "ms")
        if not name or at is None or ms is None:
            return
        failed = event.get("ok") is False
        turn = self._log.find(_text(event, "turn")) or self._reported(name, at)
        if turn is None and name in DISPATCHERS and not failed:
            return
        if turn is None:
            turn_id = _text(event, "turn") or secrets.token_hex(16)
            turn = self._log.start(turn_id, "function", at)
        self._of_host.add(turn)
        turn.function = turn.function or name
        if not turn.error:
            turn.fail(_text(event, "error"), _cause(_text(event, "error")))
        if not turn.is_over:
            turn.progress.run_started(_pid(event))
            turn.progress.run_ended(_pid(event), at + ms / 1000, failed=failed)
        self._log.changed(turn)

    def _reported(self, function: str, at: float) -> Turn | None:
        """The run that its worker has reported, too."""
        for turn in self._log.newest_first:
            if turn.at < at - CLOCKS_SECONDS:
                return None
            is_same = turn.function == function and turn not in self._of_host
            if is_same and abs(turn.at - at) < CLOCKS_SECONDS:
                return turn
        return None

    def _dropped(self, event: Event) -> None:
        """A process has reported more than the local cloud could take."""
        text = f"The bot's process reported too much: {event.get('count')} reports are missing."
        line = {
            "at": self._log.clock(),
            "level": "WARNING",
            "logger": "bot_workbench.emulator.feed",
        }
        self._log.log({**line, "text": text, "traceback": None})

    def _blocked(self, event: Event) -> None:
        """A process's event loop is blocked, or no longer."""
        place = _text(event, "place")
        self._status.set_blocked(_pid(event), place)
        if place:
            own = self._turn(event)
            for turn in self._log.turns:
                if turn is own or turn.outcome == RUNNING:  # it waits for the event loop
                    turn.hint = turn.hint or block_hint(place)
                    self._log.changed(turn)

    def _disconnected(self, event: Event) -> None:
        self._status.set_blocked(_pid(event), "")
        for turn in self._log.turns:
            if turn.progress.process_ended(_pid(event), self._log.clock()):
                turn.fail(turn.error or PROCESS_ENDED, turn.cause)
                self._log.changed(turn)


_PLACE_AND_CLASS = re.compile(r"(?:[^:]{1,200}\.py:\d+ )?[A-Za-z_][\w.]*(?=:|$)")
_OWN = ("event", "turn", "role", "pid")


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _cause(error: str) -> str:
    """Where, and the exception's class, of `bot.py:12 ValueError: message`."""
    found = _PLACE_AND_CLASS.match(error)
    return found[0] if found else "failed"


def _number(event: Event, name: str) -> float | None:
    value: Any = event.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < MAX_NUMBER else None


def _pid(event: Event) -> int:
    pid = event.get("pid")
    return pid if isinstance(pid, int) else 0
