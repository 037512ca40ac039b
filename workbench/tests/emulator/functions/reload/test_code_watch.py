"""Which changes in an app's folder are noticed, as editors and other programs make them."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot_workbench.emulator.functions.reload.code_folders import CodeFolders
from bot_workbench.emulator.functions.reload.code_watch import CodeWatch
from tests.support.timing.condition import comes_true

FUNCIGNORE = """
/*
/*/**
!/function_app.py
!/bot_logic/*.py
!/bot_logic/**/*.py
!/bot_logic/*.json
!/bot_logic/**/*.json
!/parts/*.py
"""


class Watched:
    """An app whose code is watched.

    Args:
        app: its folder.
        bot: the bot's, which the app's `bot_logic` leads to.
    """

    def __init__(self, app: Path, bot: Path) -> None:
        self.app = app
        self.bot = bot
        self.noticed: list[Path] = []
        self.calls = 0
        self._marks = itertools.count()

    def note(self, files: Sequence[Path]) -> None:
        """Take what was noticed."""
        self.calls += 1
        self.noticed += files

    async def has_noticed_all(self) -> list[str]:
        """What was noticed until now, without repetitions; files of this test's own are left out.

        Notifications arrive in order. So a change is written again and again until it is noticed;
        then everything before it has been, too.
        """
        mark = self.bot / f"mark_{next(self._marks)}.py"

        def arrived() -> bool:
            mark.write_text(f"{len(self.noticed)}")
            return mark in self.noticed

        await comes_true(arrived)
        found = {path for path in self.noticed if not path.name.startswith("mark_")}
        self.noticed.clear()
        return sorted(path.name for path in found)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """An app with a bot in another folder, as `make run BOT=...` makes it."""
    bot, app = tmp_path / "my bot", tmp_path / "app"
    bot.mkdir()
    app.mkdir()
    (bot / "bot.py").write_text("old")
    (app / "function_app.py").write_text("old")
    (app / ".funcignore").write_text(FUNCIGNORE)
    (app / "bot_logic").symlink_to(bot)
    found = Watched(app, bot)
    task = asyncio.create_task(CodeWatch(app).run(found.note))
    await found.has_noticed_all()
    yield found
    task.cancel()
    await asyncio.wait({task})


def replaced(file: Path, text: str) -> None:
    """Write a new file, and give it the old one's name."""
    new = file.with_name(f".{file.name}.tmp")
    new.write_text(text)
    new.replace(file)


async def test_saves(watched: Watched) -> None:
    """Files are noticed that are written, replaced, made, removed or renamed."""
    (watched.bot / "bot.py").write_text("new")
    assert await watched.has_noticed_all() == ["bot.py"]
    replaced(watched.bot / "bot.py", "newer")
    assert await watched.has_noticed_all() == ["bot.py"]
    (watched.bot / "cards").mkdir()
    (watched.bot / "cards" / "card.json").write_text("{}")
    assert "cards" in await watched.has_noticed_all()
    (watched.bot / "bot.py").rename(watched.bot / "renamed.py")
    assert await watched.has_noticed_all() == ["bot.py", "renamed.py"]
    (watched.bot / "renamed.py").unlink()
    assert await watched.has_noticed_all() == ["renamed.py"]


async def test_files_of_the_app(watched: Watched) -> None:
    """Its own files, and the settings that the host reads, are noticed; others are not."""
    (watched.app / "notes.py").write_text("")
    files = {watched.app / "local.settings.json", watched.app / "function_app.py"}
    for file in files:
        replaced(file, "{}")
    await comes_true(lambda: files <= set(watched.noticed))
    assert watched.app / "notes.py" not in watched.noticed


async def test_what_is_no_code(watched: Watched) -> None:
    """Caches, editors' own files, hidden folders and what is not deployed are left alone."""
    cache = watched.bot / "__pycache__"
    cache.mkdir()
    (cache / "bot.cpython-313.pyc").write_text("")
    for name in (".bot.py.swp", "bot.py~", "#bot.py#", ".#bot.py", "4913", "state.db", "bot.log"):
        (watched.bot / name).write_text("")
    for name in (".idea", ".tools", "site-packages"):
        (watched.bot / name / "part").mkdir(parents=True)
        (watched.bot / name / "module.py").write_text("")
        (watched.bot / name / "part" / "module.py").write_text("")
    assert await watched.has_noticed_all() == []


async def test_folder_whose_content_changes(watched: Watched) -> None:
    """A folder itself counts as changed when it is made, but not when a file in it is."""
    (watched.bot / "data").mkdir()
    assert await watched.has_noticed_all() == ["data"]
    for folder in (watched.bot, watched.bot / "data"):
        # Windows reports the folder of a file that is made or removed as modified.
        folder.chmod(0o700)
        folder.chmod(0o755)
    assert await watched.has_noticed_all() == []


async def test_new_folder_of_the_app(watched: Watched) -> None:
    """A folder that is added beside the bot's is watched from then on."""
    part = watched.app / "parts" / "part.py"
    part.parent.mkdir()
    await comes_true(lambda: part.parent in watched.noticed)

    def is_noticed() -> bool:
        part.write_text(f"{len(watched.noticed)}")
        return part in watched.noticed

    await comes_true(is_noticed)


async def test_many_files_at_once(watched: Watched) -> None:
    """A thousand files that are written at once are noticed, in few notifications."""
    before = watched.calls
    for number in range(1000):
        (watched.bot / f"module_{number}.py").write_text("")
    assert len(await watched.has_noticed_all()) == 1000
    assert watched.calls - before < 200


async def test_linked_folder(watched: Watched, tmp_path: Path) -> None:
    """A folder of the bot that leads elsewhere is watched where it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "part.py").write_text("old")
    (watched.bot / "linked").symlink_to(elsewhere)
    await watched.has_noticed_all()
    async with asyncio.TaskGroup() as group:
        again = Watched(watched.app, watched.bot)
        task = group.create_task(CodeWatch(watched.app).run(again.note))
        await again.has_noticed_all()
        (elsewhere / "part.py").write_text("new")
        assert await again.has_noticed_all() == ["part.py"]
        task.cancel()


async def test_bot_that_was_removed_and_is_back(watched: Watched) -> None:
    """After the whole folder was replaced, as when another branch is checked out, saves count."""
    shutil.rmtree(watched.bot)
    watched.bot.mkdir()
    (watched.bot / "bot.py").write_text("back")
    await watched.has_noticed_all()
    (watched.bot / "bot.py").write_text("newer")
    assert await watched.has_noticed_all() == ["bot.py"]


def test_names_in_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named from the working folder, or else from the folder that the app is in."""
    bot = tmp_path / "bot_logic"
    bot.mkdir()
    (bot / "bot.py").touch()
    assert CodeFolders(tmp_path).shown(bot / "bot.py") == "bot_logic/bot.py"
    monkeypatch.chdir(tmp_path.parent)
    assert CodeFolders(tmp_path).shown(bot / "bot.py") == f"{tmp_path.name}/bot_logic/bot.py"
