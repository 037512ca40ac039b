"""Imports a package's app once, as Azure's worker does: a script for `python -I -S`.

Its arguments are the package's folder, that of its packages, a file for the result and, where
Azure's worker library is installed, the folders in which that and this project are. Nothing else
can be imported: not what this machine happens to have besides.

The result is JSON: `faults`, the lines about the bot's routes.py; or `error`, what the app's import
raised, with the bot's own lines, and `missing`, the module if that is why, with the `place` of the
bot's last line. There is none if the app ends the process.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

BOT = "bot_logic"


def main(app: str, packages: str, result: str, *worker: str) -> None:
    """Import the app, and write the result."""
    sys.path += [packages, app]
    if worker:
        _load_worker(worker)
    found: dict[str, object] = {"faults": []}
    try:
        function_app = importlib.import_module("function_app")
        function_app.import_bot_sdk()
        function_app.bot_folder.load()
        if function_app.bot_folder.has_routes:
            importlib.import_module(f"{BOT}.routes")
        found["faults"] = list(function_app.route_faults)
    except BaseException as error:  # noqa: BLE001  # whatever the bot raises, an exit too
        own = _own_lines(error, Path(app))
        found["error"] = _text(error, own, app)
        if isinstance(error, ModuleNotFoundError):
            found["missing"] = error.name
            found["place"] = f"{own[-1].filename}:{own[-1].lineno}" if own else BOT
    Path(result).write_text(json.dumps(found), "utf-8")


def _load_worker(folders: tuple[str, ...]) -> None:
    """Load Azure's worker library, which indexes functions on trial, and hide where it is from."""
    sys.path += folders
    importlib.import_module("bot_workbench.emulator.functions.workers.worker").prepare_indexing()
    for folder in folders:
        sys.path.remove(folder)
    for name in [each for each in sys.modules if each.partition(".")[0] == "bot_workbench"]:
        del sys.modules[name]


def _own_lines(error: BaseException, app: Path) -> list[traceback.FrameSummary]:
    """The bot's lines that led to an error, the last one last; their files relative to the app."""
    return [
        traceback.FrameSummary(
            Path(each.filename).relative_to(app).as_posix(), each.lineno, each.name, line=each.line
        )
        for each in traceback.extract_tb(error.__traceback__)
        if Path(each.filename).is_relative_to(app / BOT)
    ]


def _text(error: BaseException, lines: list[traceback.FrameSummary], app: str) -> str:
    shown = [*traceback.format_list(lines), *traceback.format_exception_only(error)]
    return "".join(shown).rstrip().replace(f"{app}{os.sep}", "")


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # whatever the bot's threads and exit handlers would do
