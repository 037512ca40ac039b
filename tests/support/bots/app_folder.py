"""A folder with the deployed app in which some files are a test's own."""

from collections.abc import Mapping
from pathlib import Path

from emulator.commands.funcignore import FuncIgnore
from tests.support.bots.bot_process import APP


def app_with(folder: Path, own: Mapping[str, str]) -> Path:
    """Link what is deployed into a folder, but for a test's own files.

    Args:
        folder: is made.
        own: contents by path, in place of the app's files or beside them.
    """
    changed = {Path(path).parts[0] for path in own}
    for path in FuncIgnore((APP / ".funcignore").read_text()).files(APP):
        linked = path if path.parts[0] in changed else Path(path.parts[0])
        _link(folder / linked, APP / linked)
    for name, content in own.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content)
    return folder


def host_alone(folder: Path, packages: Mapping[str, Path] | None = None) -> dict[str, str]:
    """Settings with which a host finds itself, but not the project's own app.

    Args:
        folder: is made.
        packages: more of them, by name.
    """
    for name, path in {"emulator": APP / "emulator", **(packages or {})}.items():
        _link(folder / name, path)
    return {"PYTHONPATH": str(folder)}


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(target)
