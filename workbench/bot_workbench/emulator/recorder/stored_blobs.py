"""Stored blobs: state that turns read and write, with what was stored before."""

import re
import time
from collections import OrderedDict
from typing import Any

from bot_workbench.emulator.recorder.preview import preview
from bot_workbench.emulator.recorder.recording import (
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
)

MEMORY, BLOB, KEPT = "memory", "blob", "kept"
"""The sources of a value; KEPT: a process keeps state for a moment with the conversation's lock, so
the next turn need not read it."""

MAX_KNOWN = 500
"""The number of blobs that are remembered, to show what was stored before a write."""
MAX_KNOWN_BYTES = 256 * 1024
"""A larger one is not remembered."""

_VERSIONED = re.compile(rb"\[[0-9]+,([{[].*)\]", re.DOTALL)

_known: OrderedDict[str, bytes] = OrderedDict()
"""The content of blobs that exist, by key, as last read or written in this process."""


def reading(recording: Recording, call: Facts) -> Watching:
    """The read of a blob."""
    turn, key, at, started = _start(call)
    outcome = yield
    if outcome.error is not None:
        return
    blob = outcome.result
    content = blob.content if blob else b""
    _remember(key, content if blob else None)
    if turn is not None:
        turn.notes.add(key)
        value, etag = _preview(content), blob.etag if blob else None
        _report(recording, turn, call, "read", (key, at, started), value, value, etag, known=True)


def loading(recording: Recording, call: Facts) -> Watching:
    """The state's first use in a turn, which reads its blob, unless the blob is kept."""
    state, context = call["self"], call["turn_context"]
    is_loaded = state.loaded(context) is not None
    outcome = yield
    turn, loaded = current_turn(), state.loaded(context)
    if is_loaded or turn is None or loaded is None or outcome.error is not None:
        return
    key = _key_in(state._blobs._blobs, state.blob_name(context))
    if key in turn.notes:
        return
    content = loaded._stored if loaded.etag else b""
    _remember(key, content or None)
    value = _preview(content)
    fields = {"before": value, "after": value, "known": True, "etag": loaded.etag, "ms": 0.0}
    recording.report("state", turn, op="read", key=key, source=KEPT, **fields)


def writing(recording: Recording, call: Facts) -> Watching:
    """A write of a whole blob."""
    turn, key, at, started = _start(call)
    before, is_new = _known.get(key), call["etag"] is None
    outcome = yield
    if outcome.error is not None:
        return
    content = call["content"]
    _remember(key, content)
    if turn is not None:
        known = is_new or before is not None
        place = (key, at, started)
        after, etag = _preview(content), outcome.result
        _report(
            recording, turn, call, "write", place, _preview(before or b""), after, etag, known=known
        )


def deletion(recording: Recording, call: Facts) -> Watching:
    """The deletion of a blob."""
    turn, key, at, started = _start(call)
    before = _known.get(key)
    outcome = yield
    if outcome.error is not None:
        return
    _remember(key, None)
    if turn is not None:
        place, value = (key, at, started), _preview(before or b"")
        _report(recording, turn, call, "delete", place, value, None, None, known=before is not None)


def _start(call: Facts) -> tuple[RecordedTurn | None, str, float, float]:
    return current_turn(), _key(call), time.time(), time.perf_counter()


def _key(call: Facts) -> str:
    return _key_in(call["self"], call["name"])


def _key_in(container: Any, name: str) -> str:
    """A blob's name, after its container's."""
    return f"{getattr(container, '_container', MEMORY)}/{name}"


def _preview(content: bytes) -> Any:
    """A blob's content, as it is shown: without the format version around a state."""
    found = _VERSIONED.fullmatch(content)
    return preview(found[1] if found else content)


def _remember(key: str, content: bytes | None) -> None:
    _known.pop(key, None)
    if content is None or len(content) > MAX_KNOWN_BYTES:
        return
    _known[key] = content
    if len(_known) > MAX_KNOWN:
        _known.popitem(last=False)


def _report(
    recording: Recording,
    turn: RecordedTurn,
    call: Facts,
    op: str,
    place: tuple[str, float, float],
    before: Any,
    after: Any,
    etag: str | None,
    *,
    known: bool,
) -> None:
    key, at, started = place
    recording.report(
        "state",
        turn,
        at=at,
        op=op,
        key=key,
        before=before,
        after=after,
        known=known,
        etag=etag,
        ms=round((time.perf_counter() - started) * 1000, 3),
        source=BLOB if hasattr(call["self"], "_container") else MEMORY,
    )
