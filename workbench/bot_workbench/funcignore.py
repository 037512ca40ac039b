"""FuncIgnore: which files `func` uploads, by the rules that Core Tools apply to .funcignore.

The rules differ from git's (GitIgnoreParser.cs and FileSystemHelpers.cs of
azure-functions-core-tools, 4.x): a line matches the beginning of a path, from the root up to a word
boundary; a "!" line wins wherever it stands; and the only wildcards are "*" and "**".
"""

import re
from collections.abc import Iterator
from pathlib import Path

_NEVER_FOLDERS = {".git", ".vscode"}
_NEVER_FILES = {".funcignore", ".gitignore", "local.settings.json", "project.lock.json"}
_LITERAL = re.compile(r"[-\[\]/{}()+?.\\^$|]")


class FuncIgnore:
    """Decides which files are uploaded.

    Args:
        text: the content of .funcignore.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        patterns = [line for line in lines if line and not line.startswith("#")]
        accepted = [line.removeprefix("!") for line in patterns if line.startswith("!")]
        self._accepted = _expression(accepted)
        self._ignored = _expression([line for line in patterns if not line.startswith("!")])

    def accepts(self, path: str) -> bool:
        """Whether a file is uploaded; `path` is relative to the root, with forward slashes."""
        return bool(self._accepted.match(path)) or not self._ignored.match(path)

    def files(self, folder: Path) -> Iterator[Path]:
        """The files of `folder` that are uploaded: paths relative to it, in a stable order."""
        for root, folders, names in folder.walk():
            folders[:] = sorted(name for name in folders if name.lower() not in _NEVER_FOLDERS)
            for name in sorted(names):
                path = (root / name).relative_to(folder)
                if name.lower() not in _NEVER_FILES and self.accepts(path.as_posix()):
                    yield path


def _expression(patterns: list[str]) -> re.Pattern[str]:
    escaped = (_LITERAL.sub(r"\\\g<0>", pattern.removeprefix("/")) for pattern in patterns)
    parts = [each.replace("**", "(.+)").replace("*", r"([^\/]+)") for each in escaped]
    return re.compile(rf"(({')|('.join(parts)}))\b" if parts else r"(?!)", re.ASCII)
