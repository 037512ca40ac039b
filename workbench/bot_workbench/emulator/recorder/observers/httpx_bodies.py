"""The bodies of httpx's requests and responses. Looking at them changes nothing for the bot.

A message is a request or a response; None: there is none.
"""

import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from bot_workbench.emulator.recorder.shown import MAX_BYTES, events_in, shown

_JSON = re.compile(r"(?i)application/(?:[\w.-]+\+)?(?:json|jsonl|x-ndjson)\s*(?:;|$)")
"""Content types whose bodies are shown."""
_EVENTS = re.compile(r"(?i)text/event-stream\s*(?:;|$)")
"""Another one: server-sent events."""

Ended = Callable[[bytes, int], None]
"""Called with the start of what was read, and how many bytes it was. It must not raise."""


def content_of(message: Any) -> bytes:
    """The body of a message; empty: there is none, or it is not read."""
    try:
        content: bytes = message.content if message is not None else b""
    except RuntimeError:  # RequestNotRead, ResponseNotRead
        return b""
    return content


def body_of(message: Any) -> Any:
    """The JSON or the events in a message, as shown; None: it has none, or it is not read."""
    return shown_content(message, content_of(message))


def shown_content(message: Any, content: bytes, size: int | None = None) -> Any:
    """What is shown of a message's content, or of the start of it; `size` is that of the whole."""
    if not _is_shown(message):
        return None
    found = shown(content, size)
    is_text_of_events = isinstance(found, str) and _EVENTS.match(_content_type(message))
    return events_in(found) if is_text_of_events else found


def watch_stream(response: Any, ended: Ended) -> None:
    """Look at a response that has not been read yet, part by part, as the bot reads it.

    Nothing is read ahead, held back, or kept beyond what is shown.

    Args:
        ended: called when the bot has read it, or reads no further.
    """
    if _is_shown(response) and not response.is_closed:
        _Stream(response, ended)


def _is_shown(message: Any) -> bool:
    content_type = _content_type(message)
    return bool(_JSON.match(content_type) or _EVENTS.match(content_type))


def _content_type(message: Any) -> str:
    return str(message.headers.get("Content-Type", "")) if message is not None else ""


class _Stream:
    """Takes the place of the two methods that all others read with."""

    def __init__(self, response: Any, ended: Ended) -> None:
        self._response, self._ended = response, ended
        self._parts, self._async_parts = response.iter_bytes, response.aiter_bytes
        self._start = bytearray()
        self._size = 0
        response.iter_bytes, response.aiter_bytes = self._read, self._read_async

    def _read(self, chunk_size: int | None = None) -> Generator[bytes]:
        with self._until_the_end(), contextlib.closing(self._parts(chunk_size)) as parts:
            for part in parts:
                self._add(part)
                yield part

    async def _read_async(self, chunk_size: int | None = None) -> AsyncGenerator[bytes]:
        with self._until_the_end():
            async with contextlib.aclosing(self._async_parts(chunk_size)) as parts:
                async for part in parts:
                    self._add(part)
                    yield part

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        self._start += part[: MAX_BYTES - len(self._start)]

    @contextlib.contextmanager
    def _until_the_end(self) -> Generator[None]:
        try:
            yield
        finally:
            # Whoever reads it again gets what was read, or the library's own error.
            for name in ("iter_bytes", "aiter_bytes"):
                vars(self._response).pop(name, None)
            self._ended(bytes(self._start), self._size)
