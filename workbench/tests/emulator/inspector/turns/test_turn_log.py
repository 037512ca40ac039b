"""TurnLog: keeps the newest turns, in bounded memory."""

import json
import time
import tracemalloc
from typing import Any

import pytest

from bot_workbench.emulator.inspector.turns.turn import MAX_BYTES, Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject
from bot_workbench.emulator.inspector.turns.turn_log import MAX_LOG_LINES, MAX_TURNS, TurnLog

MIB = 1024 * 1024


class Listener:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        self.lines: list[JsonObject] = []
        self.clears = 0

    def turn_changed(self, turn: Turn) -> None:
        self.changed.append(turn.id)

    def logged(self, line: JsonObject) -> None:
        self.lines.append(line)

    def cleared(self) -> None:
        self.clears += 1


def message(text: str = "hello", **more: Any) -> JsonObject:
    return {"type": "message", "text": text, "conversation": {"id": "c"}, **more}


def add(log: TurnLog, turn_id: str, activity: JsonObject) -> Turn:
    turn = log.start(turn_id, "channel")
    turn.describe(activity)
    log.add(turn, "activity", activity)
    log.changed(turn)
    return turn


def test_the_newest_turns_are_kept() -> None:
    """A thousand turns are kept, numbered from 1; an older one is forgotten."""
    log = TurnLog()
    for number in range(MAX_TURNS + 5):
        add(log, f"t{number}", message())
    assert len(log.turns) == MAX_TURNS == 1000
    assert [log.turns[0].number, log.turns[-1].number] == [6, MAX_TURNS + 5]
    assert log.find("t4") is None
    assert log.is_forgotten("t4")
    assert log.find("t5") is log.turns[0]
    assert not log.is_forgotten("t5")
    assert next(log.newest_first) is log.turns[-1]


def test_a_turn_starts_once() -> None:
    """Starting a turn again returns it as it is."""
    log = TurnLog()
    turn = log.start("t", "channel", at=1.0)
    assert log.start("t", "queued", at=2.0) is turn
    assert (turn.kind, turn.at) == ("channel", 1.0)


def test_details_are_bounded() -> None:
    """The oldest turns lose their details first; their rows stay, and say so."""
    log = TurnLog(max_bytes=4 * MIB)
    listener = Listener()
    log.listeners.append(listener)
    for number in range(10):
        add(log, f"t{number}", message("x" * MIB))
    assert log.detail_bytes <= 4 * MIB
    dropped = [turn.id for turn in log.turns if turn.dropped]
    assert dropped
    assert dropped == [f"t{number}" for number in range(len(dropped))]
    oldest, newest = log.turns[0].details(), log.turns[-1].details()
    assert (oldest["activity"], oldest["type"], oldest["dropped"]) == (None, "message", True)
    assert newest["activity"]["text"] == "x" * MIB
    assert listener.changed.count("t0") == 2


def test_a_dropped_turn_stays_dropped() -> None:
    """What comes later for a turn without details is counted, and not kept."""
    log = TurnLog(max_bytes=2 * MIB)
    first = add(log, "t0", message("x" * MIB))
    add(log, "t1", message("x" * 2 * MIB))
    assert first.dropped
    log.add(first, "logs", {"level": "ERROR", "text": "late"})
    assert (first.details()["logs"], first.omitted) == ([], 1)
    assert first.summary()["logs"] == 1


def test_one_turn_is_bounded() -> None:
    """A turn that reports too much keeps its first details, and counts what it left out."""
    log = TurnLog()
    turn = log.start("t", "channel")
    value = {"op": "write", "after": "x" * MIB}
    for _ in range(30):
        log.add(turn, "state", value)
    assert turn.size <= MAX_BYTES
    kept = len(turn.all("state"))
    assert kept == MAX_BYTES // len(json.dumps(value))
    assert (turn.omitted, turn.summary()["state_writes"]) == (30 - kept, 30)


def test_memory_with_large_activities() -> None:
    """A thousand turns, each with an activity of 1 MiB, take less than 100 MiB."""
    log = TurnLog()
    tracemalloc.start()
    try:
        for number in range(MAX_TURNS):
            add(log, f"t{number}", message("x" * MIB, entities=[{"number": number}] * 10))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{used / MIB:.0f} MiB for {MAX_TURNS} turns of 1 MiB")
    assert used < 100 * MIB


def test_memory_with_small_activities() -> None:
    """A thousand usual turns take less than 10 MiB."""
    log = TurnLog()
    call = {"id": "c", "method": "POST", "url": "https://localhost/x", "status": 200, "at": 1.0}
    tracemalloc.start()
    try:
        for number in range(MAX_TURNS):
            turn = add(log, f"t{number}", message("hello " * 20))
            for count in range(10):
                log.add(turn, "calls", {**call, "id": str(count)})
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{used / MIB:.1f} MiB for {MAX_TURNS} usual turns")
    assert used < 10 * MIB


def test_bytes_are_counted_right() -> None:
    """After turns have come and gone, the log counts the bytes of those that are kept."""
    log = TurnLog(max_turns=3)
    for number in range(10):
        add(log, f"t{number}", message("x" * number))
    assert log.detail_bytes == sum(turn.size for turn in log.turns) > 0
    gone = log.start("gone", "channel")
    log.clear()
    log.add(gone, "logs", {"text": "too late"})
    assert log.detail_bytes == 0


def test_clear() -> None:
    """Clearing removes turns and lines, and calls the listeners."""
    log, listener = TurnLog(), Listener()
    log.listeners.append(listener)
    turn = add(log, "t", message())
    log.log({"text": "outside"})
    log.clear()
    assert (log.turns, list(log.lines), listener.clears) == ([], [], 1)
    listener.changed.clear()
    log.changed(turn)
    assert listener.changed == []
    assert log.is_forgotten("t")


def test_lines_outside_of_turns_are_bounded() -> None:
    """The newest lines are kept."""
    log, listener = TurnLog(), Listener()
    log.listeners.append(listener)
    for number in range(MAX_LOG_LINES + 3):
        log.log({"text": str(number)})
    assert len(log.lines) == MAX_LOG_LINES
    assert log.lines[-1] == {"text": str(MAX_LOG_LINES + 2)}
    assert len(listener.lines) == MAX_LOG_LINES + 3


def test_search() -> None:
    """A search finds turns whose details have all words, in any case and script."""
    log = TurnLog()
    add(log, "t1", message("Zwei Stücke im Café"))
    turn = add(log, "t2", message("Tee"))
    log.add(turn, "replies", {"type": "message", "text": 'Ein "Café" 日本'})
    assert log.search(["café"]) == ["t1", "t2"]
    assert log.search(["café", "日本"]) == ["t2"]
    assert log.search(["café", "kaffee"]) == []
    assert log.search(["stücke"]) == ["t1"]
    assert log.search(['"café"']) == ["t2"]
    add(log, "t3", message("C:\\Temp\\x \ud800"))
    assert log.search(["c:\\temp"]) == ["t3"]
    assert log.turns[-1].details()["activity"]["text"].endswith("\ud800")


@pytest.mark.timed
def test_a_search_of_large_details() -> None:
    """To search all details that are kept takes well under a second of the local cloud's time."""
    log = TurnLog()
    for number in range(60):
        add(log, f"t{number}", message("Größe " * 160_000, value=[{"n": number}] * 1000))
    start = time.process_time()
    assert log.search(["größe", "nothing"]) == []
    seconds = time.process_time() - start
    print(f"{seconds:.2f} s for {log.detail_bytes / MIB:.0f} MiB")
    assert seconds < 5
