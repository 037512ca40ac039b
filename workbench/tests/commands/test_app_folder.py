"""The app with another bot: what is linked, and which folders have a bot."""

from pathlib import Path

import pytest

from bot_workbench.app_folder import NoBotError, app_with_bot, bots_in, link_app
from tests.support.project import ROOT

DEPLOYED = {
    *("function_app.py", "composition.py", "host.json"),
    *("requirements.txt", "requirements-telemetry.txt", "constraints.txt"),
    *("auth", "bot_logic", "cloud_adapter", "http_client"),
}


def bot(folder: Path) -> Path:
    """A folder with a bot."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from .bot import create_bot\n")
    return folder


def test_what_is_linked(tmp_path: Path) -> None:
    """The app has what is deployed and what its host reads, with the other bot as `bot_logic`."""
    other = bot(tmp_path / "other")
    app = app_with_bot(other, tmp_path / "app")
    linked = {entry.name for entry in app.iterdir()}
    assert linked - {"local.settings.json"} == DEPLOYED | {".funcignore"}
    assert ("local.settings.json" in linked) == (ROOT / "local.settings.json").exists()
    assert (app / "bot_logic").resolve() == other
    assert (app / "auth" / "clouds.py").resolve() == ROOT / "auth" / "clouds.py"


def test_the_projects_own_bot_needs_no_links(tmp_path: Path) -> None:
    """The project itself is the app of its own bot, however its folder is named."""
    for own in (ROOT / "bot_logic", ROOT / "docs" / ".." / "bot_logic"):
        assert app_with_bot(own, tmp_path / "app") == ROOT
    assert not (tmp_path / "app").exists()


def test_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot's folder may be relative to the working folder."""
    other = bot(tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    link_app(tmp_path / "app", Path("other"))
    assert (tmp_path / "app" / "bot_logic").resolve() == other


def test_bot_and_pair(tmp_path: Path) -> None:
    """A folder has one bot, or a bot in `host` and its skill in `skill`."""
    alone = bot(tmp_path / "alone")
    assert bots_in(alone) == [alone]
    pair = [bot(tmp_path / "pair" / name) for name in ("host", "skill")]
    assert bots_in(tmp_path / "pair") == pair


@pytest.mark.parametrize("present", [(), ("host",), ("skill",), ("other",)])
def test_folder_without_a_bot(present: tuple[str, ...], tmp_path: Path) -> None:
    """Half a pair is no bot; the error names the bots of the project."""
    for name in present:
        bot(tmp_path / name)
    with pytest.raises(NoBotError, match=r"create_bot\(services\)\. Choose one of bot_logic, exam"):
        bots_in(tmp_path)
