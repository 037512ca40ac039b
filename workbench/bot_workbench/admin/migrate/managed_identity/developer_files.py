"""The developer's text files that a command edits: JSON documents and .env files.

Whatever a command does not mean to change stays as its author wrote it: order, white space, quotes,
comments, line endings, a byte order mark.
"""

import json
import os
import re
import shutil
import tempfile
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from io import StringIO
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but not in typeshed
from json.scanner import py_make_scanner  # type: ignore[attr-defined]  # not in typeshed either
from pathlib import Path
from typing import Any

from bot_workbench.admin.plan.shell import quoted

Place = tuple[str | int, ...]
"""Where a value is in a JSON document: ("bots", 0, "botId")."""

_VARIABLE = re.compile(
    r"""^(?P<before>[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)"""
    r"""(?P<quote>["']?)(?P<value>[^\r\n]*?)(?P=quote)"""
    r"""(?P<after>[ \t]*(?:[ \t]#[^\r\n]*)?)(?=\r?$)""",
    re.MULTILINE,
)


class FilesRefused(Exception):
    """Files cannot be used or changed.

    Args:
        reasons: why, and what to do; a line each.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises:
        FilesRefused: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise FilesRefused(f"{path} cannot be read: {error}") from error


def write_text(path: Path, text: str) -> None:
    """Replace the text of a UTF-8 file in one step: a reader sees the old file or the new one.

    Args:
        path: the file; of a symbolic link, its target is written.
        text: without a byte order mark; a file that has one keeps it.

    Raises:
        FilesRefused: the file cannot be written; it is as it was.
    """
    try:
        _replace(path.resolve(), text.encode())
    except OSError as error:
        raise FilesRefused(
            f"{path} cannot be written ({error.strerror}): if a program has it open, close it"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    is_there = path.exists()
    has_mark = is_there and path.read_bytes().startswith(BOM_UTF8)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(BOM_UTF8 + content if has_mark else content)
            new.flush()
            os.fsync(new.fileno())
        if is_there:
            shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def line_ending(text: str) -> str:
    """The end of a text's lines: "\\r\\n" or "\\n"."""
    return "\r\n" if "\r\n" in text else "\n"


def shell_lines(path: Path, old: str, new: str) -> tuple[str, ...]:
    """Shell lines that change some lines of a file, and add others at its end.

    Args:
        path: the file.
        old: its text.
        new: what it becomes: it has the same lines, or more.
    """
    file, backup = quoted(str(path)), quoted(f"{path}.bak")
    before, after = ([line.rstrip("\r\n") for line in StringIO(text)] for text in (old, new))
    lines = []
    for number, (line, wanted) in enumerate(zip(before, after, strict=False), 1):
        if line != wanted:
            pattern = re.sub(r"([.*\[\]^$\\|])", r"\\\1", line)
            text = re.sub(r"([&\\|])", r"\\\1", wanted)
            # `-i` without a suffix means something else on macOS.
            sed = f"sed -i.bak {quoted(f'{number}s|{pattern}|{text}|')} {file}"
            lines.append(f"{sed} && rm {backup}")
    added = after[len(before) :]
    if added and old and not old.endswith("\n"):
        added.insert(0, "")
    echo = "echo" if line_ending(new) == "\n" else r"printf '%s\r\n'"
    return (*lines, *(f"{echo} {quoted(line)} >> {file}" for line in added))


def pointer(place: Iterable[str | int]) -> str:
    """A place as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)


class JsonText:
    """A JSON document, as its author wrote it, whose strings can be replaced.

    Args:
        text: the document.

    Attributes:
        text: as given.
        value: the same, parsed.
        strings: all string values by their place; the names of members are not among them.

    Raises:
        ValueError: it is not JSON.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: Any = _Decoder().decode(text)
        self.strings = dict(_strings((), self.value))

    @classmethod
    def read(cls, path: Path) -> "JsonText":
        """The document in a file.

        Raises:
            FilesRefused: it cannot be read, or is not JSON.
        """
        try:
            return cls(read_text(path))
        except ValueError as error:
            raise FilesRefused(f"{path} cannot be read: {error}") from error

    def with_strings(self, strings: Mapping[Place, str]) -> str:
        """The text with these strings replaced; white space, order and escapes of others stay.

        Args:
            strings: the new values of strings that the document has.
        """
        text = self.text
        for place in sorted(strings, key=lambda place: self.strings[place].start, reverse=True):
            old = self.strings[place]
            new = json.dumps(strings[place], ensure_ascii=False)
            text = text[: old.start] + new + text[old.end :]
        return text


class _Located(str):
    """A string of a document.

    Attributes:
        start, end: where its quotes are in the document's text.
    """

    start: int
    end: int


class _Decoder(json.JSONDecoder):
    """Python's own decoder, without its part in C, which does not say where a string is."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = _located
        self.scan_once = py_make_scanner(self)


def _located(text: str, start: int, strict: bool) -> tuple[_Located, int]:
    value, end = scanstring(text, start, strict)
    found = _Located(value)
    found.start, found.end = start - 1, end
    return found, end


def _strings(place: Place, value: object) -> Iterable[tuple[Place, _Located]]:
    members: Iterable[tuple[str | int, object]] = ()
    match value:
        case _Located():
            yield place, value
        case dict():
            members = value.items()
        case list():
            members = enumerate(value)
    for name, member in members:
        yield from _strings((*place, name), member)


class EnvFile:
    """A .env file, read once.

    Args:
        path: the file.

    Attributes:
        path: the file.
        text: its text.
        values: the variables; of one that is there twice, the last value, as shells do.

    Raises:
        FilesRefused: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = read_text(path)
        self.values = variables(self.text)

    def with_values(self, values: Mapping[str, str]) -> str:
        """The text with these values; a missing variable is added at the end."""

        def changed(match: re.Match[str]) -> str:
            value = values.get(match["name"], match["value"])
            return f"{match['before']}{match['quote']}{value}{match['quote']}{match['after']}"

        text, ending = _VARIABLE.sub(changed, self.text), line_ending(self.text)
        added = [
            f"{name}={value}{ending}" for name, value in values.items() if name not in self.values
        ]
        is_unfinished = bool(text) and not text.endswith("\n")
        return "".join([text, ending if added and is_unfinished else "", *added])


def variables(text: str) -> dict[str, str]:
    """The variables of an .env file's text, without quotes."""
    return {match["name"]: match["value"] for match in _VARIABLE.finditer(text)}
