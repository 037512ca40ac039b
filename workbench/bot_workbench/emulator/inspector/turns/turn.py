"""Turn: one row of the inspector, with the details that a click shows."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.inspector.turns.turn_details import JsonObject, calls_of, object_in
from bot_workbench.emulator.inspector.turns.turn_progress import DONE, FAILED, TurnProgress

MAX_TEXT_LENGTH = 200
"""Of a message's text in the row, in characters."""

MAX_BYTES = 16 * 1024 * 1024
"""Of one turn's details; what comes after that is counted only."""

SIGNED_IN_PATH = "/api/usertoken/GetToken"
"""The path of a user's token: 404 says that nobody has signed in."""

_ERROR_LEVELS = ("ERROR", "CRITICAL")


@dataclass(eq=False)
class Turn:
    """One delivery, queued turn, proactive message or function's run.

    Attributes:
        id: the trace id (32 hex digits).
        number: counts the rows of this run, from 1.
        at: when it started, in seconds since 1970.
        kind: `channel`, `queued`, `proactive` or `function`.
        function: the Azure Function's name, if known.
        parent: the id of the turn that sent the proactive message, if any.
        progress: how far it is.
        status: the HTTP status that the channel saw.
        error: why it failed, in one line.
        cause: the same without an exception's message, which may quote what users wrote.
        hint: what to write so that it would not fail, or what held it up; in one line.
        replay_of: the id of the row that this one repeats.
        detailed: the worker recorded it.
        dropped: its details were dropped to save memory.
        omitted: details that were not kept, because there were too many.
        size: of its details, in bytes.
        conversation_id: the activity's.
        activity_id: the activity's.
        user_id: who sent the activity.
        user_name: who sent the activity.
        text_length: of the activity's text, in characters; None: it has no text.
        last_reply: the id of the message that the bot sent last; empty: it has sent none.
    """

    id: str
    number: int
    at: float
    kind: str = "channel"
    function: str = ""
    parent: str | None = None
    progress: TurnProgress = field(default_factory=TurnProgress)
    status: int | None = None
    error: str = ""
    cause: str = ""
    hint: str = ""
    replay_of: str | None = None
    detailed: bool = False
    dropped: bool = False
    omitted: int = 0
    size: int = 0
    conversation_id: str = ""
    activity_id: str = ""
    user_id: str = ""
    user_name: str = ""
    text_length: int | None = None
    last_reply: str = ""
    _facts: JsonObject = field(default_factory=dict)
    _calls: set[str] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _details: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    @property
    def type(self) -> str:
        """The activity's type; empty: there is none."""
        return str(self._facts.get("type", ""))

    @property
    def name(self) -> str:
        """The name of an invoke or an event, or what kind of update it is."""
        return str(self._facts.get("name", ""))

    @property
    def outcome(self) -> str:
        """`running`, `queued`, `done` or `failed`."""
        return self.progress.outcome

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self.outcome in (DONE, FAILED)

    def ran_at(self, at: float) -> bool:
        """Whether it ran at a time, in seconds since 1970."""
        ended_at = self.progress.ended_at if self.is_over else None
        return self.at <= at and (ended_at is None or at <= ended_at)

    @property
    def ms(self) -> float | None:
        """Its duration; None while it runs."""
        ended_at = self.progress.ended_at
        return max(0.0, (ended_at - self.at) * 1000) if self.is_over and ended_at else None

    @property
    def calls(self) -> int:
        """Outbound calls; attempts of the same call count once."""
        return len(self._calls) if self.detailed else self._counts["exchanges"]

    def fail(self, error: str, cause: str = "") -> None:
        """Keep why it failed; an empty `error` says nothing, an empty `cause` is the same text."""
        if error:
            self.error, self.cause = error, cause or error

    def retry(self) -> None:
        """Forget the run before: it runs again."""
        self.error = self.cause = self.hint = self.last_reply = ""

    def describe(self, activity: JsonObject) -> None:
        """Take from an activity what the row shows of it."""
        text = activity.get("text")
        text = text if isinstance(text, str) else ""
        sender, conversation = object_in(activity, "from"), object_in(activity, "conversation")
        self.activity_id = str(activity.get("id") or "")
        self.conversation_id = str(conversation.get("id") or "")
        self.user_id = str(sender.get("id") or "")
        self.user_name = str(sender.get("name") or "")
        self.text_length = len(text) if "text" in activity else None
        self._facts = {
            "type": str(activity.get("type") or ""),
            "name": _name(activity),
            "text": text[:MAX_TEXT_LENGTH],
            "conversation": {"id": conversation.get("id"), "name": conversation.get("name")},
            "channel": str(activity.get("channelId") or ""),
        }

    def add(self, section: str, value: object) -> int:
        """Keep a detail; returns by how many bytes the row has grown.

        Details are kept as JSON: their size in memory is known, and a tenth of the objects'.
        """
        self._count(section, value)
        text = json.dumps(value, default=str, ensure_ascii=False)
        encoded = text.encode("utf-8", "surrogatepass")
        if self.dropped or self.size + len(encoded) > MAX_BYTES:
            self.omitted += 1
            return 0
        self._details[section].append(encoded)
        self.size += len(encoded)
        return len(encoded)

    def _count(self, section: str, value: object) -> None:
        self._counts[section] += 1
        if not isinstance(value, dict):
            return
        if section == "calls":
            self._calls.add(str(value.get("id")))
            self._counts["errors"] += _is_failed(value)
        elif section == "exchanges" and not self.detailed:
            self._counts["errors"] += _is_failed(value)
        elif section == "logs":
            self._counts["errors"] += value.get("level") in _ERROR_LEVELS
        elif section == "state":
            self._counts["state_writes"] += value.get("op") != "read"

    def drop_details(self) -> int:
        """Keep only the row; returns by how many bytes it has shrunk."""
        freed, self.size = self.size, 0
        self._details.clear()
        self.dropped = True
        return freed

    def first(self, section: str) -> Any:
        """The section's first detail; None: there is none."""
        found = self._details.get(section)
        return json.loads(found[0]) if found else None

    def all(self, section: str) -> list[Any]:
        """The section's details, in the order in which they came."""
        return [json.loads(each) for each in self._details.get(section, ())]

    def contains(self, words: list[str]) -> bool:
        """Whether the details contain each of the words, which are in lower case."""
        if not self._details:
            return False
        # Not parsed: a search through all turns must not hold up the local cloud.
        details = b"\n".join(each for section in self._details.values() for each in section)
        text = details.decode("utf-8", "surrogatepass").lower()
        return all(json.dumps(word, ensure_ascii=False)[1:-1] in text for word in words)

    def summary(self) -> JsonObject:
        """The row, as JSON."""
        nothing: JsonObject = {"id": None, "name": None}
        counts = self._counts
        return {
            "id": self.id,
            "number": self.number,
            "at": self.at,
            "kind": self.kind,
            "function": self.function,
            "type": self.type,
            "name": self.name,
            "text": self._facts.get("text", ""),
            "from": {"id": self.user_id or None, "name": self.user_name or None},
            "conversation": self._facts.get("conversation", nothing),
            "channel": self._facts.get("channel", ""),
            "status": self.status,
            "ms": self.ms,
            "calls": self.calls,
            "attempts": counts["calls"] if self.detailed else counts["exchanges"],
            "errors": counts["errors"] + (self.outcome == FAILED),
            "logs": counts["logs"],
            "state_writes": counts["state_writes"],
            "outcome": self.outcome,
            "error": self.error,
            "hint": self.hint,
            "detailed": self.detailed,
            "dropped": self.dropped,
            "omitted": self.omitted,
            "replay_of": self.replay_of,
            "parent": self.parent,
        }

    def details(self) -> JsonObject:
        """The row and its details, as JSON."""
        logs = self.all("logs")
        raised = self.all("raised")
        caller = self.first("caller") or {}
        return {
            **self.summary(),
            "activity": self.first("activity"),
            "request": self.first("request"),
            "response": self.first("response"),
            "replies": self.all("replies"),
            "input": self.first("input"),
            "claims": self.first("claims") or caller.get("claims"),
            "caller": caller or None,
            "checks": self.all("checks"),
            "state": self.all("state"),
            "calls": calls_of(
                self.all("calls" if self.detailed else "exchanges"), self.all("received")
            ),
            "logs": logs,
            "raised": raised,
            "traceback": _traceback(raised, logs),
            "queue": self.all("queue"),
            "spans": self.all("spans"),
        }


def _traceback(raised: list[JsonObject], logs: list[JsonObject]) -> JsonObject | None:
    """The last error's traceback: `local` for this machine, `redacted` as Azure's log has it."""
    if raised:
        return {"local": raised[-1].get("traceback"), "redacted": raised[-1].get("redacted")}
    logged = [log["traceback"] for log in logs if log.get("traceback")]
    return {"local": logged[-1], "redacted": None} if logged else None


def _name(activity: JsonObject) -> str:
    event = object_in(activity, "channelData").get("eventType")
    named = activity.get("name") or event or ""
    for change in ("membersAdded", "membersRemoved", "reactionsAdded", "reactionsRemoved"):
        if not named and activity.get(change):
            named = change
    return str(named or activity.get("action") or "")


def _is_failed(call: Mapping[str, Any]) -> bool:
    status = call.get("status")
    if not isinstance(status, int):
        return bool(call.get("error"))
    return status >= 400 and not _is_expected(call, status)


def _is_expected(call: Mapping[str, Any], status: int) -> bool:
    """Whether an error status answers a call that asks whether something exists."""
    if call.get("purpose") == "storage":
        return status in (404, 409, 412)
    return status == 404 and SIGNED_IN_PATH in str(call.get("url"))
