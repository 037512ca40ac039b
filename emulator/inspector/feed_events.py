"""FeedEvents: what the bot's processes report, put into the turns' rows."""

from typing import Any

from emulator.feed.feed_server import Event
from emulator.inspector.bot_status import BotStatus
from emulator.inspector.turn import DONE, FAILED, RUNNING, Turn
from emulator.inspector.turn_log import TurnLog

SECTIONS = {
    "check": "checks",
    "state": "state",
    "call": "calls",
    "log": "logs",
    "queue": "queue",
    "span": "spans",
}
"""The section of a turn's details by event."""

KINDS = ("channel", "queued", "proactive", "function")


class FeedEvents:
    """Merges events in any order; unknown ones, and what is not an event, are ignored.

    Args:
        log: has the turns.
        status: gets what the host reports.
    """

    def __init__(self, log: TurnLog, status: BotStatus) -> None:
        self._log = log
        self._status = status
        self._handlers = {
            "status": self._status.report,
            "turn_started": self._started,
            "turn_ended": self._ended,
            "claims": self._claims,
            "function": self._function,
            "disconnected": self._disconnected,
            **dict.fromkeys(SECTIONS, self._detail),
        }

    def handle(self, event: Event) -> None:
        """Take an event of the feed."""
        name = event.get("event")
        handler = self._handlers.get(name) if isinstance(name, str) else None
        if handler is not None:
            handler(event)

    def _turn(self, event: Event, kind: str = "channel") -> Turn | None:
        """The event's turn, which is new if there is none; None: it has no turn, or had one."""
        turn_id = event.get("turn")
        if not isinstance(turn_id, str) or not turn_id or self._log.is_forgotten(turn_id):
            return None
        turn = self._log.find(turn_id)
        if turn is not None:
            return turn
        return self._log.start(turn_id, kind, _number(event, "at"))

    def _started(self, event: Event) -> None:
        kind = event.get("kind") if event.get("kind") in KINDS else "channel"
        turn = self._turn(event, str(kind))
        if turn is None:
            return
        if kind == "queued":
            turn.kind = "queued"
        if isinstance(event.get("function"), str):
            turn.function = str(event["function"])
        activity = event.get("activity")
        if isinstance(activity, dict) and turn.first("activity") is None:
            turn.describe(activity)
            self._log.add(turn, "activity", activity)
        if isinstance(event.get("pid"), int):
            turn.workers.add(event["pid"])
        if kind != "channel":
            turn.outcome, turn.ended_at, turn.error = RUNNING, None, ""
        self._log.changed(turn)

    def _ended(self, event: Event) -> None:
        turn = self._turn(event)
        if turn is None:
            return
        turn.workers.discard(_pid(event))
        turn.error = _text(event, "error") or turn.error
        failed = event.get("outcome") == "failed" or bool(event.get("error"))
        if turn.kind != "channel" or not turn.answered:
            turn.status = _status(event) or turn.status
        if turn.kind != "channel" or turn.answered:
            turn.outcome = FAILED if failed or turn.outcome == FAILED else DONE
            turn.ended_at = turn.ended_at or _number(event, "at") or self._log.clock()
        self._log.changed(turn)

    def _claims(self, event: Event) -> None:
        turn = self._turn(event)
        if turn is not None and isinstance(event.get("claims"), dict):
            self._log.add(turn, "recorded_claims", event["claims"])

    def _detail(self, event: Event) -> None:
        section = SECTIONS[str(event["event"])]
        turn = self._turn(event)
        kept = {name: value for name, value in event.items() if name not in _OWN}
        if turn is not None:
            turn.detailed = True
            self._log.add(turn, section, kept)
            self._log.changed(turn)
        elif section == "logs" and not event.get("turn"):
            self._log.log(kept)

    def _function(self, event: Event) -> None:
        pass

    def _disconnected(self, event: Event) -> None:
        pid = _pid(event)
        for turn in self._log.turns:
            if pid in turn.workers:
                turn.workers.discard(pid)
                if not turn.workers:
                    turn.outcome, turn.error = FAILED, "The process ended."
                    turn.ended_at = turn.ended_at or self._log.clock()
                    self._log.changed(turn)


_OWN = ("event", "turn", "role", "pid")


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _number(event: Event, name: str) -> float | None:
    value: Any = event.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def _status(event: Event) -> int | None:
    value = event.get("status")
    return value if type(value) is int else None


def _pid(event: Event) -> int:
    pid = event.get("pid")
    return pid if isinstance(pid, int) else 0
