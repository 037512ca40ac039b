"""EnvFile: the .env file from which tools fill in a manifest's variables."""

import re
from pathlib import Path

from bot_workbench.admin.migrate.managed_identity.local_file import LocalFile

_LINE = re.compile(
    r"""^(?P<before>[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)"""
    r"""(?P<quote>["']?)(?P<value>[^\r\n]*?)(?P=quote)"""
    r"""(?P<after>[ \t]*(?:[ \t]#[^\r\n]*)?)(?=\r?$)""",
    re.MULTILINE,
)


class EnvFileRefused(Exception):
    """The file cannot be updated; the text says why, and what to do."""


class EnvFile:
    """A .env file, read once. Comments, quotes, order and line endings stay as they are.

    Args:
        path: the file.

    Raises:
        EnvFileRefused: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = LocalFile(path).read()
        except (OSError, ValueError) as error:
            raise EnvFileRefused(f"{path} cannot be read: {error}") from error

    @property
    def values(self) -> dict[str, str]:
        """The variables; of one that is there twice, the last value, as shells do."""
        return {match["name"]: match["value"] for match in _LINE.finditer(self._text)}

    @property
    def ending(self) -> str:
        """The end of the lines: "\\r\\n" or "\\n"."""
        return "\r\n" if "\r\n" in self._text else "\n"

    def edits(self, names: tuple[str, ...], old_id: str, new_id: str) -> dict[str, str]:
        """The variables that must change, and their new values; empty: nothing.

        Args:
            names: the variables that hold the bot's id.
            old_id: the old bot's app id (GUID).
            new_id: the new bot's.

        Raises:
            EnvFileRefused: a variable holds the id of a third bot.
        """
        values = self.values
        for name in names:
            if values.get(name, "").lower() not in {"", old_id.lower(), new_id.lower()}:
                raise EnvFileRefused(
                    f"{name} in {self.path} is {values[name]}, which is another bot's id; the old"
                    f" bot's is {old_id}"
                )
        return {name: new_id for name in names if values.get(name, "").lower() != new_id.lower()}

    def edit(self, edits: dict[str, str]) -> None:
        """Write the file with these values; a missing variable is added at the end.

        Raises:
            OSError: the file cannot be written; it is as it was.
        """
        added = "".join(f"{line}{self.ending}" for line in self.added(edits))
        LocalFile(self.path).write(self._changed(edits) + added)

    def lines(self, edits: dict[str, str]) -> list[tuple[int, str, str]]:
        """The lines that the same edits change: their numbers (from 1), old and new texts."""
        pairs = zip(self._text.split("\n"), self._changed(edits).split("\n"), strict=True)
        return [
            (number, old.removesuffix("\r"), new.removesuffix("\r"))
            for number, (old, new) in enumerate(pairs, 1)
            if old != new
        ]

    def added(self, edits: dict[str, str]) -> list[str]:
        """The lines that the same edits add; an empty one before them ends an unfinished line."""
        values = self.values
        missing = [f"{name}={value}" for name, value in edits.items() if name not in values]
        is_unfinished = bool(self._text) and not self._text.endswith("\n")
        return ["", *missing] if missing and is_unfinished else missing

    def _changed(self, edits: dict[str, str]) -> str:
        """The text with these values, without missing variables."""

        def changed(match: re.Match[str]) -> str:
            if match["name"] not in edits:
                return match[0]
            quote = match["quote"]
            return f"{match['before']}{quote}{edits[match['name']]}{quote}{match['after']}"

        return _LINE.sub(changed, self._text)
