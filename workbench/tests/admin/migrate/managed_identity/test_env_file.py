"""EnvFile: one variable changes, and everything else stays as it was written."""

from pathlib import Path

import pytest

from bot_workbench.admin.migrate.managed_identity.developer_files import (
    EnvFile,
    FilesRefused,
    write_text,
)
from bot_workbench.admin.migrate.managed_identity.manifest import MovedBot
from bot_workbench.admin.migrate.managed_identity.teams_app import env_edits

OLD, NEW = "11111111-aaaa-4aaa-8aaa-111111111111", "22222222-bbbb-4bbb-8bbb-222222222222"
MOVED = MovedBot(OLD, NEW, "", "")


def edited(file: Path, text: str, *names: str) -> str:
    """The file's text after the edits."""
    file.write_text(text, newline="")
    env = EnvFile(file)
    write_text(file, env.with_values(env_edits(env, names or ("BOT_ID",), MOVED)))
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    "line",
    [
        "BOT_ID={}",
        "BOT_ID='{}'",
        'export BOT_ID = "{}"   # the bot',
        "  BOT_ID={} # the bot",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_replaced(tmp_path: Path, line: str, ending: str) -> None:
    """Quotes, comments and line endings stay."""
    lines = ["# BOT_ID=x", "OTHER_BOT_ID=y", line, "", "LAST=z"]
    text = ending.join(lines) + ending
    assert edited(tmp_path / ".env", text.format(OLD)) == text.format(NEW)


def test_twice(tmp_path: Path) -> None:
    """Nothing is left to do."""
    edited(tmp_path / ".env", f"BOT_ID={OLD}")
    assert env_edits(EnvFile(tmp_path / ".env"), ("BOT_ID",), MOVED) == {}


def test_empty_and_missing(tmp_path: Path) -> None:
    """An empty variable is set, and a missing one added at the end."""
    text = edited(tmp_path / ".env", "BOT_ID=\nA=b", "BOT_ID", "AGENT_ID")
    assert text == f"BOT_ID={NEW}\nA=b\nAGENT_ID={NEW}\n"


def test_another_bot(tmp_path: Path) -> None:
    """A file with a third bot's id stays as it is."""
    with pytest.raises(FilesRefused, match="another bot's id"):
        edited(tmp_path / ".env", "BOT_ID=44444444-dddd-4ddd-8ddd-444444444444")


def test_missing_file(tmp_path: Path) -> None:
    """A file that does not exist is refused."""
    with pytest.raises(FilesRefused, match="cannot be read"):
        EnvFile(tmp_path / ".env")
