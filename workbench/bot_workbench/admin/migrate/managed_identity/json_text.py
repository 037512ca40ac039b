"""JsonText: a JSON document whose strings can be replaced without touching anything else."""

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but not in typeshed
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")

Path = tuple[str | int, ...]
"""Where a value is: ("bots", 0, "botId")."""


class JsonText:
    """A JSON document, as its author wrote it.

    Args:
        text: the document.

    Raises:
        ValueError: it is not JSON.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: Any = json.loads(text)
        self._spans: dict[Path, tuple[int, int]] = {}
        self._scan((), 0)

    @property
    def strings(self) -> dict[Path, str]:
        """All string values by their place; the names of members are not among them."""
        return {
            path: json.loads(self.text[start:end]) for path, (start, end) in self._spans.items()
        }

    def line(self, path: Path) -> int:
        """The line (from 1) of a string."""
        return self.text.count("\n", 0, self._spans[path][0]) + 1

    def with_strings(self, strings: dict[Path, str]) -> str:
        """The text with these strings replaced; white space, order and escapes of others stay.

        Args:
            strings: the new values of strings that the document has.
        """
        text = self.text
        for path in sorted(strings, key=lambda path: self._spans[path], reverse=True):
            start, end = self._spans[path]
            text = text[:start] + json.dumps(strings[path], ensure_ascii=False) + text[end:]
        return text

    def _scan(self, path: Path, start: int) -> int:
        """Note the strings of the value that starts here, and return where it ends."""
        start = self._skip(start)
        match self.text[start]:
            case '"':
                end = _string_end(self.text, start)
                self._spans[path] = (start, end)
                return end
            case "{" | "[":
                return self._scan_members(path, start)
            case _:
                return json.JSONDecoder().raw_decode(self.text, start)[1]

    def _scan_members(self, path: Path, start: int) -> int:
        opening, at = self.text[start], self._skip(start + 1)
        names = self._names(opening)
        while self.text[at] not in "}]":
            name = next(names)
            if opening == "{":
                end = _string_end(self.text, at)
                name = json.loads(self.text[at:end])
                at = self._skip(end) + 1  # the colon
            at = self._skip(self._scan((*path, name), at))
            if self.text[at] == ",":
                at = self._skip(at + 1)
        return at + 1

    @staticmethod
    def _names(opening: str) -> Iterator[str | int]:
        index = 0
        while True:
            yield index if opening == "[" else ""
            index += 1

    def _skip(self, start: int) -> int:
        match = _SPACE.match(self.text, start)
        return match.end() if match else start


def _string_end(text: str, start: int) -> int:
    end: int = scanstring(text, start + 1)[1]
    return end
